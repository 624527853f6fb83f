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

/* False: a directory. */
static bool
repo_files_kind(const git_tree_entry *entry, enum repo_file_kind *ret)
{
	switch (git_tree_entry_filemode(entry)) {
	case GIT_FILEMODE_TREE:
		return false;
	case GIT_FILEMODE_LINK:
		*ret = REPO_FILE_LINK;
		return true;
	case GIT_FILEMODE_COMMIT:
		*ret = REPO_FILE_SUBMODULE;
		return true;
	default:
		*ret = REPO_FILE_REGULAR;
		return true;
	}
}

/* What is missing, as in a partial clone, or too large does not hide the files after it. */
static int
repo_files_read(struct repo_files_walk *w, struct repo_file *file, const git_oid *id)
{
	git_blob *blob = NULL;
	struct err why;
	int rc;

	if (file->kind != REPO_FILE_SUBMODULE && repo_blob(w->git, id, file->path, &blob, &why) != 0) {
		if (why.code == ERR_NOMEM) {
			*w->e = why;
			return -1;
		}
		file->why = &why;
	}
	if (blob != NULL) {
		file->data = git_blob_rawcontent(blob);
		file->len = (size_t)git_blob_rawsize(blob);
	}
	rc = w->f->take(w->f->arg, file, w->e);
	git_blob_free(blob);
	return rc;
}

static int
repo_files_entry(const char *root, const git_tree_entry *entry, void *arg)
{
	struct repo_files_walk *w = arg;
	CLEANUP(cleanup_free) char *path = NULL;
	struct repo_file file = {0};

	if (!repo_files_kind(entry, &file.kind))
		return 0;
	w->rc = interrupt_check(w->e);
	if (w->rc == 0 && ++w->count > REPO_FILES_MAX)
		w->rc = err_set(w->e, ERR_LIMIT, "the git repository has more than %d files", REPO_FILES_MAX);
	if (w->rc != 0)
		return -1;
	file.path = path = buf_strfmt(w->e, "%s%s", root, git_tree_entry_name(entry));
	if (path == NULL)
		w->rc = -1;
	else if (w->f->want(w->f->arg, path, file.kind))
		w->rc = repo_files_read(w, &file, git_tree_entry_id(entry));
	return w->rc;
}

int
repo_files_each(struct repo *r, const struct repo_files *f, struct err *e)
{
	struct repo_files_walk w = {.git = r->git, .f = f, .e = e};
	git_object *tree = NULL;
	int rc = git_repository_head_unborn(r->git);

	if (rc == 1)
		return 0;
	if (rc == 0)
		rc = git_revparse_single(&tree, r->git, "HEAD^{tree}");
	if (rc != 0)
		return repo_error_set(e, rc, "git's HEAD");
	rc = git_tree_walk((git_tree *)tree, GIT_TREEWALK_PRE, repo_files_entry, &w);
	git_object_free(tree);
	if (w.rc != 0)
		return -1;
	return rc == 0 ? 0 : repo_error_set(e, rc, "the files of git's HEAD");
}
