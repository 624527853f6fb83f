/*
 * The inputs and outputs of a certificate, found in its text without decoding it:
 * for an index over many.  Of a document that certificate_decode() accepts, which is
 * canonical, it finds exactly what is there; of another one it may find anything.
 */
#ifndef OBJECT_CERTIFICATE_SCAN_H
#define OBJECT_CERTIFICATE_SCAN_H

#include "object/oid.h"

struct certificate_scan_item {
	bool output;            /* else an input */
	enum object_type type;
	struct oid id;
	const char *path;       /* of an output; not NUL ended */
	size_t path_len;
};

/* fn returns non-zero to stop, which is -1.  1: the text cannot be judged without
 * decoding it (a name that JSON escapes); what was told so far may be told again. */
typedef int certificate_scan_fn(void *arg, const struct certificate_scan_item *item);
int certificate_scan(const void *data, size_t len, certificate_scan_fn *fn, void *arg) MUST_CHECK;

#endif
