#include "remote/pack.h"

#include <inttypes.h>
#include <string.h>
#include "base/array.h"

static const char pack_magic[] = "aicert pack 1\n";

/* What is left of a head. */
struct pack_reader {
	const char *at;
	size_t left;
};

void
pack_free(struct pack *p)
{
	free(p->entries);
	*p = (struct pack)PACK_INIT;
}

static int
pack_bad(const char *why, struct err *e)
{
	return err_set(e, ERR_FORMAT, "not a pack: %s", why);
}

/* Decimal without leading zeros, at most max, then the byte `end`. */
static bool
pack_number(struct pack_reader *r, uint64_t max, char end, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;

	while (i < r->left && r->at[i] >= '0' && r->at[i] <= '9') {
		if (i > 0 && n == 0)
			return false;
		n = n * 10 + (uint64_t)(r->at[i] - '0');
		if (n > max)
			return false;
		i++;
	}
	if (i == 0 || i == r->left || r->at[i] != end)
		return false;
	r->at += i + 1;
	r->left -= i + 1;
	*ret = n;
	return true;
}

static bool
pack_id(struct pack_reader *r, struct oid *ret)
{
	char hex[OID_HEX_SIZE];

	if (r->left < OID_HEX_SIZE || r->at[OID_HEX_SIZE - 1] != ' ')
		return false;
	memcpy(hex, r->at, OID_HEX_SIZE - 1);
	hex[OID_HEX_SIZE - 1] = '\0';
	if (oid_from_hex(ret, hex, NULL) != 0)
		return false;
	r->at += OID_HEX_SIZE;
	r->left -= OID_HEX_SIZE;
	return true;
}

static int
pack_entries(struct pack_reader *r, struct pack *p, struct err *e)
{
	for (size_t i = 0; i < p->count; i++) {
		struct pack_entry *entry = &p->entries[i];

		if (!pack_id(r, &entry->id) || !pack_number(r, PACK_OBJECT_MAX, '\n', &entry->size))
			return pack_bad("a line of its head is no id and size", e);
		if (i > 0 && oid_compare(&p->entries[i - 1].id, &entry->id) >= 0)
			return pack_bad("its ids do not ascend", e);
		entry->offset = p->total;
		p->total += entry->size;
		if (p->total > PACK_BYTES_MAX)
			return err_set(e, ERR_LIMIT, "a pack of more than %u bytes", PACK_BYTES_MAX);
	}
	return 0;
}

int
pack_decode(const void *data, size_t len, bool whole, struct pack *ret, struct err *e)
{
	struct pack_reader r = {data, len};
	struct pack p = PACK_INIT;
	uint64_t count;

	if (len < sizeof pack_magic - 1 || memcmp(data, pack_magic, sizeof pack_magic - 1) != 0)
		return pack_bad("it begins with something else", e);
	r.at += sizeof pack_magic - 1;
	r.left -= sizeof pack_magic - 1;
	if (!pack_number(&r, PACK_OBJECTS_MAX, '\n', &count))
		return pack_bad("no number of objects, or too many", e);
	if (count > r.left / (OID_HEX_SIZE + 2))
		return pack_bad("its head ends early", e);
	p.entries = calloc((size_t)count + 1, sizeof *p.entries);
	if (p.entries == NULL)
		return err_nomem(e);
	p.count = p.cap = (size_t)count;
	if (pack_entries(&r, &p, e) != 0) {
		pack_free(&p);
		return -1;
	}
	p.head_len = len - r.left;
	p.total += p.head_len;
	for (size_t i = 0; i < p.count; i++)
		p.entries[i].offset += p.head_len;
	if ((whole && p.total != len) || (!whole && r.left != 0) || p.total > PACK_BYTES_MAX) {
		pack_free(&p);
		return pack_bad("its length is wrong", e);
	}
	*ret = p;
	return 0;
}

int
pack_add(struct pack *p, const struct oid *id, uint64_t size, struct err *e)
{
	if (size > PACK_OBJECT_MAX || p->count >= PACK_OBJECTS_MAX)
		return err_set(e, ERR_LIMIT, "too large or too many for a pack");
	if (ARRAY_ROOM(p->entries, p->count, p->cap, e) != 0)
		return -1;
	p->entries[p->count++] = (struct pack_entry){*id, size, 0};
	return 0;
}

static int
pack_compare(const void *a, const void *b)
{
	return oid_compare(&((const struct pack_entry *)a)->id, &((const struct pack_entry *)b)->id);
}

static void
pack_unique(struct pack *p)
{
	size_t kept = 0;

	if (p->count > 1)
		qsort(p->entries, p->count, sizeof *p->entries, pack_compare);
	for (size_t i = 0; i < p->count; i++)
		if (kept == 0 || !oid_equal(&p->entries[kept - 1].id, &p->entries[i].id))
			p->entries[kept++] = p->entries[i];
	p->count = kept;
}

int
pack_head(struct pack *p, struct buf *ret, struct err *e)
{
	size_t before = ret->len;
	char hex[OID_HEX_SIZE];

	pack_unique(p);
	buf_adds(ret, pack_magic);
	buf_addf(ret, "%zu\n", p->count);
	for (size_t i = 0; i < p->count; i++) {
		oid_hex(&p->entries[i].id, hex);
		buf_addf(ret, "%s %" PRIu64 "\n", hex, p->entries[i].size);
	}
	if (buf_check(ret, e) != 0)
		return -1;
	p->head_len = ret->len - before;
	p->total = p->head_len;
	for (size_t i = 0; i < p->count; i++) {
		p->entries[i].offset = p->total;
		p->total += p->entries[i].size;
	}
	return p->total <= PACK_BYTES_MAX ? 0 : err_set(e, ERR_LIMIT, "a pack of more than %u bytes",
	    PACK_BYTES_MAX);
}
