/* The id of an object: the plain SHA-256 of its bytes. */
#ifndef OBJECT_OID_H
#define OBJECT_OID_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "codec/jcs.h"

#define OID_SIZE 32
#define OID_HEX_SIZE 65     /* 64 digits and NUL */
#define OID_TEXT_SIZE 72    /* "sha256:" + 64 digits + NUL */

struct oid {
	unsigned char b[OID_SIZE];
};

/* Every reference carries the type; nothing is opened as another type. */
enum object_type { OBJECT_BLOB, OBJECT_TREE, OBJECT_CERTIFICATE, OBJECT_COMMIT, OBJECT_EVIDENCE };

struct object_ref {
	enum object_type type;
	struct oid id;
};

int oid_from_data(struct oid *ret, const void *data, size_t len, struct err *e) MUST_CHECK;
int oid_from_hex(struct oid *ret, const char *hex, struct err *e) MUST_CHECK;   /* 64 digits */
int oid_from_text(struct oid *ret, const char *text, struct err *e) MUST_CHECK; /* "sha256:..." */
void oid_hex(const struct oid *id, char ret[OID_HEX_SIZE]);
void oid_text(const struct oid *id, char ret[OID_TEXT_SIZE]);
bool oid_equal(const struct oid *a, const struct oid *b);
int oid_compare(const struct oid *a, const struct oid *b);

const char *oid_type_name(enum object_type type);
int oid_type_parse(const char *name, enum object_type *ret, struct err *e) MUST_CHECK;

/* {"id":"sha256:<hex>","type":"<type>"} */
struct jcs *oid_ref_to_jcs(const struct object_ref *ref);
int oid_ref_from_jcs(const struct jcs *v, const char *where, struct object_ref *ret,
    struct err *e) MUST_CHECK;

#endif
