#include "runner/transfer-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include "base/fd.h"
#include "crypto/hash-beside.h"
#include "store/odb.h"

#define TRANSFER_DIR "fetch"            /* beneath the store's tmp */
#define TRANSFER_BLOCK 131072
#define TRANSFER_SMALL 32512u           /* kept in memory, stored many at a time */
#define TRANSFER_BATCH 256
#define TRANSFER_OPENS 5
#define TRANSFER_BESIDE (4u * 1024 * 1024)     /* for less a thread does not pay */
#define TRANSFER_WRITE_BACK (8u * 1024 * 1024) /* the disk is given work early: the last sync is short */

/* Small objects that have come and are not stored yet. */
struct transfer_batch {
	struct oid ids[TRANSFER_BATCH];
	struct buf bytes[TRANSFER_BATCH];
	size_t count;
};

/* A large one, in tmp/fetch/<hex> until it is whole. */
struct transfer_in {
	struct transfer_worker *w;
	const struct transfer_item *item;
	char name[OID_HEX_SIZE];
	char path[TRANSFER_PATH_SIZE];
	int dirfd, fd;
	bool locked;
	bool resumed;           /* some of it was here before */
	struct hash *hash;      /* of what is in the file */
	struct hash_beside *beside; /* has hash while bytes come; NULL: none */
	uint64_t offset;        /* bytes in the file */
	uint64_t written_back;  /* of them */
};

static void
transfer_fetch_free(struct transfer_in *t)
{
	hash_beside_stop(t->beside);
	hash_free(t->hash);
	if (t->locked && t->offset == 0)
		unlinkat(t->dirfd, t->name, 0); /* nothing came */
	if (t->fd >= 0)
		close(t->fd);
	if (t->dirfd >= 0) {
		close(t->dirfd);
		unlinkat(store_tmp_fd(t->w->store), TRANSFER_DIR, AT_REMOVEDIR); /* when it is empty */
	}
}

static int
transfer_fetch_open_once(struct transfer_in *t, struct err *e)
{
	int tmp = store_tmp_fd(t->w->store);

	if (mkdirat(tmp, TRANSFER_DIR, 0700) != 0 && errno != EEXIST)
		return err_sys(e, "tmp/" TRANSFER_DIR ": cannot create the directory");
	t->dirfd = fd_open_beneath(tmp, TRANSFER_DIR, O_RDONLY | O_DIRECTORY, 0, e);
	if (t->dirfd < 0)
		return -1;
	t->fd = fd_open_beneath(t->dirfd, t->name, O_RDWR | O_CREAT | O_NONBLOCK, 0600, e);
	if (t->fd >= 0)
		return 0;
	close(t->dirfd);
	t->dirfd = -1;
	return -1;
}

/* The directory goes with its last file: another worker may remove it meanwhile. */
static int
transfer_fetch_open(struct transfer_in *t, struct err *e)
{
	struct stat st;
	int rc = -1;

	for (int i = 0; i < TRANSFER_OPENS && rc != 0; i++) {
		rc = transfer_fetch_open_once(t, e);
		if (rc != 0 && e->code != ERR_NOTFOUND)
			return -1;
	}
	if (rc != 0)
		return -1;
	if (flock(t->fd, LOCK_EX | LOCK_NB) != 0)
		return err_set(e, ERR_BUSY, "object %s: another process is fetching it", t->name);
	if (fstat(t->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		return err_set(e, ERR_BUSY, "object %s: another process has just fetched it", t->name);
	t->locked = true;
	t->offset = (uint64_t)st.st_size;
	return 0;
}

/* What came before is worth something only with its digest. */
static int
transfer_fetch_rehash(struct transfer_in *t, struct err *e)
{
	CLEANUP(cleanup_free) unsigned char *block = malloc(TRANSFER_BLOCK);
	uint64_t done = 0;
	size_t n = 1;

	if (block == NULL)
		return err_nomem(e);
	while (n > 0 && done < t->offset) {
		if (fd_read_upto(t->fd, block, TRANSFER_BLOCK, &n, t->name, e) != 0 ||
		    hash_update(t->hash, block, n, e) != 0)
			return -1;
		done += n;
	}
	if (done != t->offset)
		return err_set(e, ERR_CONFLICT, "object %s: the part here changed", t->name);
	transfer_queue_resumed(t->w, 0, t->offset);
	t->resumed = t->offset > 0;
	return 0;
}

static int
transfer_fetch_restart(struct transfer_in *t, struct err *e)
{
	transfer_queue_resumed(t->w, t->offset, 0);
	t->offset = t->written_back = 0;
	t->resumed = false;
	hash_beside_stop(t->beside);
	t->beside = NULL;
	hash_free(t->hash);
	t->hash = NULL;
	if (ftruncate(t->fd, 0) != 0 || lseek(t->fd, 0, SEEK_SET) != 0)
		return err_sys(e, "tmp/" TRANSFER_DIR "/%s: cannot empty", t->name);
	return hash_new(HASH_SHA256, &t->hash, e);
}

/* Advice alone: the sync at the end is what counts. */
static void
transfer_fetch_write_back(struct transfer_in *t)
{
	if (t->offset - t->written_back < TRANSFER_WRITE_BACK)
		return;
	(void)(sync_file_range(t->fd, (off_t)t->written_back, (off_t)(t->offset - t->written_back),
	    SYNC_FILE_RANGE_WRITE) != 0);
	t->written_back = t->offset;
}

static int
transfer_fetch_hash(struct transfer_in *t, const void *data, size_t len, struct err *e)
{
	if (t->beside == NULL && t->item->size - t->offset > TRANSFER_BESIDE &&
	    hash_beside_start(t->hash, &t->beside, e) != 0)
		return -1;
	if (t->beside == NULL)
		return hash_update(t->hash, data, len, e);
	hash_beside_update(t->beside, data, len);
	return 0;
}

static int
transfer_fetch_take(void *arg, const void *data, size_t len, struct err *e)
{
	struct transfer_in *t = arg;

	if (len > t->item->size - t->offset)
		return err_set(e, ERR_REFUSED, "object %s: the other side sends more bytes than it has",
		    t->name);
	if (fd_write_all(t->fd, data, len, t->name, e) != 0 ||
	    transfer_fetch_hash(t, data, len, e) != 0) {
		/* what the file holds and what was hashed must stay the same */
		if (ftruncate(t->fd, (off_t)t->offset) != 0)
			unlinkat(t->dirfd, t->name, 0);
		return -1;
	}
	t->offset += len;
	transfer_fetch_write_back(t);
	transfer_queue_moved(t->w, len);
	return 0;
}

static int
transfer_fetch_once(struct transfer_in *t, struct err *e)
{
	struct http_request rq = {
		.method = "GET", .path = t->path, .body_fd = -1, .range_start = t->offset,
		.sink = transfer_fetch_take, .sink_arg = t,
	};
	CLEANUP(http_response_free) struct http_response rs = {0};

	if (http_do(t->w->link.http, &rq, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return http_problem(&rs, t->name, e);
	if (t->offset < t->item->size)
		return err_set(e, ERR_REFUSED, "object %s: the other side sent %llu bytes less than the"
		    " certificate says", t->name, (unsigned long long)(t->item->size - t->offset));
	return 0;
}

static int
transfer_fetch_rest(struct transfer_in *t, struct err *e)
{
	struct link_retry retry = {0};

	while (t->offset < t->item->size) {
		uint64_t before = t->offset;

		if (transfer_fetch_once(t, e) == 0)
			return 0;
		t->w->link.key_changed = http_key_changed(t->w->link.http);
		if (t->offset > before)
			retry = (struct link_retry){0};
		/* a runner that does not go on where it is asked to sends it all again */
		if (e->code == ERR_FORMAT && before > 0 && t->offset == before) {
			if (transfer_fetch_restart(t, e) != 0)
				return -1;
			continue;
		}
		if (link_retry(&t->w->link, &retry, e) != 0)
			return -1;
	}
	return 0;
}

/* It was hashed as it was written, or read; the lock kept others away. */
static int
transfer_fetch_store(struct transfer_in *t, struct err *e)
{
	struct stat st;

	if (fstat(t->fd, &st) != 0 || (uint64_t)st.st_size != t->offset)
		return err_set(e, ERR_CORRUPT, "object %s: changed while it was fetched", t->name);
	if (odb_adopt_known(t->w->store, t->dirfd, t->name, &t->item->id, e) != 0)
		return -1;
	t->locked = false; /* the name is gone */
	return 0;
}

/* All bytes are here.  *ret_wrong: they are not the object, and nothing is kept. */
static int
transfer_fetch_finish(struct transfer_in *t, bool *ret_wrong, struct err *e)
{
	struct oid got;

	if ((t->beside != NULL && hash_beside_settle(t->beside, e) != 0) ||
	    hash_final(t->hash, got.b, e) != 0)
		return -1;
	*ret_wrong = !oid_equal(&got, &t->item->id);
	return *ret_wrong ? transfer_fetch_restart(t, e) : transfer_fetch_store(t, e);
}

static int
transfer_fetch_large(struct transfer_worker *w, const struct transfer_item *item, struct err *e)
{
	CLEANUP(transfer_fetch_free) struct transfer_in t = {.w = w, .item = item, .dirfd = -1, .fd = -1};
	bool wrong = true, again = true;

	oid_hex(&item->id, t.name);
	transfer_path(&w->link, &item->id, t.path);
	if (transfer_fetch_open(&t, e) != 0 || hash_new(HASH_SHA256, &t.hash, e) != 0)
		return -1;
	if (t.offset > item->size && transfer_fetch_restart(&t, e) != 0)
		return -1;
	if (transfer_fetch_rehash(&t, e) != 0)
		return -1;
	while (wrong && again) {
		if (transfer_fetch_rest(&t, e) != 0)
			return -1;
		again = t.resumed; /* it may be the old part that is bad: once more, whole */
		if (transfer_fetch_finish(&t, &wrong, e) != 0)
			return -1;
	}
	return wrong ? err_set(e, ERR_REFUSED, "object %s: the other side sent other bytes; nothing of"
	    " them is kept", t.name) : 0;
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
