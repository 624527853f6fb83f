#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <string.h>
#include "cmd/print.h"
#include "cmd/subject.h"
#include "cmd/trace-uses.h"
#include "store/history.h"
#include "store/oid-map.h"

#define TRACE_DEPTH_MAX 256

struct trace {
	struct store *s;
	struct oid_map seen;        /* certificates printed in full already */
	struct buf prefix;          /* what stands before a line of the present depth */
	int depth;
};

static void
trace_free(struct trace *t)
{
	oid_map_free(&t->seen);
	buf_free(&t->prefix);
}

static void
trace_thing(const struct trace *t, const char *branch, const struct resource *r)
{
	char id[CMD_SHORT_SIZE];

	cmd_short(&r->digests.sha256, id);
	printf("%s%s", buf_str(&t->prefix), branch);
	cmd_print_text(stdout, r->path);
	printf("%s  %s  %s", r->type == OBJECT_TREE ? "/" : "", r->kind, id);
}

static int trace_certificate(struct trace *t, const struct oid *id, struct err *e);

static int
trace_input(struct trace *t, const struct resource_input *in, bool last, struct err *e)
{
	size_t mark = t->prefix.len;
	int rc;

	trace_thing(t, last ? "`- " : "|- ", &in->thing);
	if (in->made_by == NULL) {
		if (in->source != NULL) {
			printf(in->fetched ? "  fetched from " : "  said to be from ");
			cmd_print_text(stdout, in->source);
		}
		puts("  (origin not proven)");
		return 0;
	}
	putchar('\n');
	buf_adds(&t->prefix, last ? "   " : "|  ");
	rc = trace_certificate(t, &in->made_by->certificate, e);
	t->prefix.len = mark;
	t->prefix.data[mark] = '\0';
	return rc;
}

static int
trace_inputs(struct trace *t, const struct certificate *c, struct err *e)
{
	size_t left = 0;

	for (size_t i = 0; i < c->event_count; i++)
		left += c->events[i].kind == EVENT_INPUT_RESOURCE;
	for (size_t i = 0; i < c->event_count; i++)
		if (c->events[i].kind == EVENT_INPUT_RESOURCE &&
		    trace_input(t, &c->events[i].u.input, --left == 0, e) != 0)
			return -1;
	return 0;
}

/* One line for the run, then its inputs, each with the run that made it. */
static int
trace_certificate(struct trace *t, const struct oid *id, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	CLEANUP(buf_free) struct buf command = BUF_INIT;
	char short_id[CMD_SHORT_SIZE];
	size_t mark = t->prefix.len;
	bool fresh;
	int rc;

	if (t->depth >= TRACE_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "the lineage is deeper than %d runs", TRACE_DEPTH_MAX);
	cmd_short(id, short_id);
	if (history_certificate(t->s, id, &c, e) != 0) {
		if (e->code != ERR_NOTFOUND)
			return -1;
		printf("%s`- certificate %s  (not in this store)\n", buf_str(&t->prefix), short_id);
		return 0;
	}
	run_spec_command(&certificate_event(&c, EVENT_RUN_REQUEST)->u.request.spec, &command);
	printf("%s`- certificate %s  ", buf_str(&t->prefix), short_id);
	cmd_print_text(stdout, buf_str(&command));
	if (oid_map_add(&t->seen, id, 0, &fresh, e) != 0)
		return -1;
	puts(fresh ? "" : "  (see above)");
	if (!fresh)
		return 0;
	buf_adds(&t->prefix, "   ");
	t->depth++;
	rc = trace_inputs(t, &c, e);
	t->depth--;
	t->prefix.len = mark;
	t->prefix.data[mark] = '\0';
	return rc;
}

int
trace_command(int argc, char **argv, struct err *e)
{
	bool help = false, uses = false;
	const struct option table[] = {
		{OPTION_FLAG, 0, "uses", &uses, NULL, "the runs that used it, what they made, who used that"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(subject_free) struct subject sub = {0};
	CLEANUP(trace_free) struct trace t = {0};
	int rc = cmd_parse("trace", "[--uses] FILE|REV", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("trace", argc, 1, 1, e) != 0 || cmd_store(STORE_READ_ONLY, &s, e) != 0)
		return -1;
	if (uses)
		return trace_uses(s, argv[0], e);
	if (subject_find(s, argv[0], &sub, e) != 0)
		return -1;
	if (!sub.has_certificate)
		return cmd_no_run(s, "trace", argv[0], &sub.object, e);
	t.s = s;
	if (sub.is_path && !sub.content_known)
		puts("The file has other content than the certificate below made.");
	cmd_print_text(stdout, argv[0]);
	putchar('\n');
	return trace_certificate(&t, &sub.certificate, e);
}
