#include "git/repo-error.h"

#include <git2.h>

static enum err_code
repo_error_code(int rc)
{
	switch (rc) {
	case GIT_ENOTFOUND:
	case GIT_EUNBORNBRANCH:
		return ERR_NOTFOUND;
	case GIT_EEXISTS:
		return ERR_EXISTS;
	case GIT_EINVALIDSPEC:
		return ERR_USAGE;
	case GIT_EAUTH:
	case GIT_ECERTIFICATE:
	case GIT_EOWNER:
		return ERR_DENIED;
	case GIT_ELOCKED:
		return ERR_BUSY;
	default:
		return ERR_IO;
	}
}

static enum err_code
repo_error_class(int rc)
{
	const git_error *last = git_error_last();
	enum err_code code = repo_error_code(rc);

	if (code != ERR_IO || last == NULL)
		return code;
	if (last->klass == GIT_ERROR_NOMEMORY)
		return ERR_NOMEM;
	if (last->klass == GIT_ERROR_NET || last->klass == GIT_ERROR_SSL || last->klass == GIT_ERROR_HTTP)
		return ERR_NETWORK;
	return last->klass == GIT_ERROR_CONFIG ? ERR_FORMAT : ERR_IO;
}

int
repo_error_set(struct err *e, int rc, const char *fmt, ...)
{
	const git_error *last = git_error_last();
	const char *why = last != NULL && last->message != NULL ? last->message : "unknown error";
	CLEANUP(cleanup_free) char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return err_nomem(e);
	}
	return err_set(e, repo_error_class(rc), "%s: %s", text, why);
}

int
repo_error_start(struct err *e)
{
	int rc = git_libgit2_init();

	if (rc < 0)
		return repo_error_set(e, rc, "cannot start libgit2");
	return 0;
}

void
repo_error_stop(void)
{
	git_libgit2_shutdown();
}

void
repo_error_stopp(const bool *started)
{
	if (*started)
		repo_error_stop();
}
