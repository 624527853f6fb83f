/* The files of the commit that is checked out, as git has them. */
#ifndef GIT_REPO_FILES_H
#define GIT_REPO_FILES_H

#include <stddef.h>
#include "git/repo.h"

struct repo_files {
	/* A regular file, its path from the top of the repository: is it wanted? */
	bool (*want)(void *arg, const char *path);
	/* Its bytes, raw, without filters. -1 ends the walk. */
	int (*take)(void *arg, const char *path, const void *data, size_t len, struct err *e);
	void *arg;
};
/* Links and submodules are left out. ERR_NOTFOUND: there is no commit yet. */
int repo_files_each(struct repo *r, const struct repo_files *f, struct err *e) MUST_CHECK;

#endif
