#include "cmd/log-failed.h"

#include "base/array.h"
#include "base/timestamp.h"
#include "cmd/cmd.h"
#include "store/history.h"
#include "store/refs.h"

struct log_failed_run {
	struct oid id;
	struct event_run_finished end; /* without its pointers */
	char *missing;          /* the output for which alone it failed; NULL: none */
	char *command;
};

struct log_failed_list {
	struct store *s;
	struct log_failed_run *runs;
	size_t count, cap;
	struct err *e;
	int rc;
};

static void
log_failed_free(struct log_failed_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->runs[i].missing);
		free(l->runs[i].command);
	}
	free(l->runs);
}

static int
log_failed_missing(const struct certificate *c, char **ret, struct err *e)
{
	const struct event *ev = certificate_event(c, EVENT_OUTPUT_MISSING);

	if (ev == NULL || !event_finished_ok(&certificate_event(c, EVENT_RUN_FINISHED)->u.finished))
		return 0;
	*ret = buf_strdup(ev->u.missing.output.path, e);
	return *ret != NULL ? 0 : -1;
}

static int
log_failed_add(struct log_failed_list *l, const struct oid *id, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	CLEANUP(buf_free) struct buf command = BUF_INIT;
	struct log_failed_run *run;

	if (history_certificate(l->s, id, &c, e) != 0 ||
	    ARRAY_ROOM(l->runs, l->count, l->cap, e) != 0)
		return -1;
	run_spec_command(&certificate_event(&c, EVENT_RUN_REQUEST)->u.request.spec, &command);
	run = &l->runs[l->count++];
	*run = (struct log_failed_run){.id = *id};
	run->end = certificate_event(&c, EVENT_RUN_FINISHED)->u.finished;
	run->end.devices = NULL;
	run->end.device_count = 0;
	run->command = buf_strdup(buf_str(&command), e);
	return run->command == NULL ? -1 : log_failed_missing(&c, &run->missing, e);
}

static int
log_failed_each(void *arg, const char *name UNUSED, const struct object_ref *ref)
{
	struct log_failed_list *l = arg;

	l->rc = log_failed_add(l, &ref->id, l->e);
	return l->rc;
}

/* What has no time comes last. */
static int
log_failed_order(const void *a, const void *b)
{
	const struct log_failed_run *x = a, *y = b;
	int64_t at = x->end.has_times ? x->end.finished : INT64_MIN;
	int64_t than = y->end.has_times ? y->end.finished : INT64_MIN;

	return at != than ? (at < than ? 1 : -1) : oid_compare(&x->id, &y->id);
}

static void
log_failed_print(const struct log_failed_run *run)
{
	const struct event_run_finished *f = &run->end;
	char id[CMD_SHORT_SIZE], time[TIMESTAMP_SIZE];

	if (!f->has_times || timestamp_format(time, f->finished, NULL) != 0)
		snprintf(time, sizeof time, "-");
	cmd_short(&run->id, id);
	printf("%s %s %s", id, time, event_reason_name(f->reason));
	if (f->has_exit_code)
		printf(" %d", f->exit_code);
	if (f->has_signal)
		printf(" %d", f->signal);
	if (run->missing != NULL) {
		printf(", output missing: ");
		cmd_print_text(stdout, run->missing);
	}
	printf("  ");
	cmd_print_text(stdout, run->command);
	putchar('\n');
}

int
log_failed(struct store *s, struct err *e)
{
	CLEANUP(log_failed_free) struct log_failed_list l = {.s = s, .e = e};

	if (refs_each(s, "refs/failed/", log_failed_each, &l, e) != 0 || l.rc != 0)
		return -1;
	if (l.count > 0)
		qsort(l.runs, l.count, sizeof *l.runs, log_failed_order);
	for (size_t i = 0; i < l.count; i++)
		log_failed_print(&l.runs[i]);
	return 0;
}
