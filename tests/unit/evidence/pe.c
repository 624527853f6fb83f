#include "evidence/pe.h"

#include <string.h>
#include "evidence/pe-forge.h"
#include "unit.h"

static struct pe_forge f;

static void
made(void)
{
	f = (struct pe_forge){.trailing = "symbols", .signature = "a signature!"};
	pe_forge_section(&f, ".text", "code", 4);
	pe_forge_section(&f, ".data", "more than that", 14);
	pe_forge_make(&f);
}

/* What is hashed, put together by hand. */
static void
expected(const struct buf *b, size_t signature, unsigned char digest[32])
{
	CLEANUP(buf_free) struct buf hashed = BUF_INIT;
	struct err e;

	buf_add(&hashed, b->data, PE_FORGE_CHECKSUM);
	buf_add(&hashed, b->data + PE_FORGE_CHECKSUM + 4, PE_FORGE_SIGNATURE - PE_FORGE_CHECKSUM - 4);
	buf_add(&hashed, b->data + PE_FORGE_SIGNATURE + 8, b->len - signature - PE_FORGE_SIGNATURE - 8);
	UNIT_OK(hash_once(HASH_SHA256, hashed.data, hashed.len, digest, &e), &e);
}

static void
digest_of(const struct buf *b, unsigned char digest[32])
{
	struct pe p;
	struct err e;

	UNIT_OK(pe_decode(b->data, b->len, &p, &e), &e);
	UNIT_OK(pe_authenticode(&p, HASH_SHA256, digest, &e), &e);
}

START_TEST(authenticode)
{
	unsigned char got[32], want[32], unsigned_one[32];

	made();
	digest_of(&f.bytes, got);
	expected(&f.bytes, strlen(f.signature), want);
	ck_assert_mem_eq(got, want, 32);
	/* neither checksum nor signatures count */
	f.signature = NULL;
	pe_forge_make(&f);
	pe_forge_u32(f.bytes.data + PE_FORGE_CHECKSUM, 0);
	digest_of(&f.bytes, unsigned_one);
	ck_assert_mem_eq(got, unsigned_one, 32);
	/* anything else does */
	for (size_t i = 0; i < f.bytes.len; i++) {
		struct pe p;
		bool outside = (i >= PE_FORGE_CHECKSUM && i < PE_FORGE_CHECKSUM + 4) ||
		    (i >= PE_FORGE_SIGNATURE && i < PE_FORGE_SIGNATURE + 8);

		f.bytes.data[i] ^= 1;
		if (!outside && pe_decode(f.bytes.data, f.bytes.len, &p, NULL) == 0) {
			ck_assert_int_eq(pe_authenticode(&p, HASH_SHA256, want, NULL), 0);
			ck_assert_msg(memcmp(got, want, 32) != 0, "byte %zu does not count", i);
		}
		f.bytes.data[i] ^= 1;
	}
	pe_forge_free(&f);
}
END_TEST

/* Firmware hashes sections by their place in the file, the table may have another order. */
START_TEST(order_of_bytes)
{
	unsigned char want[32], got[32], entry[40], *table;

	made();
	table = f.bytes.data + PE_FORGE_TABLE;
	memcpy(entry, table, 40);
	memcpy(table, table + 40, 40);
	memcpy(table + 40, entry, 40);
	digest_of(&f.bytes, got);
	expected(&f.bytes, strlen(f.signature), want);
	ck_assert_mem_eq(got, want, 32);
	pe_forge_free(&f);
}
END_TEST

static void
refused(size_t at, uint32_t v, enum err_code code)
{
	CLEANUP(buf_free) struct buf copy = BUF_INIT;
	struct pe p;
	struct err e;

	buf_add(&copy, f.bytes.data, f.bytes.len);
	pe_forge_u32(copy.data + at, v);
	UNIT_FAILS(pe_decode(copy.data, copy.len, &p, &e), &e, code);
}

START_TEST(wrong)
{
	uint32_t len, end;

	made();
	len = (uint32_t)f.bytes.len;
	end = len - (uint32_t)strlen(f.signature);
	refused(0, 0, ERR_FORMAT);
	refused(0x3c, len, ERR_FORMAT);
	refused(0x3c, len - 100, ERR_FORMAT);
	refused(0x3c, 0xffffffff, ERR_FORMAT);
	refused(64, 0, ERR_FORMAT);
	refused(68, 0x014c | 2 << 16, ERR_UNSUPPORTED);
	refused(68, 0x8664, ERR_FORMAT);                        /* no sections */
	refused(68, 0x8664 | 97u << 16, ERR_FORMAT);
	refused(84, 100, ERR_FORMAT);                           /* SizeOfOptionalHeader */
	refused(84, 0xffff, ERR_FORMAT);
	refused(PE_FORGE_OPTIONAL, 0x010b, ERR_UNSUPPORTED);
	refused(PE_FORGE_OPTIONAL + 60, 100, ERR_FORMAT);       /* SizeOfHeaders */
	refused(PE_FORGE_OPTIONAL + 60, PE_FORGE_TABLE + 79, ERR_FORMAT);
	refused(PE_FORGE_OPTIONAL + 60, len + 1, ERR_FORMAT);
	refused(PE_FORGE_OPTIONAL + 108, 17, ERR_FORMAT);
	refused(PE_FORGE_SIGNATURE, end - 1, ERR_FORMAT);
	refused(PE_FORGE_SIGNATURE + 4, len + 1, ERR_FORMAT);
	refused(PE_FORGE_SIGNATURE + 4, 1, ERR_FORMAT);
	refused(PE_FORGE_TABLE + 16, len, ERR_FORMAT);          /* SizeOfRawData */
	refused(PE_FORGE_TABLE + 16, 0xffffffff, ERR_FORMAT);
	refused(PE_FORGE_TABLE + 20, len, ERR_FORMAT);          /* PointerToRawData */
	refused(PE_FORGE_TABLE + 20, 0xffffffff, ERR_FORMAT);
	pe_forge_free(&f);
}
END_TEST

START_TEST(cut_short)
{
	struct pe p;

	made();
	for (size_t n = 0; n < f.bytes.len; n++)
		ck_assert_int_ne(pe_decode(f.bytes.data, n, &p, NULL), 0);
	pe_forge_free(&f);
}
END_TEST

/* Sections that lie on one another are hashed twice by firmware: as long as they fit. */
START_TEST(overlap)
{
	struct pe p;
	struct err e;

	made();
	pe_forge_u32(f.bytes.data + PE_FORGE_TABLE + 20, PE_FORGE_HEADERS);
	pe_forge_u32(f.bytes.data + PE_FORGE_TABLE + 60, PE_FORGE_HEADERS);
	pe_forge_u32(f.bytes.data + PE_FORGE_TABLE + 16, 1000);
	pe_forge_u32(f.bytes.data + PE_FORGE_TABLE + 56, 1000);
	UNIT_FAILS(pe_decode(f.bytes.data, f.bytes.len, &p, &e), &e, ERR_FORMAT);
	pe_forge_free(&f);
}
END_TEST

UNIT_SUITE(pe)
{
	tcase_add_test(tc, authenticode);
	tcase_add_test(tc, order_of_bytes);
	tcase_add_test(tc, wrong);
	tcase_add_test(tc, cut_short);
	tcase_add_test(tc, overlap);
}
