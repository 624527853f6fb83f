/* What is behind struct repo; for repo*.c. */
#ifndef GIT_REPO_INTERNAL_H
#define GIT_REPO_INTERNAL_H

#include <git2.h>
#include "git/repo.h"

#define REPO_BLOB_MAX (1024ull * 1024 * 1024)  /* libgit2 has a blob in memory as a whole */

struct repo {
	git_repository *git;
};

/* Its size is looked at before it is read; ERR_LIMIT. git_blob_free() is the caller's. */
int repo_blob(git_repository *git, const git_oid *id, const char *what, git_blob **ret,
    struct err *e) MUST_CHECK;

#endif
