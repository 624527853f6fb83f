#include "git/ignore-rules.h"

#include <git2.h>
#include <git2/sys/repository.h>
#include <stdlib.h>
#include "base/buf.h"
#include "git/repo-error.h"

/*
 * libgit2 answers yes or no for a repository with everything that it would
 * read there.  These repositories are in memory and have nothing but the rules,
 * after a rule that decides everything first: one leaves out what no later rule
 * speaks of, the other keeps it.  Where the two differ, no rule spoke.
 */
struct ignore_rules {
	git_repository *keeping, *leaving;
};

static int
ignore_rules_load(git_repository **ret, const char *first, const char *text, struct err *e)
{
	git_config *empty = NULL;
	int rc = git_repository_new(ret);

	if (rc == 0)
		rc = git_config_new(&empty);
	if (rc == 0)
		rc = git_repository_set_config(*ret, empty);
	git_config_free(empty);
	if (rc == 0)
		rc = git_ignore_add_rule(*ret, first);
	if (rc == 0)
		rc = git_ignore_add_rule(*ret, text);
	return rc == 0 ? 0 : repo_error_set(e, rc, "cannot read ignore rules");
}

int
ignore_rules_new(const char *text, struct ignore_rules **ret, struct err *e)
{
	struct ignore_rules *r;

	if (repo_error_start(e) != 0)
		return -1;
	r = calloc(1, sizeof *r);
	if (r == NULL) {
		repo_error_stop();
		return err_nomem(e);
	}
	if (ignore_rules_load(&r->keeping, "*\n!*\n", text, e) != 0 ||
	    ignore_rules_load(&r->leaving, "*\n", text, e) != 0) {
		ignore_rules_free(r);
		return -1;
	}
	*ret = r;
	return 0;
}

int
ignore_rules_match(const struct ignore_rules *r, const char *path, bool directory,
    enum ignore_rules_answer *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *name = buf_strfmt(e, "%s%s", path, directory ? "/" : "");
	int kept = 0, left = 0, rc;

	if (name == NULL)
		return -1;
	rc = git_ignore_path_is_ignored(&kept, r->keeping, name);
	if (rc == 0)
		rc = git_ignore_path_is_ignored(&left, r->leaving, name);
	if (rc != 0)
		return repo_error_set(e, rc, "%s: cannot apply the ignore rules", path);
	*ret = kept != 0 ? IGNORE_RULES_LEAVE_OUT : left == 0 ? IGNORE_RULES_KEEP : IGNORE_RULES_SILENT;
	return 0;
}

void
ignore_rules_free(struct ignore_rules *r)
{
	if (r == NULL)
		return;
	git_repository_free(r->keeping);
	git_repository_free(r->leaving);
	free(r);
	repo_error_stop();
}
