/* What is behind struct repo; for repo*.c. */
#ifndef GIT_REPO_INTERNAL_H
#define GIT_REPO_INTERNAL_H

#include <git2.h>
#include "git/repo.h"

struct repo {
	git_repository *git;
};

#endif
