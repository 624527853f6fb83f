#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <string.h>
#include "cmd/push-plan.h"
#include "cmd/push-public.h"
#include "cmd/remotes.h"
#include "store/history.h"
#include "store/refs.h"

struct push {
	struct push_options o;
	const char *blobs_given;
	bool json, quiet;
	struct store *s;
	struct config *c;
	struct remotes_entry entry;
	struct remote *remote;
	struct remote_refs there;
	struct push_plan plan;
	struct sync_tally tally;
};

static void
push_free(struct push *p)
{
	push_plan_free(&p->plan);
	remote_refs_free(&p->there);
	remote_close(p->remote);
	remotes_entry_free(&p->entry);
	config_close(p->c);
	store_close(p->s);
}

/* --- what is printed --- */

static const char *
push_result_name(enum push_result r)
{
	static const char *const names[] = {[PUSH_READY] = "failed", [PUSH_UP_TO_DATE] = "up-to-date",
	    [PUSH_NEW] = "new", [PUSH_FORWARD] = "fast-forward", [PUSH_FORCED] = "forced",
	    [PUSH_DELETED] = "deleted", [PUSH_REJECTED] = "rejected", [PUSH_RACE] = "rejected",
	    [PUSH_FAILED] = "failed"};

	return names[r];
}

static void
push_print_ref(const struct push_ref *r)
{
	char old[CMD_SHORT_SIZE] = "", new_[CMD_SHORT_SIZE] = "";
	const char *name = strchr(r->update.name, '/') + 1;

	if (r->update.has_old)
		cmd_short(&r->update.old.id, old);
	if (r->update.has_new)
		cmd_short(&r->update.new_.id, new_);
	switch (r->result) {
	case PUSH_NEW:
		printf(" * [new]       %s  %s\n", new_, name);
		break;
	case PUSH_FORWARD:
		printf("   %s..%s  %s\n", old, new_, name);
		break;
	case PUSH_FORCED:
		printf(" + %s...%s  %s (forced)\n", old, new_, name);
		break;
	case PUSH_DELETED:
		printf(" - [deleted]   %s  %s\n", old, name);
		break;
	case PUSH_UP_TO_DATE:
		printf(" = [up to date]  %s\n", name);
		break;
	default:
		printf(" ! [%s]  %s (%s)\n", push_result_name(r->result), name,
		    r->why != NULL ? r->why : "not all that it needs could be sent");
	}
}

static void
push_print_lost(struct store *s, const struct push_ref *r)
{
	for (size_t i = 0; i < r->lost_shown; i++) {
		CLEANUP(commit_free) struct commit c = {0};
		char id[CMD_SHORT_SIZE];

		cmd_short(&r->lost[i], id);
		printf("      would be lost: %s ", id);
		if (history_commit(s, &r->lost[i], &c, NULL) == 0)
			cmd_print_line(stdout, c.message);
		putchar('\n');
	}
	if (r->lost_count > r->lost_shown)
		printf("      and %zu more\n", r->lost_count - r->lost_shown);
}

static void
push_print(const struct push *p)
{
	if (p->quiet)
		return;
	printf("To ");
	cmd_print_text(stdout, p->entry.url);
	putchar('\n');
	for (size_t i = 0; i < p->plan.count; i++) {
		push_print_ref(&p->plan.refs[i]);
		if (p->plan.refs[i].result == PUSH_REJECTED)
			push_print_lost(p->s, &p->plan.refs[i]);
	}
	remotes_print_tally(&p->tally, p->o.dry_run ? "Would send" : "Sent", "sent");
	if (p->o.dry_run)
		puts("Nothing was sent (--dry-run).");
}

static int
push_print_json(const struct push *p, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	struct jcs *refs = jcs_new_array();

	for (size_t i = 0; i < p->plan.count; i++) {
		const struct push_ref *r = &p->plan.refs[i];
		struct jcs *one = jcs_new_object();
		char text[OID_TEXT_SIZE];

		oid_text(&r->update.new_.id, text);
		jcs_set_string(one, "name", r->update.name);
		jcs_set_string(one, "new", r->update.has_new ? text : NULL);
		oid_text(&r->update.old.id, text);
		jcs_set_string(one, "old", r->update.has_old ? text : NULL);
		jcs_set_string(one, "reason", r->why);
		jcs_set_string(one, "result", push_result_name(r->result));
		jcs_append(refs, one);
	}
	jcs_set_bool(v, "dryRun", p->o.dry_run);
	jcs_set(v, "refs", refs);
	jcs_set_string(v, "remote", p->entry.name[0] != '\0' ? p->entry.name : NULL);
	jcs_set_string(v, "url", p->entry.url);
	remotes_tally_json(&p->tally, v);
	return cmd_print_json(v, e);
}

/* --- the work --- */

/* What is sent is what the remote has not: its refs that are known here are what it has. */
static int
push_send(struct push *p, struct err *e)
{
	CLEANUP(cleanup_free) struct sync_tip *tips = calloc(p->plan.count + 1, sizeof *tips);
	CLEANUP(cleanup_free) struct oid *have = calloc(p->there.count + 1, sizeof *have);
	struct sync_push push = {.remote = p->remote, .blobs = p->o.blobs, .tips = tips, .have = have,
	    .dry_run = p->o.dry_run};
	CLEANUP(cleanup_free) size_t *at = calloc(p->plan.count + 1, sizeof *at);

	if (tips == NULL || have == NULL || at == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < p->plan.count; i++) {
		struct push_ref *r = &p->plan.refs[i];

		if (r->update.has_new && (r->result == PUSH_READY || (r->result == PUSH_UP_TO_DATE &&
		    p->blobs_given != NULL))) {
			at[push.tip_count] = i;
			tips[push.tip_count++].ref = r->update.new_;
		}
	}
	/* --blobs asks for the contents of all of the history */
	for (size_t i = 0; i < p->there.count && p->blobs_given == NULL; i++)
		if (push_plan_known(p->s, &p->there.items[i].target))
			have[push.have_count++] = p->there.items[i].target.id;
	if (push.tip_count > 0 && sync_push(&push, &p->tally, e) != 0)
		return -1;
	for (size_t i = 0; i < push.tip_count; i++)
		if (!tips[i].whole && p->plan.refs[at[i]].result == PUSH_READY)
			p->plan.refs[at[i]].result = PUSH_FAILED;
	return 0;
}

static int
push_run(struct push *p, struct err *e)
{
	if (p->remote->ops->read_only && !p->o.dry_run)
		return err_set(e, ERR_DENIED, "%s: can be read only", p->entry.url);
	if (p->remote->ops->refs(p->remote, &p->there, e) != 0 ||
	    push_plan_make(p->s, &p->entry, &p->there, &p->o, &p->plan, e) != 0)
		return -1;
	if (!p->json && !p->quiet && push_public_first(p->s, &p->entry, &p->there) &&
	    push_public_print(p->s, &p->plan, p->o.blobs, e) != 0)
		return -1;
	if (push_send(p, e) != 0)
		return -1;
	p->plan.again = p->tally.objects > 0;
	return push_plan_apply(p->s, p->remote, &p->entry, &p->plan, p->o.dry_run, e);
}

static int
push_status(const struct push *p)
{
	int status = p->tally.failed > 0 ? 3 : 0;

	for (size_t i = 0; i < p->plan.count; i++) {
		enum push_result r = p->plan.refs[i].result;

		if (r == PUSH_REJECTED || r == PUSH_RACE)
			return 1;
		if (r == PUSH_FAILED || r == PUSH_READY)
			status = 3;
	}
	return status;
}

static int
push_complain(const struct push *p, int status, struct err *e)
{
	if (status == 1)
		return err_set(e, ERR_REFUSED, "some refs were not pushed: fetch first (aicert pull), and"
		    " see aicert-push(1) before you force");
	if (status == 3)
		return err_set(e, ERR_NETWORK, "not everything could be sent to %s: push again, only the rest"
		    " is sent", p->entry.url);
	return status;
}

static int
push_open(struct push *p, int argc, char **argv, struct err *e)
{
	if (p->o.lease != NULL)
		p->o.force_lease = true;
	if (cmd_store(0, &p->s, e) != 0 || config_open(p->s, &p->c, e) != 0 ||
	    remotes_choose(p->s, p->c, argc > 0 ? argv[0] : NULL, &p->entry, e) != 0 ||
	    remotes_blobs(p->c, "push.blobs", p->blobs_given, SYNC_BLOBS_OUTPUTS, &p->o.blobs, e) != 0)
		return -1;
	p->o.argc = argc > 1 ? argc - 1 : 0;
	p->o.argv = argv + 1;
	return remotes_open(p->s, p->c, &p->entry, true, &p->remote, e);
}

int
push_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	CLEANUP(push_free) struct push p = {.json = false};
	const struct option table[] = {
		{OPTION_FLAG, 'f', "force", &p.o.force, NULL, "also where history is lost, or a tag moves"},
		{OPTION_OPTIONAL, 0, "force-with-lease", &p.o.lease, "[=REF[:ID]]",
		    "force, but only what is there as it was last fetched"},
		{OPTION_FLAG, 'd', "delete", &p.o.remove, NULL, "delete the refs at the remote"},
		{OPTION_FLAG, 0, "all", &p.o.all, NULL, "all branches"},
		{OPTION_FLAG, 0, "tags", &p.o.tags, NULL, "all tags too"},
		{OPTION_FLAG, 'u', "set-upstream", &p.o.upstream, NULL, "the branch follows this remote from now on"},
		{OPTION_STRING, 0, "blobs", &p.blobs_given, "MODE", "files that travel: none, outputs or all"},
		{OPTION_FLAG, 'n', "dry-run", &p.o.dry_run, NULL, "only say what would be done"},
		{OPTION_FLAG, 'q', "quiet", &p.quiet, NULL, "say nothing on success"},
		{OPTION_FLAG, 0, "json", &p.json, NULL, "one JSON document"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int status, rc = cmd_parse("push", "[-f | --force-with-lease[=REF[:ID]]] [-d] [--all] [--tags] [-u]"
	    " [--blobs MODE] [-n] [-q] [--json] [REMOTE [REFSPEC...]]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (push_open(&p, argc, argv, e) != 0 || push_run(&p, e) != 0)
		return -1;
	if (p.o.upstream && !p.o.dry_run && push_plan_follow(p.c, &p.entry, &p.plan, e) != 0)
		return -1;
	status = push_status(&p);
	if (p.json)
		rc = push_print_json(&p, e);
	else
		push_print(&p);
	return rc != 0 ? -1 : push_complain(&p, status, e);
}
