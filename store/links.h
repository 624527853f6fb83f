/*
 * What an object names: the parents and the subject of a commit, what a
 * certificate's run took and made, the entries of a tree.
 */
#ifndef STORE_LINKS_H
#define STORE_LINKS_H

#include <stdint.h>
#include "object/oid.h"
#include "store/store.h"

enum links_role {
	LINKS_PARENT, LINKS_SUBJECT, LINKS_INPUT, LINKS_MADE_BY, LINKS_IMAGE, LINKS_OUTPUT, LINKS_LOG,
	LINKS_BOOT_LOG, LINKS_ENTRY
};

struct links_link {
	enum links_role role;
	struct object_ref ref;
	const char *path;       /* of an input, output, image or entry; else NULL; borrowed */
	bool has_size;
	uint64_t size;          /* that it is said to have: of blobs */
	/* A store without it is damaged: parents, subjects, entries, and of a run that
	 * succeeded outputs and logs.  Inputs may be kept elsewhere, in a partial store all
	 * contents. */
	bool needed;
	bool failed;            /* an output of a run that did not succeed */
};

/* "input", "output", ... */
const char *links_role_name(enum links_role role);

/* ref's own bytes are read and decoded: ERR_NOTFOUND, ERR_CORRUPT, ERR_FORMAT.  A blob
 * names nothing.  fn's failure ends it. */
typedef int links_fn(void *arg, const struct links_link *l, struct err *e);
int links_each(struct store *s, const struct object_ref *ref, links_fn *fn, void *arg,
    struct err *e) MUST_CHECK;

#endif
