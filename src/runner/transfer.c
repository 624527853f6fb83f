#include "runner/transfer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include "base/fd.h"
#include "object/tree.h"
#include "store/odb.h"

#define TRANSFER_LIST_TYPE "application/vnd.aicert.object-list.v1+json"
#define TRANSFER_LIST_MAX 50000         /* ids in one request: below the runner's bound */
#define TRANSFER_ANSWER_MAX (8u * 1024 * 1024)
#define TRANSFER_ATTEMPTS 5

struct transfer_list {
	struct oid *ids;
	size_t count, cap;
};

static void
transfer_list_free(struct transfer_list *l)
{
	free(l->ids);
}

static int
transfer_add(struct transfer_list *l, const struct oid *id, struct err *e)
{
	if (l->count == l->cap) {
		size_t cap = l->cap != 0 ? l->cap * 2 : 64;
		struct oid *ids = reallocarray(l->ids, cap, sizeof *ids);

		if (ids == NULL)
			return err_nomem(e);
		l->ids = ids;
		l->cap = cap;
	}
	l->ids[l->count++] = *id;
	return 0;
}

static int
transfer_read_tree(struct store *s, const struct oid *id, struct tree *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (odb_read(s, id, TREE_BYTES_MAX, &text, e) != 0)
		return -1;
	return tree_decode(text.data, text.len, ret, e);
}

/* The tree itself and all beneath it. */
static int
transfer_add_tree(struct transfer_list *l, struct store *s, const struct oid *id, int depth,
    struct err *e)
{
	CLEANUP(tree_free) struct tree t = TREE_INIT;

	if (depth > TREE_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "a tree deeper than %d", TREE_DEPTH_MAX);
	if (transfer_add(l, id, e) != 0 || transfer_read_tree(s, id, &t, e) != 0)
		return -1;
	for (size_t i = 0; i < t.count; i++) {
		const struct tree_entry *entry = &t.entries[i];
		int rc = entry->mode == TREE_DIR ? transfer_add_tree(l, s, &entry->id, depth + 1, e) :
		    transfer_add(l, &entry->id, e);

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
	int rc = r->type == OBJECT_TREE ? transfer_add_tree(l, s, id, 0, e) : transfer_add(l, id, e);

	return rc == 0 ? 0 : err_prefix(e, "%s", r->path);
}

static int
transfer_compare(const void *a, const void *b)
{
	return oid_compare(a, b);
}

static void
transfer_unique(struct transfer_list *l)
{
	size_t kept = 0;

	if (l->count == 0)
		return;
	qsort(l->ids, l->count, sizeof *l->ids, transfer_compare);
	for (size_t i = 1; i < l->count; i++)
		if (!oid_equal(&l->ids[i], &l->ids[kept]))
			l->ids[++kept] = l->ids[i];
	l->count = kept + 1;
}

static int
transfer_list_encode(const struct transfer_list *l, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	struct jcs *list = jcs_new_array();
	char text[OID_TEXT_SIZE];

	for (size_t i = 0; i < l->count; i++) {
		oid_text(&l->ids[i], text);
		jcs_append(list, jcs_new_string(text));
	}
	jcs_set_string(v, "mediaType", TRANSFER_LIST_TYPE);
	jcs_set(v, "objects", list);
	return jcs_encode(v, ret, e);
}

/* What a PUT left behind on the other side, if anything. */
static int
transfer_offset(struct http *h, const char *path, uint64_t *ret, struct err *e)
{
	struct http_request rq = {.method = "HEAD", .path = path, .body_fd = -1};
	CLEANUP(http_response_free) struct http_response rs = {0};

	if (http_do(h, &rq, &rs, e) != 0)
		return -1;
	*ret = rs.upload_offset > 0 ? (uint64_t)rs.upload_offset : 0;
	return 0;
}

/* One attempt. *ret_done, or *ret_offset says where to go on. */
static int
transfer_put_once(struct http *h, const char *path, int fd, uint64_t size, uint64_t *offset,
    bool *ret_done, struct err *e)
{
	struct http_request rq = {
		.method = "PUT", .path = path, .content_type = "application/octet-stream",
		.body_fd = fd, .body_fd_offset = *offset, .body_fd_size = size - *offset,
	};
	CLEANUP(http_response_free) struct http_response rs = {0};
	char range[96];

	snprintf(range, sizeof range, "Content-Range: bytes %llu-%llu/%llu",
	    (unsigned long long)*offset, (unsigned long long)(size - 1), (unsigned long long)size);
	if (*offset > 0)
		rq.header = range;
	*ret_done = false;
	if (http_do(h, &rq, &rs, e) != 0)
		return e->code == ERR_NETWORK ? transfer_offset(h, path, offset, e) : -1;
	*ret_done = http_ok(&rs) && rs.status != 202;
	if (*ret_done)
		return 0;
	if ((rs.status != 409 && rs.status != 202) || rs.upload_offset < 0 ||
	    (uint64_t)rs.upload_offset >= size)
		return http_problem(&rs, path, e);
	*offset = (uint64_t)rs.upload_offset;
	return 0;
}

static int
transfer_put(struct http *h, struct store *s, const struct oid *id, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	char hex[OID_HEX_SIZE], path[OID_HEX_SIZE + 16];
	uint64_t size, offset = 0;
	bool done = false;

	oid_hex(id, hex);
	snprintf(path, sizeof path, "/v1/objects/%s", hex);
	if (odb_open(s, id, &fd, &size, e) != 0)
		return -1;
	for (int i = 0; i < TRANSFER_ATTEMPTS && !done; i++)
		if (transfer_put_once(h, path, fd, size, &offset, &done, e) != 0)
			return -1;
	if (!done)
		return err_set(e, ERR_NETWORK, "object %s: not taken after %d attempts", hex,
		    TRANSFER_ATTEMPTS);
	return 0;
}

/* The runner may only name what it was asked about (ids, sorted): else it could ask for
 * any object here. */
static int
transfer_put_missing(struct http *h, struct store *s, const struct transfer_list *asked,
    const struct buf *answer, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const struct jcs *list;

	if (jcs_decode(answer->data, answer->len, TRANSFER_ANSWER_MAX, &v, e) != 0)
		return err_prefix(e, "the runner's list of missing objects");
	list = jcs_get(v, "objects");
	for (size_t i = 0; i < jcs_length(list); i++) {
		const char *text = jcs_string(jcs_at(list, i));
		struct oid id;

		if (text == NULL || oid_from_text(&id, text, e) != 0 ||
		    bsearch(&id, asked->ids, asked->count, sizeof id, transfer_compare) == NULL)
			return err_set(e, ERR_REFUSED, "the runner asks for objects that are not"
			    " part of this run");
		if (transfer_put(h, s, &id, e) != 0)
			return -1;
	}
	return 0;
}

static int
transfer_send(struct http *h, struct store *s, const struct transfer_list *l, struct err *e)
{
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	CLEANUP(http_response_free) struct http_response rs = {0};
	struct http_request rq = {
		.method = "POST", .path = "/v1/objects/missing", .content_type = TRANSFER_LIST_TYPE,
		.body_fd = -1, .max = TRANSFER_ANSWER_MAX,
	};

	if (transfer_list_encode(l, &body, e) != 0)
		return -1;
	rq.body = body.data;
	rq.body_len = body.len;
	if (http_do(h, &rq, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return http_problem(&rs, "asking what the runner lacks", e);
	return transfer_put_missing(h, s, l, &rs.body, e);
}

int
transfer_send_spec(struct http *h, struct store *s, const struct run_spec *spec, struct err *e)
{
	CLEANUP(transfer_list_free) struct transfer_list l = {0};

	if (spec->image != RUN_SPEC_HOST && transfer_add_resource(&l, s, &spec->image_file, e) != 0)
		return -1;
	for (size_t i = 0; i < spec->input_count; i++) {
		const struct resource_input *in = &spec->inputs[i];

		if (transfer_add_resource(&l, s, &in->thing, e) != 0)
			return -1;
		if (in->made_by != NULL && transfer_add(&l, &in->made_by->certificate, e) != 0)
			return -1;
	}
	transfer_unique(&l);
	for (size_t at = 0; at < l.count; at += TRANSFER_LIST_MAX) {
		struct transfer_list part = {.ids = l.ids + at, .count = l.count - at};

		if (part.count > TRANSFER_LIST_MAX)
			part.count = TRANSFER_LIST_MAX;
		if (transfer_send(h, s, &part, e) != 0)
			return -1;
	}
	return 0;
}

struct transfer_sink {
	int fd;
	uint64_t left;
};

static int
transfer_take(void *arg, const void *data, size_t len, struct err *e)
{
	struct transfer_sink *t = arg;

	if (len > t->left)
		return err_set(e, ERR_REFUSED, "the runner sends more bytes than the object has");
	t->left -= len;
	return fd_write_all(t->fd, data, len, "temporary file", e);
}

/* exact: size is the object's, else a bound. */
static int
transfer_fetch(struct http *h, struct store *s, const struct oid *id, uint64_t size, bool exact,
    struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	CLEANUP(http_response_free) struct http_response rs = {0};
	struct transfer_sink sink = {.left = size};
	char hex[OID_HEX_SIZE], path[OID_HEX_SIZE + 16];
	struct http_request rq = {
		.method = "GET", .path = path, .body_fd = -1, .sink = transfer_take, .sink_arg = &sink,
	};
	struct oid got;
	uint64_t got_size;

	if (odb_keep(s, id, 1, e) != 0)
		return -1;
	if (odb_has(s, id))
		return 0;
	oid_hex(id, hex);
	snprintf(path, sizeof path, "/v1/objects/%s", hex);
	fd = openat(store_tmp_fd(s), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) /* not every file system has nameless files */
		fd = memfd_create("aicert-fetch", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot make a temporary file");
	sink.fd = fd;
	if (http_do(h, &rq, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return http_problem(&rs, hex, e);
	if (exact && sink.left > 0)
		return err_set(e, ERR_REFUSED, "object %s: the runner sent %llu bytes less than the"
		    " certificate says", hex, (unsigned long long)sink.left);
	if (lseek(fd, 0, SEEK_SET) != 0)
		return err_sys(e, "temporary file: cannot rewind");
	return odb_put_fd(s, fd, hex, id, &got, &got_size, e);
}

static int
transfer_fetch_tree(struct http *h, struct store *s, const struct oid *id, int depth,
    struct err *e)
{
	CLEANUP(tree_free) struct tree t = TREE_INIT;

	if (depth > TREE_DEPTH_MAX)
		return err_set(e, ERR_REFUSED, "a tree deeper than %d", TREE_DEPTH_MAX);
	if (transfer_fetch(h, s, id, TREE_BYTES_MAX, false, e) != 0 ||
	    transfer_read_tree(s, id, &t, e) != 0)
		return -1;
	for (size_t i = 0; i < t.count; i++) {
		const struct tree_entry *entry = &t.entries[i];
		int rc = entry->mode == TREE_DIR ? transfer_fetch_tree(h, s, &entry->id, depth + 1, e) :
		    transfer_fetch(h, s, &entry->id, entry->size, true, e);

		if (rc != 0)
			return -1;
	}
	return 0;
}

int
transfer_fetch_certificate(struct http *h, struct store *s, const struct certificate *c,
    struct err *e)
{
	for (size_t i = 0; i < c->event_count; i++) {
		const struct event *ev = &c->events[i];
		const struct resource *r = &ev->u.output.output;
		int rc = 0;

		if (ev->kind == EVENT_RUN_FINISHED)
			rc = transfer_fetch(h, s, &ev->u.finished.log, ev->u.finished.log_size, true, e);
		else if (ev->kind == EVENT_OUTPUT_RESOURCE && r->type == OBJECT_TREE)
			rc = transfer_fetch_tree(h, s, &r->digests.sha256, 0, e);
		else if (ev->kind == EVENT_OUTPUT_RESOURCE)
			rc = transfer_fetch(h, s, &r->digests.sha256, r->size, true, e);
		if (rc != 0)
			return -1;
	}
	if (!c->boot_log.present)
		return 0;
	return transfer_fetch(h, s, &c->boot_log.id, c->boot_log.size, true, e);
}
