#include "runner/transfer-internal.h"

#include "store/odb.h"

static int
transfer_add(struct transfer_list *l, struct store *s, const struct oid *id, struct err *e)
{
	struct transfer_item item = {.id = *id, .exact = true};

	return odb_size(s, id, &item.size, e) != 0 ? -1 : transfer_list_add(l, &item, e);
}

/* The tree itself and all beneath it. */
static int
transfer_add_tree(struct transfer_list *l, struct store *s, const struct oid *id, int depth,
    struct err *e)
{
	CLEANUP(tree_free) struct tree t = TREE_INIT;

	if (depth > TREE_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "a tree deeper than %d", TREE_DEPTH_MAX);
	if (transfer_add(l, s, id, e) != 0 || transfer_read_tree(s, id, &t, e) != 0)
		return -1;
	for (size_t i = 0; i < t.count; i++) {
		const struct tree_entry *entry = &t.entries[i];
		int rc = entry->mode == TREE_DIR ? transfer_add_tree(l, s, &entry->id, depth + 1, e) :
		    transfer_add(l, s, &entry->id, e);

		if (rc != 0)
			return -1;
	}
	return 0;
}

static int
transfer_add_resource(struct transfer_list *l, struct store *s, const struct resource *r,
    struct err *e)
{
	const struct oid *id = &r->digests.sha256;
	int rc = r->type == OBJECT_TREE ? transfer_add_tree(l, s, id, 0, e) :
	    transfer_add(l, s, id, e);

	return rc == 0 ? 0 : err_prefix(e, "%s", r->path);
}

int
transfer_ask_missing(struct link *l, const struct transfer_list *part, struct transfer_list *ret,
    struct err *e)
{
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	CLEANUP(http_response_free) struct http_response rs = {0};
	struct http_request rq = {
		.method = "POST", .path = "/v1/objects/missing", .content_type = TRANSFER_LIST_TYPE,
		.body_fd = -1, .max = TRANSFER_ANSWER_MAX,
	};
	struct link_retry retry = {0};

	if (transfer_list_encode(part, &body, e) != 0)
		return -1;
	rq.body = body.data;
	rq.body_len = body.len;
	while (http_do(l->http, &rq, &rs, e) != 0) {
		l->key_changed = http_key_changed(l->http);
		if (link_retry(l, &retry, e) != 0)
			return -1;
	}
	if (!http_ok(&rs))
		return http_problem(&rs, "asking what the other side lacks", e);
	return transfer_list_decode(rs.body.data, rs.body.len, part, ret, e);
}

static int
transfer_send_list(struct link *l, struct store *s, struct transfer_list *all, struct err *e)
{
	CLEANUP(transfer_list_free) struct transfer_list missing = {0};
	struct transfer_work work = {
		.link = l, .store = s, .list = &missing, .label = "sending", .item = transfer_send_item,
	};

	transfer_list_unique(all);
	for (size_t at = 0; at < all->count; at += TRANSFER_LIST_MAX) {
		struct transfer_list part = {.items = all->items + at, .count = all->count - at};

		if (part.count > TRANSFER_LIST_MAX)
			part.count = TRANSFER_LIST_MAX;
		if (transfer_ask_missing(l, &part, &missing, e) != 0)
			return -1;
	}
	transfer_list_unique(&missing);
	return transfer_queue_run(&work, e);
}

int
transfer_send_spec(struct link *l, struct store *s, const struct run_spec *spec, struct err *e)
{
	CLEANUP(transfer_list_free) struct transfer_list all = {0};

	l->key_changed = false;
	if (spec->image != RUN_SPEC_HOST && transfer_add_resource(&all, s, &spec->image_file, e) != 0)
		return -1;
	for (size_t i = 0; i < spec->input_count; i++) {
		const struct resource_input *in = &spec->inputs[i];

		if (transfer_add_resource(&all, s, &in->thing, e) != 0)
			return -1;
		if (in->made_by != NULL && transfer_add(&all, s, &in->made_by->certificate, e) != 0)
			return -1;
	}
	return transfer_send_list(l, s, &all, e);
}

/* From here on gc leaves them alone, those that are there and those that come: also when
 * the workers have closed their stores. */
static int
transfer_keep(struct store *s, const struct transfer_list *list, struct err *e)
{
	CLEANUP(cleanup_free) struct oid *ids = calloc(list->count + 1, sizeof *ids);

	if (ids == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < list->count; i++)
		ids[i] = list->items[i].id;
	return odb_keep(s, ids, list->count, e);
}

static int
transfer_fetch_list(struct link *l, struct store *s, struct transfer_list *list, const char *label,
    struct err *e)
{
	struct transfer_work work = {
		.link = l, .store = s, .list = list, .label = label, .item = transfer_fetch_item,
		.end = transfer_fetch_end,
	};

	transfer_list_unique(list);
	return transfer_keep(s, list, e) != 0 ? -1 : transfer_queue_run(&work, e);
}

/* What the trees of one level hold: blobs, and the trees of the next. */
static int
transfer_open_level(struct store *s, const struct transfer_list *level, struct transfer_list *blobs,
    struct transfer_list *next, struct err *e)
{
	for (size_t i = 0; i < level->count; i++) {
		CLEANUP(tree_free) struct tree t = TREE_INIT;

		if (transfer_read_tree(s, &level->items[i].id, &t, e) != 0)
			return -1;
		for (size_t k = 0; k < t.count; k++) {
			const struct tree_entry *entry = &t.entries[k];
			bool dir = entry->mode == TREE_DIR;
			struct transfer_item item = {.id = entry->id, .exact = !dir,
				.size = dir ? TREE_BYTES_MAX : entry->size};

			if (transfer_list_add(dir ? next : blobs, &item, e) != 0)
				return -1;
		}
	}
	return 0;
}

/* Trees level by level, so that those of one level travel together. */
static int
transfer_fetch_trees(struct link *l, struct store *s, struct transfer_list *level,
    struct transfer_list *blobs, struct err *e)
{
	for (int depth = 0; level->count > 0; depth++) {
		CLEANUP(transfer_list_free) struct transfer_list next = {0};
		struct transfer_list swap = *level;

		if (depth > TREE_DEPTH_MAX)
			return err_set(e, ERR_REFUSED, "a tree deeper than %d", TREE_DEPTH_MAX);
		if (transfer_fetch_list(l, s, level, "fetching trees", e) != 0 ||
		    transfer_open_level(s, level, blobs, &next, e) != 0)
			return -1;
		*level = next;
		next = swap;
	}
	return 0;
}

/* What a certificate names: its trees, and everything else. */
static int
transfer_collect(const struct certificate *c, struct transfer_list *trees,
    struct transfer_list *blobs, struct err *e)
{
	for (size_t i = 0; i < c->event_count; i++) {
		const struct event *ev = &c->events[i];
		const struct resource *r = &ev->u.output.output;
		struct transfer_item item = {.exact = true};
		int rc = 0;

		if (ev->kind == EVENT_RUN_FINISHED) {
			item.id = ev->u.finished.log;
			item.size = ev->u.finished.log_size;
			rc = transfer_list_add(blobs, &item, e);
		} else if (ev->kind == EVENT_OUTPUT_RESOURCE) {
			item.id = r->digests.sha256;
			item.exact = r->type != OBJECT_TREE;
			item.size = item.exact ? r->size : TREE_BYTES_MAX;
			rc = transfer_list_add(item.exact ? blobs : trees, &item, e);
		}
		if (rc != 0)
			return -1;
	}
	if (c->boot_log.present) {
		struct transfer_item log = {.id = c->boot_log.id, .size = c->boot_log.size, .exact = true};

		return transfer_list_add(blobs, &log, e);
	}
	return 0;
}

int
transfer_fetch_certificate(struct link *l, struct store *s, const struct certificate *c,
    struct err *e)
{
	CLEANUP(transfer_list_free) struct transfer_list trees = {0}, blobs = {0};

	l->key_changed = false;
	if (transfer_collect(c, &trees, &blobs, e) != 0 ||
	    transfer_fetch_trees(l, s, &trees, &blobs, e) != 0)
		return -1;
	return transfer_fetch_list(l, s, &blobs, "fetching", e);
}
