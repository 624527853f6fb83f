#include "git/repo.h"

#include <git2.h>
#include <string.h>
#include "base/buf.h"
#include "base/path.h"
#include "git/repo-error.h"
#include "git/repo-internal.h"

int
repo_blob(git_repository *git, const git_oid *id, const char *what, git_blob **ret, struct err *e)
{
	git_object_t type;
	git_odb *odb;
	size_t size;
	int rc = git_repository_odb(&odb, git);

	if (rc != 0)
		return repo_error_set(e, rc, "%s", what);
	rc = git_odb_read_header(&size, &type, odb, id);
	git_odb_free(odb);
	if (rc == 0 && size > REPO_BLOB_MAX)
		return err_set(e, ERR_LIMIT, "%s: %zu bytes in git, which is more than are read of one file"
		    " (%llu); git-lfs is for those", what, size, REPO_BLOB_MAX);
	if (rc == 0)
		rc = git_blob_lookup(ret, git, id);
	return rc == 0 ? 0 : repo_error_set(e, rc, "%s", what);
}

/* libgit2 says "not found" of another user's repository too, when no file of
 * the user could declare it safe. */
static int
repo_discover_error(const char *path, int rc, struct err *e)
{
	git_buf found = GIT_BUF_INIT_CONST(NULL, 0);
	bool there;

	if (rc != GIT_ENOTFOUND)
		return repo_error_set(e, rc, "%s", path);
	there = git_repository_discover(&found, path, 0, NULL) == 0;
	git_buf_dispose(&found);
	if (there)
		return err_set(e, ERR_DENIED, "%s: its git repository belongs to another user; see"
		    " safe.directory in git-config(1)", path);
	return err_set(e, ERR_NOTFOUND, "%s: not in a git repository", path);
}

int
repo_discover(const char *path, struct repo **ret, struct err *e)
{
	struct repo *r;
	int rc;

	if (repo_error_start(e) != 0)
		return -1;
	r = calloc(1, sizeof *r);
	if (r == NULL) {
		repo_error_stop();
		return err_nomem(e);
	}
	rc = git_repository_open_ext(&r->git, path, 0, NULL);
	if (rc != 0) {
		repo_discover_error(path, rc, e);
		repo_free(r);
		return -1;
	}
	*ret = r;
	return 0;
}

void
repo_free(struct repo *r)
{
	if (r == NULL)
		return;
	git_repository_free(r->git);
	free(r);
	repo_error_stop();
}

const char *
repo_workdir(const struct repo *r)
{
	return git_repository_workdir(r->git);
}

/* A snapshot: of the repository, or of the user's files outside one. */
static int
repo_config(struct repo *r, git_config **ret, struct err *e)
{
	git_config *all;
	int rc;

	if (r != NULL) {
		rc = git_repository_config_snapshot(ret, r->git);
		return rc == 0 ? 0 : repo_error_set(e, rc, "cannot read git's configuration");
	}
	rc = git_config_open_default(&all);
	if (rc == 0) {
		rc = git_config_snapshot(ret, all);
		git_config_free(all);
	}
	return rc == 0 ? 0 : repo_error_set(e, rc, "cannot read git's configuration");
}

/* Surrounding blanks go, as in git; what would break "Name <email>" is refused. */
static int
repo_clean(const char *what, const char *text, char **ret, struct err *e)
{
	size_t start = strspn(text, " \t\r\n"), len = strlen(text + start);
	char *copy;

	while (len > 0 && strchr(" \t\r\n", text[start + len - 1]) != NULL)
		len--;
	if (len == 0)
		return err_set(e, ERR_NOTFOUND, "%s is empty: set it with git config --global %s ...",
		    what, what);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[start + i] < 0x20 || strchr("<>\x7f", text[start + i]) != NULL)
			return err_set(e, ERR_FORMAT, "%s has a control character or '<' or '>'", what);
	if (!path_utf8_ok(text + start, len))
		return err_set(e, ERR_FORMAT, "%s is not valid UTF-8", what);
	copy = strndup(text + start, len);
	if (copy == NULL)
		return err_nomem(e);
	*ret = copy;
	return 0;
}

static int
repo_identity_part(git_config *config, const char *variable, const char *key, char **ret,
    struct err *e)
{
	const char *value = getenv(variable);
	int rc;

	if (value == NULL || *value == '\0') {
		rc = git_config_get_string(&value, config, key);
		if (rc == GIT_ENOTFOUND)
			return err_set(e, ERR_NOTFOUND, "git's %s is not set: git config --global %s ...",
			    key, key);
		if (rc != 0)
			return repo_error_set(e, rc, "git's %s", key);
	}
	return repo_clean(key, value, ret, e);
}

int
repo_identity(struct repo *r, char **ret_name, char **ret_email, struct err *e)
{
	CLEANUP(repo_error_stopp) bool started = repo_error_start(e) == 0;
	CLEANUP(cleanup_free) char *name = NULL;
	git_config *config = NULL;
	int rc;

	if (!started || repo_config(r, &config, e) != 0)
		return -1;
	rc = repo_identity_part(config, "GIT_AUTHOR_NAME", "user.name", &name, e);
	if (rc == 0)
		rc = repo_identity_part(config, "GIT_AUTHOR_EMAIL", "user.email", ret_email, e);
	git_config_free(config);
	if (rc != 0)
		return -1;
	*ret_name = name;
	name = NULL;
	return 0;
}

int
repo_head(struct repo *r, char *ret, struct err *e)
{
	git_oid id;
	int rc = git_reference_name_to_id(&id, r->git, "HEAD");

	if (rc == GIT_ENOTFOUND || rc == GIT_EUNBORNBRANCH)
		return err_set(e, ERR_NOTFOUND, "git has no commit yet");
	if (rc != 0)
		return repo_error_set(e, rc, "git's HEAD");
	git_oid_tostr(ret, 65, &id);
	return 0;
}

int
repo_remote_url(struct repo *r, const char *name, char **ret, struct err *e)
{
	git_remote *remote;
	const char *url;
	int rc;

	rc = git_remote_lookup(&remote, r->git, name);
	if (rc == GIT_ENOTFOUND || rc == GIT_EINVALIDSPEC)
		return err_set(e, ERR_NOTFOUND, "git has no remote %s", name);
	if (rc != 0)
		return repo_error_set(e, rc, "git's remote %s", name);
	url = git_remote_url(remote);
	*ret = url != NULL ? buf_strdup(url, e) : NULL;
	git_remote_free(remote);
	return *ret != NULL ? 0 : url != NULL ? -1 : err_set(e, ERR_NOTFOUND, "git's remote %s has no url",
	    name);
}
