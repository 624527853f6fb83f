#include "store/stat-cache-row.h"

#include <string.h>
#include "crypto/hash.h"

/*
 * All numbers are little-endian:
 *
 *   "acstat3\n"  device:8  inode:8  part:4  count:4
 *   the directory's mtime:8  ctime:8  names:8  tree:32  its length:8
 *   count times: size:8  inode:8  mtime:8  ctime:8  mode:4  id:32  name, NUL
 *   SHA-256 of everything before
 */
static const char row_magic[8] = "acstat3\n";
#define ROW_HEADER 96
#define ROW_COUNT 28 /* where it is */
#define ROW_ENTRY 68

static void
row_put(struct buf *b, uint64_t n, int bytes)
{
	unsigned char raw[8];

	for (int i = 0; i < bytes; i++)
		raw[i] = (unsigned char)(n >> (8 * i));
	buf_add(b, raw, (size_t)bytes);
}

static uint64_t
row_get(const unsigned char *p, int bytes)
{
	uint64_t n = 0;

	for (int i = bytes; i > 0; i--)
		n = n << 8 | p[i - 1];
	return n;
}

static void
row_header(struct buf *b, const struct stat_cache_key *key, size_t count,
    const struct stat_cache_whole *whole)
{
	buf_add(b, row_magic, sizeof row_magic);
	row_put(b, key->device, 8);
	row_put(b, key->inode, 8);
	row_put(b, key->part, 4);
	row_put(b, count, 4);
	row_put(b, (uint64_t)whole->mtime_ns, 8);
	row_put(b, (uint64_t)whole->ctime_ns, 8);
	row_put(b, whole->names, 8);
	buf_add(b, whole->tree.id.b, OID_SIZE);
	row_put(b, whole->tree.len, 8);
}

int
stat_cache_row_encode(const struct stat_cache_key *key, const struct stat_cache_whole *whole,
    const struct stat_cache_entry *entries, size_t n, struct buf *ret, size_t *ret_used,
    struct err *e)
{
	unsigned char digest[HASH_SHA256_SIZE];
	size_t start = ret->len, used = 0;

	for (size_t bytes = 0; used < n; used++) {
		bytes += ROW_ENTRY + strlen(entries[used].name) + 1;
		if (bytes > STAT_CACHE_ROW_MAX)
			break;
	}
	row_header(ret, key, used, whole);
	for (size_t i = 0; i < used; i++) {
		const struct stat_cache_entry *x = &entries[i];

		row_put(ret, x->size, 8);
		row_put(ret, x->inode, 8);
		row_put(ret, (uint64_t)x->mtime_ns, 8);
		row_put(ret, (uint64_t)x->ctime_ns, 8);
		row_put(ret, x->mode, 4);
		buf_add(ret, x->id.b, OID_SIZE);
		buf_add(ret, x->name, strlen(x->name) + 1);
	}
	if (buf_check(ret, e) != 0 ||
	    hash_once(HASH_SHA256, ret->data + start, ret->len - start, digest, e) != 0)
		return -1;
	buf_add(ret, digest, sizeof digest);
	if (buf_check(ret, e) != 0)
		return -1;
	*ret_used = used;
	return 0;
}

static void
row_whole(const unsigned char *p, struct stat_cache_whole *ret)
{
	ret->mtime_ns = (int64_t)row_get(p, 8);
	ret->ctime_ns = (int64_t)row_get(p + 8, 8);
	ret->names = row_get(p + 16, 8);
	memcpy(ret->tree.id.b, p + 24, OID_SIZE);
	ret->tree.len = row_get(p + 24 + OID_SIZE, 8);
}

static int
row_bad(struct err *e)
{
	return err_set(e, ERR_FORMAT, "stat cache: not a row of this directory");
}

/* One entry at *at, before end; the name is inside and of one component. */
static int
row_entry(const unsigned char **at, const unsigned char *end, struct stat_cache_entry *ret)
{
	const unsigned char *p = *at, *nul;

	if ((size_t)(end - p) < ROW_ENTRY + 2)
		return -1;
	nul = memchr(p + ROW_ENTRY, 0, (size_t)(end - p) - ROW_ENTRY);
	if (nul == NULL || nul == p + ROW_ENTRY ||
	    memchr(p + ROW_ENTRY, '/', (size_t)(nul - p) - ROW_ENTRY) != NULL)
		return -1;
	ret->size = row_get(p, 8);
	ret->inode = row_get(p + 8, 8);
	ret->mtime_ns = (int64_t)row_get(p + 16, 8);
	ret->ctime_ns = (int64_t)row_get(p + 24, 8);
	ret->mode = (uint32_t)row_get(p + 32, 4);
	memcpy(ret->id.b, p + 36, OID_SIZE);
	ret->name = (const char *)p + ROW_ENTRY;
	*at = nul + 1;
	return 0;
}

static int
row_entries(const unsigned char *p, const unsigned char *end, size_t count,
    struct stat_cache_row *r, struct err *e)
{
	for (; r->count < count; r->count++) {
		struct stat_cache_entry *x = &r->entries[r->count];

		if (row_entry(&p, end, x) != 0 ||
		    (r->count > 0 && strcmp(x[-1].name, x->name) >= 0))
			return row_bad(e);
	}
	return p == end ? 0 : row_bad(e);
}

int
stat_cache_row_decode(const struct stat_cache_key *key, const void *data, size_t len,
    struct stat_cache_row *ret, struct err *e)
{
	CLEANUP(stat_cache_row_free) struct stat_cache_row r = STAT_CACHE_ROW_INIT;
	CLEANUP(buf_free) struct buf header = BUF_INIT;
	unsigned char digest[HASH_SHA256_SIZE];
	const unsigned char *p = data;
	size_t count, body;

	if (len < ROW_HEADER + sizeof digest ||
	    len > ROW_HEADER + sizeof digest + STAT_CACHE_ROW_MAX)
		return row_bad(e);
	body = len - sizeof digest;
	count = (size_t)row_get(p + ROW_COUNT, 4);
	row_whole(p + ROW_COUNT + 4, &r.whole);
	row_header(&header, key, count, &r.whole);
	if (buf_check(&header, e) != 0 || hash_once(HASH_SHA256, p, body, digest, e) != 0)
		return -1;
	if (memcmp(header.data, p, ROW_HEADER) != 0 || count > body / ROW_ENTRY ||
	    memcmp(digest, p + body, sizeof digest) != 0)
		return row_bad(e);
	r.entries = calloc(count + 1, sizeof *r.entries);
	if (r.entries == NULL)
		return err_nomem(e);
	if (row_entries(p + ROW_HEADER, p + body, count, &r, e) != 0)
		return -1;
	*ret = r;
	r = (struct stat_cache_row)STAT_CACHE_ROW_INIT;
	return 0;
}

void
stat_cache_row_free(struct stat_cache_row *r)
{
	free(r->entries);
	*r = (struct stat_cache_row)STAT_CACHE_ROW_INIT;
}
