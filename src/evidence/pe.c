#include "evidence/pe.h"

#include <string.h>

#define PE_DOS_SIZE 64
#define PE_DOS_START 0x3c           /* offset of the PE header */
#define PE_HEAD_SIZE 24             /* signature and COFF header */
#define PE_MACHINE_X86_64 0x8664
#define PE_MAGIC_PLUS 0x020b
#define PE_OPTIONAL_SIZE 112        /* up to the data directories */
#define PE_OPTIONAL_HEADERS 60
#define PE_OPTIONAL_CHECKSUM 64
#define PE_OPTIONAL_DIRECTORIES 108
#define PE_DIRECTORY_SIGNATURE 4
#define PE_DIRECTORIES_MAX 16
#define PE_SECTION_SIZE 40

static uint32_t
pe_number(const unsigned char *p, size_t bytes)
{
	uint32_t n = 0;

	for (size_t i = bytes; i > 0; i--)
		n = n << 8 | p[i - 1];
	return n;
}

/* The optional header: *ret_at is its offset, *ret_size its size. */
static int
pe_decode_head(const struct pe *p, size_t *ret_at, size_t *ret_size, size_t *ret_count,
    struct err *e)
{
	const unsigned char *coff;
	size_t start;

	if (p->len < PE_DOS_SIZE || memcmp(p->data, "MZ", 2) != 0)
		return err_set(e, ERR_FORMAT, "PE: does not begin as a PE file");
	start = pe_number(p->data + PE_DOS_START, 4);
	if (start > p->len || p->len - start < PE_HEAD_SIZE + PE_OPTIONAL_SIZE ||
	    memcmp(p->data + start, "PE\0", 4) != 0)
		return err_set(e, ERR_FORMAT, "PE: no header at byte offset %zu", start);
	coff = p->data + start + 4;
	if (pe_number(coff, 2) != PE_MACHINE_X86_64)
		return err_set(e, ERR_UNSUPPORTED, "PE: for machine 0x%04lx, not x86-64",
		    (unsigned long)pe_number(coff, 2));
	*ret_at = start + PE_HEAD_SIZE;
	*ret_count = pe_number(coff + 2, 2);
	*ret_size = pe_number(coff + 16, 2);
	if (*ret_size < PE_OPTIONAL_SIZE || *ret_size > p->len - *ret_at)
		return err_set(e, ERR_FORMAT, "PE: an optional header of %zu bytes", *ret_size);
	return 0;
}

/* Signatures are the last bytes of the file: their size alone decides what is hashed. */
static int
pe_decode_signature(struct pe *p, size_t at, size_t size, struct err *e)
{
	size_t n = pe_number(p->data + at + PE_OPTIONAL_DIRECTORIES, 4), offset;

	if (n > PE_DIRECTORIES_MAX || PE_OPTIONAL_SIZE + 8 * n > size)
		return err_set(e, ERR_FORMAT, "PE: %zu data directories", n);
	if (n <= PE_DIRECTORY_SIGNATURE)
		return 0;
	p->signature_entry = at + PE_OPTIONAL_SIZE + 8 * PE_DIRECTORY_SIGNATURE;
	offset = pe_number(p->data + p->signature_entry, 4);
	p->signature_size = pe_number(p->data + p->signature_entry + 4, 4);
	if (p->signature_size == 0)
		return 0;
	if (p->signature_size > p->len || offset != p->len - p->signature_size)
		return err_set(e, ERR_FORMAT, "PE: signatures that are not the end of the file");
	return 0;
}

static int
pe_decode_optional(struct pe *p, size_t at, size_t size, struct err *e)
{
	if (pe_number(p->data + at, 2) != PE_MAGIC_PLUS)
		return err_set(e, ERR_UNSUPPORTED, "PE: not PE32+");
	p->checksum = at + PE_OPTIONAL_CHECKSUM;
	p->headers_size = pe_number(p->data + at + PE_OPTIONAL_HEADERS, 4);
	if (p->headers_size < at + size || p->headers_size > p->len)
		return err_set(e, ERR_FORMAT, "PE: headers of %zu bytes", p->headers_size);
	return pe_decode_signature(p, at, size, e);
}

/* Sorted as they lie in the file, which is how they are hashed; of equal offsets the
 * header's order stays. */
static void
pe_insert(struct pe *p, const struct pe_section *s)
{
	size_t i = p->count++;

	for (; i > 0 && p->sections[i - 1].offset > s->offset; i--)
		p->sections[i] = p->sections[i - 1];
	p->sections[i] = *s;
}

static int
pe_decode_sections(struct pe *p, size_t at, size_t n, struct err *e)
{
	size_t sum = p->headers_size;

	if (n == 0 || n > PE_SECTIONS_MAX || n * PE_SECTION_SIZE > p->headers_size ||
	    at > p->headers_size - n * PE_SECTION_SIZE)
		return err_set(e, ERR_FORMAT, "PE: a table of %zu sections", n);
	for (size_t i = 0; i < n; i++) {
		const unsigned char *h = p->data + at + i * PE_SECTION_SIZE;
		struct pe_section s = {.memory_size = pe_number(h + 8, 4), .size = pe_number(h + 16, 4),
			.offset = pe_number(h + 20, 4)};

		memcpy(s.name, h, 8);
		if (s.size > 0 && (s.offset > p->len || s.size > p->len - s.offset))
			return err_set(e, ERR_FORMAT, "PE: section %zu lies outside of the file", i);
		if (s.size > p->len - sum)
			return err_set(e, ERR_FORMAT, "PE: sections that overlap");
		sum += s.size;
		pe_insert(p, &s);
	}
	if (p->signature_size > p->len - sum)
		return err_set(e, ERR_FORMAT, "PE: signatures that overlap with sections");
	return 0;
}

int
pe_decode(const void *data, size_t len, struct pe *ret, struct err *e)
{
	struct pe p = {.data = data, .len = len};
	size_t at = 0, size = 0, sections = 0;

	if (len > PE_BYTES_MAX)
		return err_set(e, ERR_LIMIT, "PE: %zu bytes, more than %u", len, PE_BYTES_MAX);
	if (pe_decode_head(&p, &at, &size, &sections, e) != 0 ||
	    pe_decode_optional(&p, at, size, e) != 0 ||
	    pe_decode_sections(&p, at + size, sections, e) != 0)
		return -1;
	*ret = p;
	return 0;
}

/* Everything but checksum and the entry of the signatures. */
static int
pe_hash_headers(const struct pe *p, struct hash *h, struct err *e)
{
	size_t after = p->checksum + 4, entry = p->signature_entry;

	if (hash_update(h, p->data, p->checksum, e) != 0)
		return -1;
	if (entry != 0) {
		if (hash_update(h, p->data + after, entry - after, e) != 0)
			return -1;
		after = entry + 8;
	}
	return hash_update(h, p->data + after, p->headers_size - after, e);
}

int
pe_authenticode(const struct pe *p, enum hash_alg alg, unsigned char *ret_digest, struct err *e)
{
	CLEANUP(hash_freep) struct hash *h = NULL;
	size_t sum = p->headers_size;

	if (hash_new(alg, &h, e) != 0 || pe_hash_headers(p, h, e) != 0)
		return -1;
	for (size_t i = 0; i < p->count; i++) {
		const struct pe_section *s = &p->sections[i];

		if (s->size > 0 && hash_update(h, p->data + s->offset, s->size, e) != 0)
			return -1;
		sum += s->size;
	}
	/* firmware counts bytes instead of looking where the last section ends */
	if (p->len - p->signature_size > sum &&
	    hash_update(h, p->data + sum, p->len - p->signature_size - sum, e) != 0)
		return -1;
	return hash_final(h, ret_digest, e);
}
