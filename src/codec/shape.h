/* A table says which members an object has; anything else is refused. */
#ifndef CODEC_SHAPE_H
#define CODEC_SHAPE_H

#include "codec/jcs.h"

enum shape_kind {
	SHAPE_STRING,    /* any string */
	SHAPE_HEX32,     /* 64 lower-case hex digits: a SHA-256, a nonce */
	SHAPE_INT,       /* 0 <= n <= 2^53-1 */
	SHAPE_BOOL,
	SHAPE_ARRAY,
	SHAPE_OBJECT,
	SHAPE_TIME,      /* RFC 3339 as in base/timestamp.h */
	SHAPE_BASE64,    /* canonical base64, may be empty */
	SHAPE_ID         /* "sha256:<hex>" */
};

#define SHAPE_NULLABLE 1u  /* null is allowed too */
#define SHAPE_OPTIONAL 2u  /* may be absent */

struct shape {
	const char *name;
	enum shape_kind kind;
	unsigned flags;
};

/* Every member is in the table, every required one is there and has its kind.
 * ERR_FORMAT: "<where>: <what>".  The table ends with a NULL name. */
int shape_check(const struct jcs *v, const struct shape *table, const char *where,
    struct err *e) MUST_CHECK;

#endif
