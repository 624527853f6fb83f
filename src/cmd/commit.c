#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <string.h>
#include "cmd/commit-finish.h"
#include "cmd/commit-run.h"
#include "cmd/open-runner.h"
#include "cmd/outputs.h"
#include "cmd/print.h"
#include "cmd/spec-file.h"
#include "git/repo.h"

#define COMMIT_WAIT_S 3600
#define COMMIT_WAIT_MAX_S 8640000 /* a hundred days */

struct commit_options {
	const char *file, *message, *runner;
	int64_t wait_s;
	bool quiet;
	struct cmd_ingest ingest;
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

/* Takes over *who and *spec. */
static int
commit_resolved(struct store *s, const struct commit_options *o, struct commit_identity *who,
    struct run_spec *spec, struct err *e)
{
	CLEANUP(commit_run_result_free) struct commit_run_result r = {0};
	CLEANUP(pending_free) struct pending p = {.author_name = who->name, .author_email = who->email};
	struct commit_run run = {.quiet = o->quiet, .wait_s = (unsigned)o->wait_s};
	int rc;

	who->name = who->email = NULL;
	p.message = commit_message(o, spec, e);
	p.runner = buf_strdup(o->runner, e);
	if (who->has_code)
		p.code_commit = buf_strdup(who->code, e);
	p.spec = *spec;
	*spec = (struct run_spec){0};
	if (p.message == NULL || p.runner == NULL || (who->has_code && p.code_commit == NULL))
		return -1;
	run.pending = p;
	rc = commit_run(s, &run, &r, e);
	p = run.pending;
	return rc == 0 ? commit_finish(s, &p, &r, o->quiet, e) : -1;
}

static int
commit_spec(struct commit_options *o, struct err *e)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(commit_identity_free) struct commit_identity who = {0};
	CLEANUP(spec_free) struct spec spec = {0};
	CLEANUP(run_spec_free) struct run_spec resolved = {0};

	if (cmd_store(0, &s, e) != 0)
		return -1;
	if (store_read_only(s))
		return err_set(e, ERR_DENIED, "%s: the store is read-only; nothing was run", store_path(s));
	if (open_runner_check(o->runner, e) != 0 || commit_identify(s, &who, e) != 0 ||
	    spec_file_read(s, o->file, &spec, e) != 0 || cmd_ingest_begin(&o->ingest, s, e) != 0 ||
	    spec_file_resolve(s, &spec, false, &o->ingest.options, &resolved, e) != 0 ||
	    outputs_check(s, &resolved, e) != 0)
		return -1;
	cmd_ingest_end(&o->ingest); /* written now: a run can take days */
	return commit_resolved(s, o, &who, &resolved, e);
}

int
commit_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	struct commit_options o = {.runner = "local", .wait_s = COMMIT_WAIT_S};
	const struct option table[] = {
		{OPTION_STRING, 'f', "file", &o.file, "SPEC", "the spec (aicert.yaml)"},
		{OPTION_STRING, 'm', "message", &o.message, "MSG", "what this run is (the command)"},
		{OPTION_STRING, 'r', "runner", &o.runner, "RUNNER", "where to run (local)"},
		{OPTION_INT, 'w', "wait", &o.wait_s, "SECONDS", "for a place in a full queue (3600)"},
		{OPTION_FLAG, 'q', "quiet", &o.quiet, NULL, "do not show the command's output"},
		CMD_INGEST_THREADS(&o.ingest),
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("commit", "[-q] [-f SPEC] [-m MSG] [-r RUNNER] [-w SECONDS] [-j N]", table,
	    &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("commit", argc, 0, 0, e) != 0 || cmd_message("commit", o.message, e) != 0)
		return -1;
	if (o.wait_s > COMMIT_WAIT_MAX_S)
		return err_set(e, ERR_USAGE, "commit: --wait: at most %d seconds", COMMIT_WAIT_MAX_S);
	rc = commit_spec(&o, e);
	cmd_ingest_end(&o.ingest);
	return rc;
}
