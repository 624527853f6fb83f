/*
 * The user's runners: sections [runner "NAME"] of the user's configuration,
 * never of a repository's.  No secret is in them, only where it is.
 *
 *     url         https://HOST:PORT, or PROVIDER:WHAT, a machine that is started for
 *                 every run: it has no akName, and none of the credentials below
 *     minLevel    the level that its identity and its certificates must reach
 *     akName      Name of its AK in hex; no other AK is accepted
 *     akFrom      "given" or "first-use": how akName was learned
 *     tokenFile, clientCert, clientKey    absolute paths
 *     processors, memory (MiB), accelerator, firmwareVariables (an absolute path)
 *                 of a machine that is started
 */
#ifndef RUNNER_REGISTRY_H
#define RUNNER_REGISTRY_H

#include "store/config.h"
#include "verify/verdict.h"

#define REGISTRY_LOCAL "local"  /* always there, never in the file */

struct registry_entry {
	char *name;
	char *url;
	enum verdict_level level;
	char *ak_name;
	bool ak_given;
	char *token_file;           /* NULL: none */
	char *client_cert, *client_key;
	bool started;               /* url is a provider's; what follows is of such a one */
	int64_t processors, memory_mib; /* 0: not set */
	char *accelerator, *firmware_variables;
};

void registry_entry_free(struct registry_entry *r);
/* Letters, digits, '.', '_', '-', at most 64, the first a letter or digit; not "local". */
int registry_name_check(const char *name, struct err *e) MUST_CHECK;
/* "PROVIDER:/...", the provider's name in lower case letters; not http or https. */
bool registry_is_started(const char *url);
/* ERR_USAGE: no such runner; the message says how to make one. */
int registry_get(struct config *c, const char *name, struct registry_entry *ret,
    struct err *e) MUST_CHECK;
/* ERR_EXISTS when the name is taken. */
int registry_add(struct config *c, const struct registry_entry *r, struct err *e) MUST_CHECK;
/* ERR_USAGE: no such runner. */
int registry_remove(struct config *c, const char *name, struct err *e) MUST_CHECK;
/* All of them, by name. *ret is an array of *ret_n that the caller frees. */
int registry_list(struct config *c, struct registry_entry **ret, size_t *ret_n,
    struct err *e) MUST_CHECK;

#endif
