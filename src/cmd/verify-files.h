/* Directories that verify compares: what differs, and what may be there besides. */
#ifndef CMD_VERIFY_FILES_H
#define CMD_VERIFY_FILES_H

#include "verify/verify.h"

struct verify_files {
	bool allow_extra;           /* what the tree does not have is told, not judged */
	verify_fetch *fetch;        /* of trees */
	void *fetch_arg;
	struct buf extra;           /* what was allowed, a list */
	char **details;             /* that verify_file.detail points to */
	size_t detail_count;
};

void verify_files_free(struct verify_files *v);
/*
 * f is a directory, measured, that lies at path beneath dirfd and is said to be an output
 * (input: an input) of the run, or inside of one.  Where it is not, f->detail says which
 * entries make the difference; with allow_extra f is measured again without those that the
 * tree does not have.
 */
int verify_files_settle(struct verify_files *v, const struct certificate *c, bool input, int dirfd,
    const char *path, struct verify_file *f, struct err *e) MUST_CHECK;

#endif
