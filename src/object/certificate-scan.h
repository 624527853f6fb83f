/*
 * The inputs and outputs of a certificate, found in its text without decoding it:
 * for an index over many.  Of a document that certificate_decode() accepts, which is
 * canonical, it finds exactly what is there; of another one it may find anything.
 */
#ifndef OBJECT_CERTIFICATE_SCAN_H
#define OBJECT_CERTIFICATE_SCAN_H

#include <stdint.h>
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

/* All that a certificate names, likewise; without paths. */
enum certificate_scan_role {
	CERTIFICATE_SCAN_INPUT, CERTIFICATE_SCAN_OUTPUT, CERTIFICATE_SCAN_MADE_BY,
	CERTIFICATE_SCAN_LOG, CERTIFICATE_SCAN_BOOT_LOG
};
struct certificate_scan_link {
	enum certificate_scan_role role;
	struct object_ref ref;
	uint64_t size;          /* of blobs */
};
/* Returns non-zero to stop, which is -1. */
typedef int certificate_scan_link_fn(void *arg, const struct certificate_scan_link *l);
int certificate_scan_links(const void *data, size_t len, certificate_scan_link_fn *fn,
    void *arg) MUST_CHECK;

#endif
