/*
 * A thing measured: type (blob or tree), path, kind, size, digests.
 * The members are the same in a resolved spec, an event and an import commit.
 */
#ifndef OBJECT_RESOURCE_H
#define OBJECT_RESOURCE_H

#include <stdint.h>
#include "object/oid.h"

struct resource_digests {
	struct oid sha256;          /* required: also the object's id */
	bool has_sha384, has_sha512, has_blake3;
	unsigned char sha384[48];
	unsigned char sha512[64];
	unsigned char blake3[32];   /* carried; checking it is ERR_UNSUPPORTED */
};

/* madeBy: the certificate and the output of it that has the same content */
struct resource_made_by {
	struct oid certificate;
	char *path;
};

/* ignored: what .aicertignore left out of a directory */
struct resource_ignored {
	uint64_t count;             /* entries left out, a directory with all inside as one; 0: none */
	struct oid rules;           /* of the rules that acted (section 4.1) */
};

struct resource {
	enum object_type type;      /* OBJECT_BLOB or OBJECT_TREE */
	char *path;                 /* base/path.h rules */
	char *kind;                 /* code, dataset, model, checkpoint, file, ... [a-z][a-z0-9-]{0,31} */
	uint64_t size;
	struct resource_digests digests;
};

struct resource_input {
	struct resource thing;
	bool fetched;               /* origin: "declared" or "fetched" */
	char *source;               /* NULL: null */
	char *license;              /* NULL: null */
	struct resource_made_by *made_by; /* NULL: null */
	struct resource_ignored ignored;  /* count 0: null */
};

void resource_free(struct resource *r);
void resource_input_free(struct resource_input *r);
int resource_copy(struct resource *ret, const struct resource *r, struct err *e) MUST_CHECK;
/* Same type, path, kind, size, digests. */
bool resource_equal(const struct resource *a, const struct resource *b);
/* Same type, size and digests: the content, whatever its name. */
bool resource_same_content(const struct resource *a, const struct resource *b);
bool resource_kind_ok(const char *kind);

/* Adds the five members to / takes them from an object that may hold others. */
void resource_to_jcs(const struct resource *r, struct jcs *object);
int resource_from_jcs(const struct jcs *object, const char *where, struct resource *ret,
    struct err *e) MUST_CHECK;
/* With origin, source, license, madeBy, ignored too. */
void resource_input_to_jcs(const struct resource_input *r, struct jcs *object);
int resource_input_from_jcs(const struct jcs *object, const char *where,
    struct resource_input *ret, struct err *e) MUST_CHECK;

#endif
