#include "object/bundle.h"

#include <string.h>
#include "codec/shape.h"
#include "object/certificate.h"
#include "object/commit.h"
#include "object/evidence.h"
#include "object/tree.h"

/* Offsets of a ustar header. */
#define BUNDLE_AT_SIZE 124
#define BUNDLE_AT_SUM 148
#define BUNDLE_SIZE_DIGITS 11

/* --- the index --- */

static int
bundle_order_oids(const void *a, const void *b)
{
	return oid_compare(a, b);
}

static int
bundle_order_subjects(const void *a, const void *b)
{
	const struct bundle_subject *x = a, *y = b;
	int c = strcmp(x->thing.path, y->thing.path);

	return c != 0 ? c : oid_compare(&x->certificate, &y->certificate);
}

static int
bundle_read_heads(const struct jcs *v, struct bundle_index *x, struct err *e)
{
	size_t n = jcs_length(v);

	if (n > BUNDLE_HEADS_MAX)
		return err_set(e, ERR_LIMIT, "index: more than %u heads", BUNDLE_HEADS_MAX);
	x->heads = calloc(n + 1, sizeof *x->heads);
	if (x->heads == NULL)
		return err_nomem(e);
	for (; x->head_count < n; x->head_count++) {
		struct object_ref ref;

		if (oid_ref_from_jcs(jcs_at(v, x->head_count), "index: heads", &ref, e) != 0)
			return -1;
		if (ref.type != OBJECT_COMMIT)
			return err_set(e, ERR_FORMAT, "index: a head must be a commit");
		if (x->head_count > 0 && oid_compare(&x->heads[x->head_count - 1], &ref.id) >= 0)
			return err_set(e, ERR_FORMAT, "index: heads are not in ascending order");
		x->heads[x->head_count] = ref.id;
	}
	return 0;
}

static int
bundle_read_subject(const struct jcs *v, struct bundle_subject *ret, struct err *e)
{
	static const struct shape table[] = {
		{"certificate", SHAPE_ID, 0}, {"digests", SHAPE_OBJECT, 0}, {"kind", SHAPE_STRING, 0},
		{"path", SHAPE_STRING, 0}, {"size", SHAPE_INT, 0}, {"type", SHAPE_STRING, 0}, {0},
	};

	if (shape_check(v, table, "index: subject", e) != 0 ||
	    oid_from_text(&ret->certificate, jcs_get_string(v, "certificate"), e) != 0)
		return -1;
	return resource_from_jcs(v, "index: subject", &ret->thing, e);
}

static int
bundle_read_subjects(const struct jcs *v, struct bundle_index *x, struct err *e)
{
	size_t n = jcs_length(v);

	if (n == 0 || n > BUNDLE_SUBJECTS_MAX)
		return err_set(e, ERR_LIMIT, "index: no subject, or more than %u", BUNDLE_SUBJECTS_MAX);
	x->subjects = calloc(n, sizeof *x->subjects);
	if (x->subjects == NULL)
		return err_nomem(e);
	for (; x->subject_count < n; x->subject_count++) {
		struct bundle_subject *s = &x->subjects[x->subject_count];

		if (bundle_read_subject(jcs_at(v, x->subject_count), s, e) != 0)
			return -1;
		if (x->subject_count > 0 && bundle_order_subjects(s - 1, s) >= 0) {
			x->subject_count++; /* it is to be freed too */
			return err_set(e, ERR_FORMAT, "index: subjects are not in ascending order");
		}
	}
	return 0;
}

int
bundle_index_decode(const void *data, size_t len, struct bundle_index *ret, struct err *e)
{
	static const struct shape table[] = {
		{"heads", SHAPE_ARRAY, 0}, {"mediaType", SHAPE_STRING, 0}, {"subjects", SHAPE_ARRAY, 0}, {0},
	};
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct bundle_index x = {0};
	const char *type;

	if (jcs_decode(data, len, BUNDLE_INDEX_MAX, &v, e) != 0)
		return -1;
	type = jcs_get_string(v, "mediaType");
	if (type == NULL || strcmp(type, BUNDLE_MEDIA_TYPE) != 0)
		return err_set(e, ERR_UNSUPPORTED, "index: mediaType is not " BUNDLE_MEDIA_TYPE);
	if (shape_check(v, table, "index", e) != 0 || bundle_read_heads(jcs_get(v, "heads"), &x, e) != 0 ||
	    bundle_read_subjects(jcs_get(v, "subjects"), &x, e) != 0) {
		bundle_index_free(&x);
		return -1;
	}
	*ret = x;
	return 0;
}

int
bundle_index_encode(struct bundle_index *x, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *doc = jcs_new_object();
	struct jcs *heads = jcs_new_array(), *subjects = jcs_new_array();
	char id[OID_TEXT_SIZE];

	if (x->head_count > 0)
		qsort(x->heads, x->head_count, sizeof *x->heads, bundle_order_oids);
	if (x->subject_count > 0)
		qsort(x->subjects, x->subject_count, sizeof *x->subjects, bundle_order_subjects);
	for (size_t i = 0; i < x->head_count; i++)
		jcs_append(heads, oid_ref_to_jcs(&(struct object_ref){OBJECT_COMMIT, x->heads[i]}));
	for (size_t i = 0; i < x->subject_count; i++) {
		struct jcs *s = jcs_new_object();

		oid_text(&x->subjects[i].certificate, id);
		jcs_set_string(s, "certificate", id);
		resource_to_jcs(&x->subjects[i].thing, s);
		jcs_append(subjects, s);
	}
	jcs_set_string(doc, "mediaType", BUNDLE_MEDIA_TYPE);
	jcs_set(doc, "heads", heads);
	jcs_set(doc, "subjects", subjects);
	return jcs_encode(doc, ret, e);
}

void
bundle_index_free(struct bundle_index *x)
{
	for (size_t i = 0; i < x->subject_count; i++)
		resource_free(&x->subjects[i].thing);
	free(x->subjects);
	free(x->heads);
	*x = (struct bundle_index){0};
}

/* --- members --- */

int
bundle_order(const struct object_ref *a, const struct object_ref *b)
{
	int c = strcmp(oid_type_name(a->type), oid_type_name(b->type));

	return c != 0 ? c : oid_compare(&a->id, &b->id);
}

void
bundle_name(const struct object_ref *ref, char ret[BUNDLE_NAME_SIZE])
{
	char hex[OID_HEX_SIZE];

	oid_hex(&ref->id, hex);
	snprintf(ret, BUNDLE_NAME_SIZE, "%s/%s", oid_type_name(ref->type), hex);
}

int
bundle_name_parse(const char *name, struct object_ref *ret, struct err *e)
{
	const char *slash = strchr(name, '/');
	char again[BUNDLE_NAME_SIZE], type[16];
	struct object_ref ref;

	if (slash == NULL || (size_t)(slash - name) >= sizeof type)
		return err_set(e, ERR_FORMAT, "not \"<type>/<sha256>\"");
	memcpy(type, name, (size_t)(slash - name));
	type[slash - name] = '\0';
	if (oid_type_parse(type, &ref.type, e) != 0 || oid_from_hex(&ref.id, slash + 1, e) != 0)
		return -1;
	bundle_name(&ref, again);
	if (strcmp(again, name) != 0)
		return err_set(e, ERR_FORMAT, "not \"<type>/<sha256>\"");
	*ret = ref;
	return 0;
}

uint64_t
bundle_object_max(enum object_type type)
{
	switch (type) {
	case OBJECT_TREE:
		return TREE_BYTES_MAX;
	case OBJECT_CERTIFICATE:
		return CERTIFICATE_BYTES_MAX;
	case OBJECT_COMMIT:
		return COMMIT_BYTES_MAX;
	case OBJECT_EVIDENCE:
		return EVIDENCE_BYTES_MAX;
	case OBJECT_BLOB:
		break;
	}
	return BUNDLE_BLOB_MAX;
}

static void
bundle_octal(unsigned char *ret, size_t digits, uint64_t n)
{
	for (size_t i = digits; i > 0; i--, n >>= 3)
		ret[i - 1] = (unsigned char)('0' + (n & 7));
}

void
bundle_header(const char *name, uint64_t size, unsigned char ret[BUNDLE_BLOCK])
{
	uint64_t sum = 0;

	memset(ret, 0, BUNDLE_BLOCK);
	memcpy(ret, name, strnlen(name, BUNDLE_NAME_SIZE - 1));
	memcpy(ret + 100, "0000444", 7);                /* mode */
	memcpy(ret + 108, "0000000", 7);                /* uid */
	memcpy(ret + 116, "0000000", 7);                /* gid */
	bundle_octal(ret + BUNDLE_AT_SIZE, BUNDLE_SIZE_DIGITS, size);
	memcpy(ret + 136, "00000000000", 11);           /* mtime */
	memset(ret + BUNDLE_AT_SUM, ' ', 8);
	ret[156] = '0';                                 /* a regular file */
	memcpy(ret + 257, "ustar\0" "00", 8);
	memcpy(ret + 329, "0000000", 7);                /* device */
	memcpy(ret + 337, "0000000", 7);
	for (size_t i = 0; i < BUNDLE_BLOCK; i++)
		sum += ret[i];
	bundle_octal(ret + BUNDLE_AT_SUM, 6, sum);
	ret[BUNDLE_AT_SUM + 6] = '\0';
}

/* What a header says is only looked at to build the one that must be there. */
int
bundle_header_parse(const unsigned char block[BUNDLE_BLOCK], char *ret_name, uint64_t *ret_size,
    struct err *e)
{
	unsigned char again[BUNDLE_BLOCK];
	char name[BUNDLE_NAME_SIZE];
	uint64_t size = 0;

	memcpy(name, block, sizeof name);
	name[sizeof name - 1] = '\0';
	for (size_t i = 0; i < BUNDLE_SIZE_DIGITS; i++)
		size = size << 3 | (block[BUNDLE_AT_SIZE + i] & 7u);
	bundle_header(name, size, again);
	if (memcmp(again, block, BUNDLE_BLOCK) != 0)
		return err_set(e, ERR_FORMAT, "not the header of a bundle's member");
	memcpy(ret_name, name, sizeof name);
	*ret_size = size;
	return 0;
}

void
bundle_sum_line(const struct oid *digest, const char *name, struct buf *ret)
{
	char hex[OID_HEX_SIZE];

	oid_hex(digest, hex);
	buf_addf(ret, "%s  %s\n", hex, name);
}

size_t
bundle_padding(uint64_t size)
{
	return (size_t)((BUNDLE_BLOCK - size % BUNDLE_BLOCK) % BUNDLE_BLOCK);
}
