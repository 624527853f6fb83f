#include "cmd/commit-finish.h"

#include "cmd/cmd.h"
#include "cmd/commit-record.h"
#include "cmd/outputs.h"

static void
commit_print(const struct commit_run_result *r, const struct oid *commit, const char *message)
{
	char commit_id[CMD_SHORT_SIZE], certificate_id[CMD_SHORT_SIZE];

	cmd_short(commit, commit_id);
	cmd_short(&r->id, certificate_id);
	printf("[%s] ", commit_id);
	cmd_print_line(stdout, message);
	printf("\n certificate %s\n", certificate_id);
	for (size_t i = 0; i < r->certificate.event_count; i++) {
		const struct event *ev = &r->certificate.events[i];
		char size[32];

		if (ev->kind != EVENT_OUTPUT_RESOURCE)
			continue;
		progress_size(size, sizeof size, ev->u.output.output.size);
		printf(" output ");
		cmd_print_text(stdout, ev->u.output.output.path);
		printf(" (%s)\n", size);
	}
}

/* Why a proven run counts as failed. */
static void
commit_failure(const struct certificate *c, struct buf *ret)
{
	static const char *const words[] = {
		[EVENT_EXITED] = "the command exited with code",
		[EVENT_SIGNALED] = "the command ended by signal",
		[EVENT_TIME_LIMIT] = "the run reached its time limit",
		[EVENT_MEMORY_LIMIT] = "the run reached its memory limit",
		[EVENT_CANCELLED] = "the run was cancelled",
		[EVENT_SANDBOX] = "the sandbox could not be kept up",
		[EVENT_NOT_STARTED] = "the command could not be started (not-started)",
	};
	const struct event_run_finished *f = &certificate_event(c, EVENT_RUN_FINISHED)->u.finished;

	for (size_t i = 0; event_finished_ok(f) && i < c->event_count; i++) {
		const struct event *ev = &c->events[i];

		if (ev->kind == EVENT_OUTPUT_MISSING) {
			buf_addf(ret, "output %s: %s", ev->u.missing.output.path, ev->u.missing.reason);
			return;
		}
	}
	buf_adds(ret, words[f->reason]);
	if (f->reason == EVENT_EXITED)
		buf_addf(ret, " %d", f->exit_code);
	else if (f->reason == EVENT_SIGNALED)
		buf_addf(ret, " %d", f->signal);
}

/* The certificate is kept, the branch stays, checkpoints are written. */
static int
commit_failed(struct store *s, const struct commit_run_result *r, const struct commit_record *m,
    struct err *e)
{
	CLEANUP(buf_free) struct buf why = BUF_INIT;
	char id[CMD_SHORT_SIZE];

	if (commit_record_failed(s, r, m, e) != 0 ||
	    outputs_write(s, &r->certificate, "checkpoint", e) != 0)
		return -1;
	cmd_short(&r->id, id);
	commit_failure(&r->certificate, &why);
	return err_set(e, ERR_RUNFAILED, "%s; nothing was committed (certificate %s is kept:"
	    " aicert log --failed)", buf_str(&why), id);
}

static int
commit_succeeded(struct store *s, const struct commit_run_result *r, const struct commit_record *m,
    bool quiet, struct err *e)
{
	struct oid id;

	if (commit_record(s, r, m, &id, e) != 0)
		return -1;
	if (outputs_write(s, &r->certificate, NULL, e) != 0)
		return err_prefix(e, "committed, and the outputs are in the store, but not all of them"
		    " could be written");
	if (!quiet)
		commit_print(r, &id, m->message);
	return 0;
}

int
commit_finish(struct store *s, const struct pending *p, const struct commit_run_result *r,
    bool quiet, struct err *e)
{
	struct commit_record m = {
		.author_name = p->author_name,
		.author_email = p->author_email,
		.message = p->message,
		.code_commit = p->code_commit,
	};
	struct err ignored;
	int rc = r->run_ok ? commit_succeeded(s, r, &m, quiet, e) : commit_failed(s, r, &m, e);

	/* its certificate is in the history: there is nothing more to collect */
	if (rc == 0)
		return pending_remove(s, p->run, e);
	if (e->code == ERR_RUNFAILED && pending_remove(s, p->run, &ignored) != 0)
		err_clear(&ignored); /* the failure is what matters */
	return -1;
}
