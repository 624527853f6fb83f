/*
 * Reference records: the PCR values of a known image on a known platform
 * (aicert-reference(5)).  They come from the installation, the user or the
 * command line, never from evidence or a repository.
 *
 * A whole record fixes a boot; the two parts of one are what can be predicted
 * from an image and what can be learnt of a firmware.  Only whole records are
 * matched, and none is ever mixed with another.
 *
 * reference.c reads and writes documents, reference-match.c compares.
 */
#ifndef VERIFY_REFERENCE_H
#define VERIFY_REFERENCE_H

#include "evidence/event-log.h"
#include "object/oid.h"

#define REFERENCE_MEDIA_TYPE "application/vnd.aicert.reference.v1+json"
#define REFERENCE_BYTES_MAX (1024u * 1024)
#define REFERENCE_RECORDS_MAX 256
#define REFERENCE_EVENTS_MAX 256
#define REFERENCE_PCRS 14
#define REFERENCE_INCOMPARABLE ((size_t)-1)

#define REFERENCE_ANY 0x0462u        /* PCR 1, 5, 6, 10: any value, with a reason */
#define REFERENCE_PCRS_WHOLE 0x3fffu /* 0-13 */
#define REFERENCE_PCRS_IMAGE 0x3b10u /* 4, 8, 9, 11-13: from the image file */
#define REFERENCE_PCRS_FIRMWARE 0x00efu /* 0-3, 5-7: golden values of a platform */

enum reference_part { REFERENCE_WHOLE, REFERENCE_IMAGE, REFERENCE_FIRMWARE };

struct reference_pcr {
	bool present;
	char *any;                  /* the reason why any value will do, or NULL */
	unsigned char value[48];    /* hash_size(bank) bytes */
};

/* An event that must be in the boot log, or must not. */
struct reference_event {
	bool forbidden;
	unsigned pcr;
	uint32_t type;
	char *text;                 /* what was hashed, or NULL: digest alone */
	unsigned char digest[48];   /* in the record's bank */
};

struct reference {
	enum reference_part part;
	char *platform;             /* "qemu-ovmf, 2 vcpu, Secure Boot off" */
	enum hash_alg bank;         /* HASH_SHA256 or HASH_SHA384 */
	struct reference_pcr pcrs[REFERENCE_PCRS];
	struct reference_event *events;
	size_t event_count;
};

struct reference_image {
	char *name, *version;
	char *commit;               /* of the image's source; "unknown" outside git */
	bool has_packages;
	struct oid packages;        /* the package lock's SHA-256 */
};

struct reference_document {
	bool has_image;             /* false: firmware parts alone */
	struct reference_image image;
	struct reference *records;
	size_t count;
	struct oid digest;          /* of the bytes decoded */
	bool demanded;              /* set by who asks for a match with this document */
};

/* Canonical JSON only.  ERR_FORMAT says which record and member is wrong. */
int reference_decode(const void *json, size_t len, struct reference_document *ret,
    struct err *e) MUST_CHECK;
int reference_encode(const struct reference_document *d, struct buf *ret, struct err *e) MUST_CHECK;
void reference_free(struct reference_document *d);
/* Takes record i out of the document. */
void reference_drop(struct reference_document *d, size_t i);
/* "whole", "image", "firmware" */
const char *reference_part_name(enum reference_part part);
/* The PCRs a record of this part has, as a mask. */
uint32_t reference_part_pcrs(enum reference_part part);

/*
 * Whole records out of image parts and firmware parts of the same bank: every
 * pair.  The image is that of `image`, the platforms are the firmware's; PCR 10
 * is "any".  ERR_FORMAT when no pair has the same bank.
 */
int reference_merge(const struct reference_document *image,
    const struct reference_document *firmware, struct reference_document *ret,
    struct err *e) MUST_CHECK;

/*
 * The records of documents about one image, or of firmware parts alone, in one.
 * ERR_FORMAT when they are about different images, ERR_LIMIT when they are too many.
 */
int reference_join(const struct reference_document *documents, size_t n,
    struct reference_document *ret, struct err *e) MUST_CHECK;

/* The platform's name begins with "qemu-": its TPM is a program of whoever started the
 * machine, and no trust entry makes more of it. */
bool reference_is_emulated(const struct reference *r);

struct reference_set {
	struct reference_document *documents;
	size_t count;
	struct oid digest;          /* SHA-256 over the documents' digests in ascending order; zero: none */
};

/* Adds a document; the same one again is no second.  *s is unchanged on failure. */
int reference_set_add(struct reference_set *s, const void *json, size_t len, struct err *e) MUST_CHECK;
void reference_set_free(struct reference_set *s);

/* What a machine shows: values of one bank, and its boot log if that replays to them. */
struct reference_found {
	enum hash_alg bank;
	const unsigned char *values;    /* PCR 0-23, one after the other */
	const struct event_log *log;    /* NULL: none */
};

/*
 * Does a whole record hold?  Another bank or a part: false, and *ret_differ is
 * REFERENCE_INCOMPARABLE.  Else *ret_differ counts PCRs and events that differ, and
 * expected and found name them.
 */
int reference_match(const struct reference *r, const struct reference_found *f, bool *ret_ok,
    size_t *ret_differ, struct buf *expected, struct buf *found, struct err *e) MUST_CHECK;

#endif
