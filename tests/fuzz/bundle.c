#include "fuzz.h"

#include "object/bundle-reader.h"

static void
add_member(struct buf *file, struct buf *sums, const char *name, const void *data, size_t len)
{
	static const unsigned char zeros[BUNDLE_BLOCK];
	unsigned char header[BUNDLE_BLOCK];
	struct oid id;

	if (oid_from_data(&id, data, len, NULL) != 0)
		abort();
	bundle_header(name, len, header);
	buf_add(file, header, sizeof header);
	buf_add(file, data, len);
	buf_add(file, zeros, bundle_padding(len));
	if (sums != NULL)
		bundle_sum_line(&id, name, sums);
}

/* Every byte of what was accepted follows from the table. */
static void
same_again(const uint8_t *data, size_t len, struct bundle *b)
{
	static const unsigned char end[BUNDLE_END];
	CLEANUP(buf_free) struct buf file = BUF_INIT;
	CLEANUP(buf_free) struct buf sums = BUF_INIT;
	CLEANUP(buf_free) struct buf index = BUF_INIT;
	char name[BUNDLE_NAME_SIZE];

	if (bundle_index_encode(&b->index, &index, NULL) != 0)
		abort();
	add_member(&file, &sums, BUNDLE_INDEX_NAME, index.data, index.len);
	for (size_t i = 0; i < b->count; i++) {
		const struct bundle_object *o = &b->objects[i];

		if (bundle_reader_find(b, &o->ref) != o || o->offset + o->size > len)
			abort();
		bundle_name(&o->ref, name);
		add_member(&file, &sums, name, data + o->offset, (size_t)o->size);
	}
	add_member(&file, NULL, BUNDLE_SUMS_NAME, sums.data, sums.len);
	buf_add(&file, end, sizeof end);
	fuzz_same(data, len, file.data, file.len);
}

/* The first byte says how long the pieces are. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(bundle_reader_freep) struct bundle_reader *r = NULL;
	struct bundle b = BUNDLE_INIT;
	size_t piece = len > 0 ? 1 + data[0] * (size_t)7 : 1;
	int rc = 0;

	if (bundle_reader_new(&r, NULL) != 0)
		abort();
	for (size_t at = 0; rc == 0 && at < len; at += piece)
		rc = bundle_reader_push(r, data + at, len - at < piece ? len - at : piece, NULL);
	if (rc != 0 || bundle_reader_finish(r, &b, NULL) != 0)
		return 0;
	same_again(data, len, &b);
	bundle_reader_release(&b);
	return 0;
}
