/* The git repository around a model: libgit2, only here. */
#ifndef GIT_REPO_H
#define GIT_REPO_H

#include <stdbool.h>
#include "base/err.h"

struct repo;

/* ERR_NOTFOUND when path is in no git repository. */
int repo_discover(const char *path, struct repo **ret, struct err *e) MUST_CHECK;
void repo_free(struct repo *r);
static inline void repo_freep(struct repo **r) { repo_free(*r); }
const char *repo_workdir(const struct repo *r);  /* NULL when bare */
/* user.name and user.email, from GIT_AUTHOR_* as git does, the repository's
 * configuration or the user's; r may be NULL. ERR_NOTFOUND names what is unset. malloc'd. */
int repo_identity(struct repo *r, char **ret_name, char **ret_email, struct err *e) MUST_CHECK;
/* HEAD's commit as hex; ERR_NOTFOUND when unborn. ret has 65 bytes. */
int repo_head(struct repo *r, char *ret, struct err *e) MUST_CHECK;
/* The url of the repository's remote of that name, as its configuration has it; malloc'd.
 * ERR_NOTFOUND when there is none. */
int repo_remote_url(struct repo *r, const char *name, char **ret, struct err *e) MUST_CHECK;

/*
 * Exports a path of a commit as raw blobs, without filters, into destdirfd/name
 * (path "" or ".": the whole tree).  url: a local path or URL; a remote one is
 * fetched into a bare cache repository at cache_dir first.  rev: a full id.
 */
int repo_export(const char *url, const char *rev, const char *path, const char *cache_dir,
    int destdirfd, const char *name, struct err *e) MUST_CHECK;

#endif
