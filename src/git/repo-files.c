#include "git/repo-files.h"

#include <git2.h>
#include "base/buf.h"
#include "base/interrupt.h"
#include "git/repo-error.h"
#include "git/repo-internal.h"

#define REPO_FILES_MAX 5000000

struct repo_files_walk {
	git_repository *git;
	const struct repo_files *f;
	size_t count;
	int rc;                 /* ours; libgit2's is its own */
	struct err *e;
};

static int
repo_files_read(struct repo_files_walk *w, const char *path, const git_oid *id)
{
	git_blob *blob;
	int rc = git_blob_lookup(&blob, w->git, id);

	if (rc != 0)
		return repo_error_set(w->e, rc, "%s", path);
	rc = w->f->take(w->f->arg, path, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob), w->e);
	git_blob_free(blob);
	return rc;
}

static int
repo_files_entry(const char *root, const git_tree_entry *entry, void *arg)
{
	struct repo_files_walk *w = arg;
	git_filemode_t mode = git_tree_entry_filemode(entry);
	CLEANUP(cleanup_free) char *path = NULL;

	if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE)
		return 0;
	w->rc = interrupt_check(w->e);
	if (w->rc == 0 && ++w->count > REPO_FILES_MAX)
		w->rc = err_set(w->e, ERR_LIMIT, "the git repository has more than %d files", REPO_FILES_MAX);
	if (w->rc != 0)
		return -1;
	path = buf_strfmt(w->e, "%s%s", root, git_tree_entry_name(entry));
	if (path == NULL)
		w->rc = -1;
	else if (w->f->want(w->f->arg, path))
		w->rc = repo_files_read(w, path, git_tree_entry_id(entry));
	return w->rc;
}

int
repo_files_each(struct repo *r, const struct repo_files *f, struct err *e)
{
	struct repo_files_walk w = {.git = r->git, .f = f, .e = e};
	git_object *tree = NULL;
	int rc = git_revparse_single(&tree, r->git, "HEAD^{tree}");

	if (rc == GIT_ENOTFOUND)
		return err_set(e, ERR_NOTFOUND, "the git repository has no commit yet");
	if (rc != 0)
		return repo_error_set(e, rc, "HEAD");
	rc = git_tree_walk((git_tree *)tree, GIT_TREEWALK_PRE, repo_files_entry, &w);
	git_object_free(tree);
	if (w.rc != 0)
		return -1;
	return rc == 0 ? 0 : repo_error_set(e, rc, "the files of HEAD");
}
