/* The files of the commit that is checked out, as git has them. */
#ifndef GIT_REPO_FILES_H
#define GIT_REPO_FILES_H

#include <stddef.h>
#include "git/repo.h"

enum repo_file_kind {
	REPO_FILE_REGULAR,
	REPO_FILE_LINK,         /* its bytes are the target */
	REPO_FILE_SUBMODULE     /* no bytes: what is in it is in another repository */
};

struct repo_file {
	enum repo_file_kind kind;
	const char *path;       /* from the top of the repository */
	const struct err *why;  /* its bytes cannot be read; NULL: they are here: */
	const void *data;       /* raw, without filters */
	size_t len;
};

struct repo_files {
	bool (*want)(void *arg, const char *path, enum repo_file_kind kind);
	/* Of those that are wanted, in the order of paths. -1 ends the walk. */
	int (*take)(void *arg, const struct repo_file *file, struct err *e);
	void *arg;
};
/* 0: all, which is none where nothing was committed yet; -1: they cannot be listed to the end. */
int repo_files_each(struct repo *r, const struct repo_files *f, struct err *e) MUST_CHECK;

#endif
