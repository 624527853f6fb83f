#include "evidence/boot-log.h"

#include <string.h>
#include "unit.h"

static const uint16_t boot_log_algs[] = {
	[HASH_SHA1] = 0x04, [HASH_SHA256] = 0x0b, [HASH_SHA384] = 0x0c, [HASH_SHA512] = 0x0d,
	[HASH_SM3] = 0x12,
};

void
boot_log_number(struct buf *ret, uint64_t n, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		buf_addc(ret, (int)(n >> (8 * i) & 0xff));
}

static void
boot_log_clear(struct boot_log *b)
{
	memset(b, 0, sizeof *b);
	for (size_t i = 0; i < EVENT_LOG_BANKS_MAX; i++) {
		for (size_t pcr = 17; pcr <= 22; pcr++)
			memset(b->pcrs[i][pcr], 0xff, HASH_SIZE_MAX);
	}
}

void
boot_log_new_sha1(struct boot_log *b)
{
	boot_log_clear(b);
	b->banks[0] = HASH_SHA1;
	b->bank_count = 1;
}

void
boot_log_new(struct boot_log *b, const enum hash_alg *banks, size_t n)
{
	static const unsigned char zero[20];

	boot_log_clear(b);
	b->agile = true;
	b->bank_count = n;
	boot_log_number(&b->bytes, 0, 4);
	boot_log_number(&b->bytes, EVENT_LOG_NO_ACTION, 4);
	buf_add(&b->bytes, zero, sizeof zero);
	boot_log_number(&b->bytes, 16 + 8 + 4 + 4 * n + 1 + 2, 4);
	buf_add(&b->bytes, "Spec ID Event03", 16);
	boot_log_number(&b->bytes, 0, 4);        /* platformClass */
	boot_log_number(&b->bytes, 0x02000200, 4); /* 2.00, errata 0, uintnSize 2 */
	boot_log_number(&b->bytes, n, 4);
	for (size_t i = 0; i < n; i++) {
		b->banks[i] = banks[i];
		boot_log_number(&b->bytes, boot_log_algs[banks[i]], 2);
		boot_log_number(&b->bytes, hash_size(banks[i]), 2);
	}
	boot_log_number(&b->bytes, 2, 1);
	buf_adds(&b->bytes, "vi");
}

void
boot_log_free(struct boot_log *b)
{
	buf_free(&b->bytes);
}

static void
boot_log_extend(struct boot_log *b, size_t i, uint32_t pcr, const unsigned char *digest)
{
	unsigned char joined[2 * HASH_SIZE_MAX];
	size_t size = hash_size(b->banks[i]);
	struct err e;

	memcpy(joined, b->pcrs[i][pcr], size);
	memcpy(joined + size, digest, size);
	UNIT_OK(hash_once(b->banks[i], joined, 2 * size, b->pcrs[i][pcr], &e), &e);
}

void
boot_log_digests(struct boot_log *b, uint32_t pcr, uint32_t type,
    unsigned char (*digests)[HASH_SIZE_MAX], const void *payload, size_t payload_len)
{
	b->offset = b->bytes.len;
	boot_log_number(&b->bytes, pcr, 4);
	boot_log_number(&b->bytes, type, 4);
	if (b->agile)
		boot_log_number(&b->bytes, b->bank_count, 4);
	for (size_t i = 0; i < b->bank_count; i++) {
		if (type != EVENT_LOG_NO_ACTION)
			boot_log_extend(b, i, pcr, digests[i]);
		if (b->agile)
			boot_log_number(&b->bytes, boot_log_algs[b->banks[i]], 2);
		buf_add(&b->bytes, digests[i], hash_size(b->banks[i]));
	}
	boot_log_number(&b->bytes, payload_len, 4);
	buf_add(&b->bytes, payload, payload_len);
}

void
boot_log_add(struct boot_log *b, uint32_t pcr, uint32_t type, const void *hashed,
    size_t hashed_len, const void *payload, size_t payload_len)
{
	unsigned char digests[EVENT_LOG_BANKS_MAX][HASH_SIZE_MAX] = {{0}};
	struct err e;

	for (size_t i = 0; i < b->bank_count && type != EVENT_LOG_NO_ACTION; i++)
		UNIT_OK(hash_once(b->banks[i], hashed, hashed_len, digests[i], &e), &e);
	boot_log_digests(b, pcr, type, digests, payload, payload_len);
}

void
boot_log_text(struct boot_log *b, uint32_t pcr, uint32_t type, const char *text)
{
	boot_log_add(b, pcr, type, text, strlen(text), text, strlen(text));
}

void
boot_log_separator(struct boot_log *b, uint32_t pcr)
{
	boot_log_add(b, pcr, EVENT_LOG_SEPARATOR, "\0\0\0", 4, "\0\0\0", 4);
}

void
boot_log_variable(struct boot_log *b, uint32_t pcr, uint32_t type, const char *name,
    const char *data, bool whole)
{
	CLEANUP(buf_free) struct buf v = BUF_INIT;

	buf_adds(&v, "0123456789abcdef"); /* the GUID */
	boot_log_number(&v, strlen(name), 8);
	boot_log_number(&v, strlen(data), 8);
	for (size_t i = 0; i < strlen(name); i++)
		boot_log_number(&v, (unsigned char)name[i], 2);
	buf_adds(&v, data);
	boot_log_add(b, pcr, type, whole ? (const void *)v.data : data,
	    whole ? v.len : strlen(data), v.data, v.len);
}

void
boot_log_startup(struct boot_log *b, unsigned locality)
{
	unsigned char payload[17] = "StartupLocality";

	payload[16] = (unsigned char)locality;
	boot_log_add(b, 0, EVENT_LOG_NO_ACTION, "", 0, payload, sizeof payload);
	for (size_t i = 0; i < b->bank_count; i++)
		b->pcrs[i][0][hash_size(b->banks[i]) - 1] = (unsigned char)locality;
}

void
boot_log_typical(struct boot_log *b)
{
	boot_log_add(b, 0, 0x8, "\0", 2, "\0", 2);
	boot_log_add(b, 0, 0x80000008, "firmware volume", 15, "base and length", 15);
	boot_log_variable(b, 7, 0x80000001, "SecureBoot", "1", true);
	boot_log_variable(b, 1, 0x80000002, "BootOrder", "order", false);
	for (uint32_t pcr = 0; pcr < 8; pcr++) {
		if (pcr == 4)
			boot_log_text(b, 4, 0x80000007, "Calling EFI Application from Boot Option");
		boot_log_separator(b, pcr);
	}
	boot_log_add(b, 4, 0x80000003, "UKI", 3, "path", 4);
	boot_log_add(b, 11, 0xd, ".linux", 7, "l", 1);
	boot_log_add(b, 9, 0x6, "initrd", 6, "tag", 3);
	boot_log_text(b, 5, 0x80000007, "Exit Boot Services Invocation");
	boot_log_text(b, 5, 0x80000007, "Exit Boot Services Returned with Success");
}

unsigned char *
boot_log_values(const struct boot_log *b, size_t bank)
{
	size_t size = hash_size(b->banks[bank]);
	unsigned char *all = malloc(EVENT_LOG_PCRS * size);

	ck_assert_ptr_nonnull(all);
	for (size_t pcr = 0; pcr < EVENT_LOG_PCRS; pcr++)
		memcpy(all + pcr * size, b->pcrs[bank][pcr], size);
	return all;
}
