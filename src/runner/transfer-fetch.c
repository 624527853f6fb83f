#include "runner/transfer-internal.h"

#include "store/odb.h"
#include "store/part.h"

#define TRANSFER_SMALL 32512u           /* kept in memory, stored many at a time */
#define TRANSFER_BATCH 256

/* Small objects that have come and are not stored yet. */
struct transfer_batch {
	struct oid ids[TRANSFER_BATCH];
	struct buf bytes[TRANSFER_BATCH];
	size_t count;
};

/* A large one. */
struct transfer_in {
	struct transfer_worker *w;
	const struct transfer_item *item;
	char name[OID_HEX_SIZE];
	char path[TRANSFER_PATH_SIZE];
	struct part *part;
};

static void
transfer_fetch_free(struct transfer_in *t)
{
	part_close(t->part);
}

static int
transfer_fetch_open(struct transfer_in *t, struct err *e)
{
	oid_hex(&t->item->id, t->name);
	transfer_path(&t->w->link, &t->item->id, t->path);
	if (part_open(t->w->store, &t->item->id, t->item->size, &t->part, e) != 0 ||
	    part_load(t->part, e) != 0)
		return err_prefix(e, "object %s", t->name);
	transfer_queue_resumed(t->w, 0, part_length(t->part));
	return 0;
}

static int
transfer_fetch_restart(struct transfer_in *t, struct err *e)
{
	transfer_queue_resumed(t->w, part_length(t->part), 0);
	return part_restart(t->part, e);
}

static int
transfer_fetch_take(void *arg, const void *data, size_t len, struct err *e)
{
	struct transfer_in *t = arg;

	if (part_append(t->part, data, len, e) != 0)
		return err_prefix(e, "object %s", t->name);
	transfer_queue_moved(t->w, len);
	return 0;
}

static int
transfer_fetch_once(struct transfer_in *t, struct err *e)
{
	struct http_request rq = {
		.method = "GET", .path = t->path, .body_fd = -1, .range_start = part_length(t->part),
		.sink = transfer_fetch_take, .sink_arg = t,
	};
	CLEANUP(http_response_free) struct http_response rs = {0};

	if (http_do(t->w->link.http, &rq, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return http_problem(&rs, t->name, e);
	if (part_length(t->part) < t->item->size)
		return err_set(e, ERR_REFUSED, "object %s: the other side sent %llu bytes less than the"
		    " certificate says", t->name,
		    (unsigned long long)(t->item->size - part_length(t->part)));
	return 0;
}

static int
transfer_fetch_rest(struct transfer_in *t, struct err *e)
{
	struct link_retry retry = {0};

	while (part_length(t->part) < t->item->size) {
		uint64_t before = part_length(t->part);

		if (transfer_fetch_once(t, e) == 0)
			return 0;
		t->w->link.key_changed = http_key_changed(t->w->link.http);
		if (part_length(t->part) > before)
			retry = (struct link_retry){0};
		/* a runner that does not go on where it is asked to sends it all again */
		if (e->code == ERR_FORMAT && before > 0 && part_length(t->part) == before) {
			if (transfer_fetch_restart(t, e) != 0)
				return -1;
			continue;
		}
		if (link_retry(&t->w->link, &retry, e) != 0)
			return -1;
	}
	return 0;
}

static int
transfer_fetch_large(struct transfer_worker *w, const struct transfer_item *item, struct err *e)
{
	CLEANUP(transfer_fetch_free) struct transfer_in t = {.w = w, .item = item};
	enum part_found found = PART_AGAIN;

	if (transfer_fetch_open(&t, e) != 0)
		return -1;
	while (found == PART_AGAIN) {
		if (transfer_fetch_rest(&t, e) != 0 || part_check(t.part, &found, e) != 0)
			return -1;
		if (found != PART_WHOLE)
			transfer_queue_resumed(w, item->size, 0);
	}
	if (found == PART_WRONG)
		return err_set(e, ERR_REFUSED, "object %s: the other side sent other bytes; nothing of them"
		    " is kept", t.name);
	return part_store(t.part, e) == 0 ? 0 : err_prefix(e, "object %s", t.name);
}

static int
transfer_fetch_batch(struct transfer_worker *w, struct transfer_batch *b, struct err *e)
{
	int rc;

	if (b->count == 0)
		return 0;
	rc = odb_put_all(w->store, b->ids, b->bytes, b->count, e);
	for (size_t i = 0; i < b->count; i++)
		buf_free(&b->bytes[i]);
	b->count = 0;
	return rc;
}

int
transfer_fetch_end(struct transfer_worker *w, bool failed, struct err *e)
{
	struct transfer_batch *b = w->state;
	int rc = 0;

	if (b == NULL)
		return 0;
	(void)failed; /* what came whole is good whatever became of others */
	rc = transfer_fetch_batch(w, b, e);
	free(b);
	w->state = NULL;
	return rc;
}

static int
transfer_fetch_get(struct transfer_worker *w, const struct transfer_item *item,
    struct http_response *ret, struct err *e)
{
	char path[TRANSFER_PATH_SIZE];
	struct http_request rq = {
		.method = "GET", .path = path, .body_fd = -1, .max = (size_t)item->size,
	};
	struct link_retry retry = {0};

	transfer_path(&w->link, &item->id, path);
	while (http_do(w->link.http, &rq, ret, e) != 0) {
		w->link.key_changed = http_key_changed(w->link.http);
		if (e->code == ERR_LIMIT)
			return err_set(e, ERR_REFUSED, "%s: the other side sends more bytes than it has", path);
		if (link_retry(&w->link, &retry, e) != 0)
			return -1;
	}
	return 0;
}

static int
transfer_fetch_check(const struct transfer_item *item, const struct buf *body, struct err *e)
{
	char hex[OID_HEX_SIZE];
	struct oid got;

	oid_hex(&item->id, hex);
	if (item->exact && body->len != item->size)
		return err_set(e, ERR_REFUSED, "object %s: the other side sent %zu bytes, it has %llu", hex,
		    body->len, (unsigned long long)item->size);
	if (oid_from_data(&got, body->data, body->len, e) != 0)
		return -1;
	if (!oid_equal(&got, &item->id))
		return err_set(e, ERR_REFUSED, "object %s: the other side sent other bytes; nothing of them"
		    " is kept", hex);
	return 0;
}

/* In memory, then many at a time: a sync for each would be most of the time. */
static int
transfer_fetch_small(struct transfer_worker *w, const struct transfer_item *item, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	struct transfer_batch *b = w->state;

	if (b == NULL)
		b = w->state = calloc(1, sizeof *b);
	if (b == NULL)
		return err_nomem(e);
	if (transfer_fetch_get(w, item, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs)) {
		char hex[OID_HEX_SIZE];

		oid_hex(&item->id, hex);
		return http_problem(&rs, hex, e);
	}
	if (transfer_fetch_check(item, &rs.body, e) != 0)
		return -1;
	transfer_queue_moved(w, rs.body.len);
	b->ids[b->count] = item->id;
	b->bytes[b->count++] = rs.body;
	rs.body = (struct buf)BUF_INIT;
	return b->count == TRANSFER_BATCH ? transfer_fetch_batch(w, b, e) : 0;
}

int
transfer_fetch_item(struct transfer_worker *w, const struct transfer_item *item, struct err *e)
{
	if (odb_has(w->store, &item->id)) {
		transfer_queue_resumed(w, 0, item->exact ? item->size : 0);
		return 0;
	}
	/* a tree, whose size is not known before: bounded, and read whole anyway */
	if (!item->exact || item->size <= TRANSFER_SMALL)
		return transfer_fetch_small(w, item, e);
	return transfer_fetch_large(w, item, e);
}
