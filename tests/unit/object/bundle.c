/* Bundles: one spelling alone is read, whatever the pieces, and no bit can be changed. */
#include "golden.h"

#include <string.h>
#include "object/bundle-reader.h"

#define BUNDLE_OBJECTS 3

/* A bundle in the making; each test spoils something. */
struct bundle_make {
	struct object_ref refs[8];
	const char *bytes[8];
	size_t count;
	const char *index;          /* NULL: as it should be */
	struct buf sums, file;
};

static void
make_free(struct bundle_make *m)
{
	buf_free(&m->sums);
	buf_free(&m->file);
}

static void
make_member(struct bundle_make *m, const char *name, const void *data, size_t len)
{
	static const unsigned char zeros[BUNDLE_BLOCK];
	unsigned char header[BUNDLE_BLOCK];
	struct oid id;
	struct err e;

	UNIT_OK(oid_from_data(&id, data, len, &e), &e);
	bundle_header(name, len, header);
	buf_add(&m->file, header, sizeof header);
	buf_add(&m->file, data, len);
	buf_add(&m->file, zeros, bundle_padding(len));
	if (strcmp(name, BUNDLE_SUMS_NAME) != 0)
		bundle_sum_line(&id, name, &m->sums);
}

static void
make_add(struct bundle_make *m, enum object_type type, const char *bytes)
{
	struct err e;

	m->bytes[m->count] = bytes;
	m->refs[m->count].type = type;
	UNIT_OK(oid_from_data(&m->refs[m->count].id, bytes, strlen(bytes), &e), &e);
	m->count++;
}

/* A commit, a certificate that is none, a tree: what is inside is not the reader's business. */
static void
make_usual(struct bundle_make *m)
{
	*m = (struct bundle_make){0};
	make_add(m, OBJECT_CERTIFICATE, "{\"a\":1}");
	make_add(m, OBJECT_COMMIT, "commit");
	make_add(m, OBJECT_TREE, "aicert tree 1\n");
}

static void
make_index(const struct bundle_make *m, struct buf *ret)
{
	struct resource thing = {.type = OBJECT_BLOB, .path = (char *)(uintptr_t)"out/model.bin",
	    .kind = (char *)(uintptr_t)"model", .size = 4};
	struct bundle_subject subject = {.certificate = m->refs[0].id, .thing = thing};
	struct oid head = m->refs[1].id;
	struct bundle_index x = {.heads = &head, .head_count = 1, .subjects = &subject,
	    .subject_count = 1};
	struct err e;

	memset(subject.thing.digests.sha256.b, 7, OID_SIZE);
	UNIT_OK(bundle_index_encode(&x, ret, &e), &e);
}

static void
make_file(struct bundle_make *m)
{
	static const unsigned char end[BUNDLE_END];
	CLEANUP(buf_free) struct buf index = BUF_INIT;
	char name[BUNDLE_NAME_SIZE];
	struct err e;

	if (m->index == NULL)
		make_index(m, &index);
	else
		buf_adds(&index, m->index);
	make_member(m, BUNDLE_INDEX_NAME, index.data, index.len);
	for (size_t i = 0; i < m->count; i++) {
		bundle_name(&m->refs[i], name);
		make_member(m, name, m->bytes[i], strlen(m->bytes[i]));
	}
	make_member(m, BUNDLE_SUMS_NAME, m->sums.data, m->sums.len);
	buf_add(&m->file, end, sizeof end);
	UNIT_OK(buf_check(&m->file, &e), &e);
}

static int
read_pieces(const unsigned char *data, size_t len, size_t piece, struct bundle *ret, struct err *e)
{
	CLEANUP(bundle_reader_freep) struct bundle_reader *r = NULL;

	UNIT_OK(bundle_reader_new(&r, e), e);
	for (size_t at = 0; at < len; at += piece)
		if (bundle_reader_push(r, data + at, len - at < piece ? len - at : piece, e) != 0)
			return -1;
	return bundle_reader_finish(r, ret, e);
}

static void
refused(const unsigned char *data, size_t len, const char *section)
{
	struct bundle b = BUNDLE_INIT;
	struct err e;

	UNIT_FAILS(read_pieces(data, len, len + 1, &b, &e), &e, ERR_CORRUPT);
	ck_assert_msg(strstr(e.msg, "aicert-bundle(5) section ") != NULL, "%s", e.msg);
	ck_assert_msg(section == NULL || strstr(e.msg, section) != NULL, "%s", e.msg);
	ck_assert_ptr_null(b.objects);
}

static void
refused_make(struct bundle_make *m, const char *section)
{
	make_file(m);
	refused(m->file.data, m->file.len, section);
	make_free(m);
}

START_TEST(bundle_read)
{
	CLEANUP(make_free) struct bundle_make m;

	make_usual(&m);
	make_file(&m);
	for (size_t piece = 1; piece < 1100; piece = piece * 3 + 1) {
		struct bundle b = BUNDLE_INIT;
		struct err e;

		UNIT_OK(read_pieces(m.file.data, m.file.len, piece, &b, &e), &e);
		ck_assert_uint_eq(b.count, BUNDLE_OBJECTS);
		ck_assert_uint_eq(b.index.head_count, 1);
		ck_assert_str_eq(b.index.subjects[0].thing.path, "out/model.bin");
		for (size_t i = 0; i < m.count; i++) {
			const struct bundle_object *o = bundle_reader_find(&b, &m.refs[i]);

			ck_assert_ptr_nonnull(o);
			ck_assert_uint_eq(o->size, strlen(m.bytes[i]));
			ck_assert_mem_eq(m.file.data + o->offset, m.bytes[i], o->size);
			ck_assert_ptr_eq(bundle_reader_find_id(&b, &m.refs[i].id), o);
		}
		/* nothing is opened as another type */
		ck_assert_ptr_null(bundle_reader_find(&b, &(struct object_ref){OBJECT_BLOB, m.refs[0].id}));
		bundle_reader_release(&b);
	}
}
END_TEST

START_TEST(bundle_every_bit)
{
	CLEANUP(make_free) struct bundle_make m;

	make_usual(&m);
	make_file(&m);
	for (size_t bit = 0; bit < 8 * m.file.len; bit++) {
		m.file.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
		refused(m.file.data, m.file.len, NULL);
		m.file.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
}
END_TEST

START_TEST(bundle_every_length)
{
	CLEANUP(make_free) struct bundle_make m;

	make_usual(&m);
	make_file(&m);
	for (size_t len = 0; len < m.file.len; len++)
		refused(m.file.data, len, "section 2");
	buf_addc(&m.file, 0);
	refused(m.file.data, m.file.len, "bytes after the end");
}
END_TEST

START_TEST(bundle_members)
{
	struct bundle_make m;

	make_usual(&m);
	m.count = 2; /* the same twice */
	make_add(&m, OBJECT_COMMIT, "commit");
	refused_make(&m, "order of their names");
	make_usual(&m);
	make_add(&m, OBJECT_BLOB, "after its turn");
	refused_make(&m, "order of their names");
	make_usual(&m);
	m.bytes[2] = "aicert tree 2\n";
	refused_make(&m, "digest");
	make_usual(&m);
	m.count = 1; /* no head */
	make_file(&m);
	refused(m.file.data, m.file.len, "a head is not in the bundle");
	make_free(&m);
	make_usual(&m);
	m.refs[0].type = OBJECT_BLOB;
	refused_make(&m, "a subject's certificate");
}
END_TEST

#define SUBJECT(path) "{\"certificate\":\"sha256:9a\",\"digests\":{\"sha256\":\"00\"},\"kind\":\"model\"," \
	"\"path\":\"" path "\",\"size\":4,\"type\":\"blob\"}"

START_TEST(bundle_index_values)
{
	static const char *const bad[] = {
		"{}", "[]", "", "{\"heads\":[],\"mediaType\":\"" BUNDLE_MEDIA_TYPE "\"}",
		"{\"heads\":[],\"mediaType\":\"" BUNDLE_MEDIA_TYPE "\",\"subjects\":[]}",
		"{\"heads\":[],\"mediaType\":\"" BUNDLE_MEDIA_TYPE "\",\"subjects\":[" SUBJECT("a") "]}",
		"{\"heads\":[], \"mediaType\":\"" BUNDLE_MEDIA_TYPE "\",\"subjects\":[]}",
	};
	struct bundle_index x;
	struct bundle_make m;
	struct bundle b;
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_int_ne(bundle_index_decode(bad[i], strlen(bad[i]), &x, &e), 0);
		if (strcmp(bad[i], "{}") == 0 || strcmp(bad[i], "[]") == 0)
			continue;
		make_usual(&m);
		m.index = bad[i];
		refused_make(&m, "section 3");
	}
	/* whole, of a version that is not ours: not damage */
	make_usual(&m);
	m.index = "{\"heads\":[],\"mediaType\":\"application/vnd.aicert.bundle.v2+json\",\"subjects\":[]}";
	make_file(&m);
	UNIT_FAILS(read_pieces(m.file.data, m.file.len, 512, &b, &e), &e, ERR_UNSUPPORTED);
	make_free(&m);
}
END_TEST

START_TEST(bundle_index_order)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(buf_free) struct buf swapped = BUF_INIT;
	struct resource a = {.type = OBJECT_BLOB, .path = (char *)(uintptr_t)"a",
	    .kind = (char *)(uintptr_t)"model"};
	struct resource b = a;
	struct bundle_subject subjects[2] = {{.thing = b}, {.thing = a}};
	struct oid heads[2] = {{{2}}, {{1}}};
	struct bundle_index x = {heads, 2, subjects, 2}, again;
	struct err e;
	const char *first, *second;

	subjects[0].thing.path = (char *)(uintptr_t)"b";
	UNIT_OK(bundle_index_encode(&x, &text, &e), &e);
	UNIT_OK(bundle_index_decode(text.data, text.len, &again, &e), &e);
	ck_assert_int_eq(again.heads[0].b[0], 1);
	ck_assert_str_eq(again.subjects[0].thing.path, "a");
	bundle_index_free(&again);
	/* the same members in the other order */
	first = strstr(buf_str(&text), "{\"certificate\"");
	second = strstr(first + 1, "{\"certificate\"");
	buf_addf(&swapped, "%.*s%.*s,%.*s]}", (int)(first - buf_str(&text)), buf_str(&text),
	    (int)(strlen(second) - 2), second, (int)(second - first - 1), first);
	UNIT_FAILS(bundle_index_decode(swapped.data, swapped.len, &again, &e), &e, ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(e.msg, "subjects are not in ascending order"));
}
END_TEST

START_TEST(bundle_headers)
{
	unsigned char block[BUNDLE_BLOCK], spoilt[BUNDLE_BLOCK];
	char name[BUNDLE_NAME_SIZE], long_name[200];
	struct object_ref ref;
	uint64_t size;
	struct err e;

	bundle_header("commit/00", 01234567, block);
	UNIT_OK(bundle_header_parse(block, name, &size, &e), &e);
	ck_assert_str_eq(name, "commit/00");
	ck_assert_uint_eq(size, 01234567);
	for (size_t i = 0; i < BUNDLE_BLOCK; i++) {
		memcpy(spoilt, block, sizeof spoilt);
		spoilt[i] ^= 0x20;
		UNIT_FAILS(bundle_header_parse(spoilt, name, &size, &e), &e, ERR_FORMAT);
	}
	memset(long_name, 'a', sizeof long_name);
	memcpy(spoilt, block, sizeof spoilt);
	memcpy(spoilt, long_name, 100);
	UNIT_FAILS(bundle_header_parse(spoilt, name, &size, &e), &e, ERR_FORMAT);
	UNIT_FAILS(bundle_name_parse("../etc/passwd", &ref, &e), &e, ERR_FORMAT);
	UNIT_FAILS(bundle_name_parse("commit", &ref, &e), &e, ERR_FORMAT);
	UNIT_FAILS(bundle_name_parse("commit/", &ref, &e), &e, ERR_FORMAT);
	UNIT_FAILS(bundle_name_parse("commit/../00", &ref, &e), &e, ERR_FORMAT);
	ck_assert_uint_eq(bundle_padding(0), 0);
	ck_assert_uint_eq(bundle_padding(1), 511);
	ck_assert_uint_eq(bundle_padding(512), 0);
}
END_TEST

UNIT_SUITE(bundle)
{
	tcase_add_test(tc, bundle_read);
	tcase_add_test(tc, bundle_every_bit);
	tcase_add_test(tc, bundle_every_length);
	tcase_add_test(tc, bundle_members);
	tcase_add_test(tc, bundle_index_values);
	tcase_add_test(tc, bundle_index_order);
	tcase_add_test(tc, bundle_headers);
}
