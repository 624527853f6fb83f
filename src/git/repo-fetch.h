/* The repository behind a path or URL; for repo-export.c. */
#ifndef GIT_REPO_FETCH_H
#define GIT_REPO_FETCH_H

#include <git2.h>
#include "base/err.h"

enum repo_fetch_kind { REPO_FETCH_LOCAL, REPO_FETCH_HTTPS };

/* What a URL is; *ret_path: where a local one lies.  ERR_UNSUPPORTED for other
 * transports, ERR_USAGE for one with credentials in it. */
int repo_fetch_classify(const char *url, enum repo_fetch_kind *ret, const char **ret_path,
    struct err *e) MUST_CHECK;
/*
 * A local repository is opened where it lies; of a remote one the branches and
 * tags are fetched into a bare repository beneath cache_dir, unless the commit
 * is there already.  The caller frees *ret.
 */
int repo_fetch_open(const char *url, const char *rev, const char *cache_dir, git_repository **ret,
    struct err *e) MUST_CHECK;
/* The fetch itself, of any URL libgit2 can read. */
int repo_fetch_into(git_repository *cache, const char *url, struct err *e) MUST_CHECK;

#endif
