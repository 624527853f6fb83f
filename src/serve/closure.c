#include "serve/closure.h"

#include <string.h>
#include "base/array.h"
#include "object/certificate.h"
#include "object/evidence.h"
#include "object/tree.h"
#include "store/history.h"
#include "store/odb.h"
#include "store/oid-map.h"

#define CLOSURE_TYPES (OBJECT_EVIDENCE + 1)

struct closure_item {
	struct object_ref ref;
	enum closure_need need;
};

struct closure {
	struct store *store;
	closure_fn *fn;
	void *arg;
	struct oid_map seen[CLOSURE_TYPES][2]; /* by type and need */
	struct closure_item *queue;
	size_t count, cap;
};

/* An id is looked at once as each type and need that it is named with: who is named as a
 * blob first must not hide what it has as a tree. */
static int
closure_push(struct closure *w, enum object_type type, const struct oid *id, enum closure_need need,
    struct err *e)
{
	bool fresh;

	if (oid_map_add(&w->seen[type][need == CLOSURE_NEEDED], id, 0, &fresh, e) != 0)
		return -1;
	if (!fresh)
		return 0;
	if (ARRAY_ROOM(w->queue, w->count, w->cap, e) != 0)
		return -1;
	w->queue[w->count++] = (struct closure_item){{type, *id}, need};
	return 0;
}

static int
closure_tree(struct closure *w, const struct closure_item *item, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;

	if (odb_read(w->store, &item->ref.id, TREE_BYTES_MAX, &text, e) != 0 ||
	    tree_decode(text.data, text.len, &t, e) != 0)
		return -1;
	for (size_t i = 0; i < t.count; i++)
		if (closure_push(w, t.entries[i].mode == TREE_DIR ? OBJECT_TREE : OBJECT_BLOB,
		    &t.entries[i].id, item->need, e) != 0)
			return -1;
	return 0;
}

static int
closure_thing(struct closure *w, const struct resource *r, enum closure_need need, struct err *e)
{
	return closure_push(w, r->type, &r->digests.sha256, need, e);
}

static int
closure_input(struct closure *w, const struct resource_input *in, enum closure_need need,
    struct err *e)
{
	if (closure_thing(w, &in->thing, need, e) != 0)
		return -1;
	return in->made_by == NULL ? 0 : closure_push(w, OBJECT_CERTIFICATE, &in->made_by->certificate,
	    need, e);
}

/* Contents need not be where the history is: only proofs are (partial stores). */
static int
closure_event(struct closure *w, const struct event *ev, struct err *e)
{
	switch (ev->kind) {
	case EVENT_INPUT_IMAGE:
		return ev->u.image.image == RUN_SPEC_HOST ? 0 :
		    closure_thing(w, &ev->u.image.file, CLOSURE_OPTIONAL, e);
	case EVENT_INPUT_RESOURCE:
		return closure_input(w, &ev->u.input, CLOSURE_OPTIONAL, e);
	case EVENT_OUTPUT_RESOURCE:
		return closure_thing(w, &ev->u.output.output, CLOSURE_OPTIONAL, e);
	case EVENT_RUN_FINISHED:
		return closure_push(w, OBJECT_BLOB, &ev->u.finished.log, CLOSURE_OPTIONAL, e);
	default:
		return 0;
	}
}

static int
closure_certificate(struct closure *w, const struct closure_item *item, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};

	if (history_certificate(w->store, &item->ref.id, &c, e) != 0)
		return -1;
	for (size_t i = 0; i < c.event_count; i++)
		if (closure_event(w, &c.events[i], e) != 0)
			return -1;
	return c.boot_log.present ? closure_push(w, OBJECT_BLOB, &c.boot_log.id, CLOSURE_OPTIONAL, e) : 0;
}

static int
closure_commit(struct closure *w, const struct closure_item *item, struct err *e)
{
	CLEANUP(commit_free) struct commit c = {0};

	if (history_commit(w->store, &item->ref.id, &c, e) != 0)
		return -1;
	for (size_t i = 0; i < c.parent_count; i++)
		if (closure_push(w, OBJECT_COMMIT, &c.parents[i], item->need, e) != 0)
			return -1;
	return !c.has_subject ? 0 : closure_push(w, c.subject.type, &c.subject.id,
	    c.kind == COMMIT_IMPORT ? CLOSURE_OPTIONAL : item->need, e);
}

/* What it is about is in the commit's history; but it is evidence. */
static int
closure_evidence(struct closure *w, const struct closure_item *item, struct err *e)
{
	CLEANUP(evidence_free) struct evidence v = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char hex[OID_HEX_SIZE];

	oid_hex(&item->ref.id, hex);
	if (odb_read(w->store, &item->ref.id, EVIDENCE_BYTES_MAX, &text, e) != 0)
		return -1;
	return evidence_decode(text.data, text.len, &v, e) == 0 ? 0 : err_prefix(e, "evidence %s", hex);
}

static int
closure_look(struct closure *w, const struct closure_item *item, struct err *e)
{
	switch (item->ref.type) {
	case OBJECT_TREE:
		return closure_tree(w, item, e);
	case OBJECT_CERTIFICATE:
		return closure_certificate(w, item, e);
	case OBJECT_COMMIT:
		return closure_commit(w, item, e);
	case OBJECT_EVIDENCE:
		return closure_evidence(w, item, e);
	default:
		return 0;
	}
}

static int
closure_run(struct closure *w, struct err *e)
{
	while (w->count > 0) {
		const struct closure_item item = w->queue[--w->count];
		int rc = w->fn(w->arg, &item.ref, item.need, e);

		if (rc < 0 || (rc > 0 && closure_look(w, &item, e) != 0))
			return -1;
	}
	return 0;
}

static void
closure_free(struct closure *w)
{
	for (size_t i = 0; i < CLOSURE_TYPES; i++) {
		oid_map_free(&w->seen[i][0]);
		oid_map_free(&w->seen[i][1]);
	}
	free(w->queue);
}

int
closure_walk(struct store *s, const struct object_ref *roots, size_t n, closure_fn *fn, void *arg,
    struct err *e)
{
	CLEANUP(closure_free) struct closure w = {.store = s, .fn = fn, .arg = arg};

	for (size_t i = n; i > 0; i--) /* the first is looked at first */
		if (closure_push(&w, roots[i - 1].type, &roots[i - 1].id, CLOSURE_NEEDED, e) != 0)
			return -1;
	return closure_run(&w, e);
}

int
closure_spec(struct store *s, const struct run_spec *spec, closure_fn *fn, void *arg,
    struct err *e)
{
	CLEANUP(closure_free) struct closure w = {.store = s, .fn = fn, .arg = arg};

	if (spec->image != RUN_SPEC_HOST && closure_thing(&w, &spec->image_file, CLOSURE_NEEDED, e) != 0)
		return -1;
	for (size_t i = 0; i < spec->input_count; i++)
		if (closure_input(&w, &spec->inputs[i], CLOSURE_NEEDED, e) != 0)
			return -1;
	return closure_run(&w, e);
}
