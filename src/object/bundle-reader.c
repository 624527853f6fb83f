#include "object/bundle-reader.h"

#include <string.h>
#include "base/array.h"
#include "crypto/hash.h"

enum bundle_reader_state {
	BUNDLE_READER_HEADER, BUNDLE_READER_BODY, BUNDLE_READER_PADDING, BUNDLE_READER_END,
	BUNDLE_READER_DONE
};

enum bundle_reader_member { BUNDLE_READER_INDEX, BUNDLE_READER_OBJECT, BUNDLE_READER_SUMS };

struct bundle_reader {
	enum bundle_reader_state state;
	enum bundle_reader_member member;   /* the one at hand */
	unsigned char block[BUNDLE_BLOCK];
	size_t have;                        /* of block */
	char name[BUNDLE_NAME_SIZE];
	struct object_ref ref;
	uint64_t offset;                    /* of the next byte */
	uint64_t begin, size, left;         /* of the body; left also counts zeros */
	struct hash *digest;                /* of the body */
	struct hash *sums;                  /* of the lines that SHA256SUMS must have */
	uint64_t sums_size;
	struct buf index;
	size_t cap;
	struct bundle b;
};

static int
bundle_reader_wrong(const struct bundle_reader *r, int section, struct err *e, const char *why)
{
	return err_set(e, ERR_CORRUPT, "aicert-bundle(5) section %d: %s%sat byte %llu: %s", section,
	    r->state == BUNDLE_READER_HEADER ? "" : r->name,
	    r->state == BUNDLE_READER_HEADER ? "" : ": ", (unsigned long long)r->offset, why);
}

/* A called function failed: want of memory is passed on, anything else is a damaged bundle. */
static int
bundle_reader_inner(const struct bundle_reader *r, int section, struct err *e)
{
	struct err inner = *e;

	if (inner.code == ERR_NOMEM || inner.code == ERR_UNSUPPORTED || inner.code == ERR_INTERNAL)
		return -1;
	return bundle_reader_wrong(r, section, e, inner.msg);
}

int
bundle_reader_new(struct bundle_reader **ret, struct err *e)
{
	CLEANUP(bundle_reader_freep) struct bundle_reader *r = calloc(1, sizeof *r);

	if (r == NULL)
		return err_nomem(e);
	if (hash_new(HASH_SHA256, &r->digest, e) != 0 || hash_new(HASH_SHA256, &r->sums, e) != 0)
		return -1;
	r->index.max = BUNDLE_INDEX_MAX;
	*ret = r;
	r = NULL;
	return 0;
}

void
bundle_reader_free(struct bundle_reader *r)
{
	if (r == NULL)
		return;
	hash_free(r->digest);
	hash_free(r->sums);
	buf_free(&r->index);
	bundle_reader_release(&r->b);
	free(r);
}

void
bundle_reader_release(struct bundle *b)
{
	bundle_index_free(&b->index);
	free(b->objects);
	*b = (struct bundle)BUNDLE_INIT;
}

/* --- headers --- */

static int
bundle_reader_index(struct bundle_reader *r, struct err *e)
{
	if (strcmp(r->name, BUNDLE_INDEX_NAME) != 0)
		return bundle_reader_wrong(r, 2, e, "the first member is not " BUNDLE_INDEX_NAME);
	if (r->size > BUNDLE_INDEX_MAX)
		return bundle_reader_wrong(r, 3, e, "the index is too long");
	r->member = BUNDLE_READER_INDEX;
	return 0;
}

static int
bundle_reader_object(struct bundle_reader *r, struct err *e)
{
	const struct bundle_object *last = r->b.count > 0 ? &r->b.objects[r->b.count - 1] : NULL;

	if (bundle_name_parse(r->name, &r->ref, e) != 0)
		return bundle_reader_inner(r, 2, e);
	if (r->size > bundle_object_max(r->ref.type))
		return bundle_reader_wrong(r, 2, e, "an object that is too long for its type");
	if (last != NULL && bundle_order(&last->ref, &r->ref) >= 0)
		return bundle_reader_wrong(r, 2, e, "objects are not in the order of their names");
	if (r->b.count == BUNDLE_OBJECTS_MAX)
		return bundle_reader_wrong(r, 2, e, "too many objects");
	r->member = BUNDLE_READER_OBJECT;
	return 0;
}

static int
bundle_reader_sums(struct bundle_reader *r, struct err *e)
{
	if (r->size != r->sums_size)
		return bundle_reader_wrong(r, 2, e, "not a line for each member before it");
	r->member = BUNDLE_READER_SUMS;
	return 0;
}

static int
bundle_reader_header(struct bundle_reader *r, struct err *e)
{
	bool first = r->offset == BUNDLE_BLOCK;

	if (bundle_header_parse(r->block, r->name, &r->size, e) != 0)
		return bundle_reader_wrong(r, 2, e, first ? "not a bundle" : e->msg);
	if ((first ? bundle_reader_index : strcmp(r->name, BUNDLE_SUMS_NAME) == 0 ? bundle_reader_sums :
	    bundle_reader_object)(r, e) != 0)
		return -1;
	r->state = BUNDLE_READER_BODY;
	r->begin = r->offset;
	r->left = r->size;
	return 0;
}

/* --- bodies --- */

static int
bundle_reader_remember(struct bundle_reader *r, struct err *e)
{
	if (ARRAY_ROOM(r->b.objects, r->b.count, r->cap, e) != 0)
		return -1;
	r->b.objects[r->b.count++] = (struct bundle_object){r->ref, r->begin, r->size};
	return 0;
}

/* The line that SHA256SUMS must have for the member. */
static int
bundle_reader_line(struct bundle_reader *r, const struct oid *digest, struct err *e)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT;

	bundle_sum_line(digest, r->name, &line);
	if (buf_check(&line, e) != 0)
		return -1;
	r->sums_size += line.len;
	return hash_update(r->sums, line.data, line.len, e);
}

static int
bundle_reader_body_end(struct bundle_reader *r, struct err *e)
{
	struct oid digest, want;

	if (hash_final(r->digest, digest.b, e) != 0)
		return -1;
	switch (r->member) {
	case BUNDLE_READER_INDEX:
		break;
	case BUNDLE_READER_OBJECT:
		if (!oid_equal(&digest, &r->ref.id))
			return bundle_reader_wrong(r, 2, e, "the object does not have its digest");
		if (bundle_reader_remember(r, e) != 0)
			return -1;
		break;
	case BUNDLE_READER_SUMS:
		if (hash_final(r->sums, want.b, e) != 0)
			return -1;
		if (!oid_equal(&digest, &want))
			return bundle_reader_wrong(r, 2, e, "not the digests of the members before it");
		/* only now: what is damaged is not taken for a version that we lack */
		snprintf(r->name, sizeof r->name, BUNDLE_INDEX_NAME);
		if (bundle_index_decode(r->index.data, r->index.len, &r->b.index, e) != 0)
			return bundle_reader_inner(r, 3, e);
		break;
	}
	if (r->member != BUNDLE_READER_SUMS && bundle_reader_line(r, &digest, e) != 0)
		return -1;
	r->left = bundle_padding(r->size);
	r->state = BUNDLE_READER_PADDING;
	return 0;
}

static int
bundle_reader_body(struct bundle_reader *r, const unsigned char *data, size_t len, struct err *e)
{
	if (r->member == BUNDLE_READER_INDEX)
		buf_add(&r->index, data, len);
	if (buf_check(&r->index, e) != 0 || hash_update(r->digest, data, len, e) != 0)
		return -1;
	r->left -= len;
	return 0;
}

static int
bundle_reader_zeros(struct bundle_reader *r, const unsigned char *data, size_t len, struct err *e)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != 0)
			return bundle_reader_wrong(r, 2, e, "padding that is not zero");
	r->left -= len;
	return 0;
}

/* States that end without a byte of their own. */
static int
bundle_reader_settle(struct bundle_reader *r, struct err *e)
{
	if (r->state == BUNDLE_READER_HEADER && r->have == BUNDLE_BLOCK) {
		r->have = 0;
		if (bundle_reader_header(r, e) != 0)
			return -1;
	}
	if (r->state == BUNDLE_READER_BODY && r->left == 0 && bundle_reader_body_end(r, e) != 0)
		return -1;
	if (r->state == BUNDLE_READER_PADDING && r->left == 0) {
		r->state = r->member == BUNDLE_READER_SUMS ? BUNDLE_READER_END : BUNDLE_READER_HEADER;
		r->left = r->state == BUNDLE_READER_END ? BUNDLE_END : 0;
	}
	if (r->state == BUNDLE_READER_END && r->left == 0)
		r->state = BUNDLE_READER_DONE;
	return 0;
}

static size_t
bundle_reader_want(const struct bundle_reader *r, size_t len)
{
	uint64_t want = r->state == BUNDLE_READER_HEADER ? BUNDLE_BLOCK - r->have : r->left;

	return want < len ? (size_t)want : len;
}

int
bundle_reader_push(struct bundle_reader *r, const void *data, size_t len, struct err *e)
{
	const unsigned char *p = data;
	struct err local;

	if (e == NULL)
		e = &local;
	while (len > 0) {
		size_t n = bundle_reader_want(r, len);

		if (r->state == BUNDLE_READER_DONE)
			return bundle_reader_wrong(r, 2, e, "bytes after the end");
		if (r->state == BUNDLE_READER_HEADER) {
			memcpy(r->block + r->have, p, n);
			r->have += n;
		} else if ((r->state == BUNDLE_READER_BODY ? bundle_reader_body : bundle_reader_zeros)(r, p,
		    n, e) != 0) {
			return -1;
		}
		r->offset += n;
		p += n;
		len -= n;
		if (bundle_reader_settle(r, e) != 0)
			return -1;
	}
	return 0;
}

/* --- the whole --- */

static int
bundle_reader_named(const struct bundle_reader *r, struct err *e)
{
	for (size_t i = 0; i < r->b.index.head_count; i++)
		if (bundle_reader_find(&r->b,
		    &(struct object_ref){OBJECT_COMMIT, r->b.index.heads[i]}) == NULL)
			return bundle_reader_wrong(r, 3, e, "a head is not in the bundle");
	for (size_t i = 0; i < r->b.index.subject_count; i++)
		if (bundle_reader_find(&r->b,
		    &(struct object_ref){OBJECT_CERTIFICATE, r->b.index.subjects[i].certificate}) == NULL)
			return bundle_reader_wrong(r, 3, e, "a subject's certificate is not in the bundle");
	return 0;
}

int
bundle_reader_finish(struct bundle_reader *r, struct bundle *ret, struct err *e)
{
	struct err local;

	if (e == NULL)
		e = &local;
	if (r->state != BUNDLE_READER_DONE)
		return bundle_reader_wrong(r, 2, e, r->offset == 0 ? "an empty file" : "the file ends early");
	if (bundle_reader_named(r, e) != 0)
		return -1;
	*ret = r->b;
	r->b = (struct bundle)BUNDLE_INIT;
	return 0;
}

const struct bundle_object *
bundle_reader_find(const struct bundle *b, const struct object_ref *ref)
{
	size_t low = 0, high = b->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = bundle_order(&b->objects[mid].ref, ref);

		if (c == 0)
			return &b->objects[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct bundle_object *
bundle_reader_find_id(const struct bundle *b, const struct oid *id)
{
	static const enum object_type types[] = {
		OBJECT_CERTIFICATE, OBJECT_TREE, OBJECT_BLOB, OBJECT_EVIDENCE, OBJECT_COMMIT,
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		const struct bundle_object *o = bundle_reader_find(b, &(struct object_ref){types[i], *id});

		if (o != NULL)
			return o;
	}
	return NULL;
}
