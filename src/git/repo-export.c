#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "base/hex.h"
#include "base/interrupt.h"
#include "base/path.h"
#include "git/repo-error.h"
#include "git/repo-fetch.h"
#include "git/repo-internal.h"
#include "git/repo.h"

#define REPO_EXPORT_DEPTH_MAX 64
#define REPO_EXPORT_ENTRIES_MAX 1000000

struct repo_export {
	git_repository *git;
	size_t entries;
};

static int
repo_export_check_rev(const char *rev, struct err *e)
{
	size_t len = strnlen(rev, 65);

	if (len == 64 && hex_is(rev, 64))
		return err_set(e, ERR_UNSUPPORTED, "%s: repositories with SHA-256 ids are not supported", rev);
	if (len != 40 || !hex_is(rev, 40))
		return err_set(e, ERR_USAGE, "%.80s: give the full commit id, 40 lower-case hex digits", rev);
	return 0;
}

static int
repo_export_file(git_blob *blob, bool exec, int dirfd, const char *name, struct err *e)
{
	CLEANUP(cleanup_close) int fd = openat(dirfd, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, exec ? 0777 : 0666);

	if (fd < 0 && errno == EEXIST)
		return err_set(e, ERR_EXISTS, "%s: exists already", name);
	if (fd < 0)
		return err_sys(e, "%s: cannot create", name);
	if (fd_write_all(fd, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob), name, e) != 0)
		return -1;
	return fd_close(&fd, name, e);
}

static int
repo_export_link(git_blob *blob, int dirfd, const char *name, struct err *e)
{
	size_t len = (size_t)git_blob_rawsize(blob);
	char target[PATH_MAX];

	if (len == 0 || len >= sizeof target || memchr(git_blob_rawcontent(blob), 0, len) != NULL)
		return err_set(e, ERR_FORMAT, "%s: not the target of a symbolic link", name);
	memcpy(target, git_blob_rawcontent(blob), len);
	target[len] = '\0';
	return symlinkat(target, dirfd, name) == 0 ? 0 : err_sys(e, "%s: cannot create", name);
}

static int
repo_export_blob(struct repo_export *x, const git_oid *id, git_filemode_t mode, int dirfd,
    const char *name, struct err *e)
{
	git_blob *blob;
	int rc = repo_blob(x->git, id, name, &blob, e);

	if (rc != 0)
		return -1;
	if (mode == GIT_FILEMODE_LINK)
		rc = repo_export_link(blob, dirfd, name, e);
	else
		rc = repo_export_file(blob, mode == GIT_FILEMODE_BLOB_EXECUTABLE, dirfd, name, e);
	git_blob_free(blob);
	return rc;
}

static int repo_export_tree(struct repo_export *x, const git_oid *id, int dirfd, const char *name,
    int depth, struct err *e);

static int
repo_export_entry(struct repo_export *x, const git_tree_entry *entry, int dirfd, const char *name,
    int depth, struct err *e)
{
	git_filemode_t mode = git_tree_entry_filemode(entry);

	if (++x->entries > REPO_EXPORT_ENTRIES_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d entries", name, REPO_EXPORT_ENTRIES_MAX);
	if (interrupt_check(e) != 0)
		return -1;
	switch (mode) {
	case GIT_FILEMODE_TREE:
		return repo_export_tree(x, git_tree_entry_id(entry), dirfd, name, depth + 1, e);
	case GIT_FILEMODE_BLOB:
	case GIT_FILEMODE_BLOB_EXECUTABLE:
	case GIT_FILEMODE_LINK:
		return repo_export_blob(x, git_tree_entry_id(entry), mode, dirfd, name, e);
	case GIT_FILEMODE_COMMIT:
		return err_set(e, ERR_DENIED, "%s: a submodule; name its repository as an input of its own",
		    name);
	default:
		return err_set(e, ERR_DENIED, "%s: has mode %o, which is none of git's", name,
		    (unsigned)mode);
	}
}

static int
repo_export_entries(struct repo_export *x, const git_tree *tree, int fd, int depth, struct err *e)
{
	for (size_t i = 0; i < git_tree_entrycount(tree); i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
		const char *name = git_tree_entry_name(entry);

		if (!path_name_ok(name, strlen(name)))
			return err_set(e, ERR_DENIED, "\"%s\": a name that no tree can hold", name);
		if (repo_export_entry(x, entry, fd, name, depth, e) != 0)
			return -1;
	}
	return 0;
}

static int
repo_export_tree(struct repo_export *x, const git_oid *id, int dirfd, const char *name, int depth,
    struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	git_tree *tree;
	int rc;

	if (depth > REPO_EXPORT_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d directories deep", name,
		    REPO_EXPORT_DEPTH_MAX);
	if (mkdirat(dirfd, name, 0777) != 0)
		return errno == EEXIST ? err_set(e, ERR_EXISTS, "%s: exists already", name) :
		    err_sys(e, "%s: cannot create", name);
	fd = fd_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0)
		return -1;
	rc = git_tree_lookup(&tree, x->git, id);
	if (rc != 0)
		return repo_error_set(e, rc, "%s", name);
	rc = repo_export_entries(x, tree, fd, depth, e);
	git_tree_free(tree);
	return rc == 0 ? 0 : err_prefix(e, "%s", name);
}

static int
repo_export_path(struct repo_export *x, git_tree *root, const char *path, int dirfd,
    const char *name, struct err *e)
{
	git_tree_entry *entry;
	int rc;

	if (*path == '\0' || strcmp(path, ".") == 0)
		return repo_export_tree(x, git_tree_id(root), dirfd, name, 1, e);
	if (path_check(path, e) != 0)
		return -1;
	rc = git_tree_entry_bypath(&entry, root, path);
	if (rc == GIT_ENOTFOUND)
		return err_set(e, ERR_NOTFOUND, "%s: not in that commit", path);
	if (rc != 0)
		return repo_error_set(e, rc, "%s", path);
	if (git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK)
		rc = err_set(e, ERR_DENIED, "%s: a symbolic link", path);
	else
		rc = repo_export_entry(x, entry, dirfd, name, 0, e);
	git_tree_entry_free(entry);
	return rc;
}

static int
repo_export_commit(struct repo_export *x, const char *url, const char *rev, const char *path,
    int dirfd, const char *name, struct err *e)
{
	git_commit *commit;
	git_tree *root;
	git_oid id;
	int rc = git_oid_fromstr(&id, rev);

	if (rc == 0)
		rc = git_commit_lookup(&commit, x->git, &id);
	if (rc == GIT_ENOTFOUND)
		return err_set(e, ERR_NOTFOUND, "%s: has no commit %s (in its branches and tags)", url, rev);
	if (rc != 0)
		return repo_error_set(e, rc, "%s: %s", url, rev);
	rc = git_commit_tree(&root, commit);
	git_commit_free(commit);
	if (rc != 0)
		return repo_error_set(e, rc, "%s: %s", url, rev);
	rc = repo_export_path(x, root, path, dirfd, name, e);
	git_tree_free(root);
	return rc == 0 ? 0 : err_prefix(e, "%s", url);
}

int
repo_export(const char *url, const char *rev, const char *path, const char *cache_dir,
    int destdirfd, const char *name, struct err *e)
{
	CLEANUP(repo_error_stopp) bool started = false;
	struct repo_export x = {NULL, 0};
	struct stat st;
	int rc;

	if (repo_export_check_rev(rev, e) != 0)
		return -1;
	if (fstatat(destdirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_EXISTS, "%s: exists already", name);
	started = repo_error_start(e) == 0;
	if (!started || repo_fetch_open(url, rev, cache_dir, &x.git, e) != 0)
		return -1;
	rc = repo_export_commit(&x, url, rev, path, destdirfd, name, e);
	git_repository_free(x.git);
	if (rc != 0 && fd_remove_tree(destdirfd, name, NULL) != 0)
		err_prefix(e, "%s is left behind", name);
	return rc;
}
