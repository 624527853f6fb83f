#include "store/odb.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include "base/fd.h"
#include "base/hex.h"
#include "crypto/hash.h"
#include "store/alternates.h"
#include "store/elsewhere.h"
#include "store/lease.h"
#include "store/odb-file.h"
#include "store/odb-small.h"
#include "store/odb-state.h"
#include "store/in-place.h"

#define ODB_CHUNK (256 * 1024)
#define ODB_PREFIX_MIN 7
#define ODB_CANDIDATES_MAX 8

int
odb_find_own(struct store *s, const struct oid *id, bool *ret, struct err *e)
{
	uint64_t size;
	int rc = odb_small_has(s, id, e);

	if (rc == 0)
		rc = odb_file_size(s, id, &size, e);
	if (rc < 0)
		return -1;
	*ret = rc == 1;
	return 0;
}

int
odb_find(struct store *s, const struct oid *id, bool *ret, struct err *e)
{
	CLEANUP(source_close) struct source p = SOURCE_INIT;
	bool own;
	int rc;

	if (odb_find_own(s, id, &own, e) != 0)
		return -1;
	rc = own ? 1 : elsewhere_find(s, id, 0, &p, e);
	if (rc < 0)
		return -1;
	*ret = rc == 1;
	return 0;
}

bool
odb_has_own(struct store *s, const struct oid *id)
{
	uint64_t size;

	return odb_small_has(s, id, NULL) == 1 || odb_file_size(s, id, &size, NULL) == 1;
}

bool
odb_has(struct store *s, const struct oid *id)
{
	CLEANUP(source_close) struct source p = SOURCE_INIT;

	return odb_has_own(s, id) || elsewhere_find(s, id, 0, &p, NULL) == 1;
}

int
odb_keep(struct store *s, const struct oid *ids, size_t count, struct err *e)
{
	return lease_add(s, ids, count, e);
}

static int
odb_absent(const struct store *s, const struct oid *id, struct err *e)
{
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	return err_set(e, ERR_NOTFOUND, "object %s is not in %s%s", hex, store_path(s), store_partial(s) ?
	    ", where not all contents were fetched (aicert fetch --blobs)" : "");
}

int
odb_size(struct store *s, const struct oid *id, uint64_t *ret, struct err *e)
{
	CLEANUP(source_close) struct source p = SOURCE_INIT;
	int rc = odb_small_size(s, id, ret, e);

	if (rc == 0)
		rc = odb_file_size(s, id, ret, e);
	if (rc == 0) {
		rc = elsewhere_find(s, id, 0, &p, e);
		if (rc == 1)
			*ret = p.size;
	}
	if (rc == 0)
		return odb_absent(s, id, e);
	return rc < 0 ? -1 : 0;
}

/* Of the store, or else of another place. */
static int
odb_find_file(struct store *s, const struct oid *id, struct source *ret, struct err *e)
{
	int rc = odb_file_open(s, id, &ret->fd, &ret->size, e);

	return rc != 0 ? rc : elsewhere_find(s, id, 0, ret, e);
}

/* The bytes of a large object to sink, and at the end its digest. where: for messages. */
static int
odb_stream_fd(const char *where, const struct oid *id, int fd, odb_sink *sink, void *arg,
    struct err *e)
{
	CLEANUP(hash_freep) struct hash *h = NULL;
	CLEANUP(cleanup_free) unsigned char *chunk = malloc(ODB_CHUNK);
	struct oid found;
	char hex[OID_HEX_SIZE];
	size_t n;

	if (chunk == NULL)
		return err_nomem(e);
	if (hash_new(HASH_SHA256, &h, e) != 0)
		return -1;
	do {
		if (fd_read_upto(fd, chunk, ODB_CHUNK, &n, "an object", e) != 0 ||
		    hash_update(h, chunk, n, e) != 0 ||
		    (n > 0 && sink != NULL && sink(arg, chunk, n, e) != 0))
			return -1;
	} while (n == ODB_CHUNK);
	if (hash_final(h, found.b, e) != 0)
		return -1;
	oid_hex(id, hex);
	return oid_equal(&found, id) ? 0 : err_set(e, ERR_CORRUPT, "%s: object %s does not have its"
	    " digest", where, hex);
}

int
odb_stream(struct store *s, const struct oid *id, odb_sink *sink, void *arg, struct err *e)
{
	CLEANUP(buf_free) struct buf small = BUF_INIT;
	CLEANUP(source_close) struct source p = SOURCE_INIT;
	int rc = odb_small_read(s, id, &small, e);

	if (rc == 1 && sink != NULL && small.len > 0)
		return sink(arg, small.data, small.len, e);
	if (rc == 0)
		rc = odb_find_file(s, id, &p, e);
	if (rc == 0)
		return odb_absent(s, id, e);
	if (rc < 0)
		return -1;
	return p.fd >= 0 ? odb_stream_fd(p.path != NULL ? p.path : store_path(s), id, p.fd, sink, arg, e) : 0;
}

bool
odb_intact(struct store *s, const struct oid *id)
{
	struct err ignored;

	return odb_stream(s, id, NULL, NULL, &ignored) == 0;
}

bool
odb_kept(struct store *s, const struct oid *id)
{
	CLEANUP(source_close) struct source own = SOURCE_INIT;
	struct err ignored;
	bool kept = false;
	int rc = odb_small_has(s, id, &ignored);

	if (rc == 0)
		rc = odb_file_open(s, id, &own.fd, &own.size, &ignored);
	if (rc == 1 && odb_intact(s, id)) /* which looks there first */
		return true;
	for (unsigned n = 0, at = 0; !kept; at = ++n) {
		CLEANUP(source_close) struct source p = SOURCE_INIT;

		if (alternates_find(s, id, &at, &p, &ignored) != 1)
			break;
		kept = elsewhere_verify(&p, id, &ignored) == 0;
	}
	return kept;
}

static int
odb_read_sink(void *arg, const void *data, size_t len, struct err *e)
{
	struct buf *b = arg;

	buf_add(b, data, len);
	return buf_check(b, e);
}

int
odb_reading(struct store *s, bool on, struct err *e)
{
	return odb_small_reading(s, on, e);
}

int
odb_read(struct store *s, const struct oid *id, size_t max, struct buf *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	char hex[OID_HEX_SIZE];
	uint64_t size = 0;
	int rc = odb_small_read(s, id, &bytes, e); /* most of what is read so: one question */

	if (rc < 0 || (rc == 0 && odb_size(s, id, &size, e) != 0))
		return -1;
	oid_hex(id, hex);
	if (rc == 1)
		size = bytes.len;
	if (size > max)
		return err_set(e, ERR_LIMIT, "object %s has %llu bytes, more than the %zu that are read"
		    " here", hex, (unsigned long long)size, max);
	/* the file may grow meanwhile */
	bytes.max = max > 0 ? max : 1;
	if (rc == 0 && odb_stream(s, id, odb_read_sink, &bytes, e) != 0)
		return -1;
	if (ret->data == NULL && ret->max == 0) { /* nothing before it: no second copy */
		*ret = bytes;
		ret->max = 0;
		bytes = (struct buf)BUF_INIT;
		return 0;
	}
	buf_add(ret, bytes.data, bytes.len);
	return buf_check(ret, e);
}

/* A small object for a reader of descriptors: in memory, and fixed. */
static int
odb_open_memory(const struct buf *bytes, int *ret_fd, struct err *e)
{
	CLEANUP(cleanup_close) int fd = memfd_create("aicert-object", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_sys(e, "cannot create a file in memory");
	if (fd_write_all(fd, bytes->data, bytes->len, "an object in memory", e) != 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) != 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
		return err_sys(e, "cannot seal a file in memory");
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int
odb_open(struct store *s, const struct oid *id, int *ret_fd, uint64_t *ret_size, struct err *e)
{
	CLEANUP(buf_free) struct buf small = BUF_INIT;
	CLEANUP(source_close) struct source p = SOURCE_INIT;
	int rc = odb_small_read(s, id, &small, e);

	if (rc == 1) {
		if (odb_open_memory(&small, ret_fd, e) != 0)
			return -1;
		*ret_size = small.len;
		return 0;
	}
	if (rc == 0)
		rc = odb_find_file(s, id, &p, e);
	if (rc == 0)
		return odb_absent(s, id, e);
	if (rc < 0)
		return -1;
	*ret_fd = p.fd;
	*ret_size = p.size;
	p.fd = -1;
	return 0;
}

int
odb_read_raw(struct store *s, const struct oid *id, size_t max, struct buf *ret, struct err *e)
{
	CLEANUP(source_close) struct source p = SOURCE_INIT;
	int rc = odb_small_raw(s, id, ret, e);

	if (rc == 0)
		rc = odb_find_file(s, id, &p, e);
	if (rc == 0)
		return odb_absent(s, id, e);
	if (rc < 0)
		return -1;
	return p.fd >= 0 ? fd_read_all(p.fd, max, ret, "an object", e) : 0;
}

struct odb_walk {
	struct store *s;
	odb_each_fn *fn;
	void *arg;
	bool stopped;
};

static int
odb_each_file(void *arg, const struct oid *id, uint64_t size)
{
	struct odb_walk *w = arg;

	w->stopped = w->fn(w->arg, id, size) != 0;
	return w->stopped;
}

/* An object that is in both places is told once. */
static int
odb_each_small(void *arg, const struct oid *id, const void *data, size_t size)
{
	struct odb_walk *w = arg;
	uint64_t as_file;

	(void)data;
	if (odb_file_size(w->s, id, &as_file, NULL) == 1)
		return 0;
	return w->fn(w->arg, id, size);
}

int
odb_each(struct store *s, odb_each_fn *fn, void *arg, struct err *e)
{
	struct odb_walk w = {s, fn, arg, false};

	if (odb_file_each(s, "", odb_each_file, NULL, &w, e) != 0)
		return -1;
	return w.stopped ? 0 : odb_small_rows(s, odb_each_small, &w, e);
}

struct odb_candidates {
	struct oid ids[ODB_CANDIDATES_MAX];
	size_t count;
};

static int
odb_prefix_add(void *arg, const struct oid *id, uint64_t size)
{
	struct odb_candidates *c = arg;

	(void)size;
	for (size_t i = 0; i < c->count; i++)
		if (oid_equal(&c->ids[i], id))
			return 0;
	c->ids[c->count++] = *id;
	return c->count == ODB_CANDIDATES_MAX;
}

static int
odb_prefix_ambiguous(const char *prefix, const struct odb_candidates *c, struct err *e)
{
	CLEANUP(buf_free) struct buf list = BUF_INIT;

	for (size_t i = 0; i < c->count; i++) {
		char hex[OID_HEX_SIZE];

		oid_hex(&c->ids[i], hex);
		buf_addf(&list, " %.16s", hex);
	}
	return err_set(e, ERR_CONFLICT, "%s is ambiguous:%s%s", prefix, buf_str(&list),
	    c->count == ODB_CANDIDATES_MAX ? " ..." : "");
}

int
odb_prefix(struct store *s, const char *prefix, struct oid *ret, struct err *e)
{
	struct odb_candidates found = {.count = 0};
	struct oid first, last;
	char low[OID_HEX_SIZE], high[OID_HEX_SIZE];
	size_t len = strnlen(prefix, OID_HEX_SIZE);

	if (len < ODB_PREFIX_MIN || !hex_is(prefix, OID_HEX_SIZE - 1))
		return err_set(e, ERR_USAGE, "%s: an id is %d to 64 lower-case hex digits", prefix,
		    ODB_PREFIX_MIN);
	memset(low, '0', sizeof low - 1);
	memset(high, 'f', sizeof high - 1);
	low[sizeof low - 1] = high[sizeof high - 1] = '\0';
	memcpy(low, prefix, len);
	memcpy(high, prefix, len);
	if (oid_from_hex(&first, low, e) != 0 || oid_from_hex(&last, high, e) != 0 ||
	    odb_file_each(s, prefix, odb_prefix_add, NULL, &found, e) != 0)
		return -1;
	if (found.count < ODB_CANDIDATES_MAX &&
	    odb_small_each(s, &first, &last, odb_prefix_add, &found, e) != 0)
		return -1;
	/* of what lies elsewhere only whole ids are known */
	if (found.count == 0 && len == OID_HEX_SIZE - 1 && oid_from_hex(&found.ids[0], prefix, e) == 0 &&
	    odb_has(s, &found.ids[0]))
		found.count = 1;
	if (found.count == 0)
		return err_set(e, ERR_NOTFOUND, "%s: no object in %s has an id that begins so", prefix,
		    store_path(s));
	if (found.count > 1)
		return odb_prefix_ambiguous(prefix, &found, e);
	*ret = found.ids[0];
	return 0;
}

int
odb_batch_begin(struct store *s, struct err *e)
{
	struct odb_state *o = odb_state(s);

	if (store_read_only(s))
		return err_set(e, ERR_DENIED, "%s: the store is read-only", store_path(s));
	if (o->batch == 0) {
		o->failed = false;
		o->batch_puts = 0;
	}
	o->batch++;
	return 0;
}

int
odb_batch_end(struct store *s, struct err *e)
{
	struct odb_state *o = odb_state(s);

	if (o->batch == 0)
		return err_set(e, ERR_INTERNAL, "no batch of objects is open");
	if (--o->batch > 0)
		return 0;
	if (o->failed) {
		odb_small_rollback(s);
		in_place_rollback(s);
		return err_set(e, ERR_IO, "%s: an object of the batch was not stored, so the batch was"
		    " given up", store_path(s));
	}
	if (odb_small_flush(s, e) != 0 || in_place_flush(s, e) != 0)
		return -1;
	return odb_file_sync(s, e);
}

void
odb_batch_abort(struct store *s)
{
	struct odb_state *o = odb_state(s);

	if (o->batch == 0)
		return;
	o->batch--;
	o->failed = true;
	odb_small_rollback(s);
	in_place_rollback(s);
	memset(o->unsynced, 0, sizeof o->unsynced);
}

void
odb_state_close(struct odb_state *o)
{
	db_close(o->small); /* rolls back */
	db_close(o->index);
	db_close(o->in_place);
	alternates_free(o->alternates);
	o->small = o->index = o->in_place = NULL;
	o->alternates = NULL;
	o->transaction = o->referring = false;
	o->batch = 0;
	oid_list_free(&o->pending);
}
