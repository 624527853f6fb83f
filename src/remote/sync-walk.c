#include "remote/sync-walk.h"

#include <string.h>
#include "base/array.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/path.h"
#include "object/certificate.h"
#include "object/certificate-scan.h"
#include "object/commit.h"
#include "object/evidence.h"
#include "object/tree.h"
#include "store/odb.h"

#define SYNC_WALK_SLOW_MS 20
#define SYNC_WALK_SLOW 32

static size_t
sync_walk_max(enum object_type type)
{
	switch (type) {
	case OBJECT_COMMIT:
		return COMMIT_BYTES_MAX;
	case OBJECT_CERTIFICATE:
		return CERTIFICATE_BYTES_MAX;
	case OBJECT_EVIDENCE:
		return EVIDENCE_BYTES_MAX;
	default:
		return TREE_BYTES_MAX;
	}
}

int
sync_walk_add(struct sync_walk_list *l, const struct remote_item *item, struct err *e)
{
	if (l->count >= SYNC_WALK_MAX)
		return err_set(e, ERR_LIMIT, "more than %u objects at once", SYNC_WALK_MAX);
	if (ARRAY_ROOM(l->items, l->count, l->cap, e) != 0)
		return -1;
	l->items[l->count++] = *item;
	return 0;
}

static int
sync_walk_push(struct sync_walk *w, const struct sync_walk_node *n, struct err *e)
{
	size_t ignored;
	bool fresh;

	if (n->ref.type == OBJECT_COMMIT && oid_map_get(&w->have, &n->ref.id, &ignored))
		return 0;
	if (oid_map_add(&w->seen[n->ref.type], &n->ref.id, 0, &fresh, e) != 0)
		return -1;
	if (!fresh)
		return 0;
	if (w->count >= SYNC_WALK_MAX)
		return err_set(e, ERR_LIMIT, "a history of more than %u objects", SYNC_WALK_MAX);
	if (ARRAY_ROOM(w->stack, w->count, w->cap, e) != 0)
		return -1;
	w->stack[w->count++] = *n;
	return 0;
}

/* --- what an object names --- */

static int
sync_walk_tree(struct sync_walk *w, const struct sync_walk_node *n, const struct buf *text,
    struct err *e)
{
	CLEANUP(tree_free) struct tree t = TREE_INIT;

	if (n->depth >= TREE_DEPTH_MAX)
		return err_set(e, ERR_REFUSED, "a tree deeper than %d", TREE_DEPTH_MAX);
	if (tree_decode(text->data, text->len, &t, e) != 0)
		return -1;
	for (size_t i = 0; i < t.count; i++) {
		const struct tree_entry *entry = &t.entries[i];
		bool dir = entry->mode == TREE_DIR;
		const struct sync_walk_node child = {.ref = {dir ? OBJECT_TREE : OBJECT_BLOB, entry->id},
		    .size = entry->size, .contents = n->contents, .depth = n->depth + 1};

		if ((dir || n->contents) && sync_walk_push(w, &child, e) != 0)
			return -1;
	}
	return 0;
}

static bool
sync_walk_path(const struct sync_walk *w, const char *path)
{
	bool wanted = w->path_count == 0;

	for (size_t i = 0; i < w->path_count; i++)
		wanted |= path_covers(w->paths[i], path) || path_covers(path, w->paths[i]);
	return wanted;
}

/* An input or output, or an image. */
static int
sync_walk_thing(struct sync_walk *w, const struct object_ref *ref, uint64_t size, bool output,
    struct err *e)
{
	struct sync_walk_node n = {.ref = *ref, .size = size,
	    .contents = w->blobs == SYNC_BLOBS_ALL || (output && w->blobs == SYNC_BLOBS_OUTPUTS)};

	if (!n.contents && !(output && ref->type == OBJECT_TREE))
		return 0;
	return sync_walk_push(w, &n, e);
}

struct sync_walk_linker {
	struct sync_walk *w;
	struct err *e;
};

static int
sync_walk_link(void *arg, const struct certificate_scan_link *l)
{
	struct sync_walk_linker *k = arg;
	const struct sync_walk_node n = {.ref = l->ref, .size = l->size};

	if (l->role == CERTIFICATE_SCAN_INPUT || l->role == CERTIFICATE_SCAN_OUTPUT)
		return sync_walk_thing(k->w, &l->ref, l->size, l->role == CERTIFICATE_SCAN_OUTPUT, k->e);
	return sync_walk_push(k->w, &n, k->e);
}

static int
sync_walk_event(struct sync_walk *w, const struct event *ev, struct err *e)
{
	const struct resource *r = ev->kind == EVENT_OUTPUT_RESOURCE ? &ev->u.output.output :
	    ev->kind == EVENT_INPUT_RESOURCE ? &ev->u.input.thing :
	    ev->kind == EVENT_INPUT_IMAGE && ev->u.image.image != RUN_SPEC_HOST ? &ev->u.image.file : NULL;
	struct sync_walk_node n = {.ref.type = OBJECT_BLOB};

	if (r != NULL && sync_walk_path(w, r->path)) {
		const struct object_ref ref = {r->type, r->digests.sha256};

		if (sync_walk_thing(w, &ref, r->size, ev->kind == EVENT_OUTPUT_RESOURCE, e) != 0)
			return -1;
	}
	if (ev->kind == EVENT_INPUT_RESOURCE && ev->u.input.made_by != NULL) {
		n.ref = (struct object_ref){OBJECT_CERTIFICATE, ev->u.input.made_by->certificate};
		return sync_walk_push(w, &n, e);
	}
	if (ev->kind != EVENT_RUN_FINISHED)
		return 0;
	n.ref.id = ev->u.finished.log;
	n.size = ev->u.finished.log_size;
	return sync_walk_push(w, &n, e);
}

static int
sync_walk_decoded(struct sync_walk *w, const struct buf *text, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	struct sync_walk_node n = {.ref.type = OBJECT_BLOB};

	if (certificate_decode(text->data, text->len, &c, e) != 0)
		return -1;
	for (size_t i = 0; i < c.event_count; i++)
		if (sync_walk_event(w, &c.events[i], e) != 0)
			return -1;
	n.ref.id = c.boot_log.id;
	n.size = c.boot_log.size;
	return c.boot_log.present ? sync_walk_push(w, &n, e) : 0;
}

/* Without decoding it where that can be done: a history has many. */
static int
sync_walk_certificate(struct sync_walk *w, const struct buf *text, struct err *e)
{
	struct err why = {0};
	struct sync_walk_linker k = {w, &why};
	int rc = w->path_count > 0 ? 1 : certificate_scan_links(text->data, text->len, sync_walk_link, &k);

	if (rc == 1)
		return sync_walk_decoded(w, text, e);
	if (rc != 0 && e != NULL)
		*e = why;
	return rc;
}

static int
sync_walk_commit(struct sync_walk *w, const struct buf *text, struct err *e)
{
	CLEANUP(commit_free) struct commit c = {0};
	struct sync_walk_node n = {.needed = true};

	if (commit_decode(text->data, text->len, &c, e) != 0)
		return -1;
	for (size_t i = 0; i < c.parent_count; i++) {
		n.ref = (struct object_ref){OBJECT_COMMIT, c.parents[i]};
		if (sync_walk_push(w, &n, e) != 0)
			return -1;
	}
	if (!c.has_subject)
		return 0;
	if (c.kind == COMMIT_IMPORT)
		return c.resource != NULL && sync_walk_path(w, c.resource->thing.path) ?
		    sync_walk_thing(w, &c.subject, c.resource->thing.size, false, e) : 0;
	n.ref = c.subject;
	return sync_walk_push(w, &n, e);
}

static int
sync_walk_links(struct sync_walk *w, const struct sync_walk_node *n, const struct buf *text,
    struct err *e)
{
	CLEANUP(evidence_free) struct evidence v = {0};

	switch (n->ref.type) {
	case OBJECT_COMMIT:
		return sync_walk_commit(w, text, e);
	case OBJECT_CERTIFICATE:
		return sync_walk_certificate(w, text, e);
	case OBJECT_TREE:
		return sync_walk_tree(w, n, text, e);
	default: /* what evidence is about the history has anyway */
		return evidence_decode(text->data, text->len, &v, e);
	}
}

/* --- getting its bytes --- */

/* From the remote: not judged yet. */
static int
sync_walk_receive(struct sync_walk *w, const struct sync_walk_node *n, struct buf *ret, struct err *e)
{
	int64_t before = clock_ms();
	int rc = w->remote->ops->read(w->remote, &n->ref.id, sync_walk_max(n->ref.type), ret, e);

	w->slow += clock_ms() - before > SYNC_WALK_SLOW_MS;
	return rc;
}

/* *ret_came: it was not here, and is to be judged. */
static int
sync_walk_bytes(struct sync_walk *w, const struct sync_walk_node *n, struct buf *ret,
    bool *ret_came, struct err *e)
{
	bool fresh;

	*ret_came = false;
	if (odb_glance_looks(&w->glance) && sync_aside_settle(&w->aside, e) != 0)
		return -1;
	*ret_came = w->fetching && odb_glance_lacks(&w->glance, &n->ref.id);
	if (*ret_came)
		return sync_walk_receive(w, n, ret, e);
	if (sync_aside_settle(&w->aside, e) != 0 || odb_reading(w->store, w->slow < SYNC_WALK_SLOW, e) != 0)
		return -1;
	if (odb_read(w->store, &n->ref.id, sync_walk_max(n->ref.type), ret, e) == 0)
		return oid_map_add(&w->local, &n->ref.id, 0, &fresh, e);
	if (!w->fetching || (e->code != ERR_NOTFOUND && e->code != ERR_CORRUPT))
		return -1;
	buf_free(ret);
	*ret = (struct buf)BUF_INIT;
	*ret_came = true;
	return sync_walk_receive(w, n, ret, e);
}

/* --- the walk --- */

static enum sync_walk_class
sync_walk_class(enum object_type type)
{
	return type == OBJECT_COMMIT ? SYNC_WALK_COMMITS :
	    type == OBJECT_CERTIFICATE ? SYNC_WALK_CERTIFICATES : SYNC_WALK_CONTENTS;
}

static int
sync_walk_record(struct sync_walk *w, const struct sync_walk_node *n, uint64_t size, bool came,
    struct err *e)
{
	const struct remote_item item = {.ref = n->ref, .size = size, .exact = !n->unsized,
	    .state = came ? REMOTE_HAS : REMOTE_ASKED};

	return sync_walk_add(&w->lists[sync_walk_class(n->ref.type)], &item, e);
}

/* What goes wrong with one object is not the end of the others. */
static bool
sync_walk_fatal(const struct err *e)
{
	return e->code != ERR_NOTFOUND && e->code != ERR_CORRUPT && e->code != ERR_REFUSED &&
	    e->code != ERR_FORMAT && e->code != ERR_UNSUPPORTED && e->code != ERR_LIMIT;
}

/* HAS in the list: it was taken. */
static int
sync_walk_offer(struct sync_walk *w, const struct sync_walk_node *n, const struct buf *text,
    struct err *e)
{
	struct remote_item item = {.ref = n->ref, .size = text->len, .exact = true};

	w->stop = w->remote->ops->offer(w->remote, &item, text->data, e) != 0;
	if (w->stop)
		return -1;
	return sync_walk_record(w, n, text->len, item.state == REMOTE_HAS, e);
}

static int
sync_walk_visit(struct sync_walk *w, const struct sync_walk_node *n, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	uint64_t size;
	bool came;

	if (n->ref.type == OBJECT_BLOB) {
		size = n->size;
		if (n->unsized && !w->fetching && odb_size(w->store, &n->ref.id, &size, e) != 0)
			return -1;
		return sync_walk_record(w, n, size, false, e);
	}
	if (sync_walk_bytes(w, n, &text, &came, e) != 0)
		return -1;
	size = text.len;
	if (came && w->progress != NULL)
		progress_add(w->progress, size);
	if (came && n->ref.type == OBJECT_CERTIFICATE && w->path_count == 0)
		return sync_aside_add(&w->aside, &n->ref.id, n->needed, &text, e);
	if ((came && sync_aside_judge(&n->ref, &text, e) != 0) || sync_walk_links(w, n, &text, e) != 0 ||
	    (came && sync_aside_keep(&w->aside, &n->ref.id, &text, e) != 0))
		return -1;
	return came || !w->offering ? sync_walk_record(w, n, size, came, e) :
	    sync_walk_offer(w, n, &text, e);
}

/* What the threads found of a certificate. */
static int
sync_walk_judged(struct sync_walk *w, struct sync_aside_item *item, const struct sync_walk_node *n,
    struct err *e)
{
	struct sync_walk_linker k = {w, e};
	uint64_t size = item->text.len;

	if (!item->good && sync_aside_judge(&n->ref, &item->text, e) != 0)
		return -1;
	for (size_t i = 0; item->scanned && i < item->link_count; i++)
		if (sync_walk_link(&k, &item->links[i]) != 0)
			return -1;
	if ((!item->scanned && sync_walk_decoded(w, &item->text, e) != 0) ||
	    sync_aside_keep(&w->aside, &item->id, &item->text, e) != 0)
		return -1;
	return sync_walk_record(w, n, size, true, e);
}

static void
sync_walk_complain(const struct sync_walk *w, const struct sync_walk_node *n, const struct err *e)
{
	char hex[OID_HEX_SIZE];

	oid_hex(&n->ref.id, hex);
	notice_say(&w->remote->notice, "%s %s: %s", oid_type_name(n->ref.type), hex,
	    e->code != ERR_NOTFOUND ? e->msg : w->fetching ? "the remote does not have it" :
	    "not in the store");
}

/* -1: it ends here; else the others go on. */
static int
sync_walk_failed(struct sync_walk *w, const struct sync_walk_node *n, const struct err *why,
    bool *ret_whole, struct err *e)
{
	if (w->stop || w->aside.failed || sync_walk_fatal(why)) {
		if (e != NULL)
			*e = *why;
		return -1;
	}
	if (!n->needed && why->code == ERR_NOTFOUND) {
		w->tally->absent++;
		return 0;
	}
	if (n->needed)
		*ret_whole = false;
	else
		w->tally->failed++;
	sync_walk_complain(w, n, why);
	return 0;
}

/* Certificates that were judged meanwhile; waits when there is nothing else to do. */
static int
sync_walk_collect(struct sync_walk *w, bool *ret_whole, struct err *e)
{
	CLEANUP(sync_aside_job_freep) struct sync_aside_job *job = sync_aside_take(&w->aside,
	    w->count == 0);
	struct err why = {0};

	for (size_t i = 0; job != NULL && i < job->count; i++) {
		const struct sync_walk_node n = {.ref = {OBJECT_CERTIFICATE, job->items[i].id},
		    .needed = job->items[i].needed};

		if (sync_walk_judged(w, &job->items[i], &n, &why) != 0 &&
		    sync_walk_failed(w, &n, &why, ret_whole, e) != 0)
			return -1;
	}
	return 0;
}

static int
sync_walk_all(struct sync_walk *w, bool *ret_whole, struct err *e)
{
	struct err why = {0};

	while (w->count > 0 || sync_aside_busy(&w->aside)) {
		struct sync_walk_node n;

		if (interrupt_check(e) != 0)
			return -1;
		if (sync_aside_ready(&w->aside, w->count == 0) && sync_walk_collect(w, ret_whole, e) != 0)
			return -1;
		if (w->count == 0)
			continue;
		n = w->stack[--w->count];
		if (sync_walk_visit(w, &n, &why) != 0 && sync_walk_failed(w, &n, &why, ret_whole, e) != 0)
			return -1;
	}
	return 0;
}

int
sync_walk_tip(struct sync_walk *w, const struct object_ref *tip, bool *ret_whole, struct err *e)
{
	const struct sync_walk_node first = {.ref = *tip, .needed = true, .unsized = true,
	    .size = REMOTE_TYPED_MAX, .contents = w->blobs != SYNC_BLOBS_NONE};

	*ret_whole = true;
	if (sync_walk_push(w, &first, e) != 0 || sync_walk_all(w, ret_whole, e) != 0)
		return -1;
	for (size_t i = 0; !*ret_whole && i < SYNC_WALK_TYPES; i++)
		oid_map_free(&w->seen[i]);
	return sync_aside_settle(&w->aside, e) != 0 ? -1 : odb_reading(w->store, false, e);
}

void
sync_walk_free(struct sync_walk *w)
{
	for (size_t i = 0; i < SYNC_WALK_TYPES; i++)
		oid_map_free(&w->seen[i]);
	for (size_t i = 0; i < SYNC_WALK_CLASSES; i++)
		free(w->lists[i].items);
	sync_aside_end(&w->aside);
	odb_glance_free(&w->glance);
	oid_map_free(&w->have);
	oid_map_free(&w->local);
	free(w->stack);
}
