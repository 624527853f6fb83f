#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <string.h>
#include "cmd/commit-record.h"
#include "cmd/commit-run.h"
#include "cmd/outputs.h"
#include "cmd/print.h"
#include "cmd/spec-file.h"
#include "git/repo.h"

struct commit_options {
	const char *file, *message, *runner;
	bool quiet;
};

/* Who commits, and which commit the code is at. */
struct commit_identity {
	char *name, *email;
	char code[OID_HEX_SIZE];
	bool has_code;
};

static void
commit_identity_free(struct commit_identity *id)
{
	free(id->name);
	free(id->email);
}

static int
commit_identify(struct store *s, struct commit_identity *ret, struct err *e)
{
	CLEANUP(repo_freep) struct repo *r = NULL;

	if (repo_discover(store_worktree(s), &r, e) != 0 && e->code != ERR_NOTFOUND)
		return -1;
	if (repo_identity(r, &ret->name, &ret->email, e) != 0) {
		if (e->code == ERR_NOTFOUND)
			e->code = ERR_USAGE; /* the user has something to set first */
		return -1;
	}
	if (r == NULL)
		return 0;
	ret->has_code = repo_head(r, ret->code, e) == 0;
	return ret->has_code || e->code == ERR_NOTFOUND ? 0 : -1;
}

/* Without -m the command itself says what was done. */
static char *
commit_message(const struct commit_options *o, const struct run_spec *spec, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (o->message != NULL)
		return buf_strdup(o->message, e);
	run_spec_command(spec, &text);
	return buf_steal(&text, e);
}

static void
commit_print(const struct commit_run_result *r, const struct oid *commit, const char *message)
{
	char commit_id[CMD_SHORT_SIZE], certificate_id[CMD_SHORT_SIZE];

	cmd_short(commit, commit_id);
	cmd_short(&r->id, certificate_id);
	printf("[%s] ", commit_id);
	cmd_print_text(stdout, message);
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
commit_resolved(struct store *s, const struct commit_options *o, const struct commit_identity *who,
    const struct run_spec *spec, struct err *e)
{
	CLEANUP(commit_run_result_free) struct commit_run_result r = {0};
	CLEANUP(cleanup_free) char *message = commit_message(o, spec, e);
	struct commit_record m = {
		.author_name = who->name,
		.author_email = who->email,
		.message = message,
		.code_commit = who->has_code ? who->code : NULL,
	};
	struct oid id;

	if (message == NULL || commit_run(s, o->runner, spec, o->quiet, &r, e) != 0)
		return -1;
	if (!r.run_ok)
		return commit_failed(s, &r, &m, e);
	if (commit_record(s, &r, &m, &id, e) != 0)
		return -1;
	if (outputs_write(s, &r.certificate, NULL, e) != 0)
		return err_prefix(e, "committed, and the outputs are in the store, but not all of them"
		    " could be written");
	if (!o->quiet)
		commit_print(&r, &id, message);
	return 0;
}

static int
commit_spec(const struct commit_options *o, struct err *e)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(commit_identity_free) struct commit_identity who = {0};
	CLEANUP(spec_free) struct spec spec = {0};
	CLEANUP(run_spec_free) struct run_spec resolved = {0};

	if (cmd_store(0, &s, e) != 0)
		return -1;
	if (store_read_only(s))
		return err_set(e, ERR_DENIED, "%s: the store is read-only; nothing was run", store_path(s));
	if (commit_identify(s, &who, e) != 0 || spec_file_read(s, o->file, &spec, e) != 0 ||
	    spec_file_resolve(s, &spec, false, &resolved, e) != 0 ||
	    outputs_check(s, &resolved, e) != 0)
		return -1;
	return commit_resolved(s, o, &who, &resolved, e);
}

int
commit_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	struct commit_options o = {.runner = "local"};
	const struct option table[] = {
		{OPTION_STRING, 'f', "file", &o.file, "SPEC", "the spec (aicert.yaml)"},
		{OPTION_STRING, 'm', "message", &o.message, "MSG", "what this run is (the command)"},
		{OPTION_STRING, 'r', "runner", &o.runner, "RUNNER", "where to run (local)"},
		{OPTION_FLAG, 'q', "quiet", &o.quiet, NULL, "do not show the command's output"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("commit", "[-q] [-f SPEC] [-m MSG] [-r RUNNER]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("commit", argc, 0, 0, e) != 0)
		return -1;
	return commit_spec(&o, e);
}
