/* Getting a remote's refs and all that they reach: fetch, pull and clone. */
#ifndef CMD_FETCH_REFS_H
#define CMD_FETCH_REFS_H

#include "cmd/remotes.h"

enum fetch_result {
	FETCH_UP_TO_DATE, FETCH_NEW, FETCH_FORWARD,
	FETCH_REWRITTEN,        /* commits that were there are gone: the old tip is in the reflog */
	FETCH_KEPT,             /* a tag that is elsewhere there: ours stays */
	FETCH_DELETED,          /* pruned */
	FETCH_FAILED            /* something it needs is missing, or is not what it must be */
};

struct fetch_ref {
	char *theirs, *ours;    /* ours NULL: only its objects are fetched */
	struct object_ref target, old;
	bool has_old;
	enum fetch_result result;
};

struct fetch_options {
	const char *blobs;      /* NULL: as configured */
	bool no_tags, prune, dry_run;
	int argc;               /* refspecs; 0: those of the remote */
	char **argv;
};

struct fetch {
	struct store *s;
	struct config *c;
	struct remotes_entry entry;
	struct remote *remote;
	struct remote_refs there;
	struct fetch_ref *refs;
	size_t count;
	struct sync_tally tally;
	enum sync_blobs blobs;
};

/* s and c are the caller's, and entry is set. */
int fetch_refs_run(struct fetch *f, const struct fetch_options *o, struct err *e) MUST_CHECK;
void fetch_refs_print(const struct fetch *f, bool dry_run);
int fetch_refs_print_json(const struct fetch *f, bool dry_run, struct err *e) MUST_CHECK;
/* 0, 1: history was rewritten or a tag is elsewhere, 3: something is missing; -1 with e
 * for the latter two. */
int fetch_refs_status(const struct fetch *f, struct err *e) MUST_CHECK;
/* Frees what it made, and entry. */
void fetch_refs_free(struct fetch *f);

#endif
