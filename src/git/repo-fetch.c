#include "git/repo-fetch.h"

#include <string.h>
#include <strings.h>
#include "base/buf.h"
#include "base/interrupt.h"
#include "git/repo-error.h"

#define REPO_FETCH_BYTES_MAX (UINT64_C(16) << 30)

int
repo_fetch_classify(const char *url, enum repo_fetch_kind *ret, const char **ret_path, struct err *e)
{
	const char *colon = strstr(url, "://");
	const char *host_end;

	if (strncasecmp(url, "file://", 7) == 0) {
		/* file:///path, or file://localhost/path */
		url += 7;
		if (strncasecmp(url, "localhost/", 10) == 0)
			url += 9;
		if (*url != '/' || strchr(url, '%') != NULL)
			return err_set(e, ERR_USAGE, "file://%s: give a plain path", url);
		*ret = REPO_FETCH_LOCAL;
		*ret_path = url;
		return 0;
	}
	if (strncasecmp(url, "https://", 8) == 0) {
		host_end = url + 8 + strcspn(url + 8, "/?#");
		if (memchr(url + 8, '@', (size_t)(host_end - url - 8)) != NULL)
			return err_set(e, ERR_USAGE, "the address of a git repository must not carry"
			    " credentials: it is measured and public");
		*ret = REPO_FETCH_HTTPS;
		*ret_path = url;
		return 0;
	}
	if (colon != NULL)
		return err_set(e, ERR_UNSUPPORTED, "%s: only https://, file:// and paths are fetched from",
		    url);
	/* "host:path" of ssh; a path with a colon is written "./a:b" */
	if (*url == '\0' || strcspn(url, ":") < strcspn(url, "/"))
		return err_set(e, ERR_UNSUPPORTED, "%s: only https://, file:// and paths are fetched from",
		    url);
	*ret = REPO_FETCH_LOCAL;
	*ret_path = url;
	return 0;
}

static int
repo_fetch_progress(const git_indexer_progress *stats, void *arg)
{
	(void)arg;
	return interrupt_pending() || stats->received_bytes > REPO_FETCH_BYTES_MAX ? -1 : 0;
}

int
repo_fetch_into(git_repository *cache, const char *url, struct err *e)
{
	char heads[] = "+refs/heads/*:refs/fetched/heads/*";
	char tags[] = "+refs/tags/*:refs/fetched/tags/*";
	char *specs[] = {heads, tags};
	const git_strarray list = {specs, 2};
	git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
	git_remote *remote;
	int rc = git_remote_create_anonymous(&remote, cache, url);

	if (rc != 0)
		return repo_error_set(e, rc, "%s", url);
	options.callbacks.transfer_progress = repo_fetch_progress;
	options.prune = GIT_FETCH_NO_PRUNE;
	options.update_fetchhead = 0;
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.proxy_opts.type = GIT_PROXY_AUTO;
	rc = git_remote_fetch(remote, &list, &options, NULL);
	git_remote_free(remote);
	if (rc == 0)
		return 0;
	if (interrupt_check(e) != 0)
		return -1;
	repo_error_set(e, rc, "%s: cannot fetch", url);
	if (e != NULL && e->code == ERR_IO)
		e->code = ERR_NETWORK;
	return -1;
}

/* One bare repository for each URL, named for a digest of it. */
static int
repo_fetch_cache(const char *cache_dir, const char *url, git_repository **ret, struct err *e)
{
	git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
	CLEANUP(cleanup_free) char *path = NULL;
	git_oid name;
	char hex[GIT_OID_HEXSZ + 1];
	int rc = git_odb_hash(&name, url, strlen(url), GIT_OBJECT_BLOB);

	if (rc != 0)
		return repo_error_set(e, rc, "%s", url);
	git_oid_tostr(hex, sizeof hex, &name);
	path = buf_strfmt(e, "%s/git/%s.git", cache_dir, hex);
	if (path == NULL)
		return -1;
	rc = git_repository_open_bare(ret, path);
	if (rc == GIT_ENOTFOUND) {
		options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH |
		    GIT_REPOSITORY_INIT_NO_REINIT;
		rc = git_repository_init_ext(ret, path, &options);
		if (rc == GIT_EEXISTS) /* another process made it */
			rc = git_repository_open_bare(ret, path);
	}
	return rc == 0 ? 0 : repo_error_set(e, rc, "%s", path);
}

static bool
repo_fetch_has(git_repository *git, const char *rev)
{
	git_commit *commit;
	git_oid id;

	if (git_oid_fromstr(&id, rev) != 0 || git_commit_lookup(&commit, git, &id) != 0)
		return false;
	git_commit_free(commit);
	return true;
}

int
repo_fetch_open(const char *url, const char *rev, const char *cache_dir, git_repository **ret,
    struct err *e)
{
	enum repo_fetch_kind kind;
	const char *path;
	git_repository *git = NULL;
	int rc;

	if (repo_fetch_classify(url, &kind, &path, e) != 0)
		return -1;
	if (kind == REPO_FETCH_LOCAL) {
		rc = git_repository_open_ext(&git, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
		if (rc != 0)
			return repo_error_set(e, rc, "%s", url);
		*ret = git;
		return 0;
	}
	if (repo_fetch_cache(cache_dir, url, &git, e) != 0)
		return -1;
	if (!repo_fetch_has(git, rev) && repo_fetch_into(git, url, e) != 0) {
		git_repository_free(git);
		return -1;
	}
	*ret = git;
	return 0;
}
