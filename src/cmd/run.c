#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <string.h>
#include "base/timestamp.h"
#include "cmd/commit-finish.h"
#include "cmd/commit-run.h"
#include "cmd/open-runner.h"
#include "cmd/outputs.h"

#define RUN_SHORT 12

struct run_options {
	const char *runner;
	bool quiet;
};

/* A run by name: of this store's records, or, with -r, of any runner. */
struct run_named {
	struct store *store;            /* NULL with -r */
	struct pending pending;         /* run and runner; with -r nothing else */
	struct open_runner open;
};

static void
run_named_free(struct run_named *n)
{
	open_runner_close(&n->open);
	pending_free(&n->pending);
	store_close(n->store);
}

static int
run_find(const struct run_options *o, const char *id, struct run_named *n, struct err *e)
{
	if (o->runner == NULL)
		return cmd_store(0, &n->store, e) != 0 ? -1 : pending_read(n->store, id, &n->pending, e);
	if (!remote_run_id_ok(id))
		return err_set(e, ERR_USAGE, "%s: with --runner a run is named by all 64 digits", id);
	n->pending.run = buf_strdup(id, e);
	n->pending.runner = buf_strdup(o->runner, e);
	return n->pending.run != NULL && n->pending.runner != NULL ? 0 : -1;
}

static int
run_open(const struct run_options *o, const char *id, struct run_named *n, struct err *e)
{
	struct open_runner_options options = {.in_use = true, .detach = true};

	if (run_find(o, id, n, e) != 0)
		return -1;
	options.name = n->pending.runner;
	options.store = n->store;
	if (open_runner_connect(&options, &n->open, e) != 0)
		return -1;
	return open_runner_identify(&n->open, e);
}

static void
run_print_time(int64_t seconds)
{
	char text[TIMESTAMP_SIZE];
	struct err ignored;

	fputs(seconds >= 0 && timestamp_format(text, seconds, &ignored) == 0 ? text : "-", stdout);
}

static int
run_list_store(struct err *e)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct pending *list;
	size_t n;

	if (cmd_store(0, &s, e) != 0 || pending_list(s, &list, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		printf("%.*s  %-12s  ", RUN_SHORT, list[i].run, list[i].runner);
		run_print_time(list[i].started);
		printf("  ");
		cmd_print_line(stdout, list[i].message);
		putchar('\n');
		pending_free(&list[i]);
	}
	free(list);
	return 0;
}

static int
run_list_runner(const char *name, struct err *e)
{
	CLEANUP(open_runner_close) struct open_runner r = {0};
	CLEANUP(remote_run_list_free) struct remote_run_list list = {0};
	struct open_runner_options options = {.name = name, .in_use = true};

	if (open_runner_connect(&options, &r, e) != 0 || open_runner_identify(&r, e) != 0 ||
	    runner_list(r.runner, &list, e) != 0)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		printf("%s  %-11s  ", list.runs[i].id, remote_run_state_name(list.runs[i].state));
		run_print_time(list.runs[i].created);
		putchar('\n');
	}
	return 0;
}

static int
run_show(const struct run_options *o, const char *id, struct err *e)
{
	CLEANUP(run_named_free) struct run_named n = {0};
	CLEANUP(remote_run_free) struct remote_run r = {0};

	if (run_open(o, id, &n, e) != 0 || runner_state(n.open.runner, n.pending.run, &r, e) != 0)
		return -1;
	printf("run          %s\nrunner       %s\nstate        %s", r.id, n.pending.runner,
	    remote_run_state_name(r.state));
	if (r.position >= 0)
		printf(", %lld before it", (long long)r.position);
	if (r.phase != NULL) {
		printf(": ");
		cmd_print_text(stdout, r.phase);
	}
	printf("\ncreated      ");
	run_print_time(r.created);
	printf("\nlog          %lld bytes\ncertificate  %s\n", (long long)r.log,
	    r.has_certificate ? "yes" : "no");
	if (r.error != NULL) {
		printf("error        ");
		cmd_print_text(stdout, r.error);
		putchar('\n');
	}
	if (n.pending.message != NULL) {
		printf("message      ");
		cmd_print_line(stdout, n.pending.message);
		putchar('\n');
	}
	return 0;
}

static void
run_print_log(void *arg, const void *data, size_t len)
{
	cmd_print_log(arg, data, len, false);
}

static int
run_log(const struct run_options *o, const char *id, struct err *e)
{
	CLEANUP(run_named_free) struct run_named n = {0};
	CLEANUP(buf_free) struct buf held = BUF_INIT;
	int rc;

	if (run_open(o, id, &n, e) != 0)
		return -1;
	rc = runner_log(n.open.runner, n.pending.run, run_print_log, &held, e);
	cmd_print_log(&held, NULL, 0, true);
	return rc;
}

/* Runs of a store that nobody can ask about any more are forgotten. */
static int
run_cancel(const struct run_options *o, const char *id, struct err *e)
{
	CLEANUP(run_named_free) struct run_named n = {0};
	CLEANUP(remote_run_free) struct remote_run r = {0};

	if (run_open(o, id, &n, e) != 0)
		return -1;
	if (runner_state(n.open.runner, n.pending.run, &r, e) != 0) {
		if (e->code != ERR_NOTFOUND)
			return -1;
		fprintf(stderr, "aicert: the runner does not know the run any more\n");
	} else if (remote_run_over(&r)) {
		fprintf(stderr, "aicert: the run is over (%s)\n", remote_run_state_name(r.state));
	} else if (runner_cancel(n.open.runner, n.pending.run, e) != 0) {
		return -1;
	}
	return n.store != NULL ? pending_remove(n.store, n.pending.run, e) : 0;
}

static int
run_attach(const struct run_options *o, const char *id, struct err *e)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(commit_run_result_free) struct commit_run_result r = {0};
	struct commit_run run = {.quiet = o->quiet};
	int rc;

	if (o->runner != NULL)
		return err_set(e, ERR_USAGE, "run attach: the store knows the run's runner");
	if (cmd_store(0, &s, e) != 0 || pending_read(s, id, &run.pending, e) != 0)
		return -1;
	rc = outputs_check(s, &run.pending.spec, e);
	if (rc == 0)
		rc = commit_run_attach(s, &run, &r, e);
	if (rc == 0)
		rc = commit_finish(s, &run.pending, &r, o->quiet, e);
	pending_free(&run.pending);
	return rc;
}

static int
run_dispatch(const struct run_options *o, int argc, char **argv, struct err *e)
{
	const char *what = argc > 0 ? argv[0] : "list";
	static const struct {
		const char *name;
		int (*fn)(const struct run_options *o, const char *id, struct err *e);
	} table[] = {
		{"show", run_show}, {"attach", run_attach}, {"cancel", run_cancel}, {"log", run_log},
	};

	if (strcmp(what, "list") == 0) {
		if (cmd_count("run", argc, 0, 1, e) != 0)
			return -1;
		return o->runner != NULL ? run_list_runner(o->runner, e) : run_list_store(e);
	}
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(what, table[i].name) == 0)
			return cmd_count("run", argc, 2, 2, e) != 0 ? -1 : table[i].fn(o, argv[1], e);
	return cmd_no_verb("run", what, "list, show, attach, cancel, log", e);
}

int
run_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	struct run_options o = {0};
	const struct option table[] = {
		{OPTION_STRING, 'r', "runner", &o.runner, "RUNNER", "runs there, not those of this store"},
		{OPTION_FLAG, 'q', "quiet", &o.quiet, NULL, "attach: show neither log nor what was committed"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("run", "[list] [-r RUNNER] | show [-r RUNNER] ID | attach [-q] ID |"
	    " cancel [-r RUNNER] ID | log [-r RUNNER] ID", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return run_dispatch(&o, argc, argv, e);
}
