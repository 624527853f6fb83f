#include "runner/transfer-internal.h"

#include "store/odb.h"

#define TRANSFER_ASK_FIRST (1024u * 1024)  /* shorter ones are sent without asking for a part */
#define TRANSFER_READ_S (32u * 1024 * 1024) /* bytes a second at which a slow runner reads again
                                             * what it has, and makes durable what came */

/* An object on its way out. */
struct transfer_out {
	struct transfer_worker *w;
	char path[TRANSFER_PATH_SIZE];
	int fd;
	uint64_t size;
	uint64_t offset;        /* where the next request begins */
	uint64_t sent;          /* how far the last one came, as far as is known here */
	bool done;
};

static void
transfer_send_moved(void *arg, uint64_t n)
{
	struct transfer_out *t = arg;

	t->sent += n;
	transfer_queue_moved(t->w, n);
}

static void
transfer_send_go_on(struct transfer_out *t, uint64_t offset)
{
	transfer_queue_resumed(t->w, t->sent, offset);
	t->offset = t->sent = offset;
}

/* What is there of it on the other side. */
static int
transfer_send_ask(struct transfer_out *t, struct err *e)
{
	struct http_request rq = {.method = "HEAD", .path = t->path, .body_fd = -1,
		.patience_s = (unsigned)(t->size / TRANSFER_READ_S)};
	CLEANUP(http_response_free) struct http_response rs = {0};

	if (http_do(t->w->link.http, &rq, &rs, e) != 0)
		return -1;
	t->done = http_ok(&rs);
	if (!t->done && rs.status != 404)
		return http_problem(&rs, t->path, e);
	if (t->done)
		transfer_send_go_on(t, t->size);
	else
		transfer_send_go_on(t, rs.upload_offset > 0 && (uint64_t)rs.upload_offset < t->size ?
		    (uint64_t)rs.upload_offset : 0);
	return 0;
}

/*
 * The runner does not take the part. It says what it has; at the same place, or at
 * none, another connection is still sending it (ours, that was lost, perhaps): busy.
 */
static int
transfer_send_conflict(struct transfer_out *t, const struct http_response *rs, struct err *e)
{
	if ((rs->status != 409 && rs->status != 202) || rs->upload_offset < 0 ||
	    (uint64_t)rs->upload_offset >= t->size)
		return http_problem(rs, t->path, e);
	if (rs->upload_offset == 0 || (uint64_t)rs->upload_offset == t->offset)
		return err_set(e, ERR_BUSY, "%s: the other side is still receiving it from another"
		    " connection", t->path);
	transfer_send_go_on(t, (uint64_t)rs->upload_offset);
	return 0;
}

/* One request. t->done, or t->offset says where to go on. */
static int
transfer_send_once(struct transfer_out *t, struct err *e)
{
	struct http_request rq = {
		.method = "PUT", .path = t->path, .content_type = "application/octet-stream",
		.body_fd = t->fd, .body_fd_offset = t->offset, .body_fd_size = t->size - t->offset,
		.moved = transfer_send_moved, .moved_arg = t,
		.patience_s = (unsigned)(t->size / TRANSFER_READ_S),
	};
	CLEANUP(http_response_free) struct http_response rs = {0};
	char range[96];

	snprintf(range, sizeof range, "Content-Range: bytes %llu-%llu/%llu",
	    (unsigned long long)t->offset, (unsigned long long)(t->size - 1),
	    (unsigned long long)t->size);
	if (t->offset > 0)
		rq.header = range;
	if (http_do(t->w->link.http, &rq, &rs, e) != 0)
		return -1;
	t->done = http_ok(&rs) && rs.status != 202;
	return t->done ? 0 : transfer_send_conflict(t, &rs, e);
}

int
transfer_send_item(struct transfer_worker *w, const struct transfer_item *item, struct err *e)
{
	struct transfer_out t = {.w = w};
	CLEANUP(cleanup_close) int fd = -1;
	struct link_retry retry = {0};
	bool ask;

	if (odb_open(w->store, &item->id, &fd, &t.size, e) != 0)
		return -1;
	t.fd = fd;
	transfer_path(&w->link, &item->id, t.path);
	ask = t.size > TRANSFER_ASK_FIRST;
	while (!t.done) {
		uint64_t before = t.offset;
		int rc = ask ? transfer_send_ask(&t, e) : 0;

		if (rc == 0 && !t.done)
			rc = transfer_send_once(&t, e);
		ask = rc != 0;
		if (t.offset > before)
			retry = (struct link_retry){0};
		if (rc == 0)
			continue;
		w->link.key_changed = http_key_changed(w->link.http);
		if (link_retry(&w->link, &retry, e) != 0)
			return -1;
	}
	return 0;
}
