#include "object/oid.h"

#include <string.h>
#include "base/hex.h"
#include "codec/shape.h"
#include "crypto/hash.h"

static const char *const oid_types[] = {
	[OBJECT_BLOB] = "blob",
	[OBJECT_TREE] = "tree",
	[OBJECT_CERTIFICATE] = "certificate",
	[OBJECT_COMMIT] = "commit",
	[OBJECT_EVIDENCE] = "evidence",
};

int
oid_from_data(struct oid *ret, const void *data, size_t len, struct err *e)
{
	return hash_once(HASH_SHA256, data, len, ret->b, e);
}

int
oid_from_hex(struct oid *ret, const char *hex, struct err *e)
{
	return hex_decode(ret->b, OID_SIZE, hex, e);
}

int
oid_from_text(struct oid *ret, const char *text, struct err *e)
{
	if (strncmp(text, "sha256:", 7) != 0)
		return err_set(e, ERR_FORMAT, "expected \"sha256:\" and 64 hexadecimal digits");
	return oid_from_hex(ret, text + 7, e);
}

void
oid_hex(const struct oid *id, char ret[OID_HEX_SIZE])
{
	hex_encode(ret, id->b, OID_SIZE);
}

void
oid_text(const struct oid *id, char ret[OID_TEXT_SIZE])
{
	memcpy(ret, "sha256:", 7);
	hex_encode(ret + 7, id->b, OID_SIZE);
}

bool
oid_equal(const struct oid *a, const struct oid *b)
{
	return memcmp(a->b, b->b, OID_SIZE) == 0; /* no secrets: not in constant time */
}

int
oid_compare(const struct oid *a, const struct oid *b)
{
	return memcmp(a->b, b->b, OID_SIZE);
}

const char *
oid_type_name(enum object_type type)
{
	return oid_types[type];
}

int
oid_type_parse(const char *name, enum object_type *ret, struct err *e)
{
	for (size_t i = 0; i < sizeof oid_types / sizeof oid_types[0]; i++) {
		if (strcmp(oid_types[i], name) == 0) {
			*ret = (enum object_type)i;
			return 0;
		}
	}
	return err_set(e, ERR_FORMAT, "no object has the type \"%.32s\"", name);
}

struct jcs *
oid_ref_to_jcs(const struct object_ref *ref)
{
	struct jcs *v = jcs_new_object();
	char text[OID_TEXT_SIZE];

	oid_text(&ref->id, text);
	jcs_set_string(v, "id", text);
	jcs_set_string(v, "type", oid_type_name(ref->type));
	return v;
}

int
oid_ref_from_jcs(const struct jcs *v, const char *where, struct object_ref *ret, struct err *e)
{
	static const struct shape table[] = {
		{"id", SHAPE_ID, 0}, {"type", SHAPE_STRING, 0}, {0},
	};
	struct object_ref ref;

	if (shape_check(v, table, where, e) != 0)
		return -1;
	if (oid_from_text(&ref.id, jcs_get_string(v, "id"), e) != 0 ||
	    oid_type_parse(jcs_get_string(v, "type"), &ref.type, e) != 0)
		return err_prefix(e, "%s", where);
	*ret = ref;
	return 0;
}
