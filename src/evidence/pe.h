/*
 * PE32+ files for x86-64, as far as firmware measures them ("PE Format";
 * Authenticode PE, section "Calculating the PE Image Hash").  Pure; every
 * offset is checked against the length.
 */
#ifndef EVIDENCE_PE_H
#define EVIDENCE_PE_H

#include <stdint.h>
#include "crypto/hash.h"

#define PE_BYTES_MAX (1024u * 1024 * 1024)
#define PE_SECTIONS_MAX 96

struct pe_section {
	char name[9];               /* of 8 bytes, with a NUL */
	uint32_t memory_size;       /* what is in memory at run time */
	uint32_t offset, size;      /* of its bytes in the file */
};

struct pe {
	const unsigned char *data;  /* borrowed */
	size_t len;
	size_t checksum;            /* offsets of what the hash leaves out */
	size_t signature_entry;     /* 0: the header has no such entry */
	size_t signature_size;
	size_t headers_size;
	struct pe_section sections[PE_SECTIONS_MAX]; /* in the file's order of bytes */
	size_t count;
};

/* data is borrowed as long as ret is used.  ERR_UNSUPPORTED: another machine or PE32;
 * ERR_FORMAT: no PE file, or one whose parts overlap or lie outside. */
int pe_decode(const void *data, size_t len, struct pe *ret, struct err *e) MUST_CHECK;
/* The digest that firmware measures and signatures are over. */
int pe_authenticode(const struct pe *p, enum hash_alg alg, unsigned char *ret_digest,
    struct err *e) MUST_CHECK;

#endif
