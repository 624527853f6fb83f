/*
 * Fills the store of a work tree with the history of runs that never were:
 *
 *     history-store DIR CERTIFICATE COMMITS INPUTS OUTPUTS
 *
 * CERTIFICATE is a golden one, whose quotes the others borrow.  Run K has INPUTS
 * inputs and OUTPUTS outputs; runs come in projects of ten stages.  Output J of
 * run K is out/J with the text "output J of run K\n", input 0 of a stage is output
 * 0 of the one before (madeBy), input 1 is the data set that all have, with the
 * text "the data set\n", the others are of the run alone.  No blob is stored: what
 * is asked of such a store is who made what from what.  HEAD gets the last commit.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "base/fd.h"
#include "object/certificate.h"
#include "object/commit.h"
#include "store/odb.h"
#include "store/refs.h"

#define STAGES 10
#define BATCH 2000
#define FIRST_TIME 1700000000

struct maker {
	struct store *s;
	struct certificate golden;
	int64_t commits, inputs, outputs;
	struct oid tip, before;     /* the last commit and its certificate */
	bool has_tip;
};

static char *
words(const char *text)
{
	return (char *)(uintptr_t)text;
}

static int
thing(struct resource *ret, const char *path, const char *kind, const char *text, struct err *e)
{
	ret->type = OBJECT_BLOB;
	ret->path = buf_strdup(path, e);
	ret->kind = words(kind);
	ret->size = strlen(text);
	return ret->path != NULL ? oid_from_data(&ret->digests.sha256, text, strlen(text), e) : -1;
}

static int
input(const struct maker *m, int64_t k, int64_t j, struct resource_input *ret,
    struct resource_made_by *by, struct err *e)
{
	char text[80], path[32];

	snprintf(path, sizeof path, "in/%lld", (long long)j);
	snprintf(text, sizeof text, "input %lld of run %lld\n", (long long)j, (long long)k);
	if (j == 1)
		snprintf(text, sizeof text, "the data set\n");
	if (j == 0 && k % STAGES != 0) {
		snprintf(text, sizeof text, "output 0 of run %lld\n", (long long)k - 1);
		by->certificate = m->before;
		by->path = words("out/0");
		ret->made_by = by;
	}
	return thing(&ret->thing, path, j == 1 ? "dataset" : "file", text, e);
}

static int
output(int64_t k, int64_t j, struct resource *ret, struct err *e)
{
	char text[80], path[32];

	snprintf(path, sizeof path, "out/%lld", (long long)j);
	snprintf(text, sizeof text, "output %lld of run %lld\n", (long long)j, (long long)k);
	return thing(ret, path, "model", text, e);
}

struct run {
	struct event *events;       /* count of them; only those of things own what they hold */
	size_t count;
	struct resource_made_by by;
};

static void
run_free(struct run *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct event *ev = &r->events[i];

		if (ev->kind == EVENT_INPUT_RESOURCE)
			free(ev->u.input.thing.path);
		else if (ev->kind == EVENT_OUTPUT_RESOURCE)
			free(ev->u.output.output.path);
		free(ev->text);
	}
	free(r->events);
}

/* The golden events, with others of things in their place. */
static int
run_events(const struct maker *m, int64_t k, struct run *r, struct err *e)
{
	const struct certificate *g = &m->golden;

	r->events = calloc(g->event_count + (size_t)(m->inputs + m->outputs), sizeof *r->events);
	if (r->events == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < g->event_count; i++) {
		const struct event *old = &g->events[i];

		if (old->kind == EVENT_INPUT_RESOURCE || old->kind == EVENT_OUTPUT_RESOURCE)
			continue;
		for (int64_t j = 0; old->kind == EVENT_INPUTS_SEALED && j < m->inputs; j++) {
			struct event *ev = &r->events[r->count++];

			*ev = (struct event){.kind = EVENT_INPUT_RESOURCE, .pcr = 14};
			if (input(m, k, j, &ev->u.input, &r->by, e) != 0)
				return -1;
		}
		for (int64_t j = 0; old->kind == EVENT_RUN_FINISHED && j < m->outputs; j++) {
			struct event *ev = &r->events[r->count++];

			*ev = (struct event){.kind = EVENT_OUTPUT_RESOURCE, .pcr = 15};
			if (output(k, j, &ev->u.output.output, e) != 0)
				return -1;
		}
		r->events[r->count] = *old;
		r->events[r->count++].text = NULL;
	}
	return 0;
}

/* The request names the inputs too, as every request does. */
static int
run_encode(const struct maker *m, struct run *r, struct buf *ret, struct err *e)
{
	CLEANUP(cleanup_free) struct resource_input *inputs = calloc((size_t)m->inputs + 1, sizeof *inputs);
	struct certificate c = m->golden;
	unsigned char empty[] = "{}";
	size_t n = 0;

	if (inputs == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < r->count; i++)
		if (r->events[i].kind == EVENT_INPUT_RESOURCE)
			inputs[n++] = r->events[i].u.input;
	for (size_t i = 0; i < r->count; i++) {
		struct event *ev = &r->events[i];

		ev->seq = i;
		memcpy(ev->run, m->golden.events[0].run, sizeof ev->run);
		if (ev->kind == EVENT_RUN_REQUEST) {
			ev->u.request.spec.inputs = inputs;
			ev->u.request.spec.input_count = n;
			ev->u.request.spec.output_count = 0;
		}
		if (event_encode(ev, e) != 0)
			return -1;
	}
	c.events = r->events;
	c.event_count = r->count;
	c.ak_chain_count = 0;
	c.boot_log.present = false;
	c.quote.pcrs.has_sha384 = c.start_quote.pcrs.has_sha384 = false; /* shorter */
	c.envelope.payload = (struct buf){.data = empty, .len = 2};
	return certificate_encode(&c, ret, e);
}

static int
make_certificate(struct maker *m, int64_t k, struct oid *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(run_free) struct run r = {0};

	if (run_events(m, k, &r, e) != 0 || run_encode(m, &r, &text, e) != 0)
		return -1;
	return odb_put(m->s, text.data, text.len, ret, e);
}

static int
make_commit(struct maker *m, int64_t k, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char message[64];
	struct commit c = {
		.kind = COMMIT_RUN,
		.parents = &m->tip,
		.parent_count = m->has_tip,
		.has_subject = true,
		.subject = {.type = OBJECT_CERTIFICATE},
		.author_name = words("Bench"),
		.author_email = words("bench@localhost"),
		.time = FIRST_TIME + k,
		.message = message,
	};

	snprintf(message, sizeof message, "run %lld", (long long)k);
	if (make_certificate(m, k, &c.subject.id, e) != 0 || commit_encode(&c, &text, e) != 0 ||
	    odb_put(m->s, text.data, text.len, &m->tip, e) != 0)
		return -1;
	m->before = c.subject.id;
	m->has_tip = true;
	return 0;
}

static int
make_history(struct maker *m, struct err *e)
{
	struct object_ref tip = {.type = OBJECT_COMMIT};
	struct refs_change change = {.name = "HEAD", .any_old = true, .new_ = &tip,
	    .author = "Bench <bench@localhost>", .message = "made"};

	for (int64_t k = 0; k < m->commits; k++) {
		if (k % BATCH == 0 && odb_batch_begin(m->s, e) != 0)
			return -1;
		if (make_commit(m, k, e) != 0)
			return -1;
		if ((k % BATCH == BATCH - 1 || k == m->commits - 1) && odb_batch_end(m->s, e) != 0)
			return -1;
	}
	tip.id = m->tip;
	return refs_update(m->s, &change, e);
}

static int
make(char **argv, struct err *e)
{
	CLEANUP(certificate_free) struct certificate golden = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(store_closep) struct store *s = NULL;
	struct maker m = {.commits = atoll(argv[3]), .inputs = atoll(argv[4]), .outputs = atoll(argv[5])};

	if (m.commits < 1 || m.inputs < 0 || m.outputs < 0 || m.inputs + m.outputs > RUN_SPEC_ITEMS_MAX)
		return err_set(e, ERR_USAGE, "numbers out of range");
	if (fd_read_file(AT_FDCWD, argv[2], CERTIFICATE_BYTES_MAX, &text, e) != 0 ||
	    certificate_decode(text.data, text.len, &golden, e) != 0 ||
	    store_discover(argv[1], 0, &s, e) != 0)
		return -1;
	m.s = s;
	m.golden = golden;
	return make_history(&m, e);
}

int
main(int argc, char **argv)
{
	struct err e;

	if (argc != 6) {
		fprintf(stderr, "usage: history-store DIR CERTIFICATE COMMITS INPUTS OUTPUTS\n");
		return 2;
	}
	if (make(argv, &e) == 0)
		return 0;
	fprintf(stderr, "history-store: %s\n", e.msg);
	return 1;
}
