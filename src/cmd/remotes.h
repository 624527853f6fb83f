/* Remotes as commands name them, and what commands that use them share. */
#ifndef CMD_REMOTES_H
#define CMD_REMOTES_H

#include "codec/jcs.h"
#include "remote/remote.h"
#include "remote/sync.h"

#define REMOTES_DEFAULT "origin"

struct remotes_entry {
	char *name;             /* "" when an url was typed */
	char *url;
	bool git;               /* it is the surrounding git repository's remote */
};

void remotes_entry_free(struct remotes_entry *r);
/* ERR_USAGE unless it can name a remote. */
int remotes_name_check(const char *name, struct err *e) MUST_CHECK;
/* Of the store's configuration, in its order; the caller frees entries and array. */
int remotes_list(struct config *c, struct remotes_entry **ret, size_t *ret_n,
    struct err *e) MUST_CHECK;
/*
 * What was typed: a configured name, git's remote of that name, an url or path.  NULL: the
 * branch's (branch.NAME.remote), else "origin", else the only one, else git's "origin".
 * ERR_USAGE says how to make one.
 */
int remotes_choose(struct store *s, struct config *c, const char *typed,
    struct remotes_entry *ret, struct err *e) MUST_CHECK;
/* As it is configured: a path in full, so that it means the same from everywhere; malloc'd.
 * there: it must be. */
int remotes_url(const char *typed, bool there, char **ret, struct err *e) MUST_CHECK;
int remotes_open(struct store *s, struct config *c, const struct remotes_entry *entry, bool writing,
    struct remote **ret, struct err *e) MUST_CHECK;
/* push.blobs, fetch.blobs: given, else configured, else fallback. */
int remotes_blobs(struct config *c, const char *key, const char *given, enum sync_blobs fallback,
    enum sync_blobs *ret, struct err *e) MUST_CHECK;
/* refs/remotes/<name>/<branch> of refs/heads/<branch>; false: a tag, or no remote with a name. */
bool remotes_tracking(const struct remotes_entry *r, const char *ref, char *ret, size_t cap);

/* What the user shows a hub, and by whom it is vouched for: kept in the user's configuration,
 * by the hub's scheme, host and port. */
struct remotes_credentials {
	const char *token_file, *client_cert, *client_key, *ca_file;
};
#define REMOTES_CREDENTIALS_SYNOPSIS "--token-file FILE] [--client-cert FILE --client-key FILE] [--ca FILE"
#define REMOTES_CREDENTIALS_OPTIONS(c) \
	{OPTION_STRING, 0, "token-file", &(c)->token_file, "FILE", "holds the hub's bearer token, mode 0600"}, \
	{OPTION_STRING, 0, "client-cert", &(c)->client_cert, "FILE", "certificate to show the hub, PEM"}, \
	{OPTION_STRING, 0, "client-key", &(c)->client_key, "FILE", "the certificate's key, mode 0600"}, \
	{OPTION_STRING, 0, "ca", &(c)->ca_file, "FILE", "who vouches for the hub's own certificate, PEM"}
bool remotes_credentials_given(const struct remotes_credentials *shown);
int remotes_credentials_set(struct config *c, const char *url, const struct remotes_credentials *shown,
    struct err *e) MUST_CHECK;

/* What was moved, for people and for programs. */
void remotes_print_tally(const struct sync_tally *t, const char *verb, const char *more);
void remotes_tally_json(const struct sync_tally *t, struct jcs *object);

#endif
