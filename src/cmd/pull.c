#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <string.h>
#include "base/timestamp.h"
#include "cmd/fetch-refs.h"
#include "cmd/named-refs.h"
#include "git/repo.h"
#include "object/commit.h"
#include "remote/refspec.h"
#include "store/odb.h"
#include "store/refs.h"

struct pull {
	struct fetch_options fetch;
	bool merge, quiet;
	const char *message;
	struct store *s;
	char *head;             /* the current branch */
	struct object_ref ours, theirs;
	bool has_ours;
};

/* Their branch that the current one follows, as it is called there. */
static int
pull_branch(const struct pull *p, const struct fetch *f, const char *typed, char ret[REFSPEC_NAME_SIZE],
    struct err *e)
{
	CLEANUP(cleanup_free) char *key = buf_strfmt(e, "branch.%s.merge", p->head + 11);
	CLEANUP(cleanup_free) char *name = NULL;

	if (key == NULL)
		return -1;
	if (typed == NULL && config_get(f->c, key, &name, e) != 0 && e->code != ERR_NOTFOUND)
		return -1;
	return refspec_qualify(typed != NULL ? typed : name != NULL ? name : p->head, "refs/heads/", ret, e);
}

static int
pull_author(struct store *s, struct commit *c, struct err *e)
{
	CLEANUP(repo_freep) struct repo *r = NULL;

	if (repo_discover(store_worktree(s), &r, e) != 0 && e->code != ERR_NOTFOUND)
		return -1;
	if (repo_identity(r, &c->author_name, &c->author_email, e) != 0)
		return e->code == ERR_NOTFOUND ? err_set(e, ERR_USAGE, "%s", strdupa(e->msg)) : -1;
	return 0;
}

/* Two histories become one: the first parent is ours. */
static int
pull_merge(const struct pull *p, const struct fetch *f, struct oid *ret, struct err *e)
{
	CLEANUP(commit_free) struct commit c = {.kind = COMMIT_MERGE, .time = timestamp_now()};
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (pull_author(p->s, &c, e) != 0)
		return -1;
	c.parents = calloc(2, sizeof *c.parents);
	if (c.parents == NULL)
		return err_nomem(e);
	c.parents[0] = p->ours.id;
	c.parents[1] = p->theirs.id;
	c.parent_count = 2;
	c.message = p->message != NULL ? buf_strdup(p->message, e) :
	    buf_strfmt(e, "merge %s of %s", p->head + 11, f->entry.url);
	if (c.message == NULL || commit_encode(&c, &text, e) != 0)
		return -1;
	return odb_put(p->s, text.data, text.len, ret, e);
}

static int
pull_move(const struct pull *p, const struct oid *to, const char *what, struct err *e)
{
	CLEANUP(cleanup_free) char *author = named_refs_author(p->s, e);
	const struct object_ref next = {OBJECT_COMMIT, *to};
	const struct refs_change c = {.name = p->head, .old = p->has_ours ? &p->ours : NULL, .new_ = &next,
	    .author = author, .message = what};
	char old[CMD_SHORT_SIZE] = "nothing", new_[CMD_SHORT_SIZE];

	if (author == NULL || refs_update(p->s, &c, e) != 0)
		return -1;
	if (p->has_ours)
		cmd_short(&p->ours.id, old);
	cmd_short(to, new_);
	if (!p->quiet)
		printf("%s: %s %s..%s\n", p->head + 11, what, old, new_);
	return 0;
}

static int
pull_join(const struct pull *p, const struct fetch *f, struct err *e)
{
	size_t ahead, behind;
	struct oid merged;

	if (!p->has_ours)
		return pull_move(p, &p->theirs.id, "pull", e);
	if (sync_divergence(p->s, &p->ours.id, &p->theirs.id, &ahead, &behind, e) != 0)
		return -1;
	if (behind == 0) {
		if (!p->quiet)
			puts("Already up to date.");
		return 0;
	}
	if (ahead == 0)
		return pull_move(p, &p->theirs.id, "pull", e);
	if (!p->merge)
		return err_set(e, ERR_REFUSED, "%s and the remote's have diverged: %zu commit%s only here, %zu"
		    " only there; aicert pull --merge joins them", p->head + 11, ahead, ahead == 1 ? "" : "s",
		    behind);
	return pull_merge(p, f, &merged, e) != 0 ? -1 : pull_move(p, &merged, "merge", e);
}

static int
pull_theirs(struct pull *p, const struct fetch *f, const char *typed, struct err *e)
{
	char name[REFSPEC_NAME_SIZE];
	const struct remote_ref *theirs;

	if (pull_branch(p, f, typed, name, e) != 0)
		return -1;
	theirs = remote_refs_find(&f->there, name);
	if (theirs == NULL)
		return err_set(e, ERR_NOTFOUND, "%s: %s has no such branch", name, f->entry.url);
	p->theirs = theirs->target;
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->refs[i].theirs, name) == 0 && f->refs[i].result == FETCH_FAILED)
			return fetch_refs_status(f, e);
	return odb_has(p->s, &p->theirs.id) ? 0 :
	    err_set(e, ERR_NOTFOUND, "%s was not fetched: its refspec leaves it out", name);
}

static int
pull_run(struct pull *p, struct fetch *f, int argc, char **argv, struct err *e)
{
	int status;

	if (remotes_choose(f->s, f->c, argc > 0 ? argv[0] : NULL, &f->entry, e) != 0 ||
	    refs_head(f->s, &p->head, e) != 0)
		return -1;
	if (p->head == NULL)
		return err_set(e, ERR_USAGE, "HEAD is on no branch: there is nothing to pull into");
	p->has_ours = refs_read(f->s, p->head, &p->ours, e) == 0;
	if (!p->has_ours && e->code != ERR_NOTFOUND)
		return -1;
	if (fetch_refs_run(f, &p->fetch, e) != 0)
		return -1;
	if (!p->quiet)
		fetch_refs_print(f, false);
	status = fetch_refs_status(f, e);
	if (status != 0 && e->code == ERR_REFUSED)
		return -1; /* nothing is built on a rewritten history without a look */
	if (pull_theirs(p, f, argc > 1 ? argv[1] : NULL, e) != 0 || pull_join(p, f, e) != 0)
		return -1;
	return status != 0 ? fetch_refs_status(f, e) : 0;
}

int
pull_command(int argc, char **argv, struct err *e)
{
	bool help = false, no_blobs = false;
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(config_closep) struct config *c = NULL;
	struct pull p = {.merge = false};
	struct fetch f = {0};
	const struct option table[] = {
		{OPTION_FLAG, 0, "merge", &p.merge, NULL, "join histories that have diverged"},
		{OPTION_STRING, 'm', "message", &p.message, "MSG", "of the merge"},
		{OPTION_FLAG, 0, "no-blobs", &no_blobs, NULL, "history and proofs, no files"},
		{OPTION_FLAG, 'q', "quiet", &p.quiet, NULL, "say nothing on success"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("pull", "[--merge] [-m MSG] [--no-blobs] [-q] [REMOTE [BRANCH]]", table, &argc,
	    argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("pull", argc, 0, 2, e) != 0 || cmd_message("pull", p.message, e) != 0 ||
	    cmd_store(0, &s, e) != 0 || config_open(s, &c, e) != 0)
		return -1;
	p.s = f.s = s;
	f.c = c;
	p.fetch.blobs = no_blobs ? "none" : NULL;
	rc = pull_run(&p, &f, argc, argv, e);
	fetch_refs_free(&f);
	free(p.head);
	return rc;
}
