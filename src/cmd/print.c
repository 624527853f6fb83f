#include "cmd/print.h"

#include <string.h>
#include "base/hex.h"
#include "base/progress.h"
#include "base/timestamp.h"
#include "cmd/cmd.h"
#include "store/refs.h"

/* "(HEAD -> main, tag v1)" of what points at a commit. */
struct print_names {
	const struct oid *id;
	const char *head;
	struct buf text;
};

static int
print_name(void *arg, const char *name, const struct object_ref *ref)
{
	struct print_names *n = arg;
	bool head = n->head != NULL && strcmp(n->head, name) == 0;

	if (!oid_equal(&ref->id, n->id))
		return 0;
	buf_adds(&n->text, n->text.len > 0 ? ", " : " (");
	if (strncmp(name, "refs/tags/", 10) == 0)
		buf_addf(&n->text, "tag %s", name + 10);
	else
		buf_addf(&n->text, "%s%s", head ? "HEAD -> " : "", name + strlen("refs/heads/"));
	return 0;
}

static int
print_names(struct store *s, const struct oid *id, struct err *e)
{
	CLEANUP(cleanup_free) char *head = NULL;
	struct print_names n = {.id = id};
	int rc = refs_head(s, &head, e);

	n.head = head;
	if (rc == 0)
		rc = refs_each(s, "refs/heads/", print_name, &n, e);
	if (rc == 0)
		rc = refs_each(s, "refs/tags/", print_name, &n, e);
	if (rc == 0 && n.text.len > 0) {
		cmd_print_text(stdout, buf_str(&n.text));
		putchar(')');
	}
	buf_free(&n.text);
	return rc;
}

static void
print_message(const char *message)
{
	while (*message != '\0') {
		size_t len = strcspn(message, "\n");
		CLEANUP(cleanup_free) char *line = strndup(message, len);

		fputs("    ", stdout);
		cmd_print_text(stdout, line != NULL ? line : "(out of memory)");
		putchar('\n');
		message += len + (message[len] != '\0');
	}
}

/* Of a merge: "REV^1" and "REV^2" of it, in their order. */
static void
print_parents(const struct commit *c)
{
	char id[CMD_SHORT_SIZE];

	if (c->parent_count < 2)
		return;
	printf("%-12s", "merge");
	for (size_t i = 0; i < c->parent_count; i++) {
		cmd_short(&c->parents[i], id);
		printf(" %s", id);
	}
	putchar('\n');
}

int
print_commit(struct store *s, const struct oid *id, const struct commit *c, struct err *e)
{
	char hex[OID_HEX_SIZE], time[TIMESTAMP_SIZE];

	oid_hex(id, hex);
	if (timestamp_format(time, c->time, e) != 0)
		return -1;
	printf("commit %s", hex);
	if (print_names(s, id, e) != 0)
		return -1;
	putchar('\n');
	print_parents(c);
	if (c->has_subject) {
		oid_hex(&c->subject.id, hex);
		printf("%-12s %s\n", oid_type_name(c->subject.type), hex);
	}
	if (c->code_commit != NULL)
		printf("code         %s\n", c->code_commit);
	printf("author       ");
	cmd_print_text(stdout, c->author_name);
	printf(" <");
	cmd_print_text(stdout, c->author_email);
	printf(">\ndate         %s\n\n", time);
	print_message(c->message);
	putchar('\n');
	return 0;
}

static void
print_thing(const char *label, const struct resource *r)
{
	char size[32], id[CMD_SHORT_SIZE];

	progress_size(size, sizeof size, r->size);
	cmd_short(&r->digests.sha256, id);
	printf("%-9s %-10s %s  ", label, r->kind, id);
	cmd_print_text(stdout, r->path);
	printf("%s  (%s)", r->type == OBJECT_TREE ? "/" : "", size);
}

static void
print_input(const struct resource_input *in)
{
	print_thing("input", &in->thing);
	if (in->made_by != NULL) {
		char id[CMD_SHORT_SIZE];

		cmd_short(&in->made_by->certificate, id);
		printf("  made by %s", id);
	}
	if (in->source != NULL) {
		printf(in->fetched ? "  fetched from " : "  said to be from ");
		cmd_print_text(stdout, in->source);
	}
	if (in->license != NULL) {
		printf("  licence ");
		cmd_print_text(stdout, in->license);
	}
	if (in->ignored.count > 0)
		printf("  without %llu ignored", (unsigned long long)in->ignored.count);
	putchar('\n');
}

static void
print_finished(const struct event_run_finished *f)
{
	char time[TIMESTAMP_SIZE], size[32], id[CMD_SHORT_SIZE];

	printf("result    %s", event_reason_name(f->reason));
	if (f->has_exit_code)
		printf(", exit code %d", f->exit_code);
	if (f->has_signal)
		printf(", signal %d", f->signal);
	if (f->has_usage) {
		progress_size(size, sizeof size, f->peak_memory_bytes);
		printf(", %llu.%02llu s of CPU, %s at most", (unsigned long long)(f->cpu_micros / 1000000),
		    (unsigned long long)(f->cpu_micros / 10000 % 100), size);
	}
	putchar('\n');
	if (f->has_times && timestamp_format(time, f->started, NULL) == 0)
		printf("started   %s (the host's claim)\n", time);
	progress_size(size, sizeof size, f->log_size);
	cmd_short(&f->log, id);
	printf("log       %s  (%s%s)\n", id, size, f->log_truncated ? ", its middle was dropped" : "");
}

static void
print_request(const struct event *ev)
{
	const struct event_run_request *rq = &ev->u.request;
	CLEANUP(buf_free) struct buf command = BUF_INIT;
	char run[65];

	hex_encode(run, ev->run, sizeof ev->run);
	run_spec_command(&rq->spec, &command);
	printf("run       %s\ntpm       %s\nrunner    ", run, event_tpm_name(rq->tpm));
	cmd_print_text(stdout, rq->image_name);
	printf(", aicertd ");
	cmd_print_text(stdout, rq->daemon_version);
	printf("\ncommand   ");
	cmd_print_text(stdout, buf_str(&command));
	putchar('\n');
	for (size_t i = 0; i < rq->spec.env_count; i++) {
		printf("env       %s=", rq->spec.env[i].name);
		cmd_print_text(stdout, rq->spec.env[i].value);
		putchar('\n');
	}
}

static void
print_image(const struct event_input_image *im)
{
	if (im->image != RUN_SPEC_HOST) {
		print_thing("image", &im->file);
		putchar('\n');
	} else {
		printf("image     host (%s)\n", im->has_verity ? "measured" : "unmeasured");
	}
}

static void
print_missing(const struct event_output_missing *m)
{
	printf("missing   %-10s ", m->output.kind);
	cmd_print_text(stdout, m->output.path);
	printf(" (%s)\n", m->reason);
}

void
print_certificate(const struct oid *id, const struct certificate *c)
{
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	printf("certificate %s\n", hex);
	for (size_t i = 0; i < c->event_count; i++) {
		const struct event *ev = &c->events[i];

		if (ev->kind == EVENT_RUN_REQUEST)
			print_request(ev);
		else if (ev->kind == EVENT_INPUT_IMAGE)
			print_image(&ev->u.image);
		else if (ev->kind == EVENT_INPUT_RESOURCE)
			print_input(&ev->u.input);
		else if (ev->kind == EVENT_OUTPUT_RESOURCE) {
			print_thing("output", &ev->u.output.output);
			putchar('\n');
		} else if (ev->kind == EVENT_OUTPUT_MISSING)
			print_missing(&ev->u.missing);
		else if (ev->kind == EVENT_RUN_FINISHED)
			print_finished(&ev->u.finished);
	}
}
