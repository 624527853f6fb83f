#include "unit.h"

#include <string.h>
#include "base/hex.h"
#include "codec/base64.h"
#include "corpus.h"
#include "evidence/boot-log.h"

static const enum hash_alg both[] = {HASH_SHA256, HASH_SHA384};
static const enum hash_alg every[] = {HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512, HASH_SM3};

static void
decoded(const struct boot_log *b, struct event_log *ret)
{
	struct err e;

	UNIT_OK(event_log_decode(b->bytes.data, b->bytes.len, ret, &e), &e);
}

/* Fails with this code and this text; frees b. */
static void
refused(struct boot_log *b, enum err_code code, const char *text)
{
	struct event_log l = {.count = 77};
	struct err e;

	UNIT_FAILS(event_log_decode(b->bytes.data, b->bytes.len, &l, &e), &e, code);
	ck_assert_msg(strstr(e.msg, text) != NULL, "%s lacks %s", e.msg, text);
	ck_assert_uint_eq(l.count, 77);
	boot_log_free(b);
}

/* Every bank replays to what the TPM has. */
static void
replays(const struct boot_log *b, const struct event_log *l)
{
	struct event_log_pcrs p;
	struct err e;

	ck_assert_uint_eq(l->bank_count, b->bank_count);
	for (size_t i = 0; i < b->bank_count; i++) {
		UNIT_OK(event_log_replay(l, i, &p, &e), &e);
		for (size_t pcr = 0; pcr < EVENT_LOG_PCRS; pcr++)
			ck_assert_mem_eq(p.value[pcr], b->pcrs[i][pcr], hash_size(b->banks[i]));
	}
}

static enum event_log_match
match(const struct event_log *l, size_t k)
{
	enum event_log_match m;
	struct err e;

	UNIT_OK(event_log_matches(l, &l->events[k], &m, &e), &e);
	return m;
}

START_TEST(event_log_reads_every_bank)
{
	struct boot_log b;
	struct event_log l;
	struct event_log_pcrs p;
	char name[EVENT_LOG_NAME_SIZE];
	struct err e;

	boot_log_new(&b, every, 5);
	boot_log_typical(&b);
	decoded(&b, &l);
	ck_assert_int_eq(l.format, EVENT_LOG_CRYPTO_AGILE);
	ck_assert_uint_eq(l.count, 18);
	ck_assert_uint_eq(l.trailing, 0);
	ck_assert(!l.has_locality);
	replays(&b, &l);
	UNIT_OK(event_log_replay(&l, 1, &p, &e), &e);
	ck_assert_uint_eq(p.extended, 0xff | 1 << 9 | 1 << 11);
	event_log_bank_name(&l.banks[4], name);
	ck_assert_str_eq(name, "sm3");
	UNIT_FAILS(event_log_replay(&l, 5, &p, &e), &e, ERR_UNSUPPORTED);
	event_log_free(&l);
	boot_log_free(&b);
}
END_TEST

START_TEST(event_log_reads_sha1)
{
	struct boot_log b;
	struct event_log l;

	boot_log_new_sha1(&b);
	boot_log_startup(&b, 3);
	boot_log_typical(&b);
	decoded(&b, &l);
	ck_assert_int_eq(l.format, EVENT_LOG_SHA1);
	ck_assert_uint_eq(l.count, 19);
	ck_assert_uint_eq(l.locality, 3);
	replays(&b, &l);
	event_log_free(&l);
	boot_log_free(&b);
}
END_TEST

START_TEST(event_log_locality)
{
	static const unsigned localities[] = {0, 3, 4};
	struct boot_log b;
	struct event_log l;

	boot_log_new(&b, both, 2);
	boot_log_startup(&b, localities[_i]);
	boot_log_typical(&b);
	decoded(&b, &l);
	ck_assert(l.has_locality);
	ck_assert_uint_eq(l.locality, localities[_i]);
	replays(&b, &l);
	event_log_free(&l);
	boot_log_free(&b);
}
END_TEST

START_TEST(event_log_bad_localities)
{
	struct boot_log b;

	boot_log_new(&b, both, 2);
	boot_log_startup(&b, 2);
	refused(&b, ERR_FORMAT, "byte offset 71 is a StartupLocality of 2");
	boot_log_new(&b, both, 2);
	boot_log_startup(&b, 3);
	boot_log_startup(&b, 3); /* said again */
	boot_log_startup(&b, 0);
	refused(&b, ERR_FORMAT, "second StartupLocality");
	boot_log_new(&b, both, 2);
	boot_log_add(&b, 1, EVENT_LOG_NO_ACTION, "", 0, "StartupLocality\0\3", 17);
	refused(&b, ERR_FORMAT, "StartupLocality for PCR 1");
	boot_log_new(&b, both, 2);
	boot_log_add(&b, 0, EVENT_LOG_NO_ACTION, "", 0, "StartupLocality", 16);
	refused(&b, ERR_FORMAT, "with 16 bytes");
}
END_TEST

/* PCR 0 after an H-CRTM starts from 4, if that event comes first. */
START_TEST(event_log_hcrtm)
{
	struct boot_log b;
	struct event_log l;

	boot_log_new(&b, both, 2);
	for (size_t i = 0; i < 2; i++)
		b.pcrs[i][0][hash_size(both[i]) - 1] = 4;
	boot_log_add(&b, 0, EVENT_LOG_NO_ACTION, "", 0, "SP800-155 Event3 and so on", 26);
	boot_log_add(&b, 0, EVENT_LOG_EFI_HCRTM, "contents", 8, "HCRTM", 5);
	boot_log_typical(&b);
	decoded(&b, &l);
	ck_assert_uint_eq(l.locality, 4);
	ck_assert(!l.has_locality);
	replays(&b, &l);
	ck_assert_int_eq(match(&l, 1), EVENT_LOG_UNKNOWN);
	event_log_free(&l);
	boot_log_free(&b);

	boot_log_new(&b, both, 2);
	boot_log_separator(&b, 0);
	boot_log_add(&b, 0, EVENT_LOG_EFI_HCRTM, "contents", 8, "HCRTM", 5);
	decoded(&b, &l);
	ck_assert_uint_eq(l.locality, 0);
	replays(&b, &l);
	event_log_free(&l);
	boot_log_free(&b);
}
END_TEST

START_TEST(event_log_no_action_is_not_extended)
{
	struct boot_log b;
	struct event_log l;
	struct event_log_pcrs p;
	struct err e;

	boot_log_new(&b, both, 2);
	boot_log_add(&b, 0, EVENT_LOG_NO_ACTION, "", 0, "SP800-155 Event", 16);
	boot_log_add(&b, 0xffffffff, EVENT_LOG_NO_ACTION, "", 0, "trust point", 11);
	decoded(&b, &l);
	UNIT_OK(event_log_replay(&l, 0, &p, &e), &e);
	ck_assert_uint_eq(p.extended, 0);
	replays(&b, &l);
	event_log_free(&l);
	boot_log_free(&b);
}
END_TEST

START_TEST(event_log_ends_at_a_marker)
{
	static const unsigned char ones[40] = {[0 ... 39] = 0xff}, zeros[40];
	const unsigned char *fill = _i == 0 ? ones : zeros;
	struct boot_log b;
	struct event_log l;
	size_t end;

	boot_log_new(&b, both, 2);
	boot_log_typical(&b);
	end = b.bytes.len;
	buf_add(&b.bytes, fill, 40);
	decoded(&b, &l);
	ck_assert_uint_eq(l.end, end);
	ck_assert_uint_eq(l.trailing, 40);
	ck_assert(l.padding);
	replays(&b, &l);
	event_log_free(&l);
	buf_adds(&b.bytes, "more");
	decoded(&b, &l);
	ck_assert_uint_eq(l.trailing, 44);
	ck_assert(!l.padding);
	event_log_free(&l);
	/* fewer bytes are the beginning of an event */
	b.bytes.len = end + 7;
	refused(&b, ERR_FORMAT, "cut short");
}
END_TEST

START_TEST(event_log_malformed)
{
	struct boot_log b = {0};
	static const enum hash_alg twice[] = {HASH_SHA256, HASH_SHA256};
	char offset[64];

	refused(&b, ERR_FORMAT, "empty (byte offset 0)");
	boot_log_new(&b, twice, 2);
	refused(&b, ERR_FORMAT, "byte offset 0 names algorithm 0x000b twice");
	boot_log_new(&b, both, 0);
	refused(&b, ERR_FORMAT, "names 0 algorithms");
	boot_log_new(&b, both, 2);
	b.bytes.data[32 + 24] = 200;
	refused(&b, ERR_FORMAT, "names 200 algorithms");
	boot_log_new(&b, both, 2);
	b.bytes.data[32 + 30] = 20; /* SHA-256 of 20 bytes */
	refused(&b, ERR_FORMAT, "digests of 20 bytes for algorithm 0x000b");
	boot_log_new(&b, both, 2);
	b.bytes.data[32 + 36] = 1;
	refused(&b, ERR_FORMAT, "1 bytes after its vendor information");
	boot_log_new(&b, both, 2);
	b.bytes.data[32 + 36] = 3;
	refused(&b, ERR_FORMAT, "cut short");
	boot_log_new(&b, both, 2);
	boot_log_separator(&b, 0);
	boot_log_separator(&b, 24);
	snprintf(offset, sizeof offset, "byte offset %zu is for PCR 24", b.offset);
	refused(&b, ERR_FORMAT, offset);
	boot_log_new(&b, both, 2);
	boot_log_separator(&b, 0);
	b.bytes.data[b.offset + 8] = 3;
	refused(&b, ERR_FORMAT, "has 3 digests");
	boot_log_new(&b, both, 2);
	boot_log_separator(&b, 1);
	b.bytes.data[b.offset + 8] = 0;
	refused(&b, ERR_FORMAT, "has 0 digests");
	boot_log_new(&b, both, 2);
	boot_log_separator(&b, 0);
	b.bytes.data[b.offset + 12] = 0x0d;
	refused(&b, ERR_FORMAT, "algorithm 0x000d, which the log's head lacks");
	boot_log_new(&b, both, 2);
	boot_log_separator(&b, 0);
	b.bytes.data[b.offset + 12 + 34] = 0x0b;
	refused(&b, ERR_FORMAT, "two digests of algorithm 0x000b");
}
END_TEST

START_TEST(event_log_limits)
{
	unsigned char *large = calloc(1, EVENT_LOG_BYTES_MAX + 1);
	struct event_log l;
	struct boot_log b;
	struct err e;

	UNIT_FAILS(event_log_decode(large, EVENT_LOG_BYTES_MAX + 1, &l, &e), &e, ERR_LIMIT);
	free(large);
	boot_log_new_sha1(&b);
	for (size_t i = 0; i <= EVENT_LOG_EVENTS_MAX; i++)
		boot_log_separator(&b, 1);
	refused(&b, ERR_FORMAT, "one too many");
}
END_TEST

START_TEST(event_log_ccel)
{
	static const enum hash_alg sha384[] = {HASH_SHA384};
	struct boot_log b = {0};
	struct event_log l;

	buf_adds(&b.bytes, "CCEL table of ACPI, 56 bytes in reality");
	refused(&b, ERR_UNSUPPORTED, "not a TPM log");
	boot_log_new(&b, sha384, 1);
	b.bytes.data[0] = 1;
	refused(&b, ERR_UNSUPPORTED, "not a TPM log");
	/* its head changed to PCR 0 */
	boot_log_new(&b, sha384, 1);
	boot_log_separator(&b, 1);
	boot_log_separator(&b, 4);
	refused(&b, ERR_UNSUPPORTED, "not a TPM log");
	/* SHA-384 alone is no fault of a TPM */
	boot_log_new(&b, sha384, 1);
	boot_log_typical(&b);
	decoded(&b, &l);
	event_log_free(&l);
	boot_log_free(&b);
}
END_TEST

START_TEST(event_log_digest_of_payload)
{
	struct boot_log b;
	struct event_log l;

	boot_log_new(&b, both, 2);
	boot_log_typical(&b);
	boot_log_add(&b, 4, 0x80000007, "true", 4, "told", 4);
	boot_log_add(&b, 4, EVENT_LOG_SEPARATOR, "\1\0\0", 4, "error 7", 7);
	boot_log_add(&b, 4, EVENT_LOG_SEPARATOR, "\0\0\0", 4, "\1\0\0", 4);
	boot_log_add(&b, 4, 0xd, "kernel", 6, "kernel", 6);
	boot_log_variable(&b, 7, 0x800000e0, "db", "certificate", true);
	boot_log_variable(&b, 7, 0x800000e0, "db", "certificate", false);
	boot_log_variable(&b, 7, 0x80000001, "db", "certificate", false);
	boot_log_add(&b, 7, 0x800000e0, "x", 1, "not a variable", 14);
	boot_log_add(&b, 7, EVENT_LOG_SEPARATOR, "\1\0\0", 4, "\0\0\0", 4);
	decoded(&b, &l);
	ck_assert_int_eq(match(&l, 0), EVENT_LOG_MATCHES);  /* version */
	ck_assert_int_eq(match(&l, 1), EVENT_LOG_UNKNOWN);  /* firmware blob */
	ck_assert_int_eq(match(&l, 2), EVENT_LOG_MATCHES);  /* SecureBoot */
	ck_assert_int_eq(match(&l, 3), EVENT_LOG_MATCHES);  /* BootOrder, its data */
	ck_assert_int_eq(match(&l, 4), EVENT_LOG_MATCHES);  /* separator */
	ck_assert_int_eq(match(&l, 14), EVENT_LOG_UNKNOWN); /* IPL */
	ck_assert_int_eq(match(&l, 18), EVENT_LOG_DIFFERS);
	ck_assert_int_eq(match(&l, 19), EVENT_LOG_UNKNOWN);
	ck_assert_int_eq(match(&l, 20), EVENT_LOG_DIFFERS);
	ck_assert_int_eq(match(&l, 21), EVENT_LOG_MATCHES);
	ck_assert_int_eq(match(&l, 22), EVENT_LOG_MATCHES);
	ck_assert_int_eq(match(&l, 23), EVENT_LOG_DIFFERS);
	ck_assert_int_eq(match(&l, 24), EVENT_LOG_DIFFERS);
	ck_assert_int_eq(match(&l, 25), EVENT_LOG_UNKNOWN);
	ck_assert_int_eq(match(&l, 26), EVENT_LOG_DIFFERS); /* an error, told as none */
	event_log_free(&l);
	boot_log_free(&b);
}
END_TEST

/* What GRUB logs of the words it measured, in all the forms it did; and other words. */
START_TEST(event_log_words_of_a_boot_loader)
{
	static const struct { const char *hashed; size_t n; const char *logged; size_t len;
	    enum event_log_match is; } cases[] = {
		{"linux /vmlinuz", 14, "grub_cmd: linux /vmlinuz", 25, EVENT_LOG_MATCHES},
		{"linux /vmlinuz", 14, "grub_cmd: linux /vmlinuz", 24, EVENT_LOG_MATCHES},
		{"linux /vmlinuz", 15, "grub_cmd: linux /vmlinuz", 25, EVENT_LOG_MATCHES},
		{"linux /vmlinuz", 14, "grub_cmd linux /vmlinuz", 24, EVENT_LOG_MATCHES},
		{"root=/dev/sda", 13, "kernel_cmdline: root=/dev/sda", 30, EVENT_LOG_MATCHES},
		{"a b", 3, "module_cmdline: a b", 20, EVENT_LOG_MATCHES},
		{"MokList", 7, "MokList", 8, EVENT_LOG_MATCHES},
		{"the file", 8, "/boot/grub/grub.cfg", 20, EVENT_LOG_UNKNOWN},
		{"init=/bin/evil", 14, "kernel_cmdline: root=/dev/sda", 30, EVENT_LOG_DIFFERS},
		{"linux /vmlinuz", 14, "grub_cmd: linux /vmlinuy", 25, EVENT_LOG_DIFFERS},
		{"x", 1, "grub_cmd:", 10, EVENT_LOG_UNKNOWN},
		{"x", 1, "grub_cmd", 8, EVENT_LOG_UNKNOWN},
		{"x", 1, "", 0, EVENT_LOG_UNKNOWN},
		{"x", 1, "", 1, EVENT_LOG_UNKNOWN},
	};
	struct boot_log b;
	struct event_log l;

	boot_log_new(&b, both, 2);
	boot_log_add(&b, 8, 0xd, cases[_i].hashed, cases[_i].n, cases[_i].logged, cases[_i].len);
	decoded(&b, &l);
	ck_assert_int_eq(match(&l, 0), cases[_i].is);
	event_log_free(&l);
	boot_log_free(&b);
}
END_TEST

/* One bank that lies is enough. */
START_TEST(event_log_digest_of_one_bank)
{
	struct boot_log b;
	struct event_log l;

	boot_log_new(&b, both, 2);
	boot_log_text(&b, 4, 0x80000007, "action");
	b.bytes.data[b.offset + 14 + (size_t)_i * 34] ^= 1;
	decoded(&b, &l);
	ck_assert_int_eq(match(&l, 0), EVENT_LOG_DIFFERS);
	event_log_free(&l);
	boot_log_free(&b);
}
END_TEST

START_TEST(event_log_texts)
{
	char text[EVENT_LOG_TEXT_MAX], name[EVENT_LOG_NAME_SIZE];
	struct boot_log b;
	struct event_log l;
	uint32_t type;

	boot_log_new(&b, both, 2);
	boot_log_text(&b, 4, 0x80000007, "an action");
	boot_log_add(&b, 0, 0x8, "", 0, "2\0.\0000\0\0", 8);
	boot_log_variable(&b, 7, 0x80000001, "SecureBoot", "1", true);
	boot_log_text(&b, 4, 0x12345678, "\033[2J");
	decoded(&b, &l);
	event_log_text(&l.events[0], text);
	ck_assert_str_eq(text, "an action");
	event_log_text(&l.events[1], text);
	ck_assert_str_eq(text, "2.0");
	event_log_text(&l.events[2], text);
	ck_assert_str_eq(text, "SecureBoot");
	event_log_text(&l.events[3], text);
	ck_assert_str_eq(text, "");
	event_log_type_name(l.events[3].type, name);
	ck_assert_str_eq(name, "0x12345678");
	ck_assert(event_log_type_parse(name, &type));
	ck_assert_uint_eq(type, 0x12345678);
	ck_assert(event_log_type_parse("EV_SEPARATOR", &type));
	ck_assert_uint_eq(type, 4);
	ck_assert(!event_log_type_parse("0x00000004", &type)); /* has a name */
	ck_assert(!event_log_type_parse("0x12", &type));
	ck_assert(!event_log_type_parse("", &type));
	event_log_free(&l);
	boot_log_free(&b);
}
END_TEST

static void
compares_bank(const struct boot_log *b, const struct boot_log *tpm, size_t i, bool ok, const char *text)
{
	CLEANUP(cleanup_free) unsigned char *values = boot_log_values(tpm, i);
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct event_log l;
	struct err e;
	bool got;

	decoded(b, &l);
	UNIT_OK(event_log_compare(&l, both[i], values, 0xffffff, &got, &reason, &e), &e);
	ck_assert_msg(got == ok, "%s", buf_str(&reason));
	ck_assert_msg(strstr(buf_str(&reason), text) != NULL, "%s lacks %s", buf_str(&reason), text);
	ck_assert_uint_eq(reason.len == 0, ok);
	event_log_free(&l);
}

static void
compares(const struct boot_log *b, const struct boot_log *tpm, bool ok, const char *text)
{
	for (size_t i = 0; i < 2; i++)
		compares_bank(b, tpm, i, ok, text);
}

START_TEST(event_log_compares)
{
	struct boot_log b, tpm;

	boot_log_new(&b, both, 2);
	boot_log_startup(&b, 3);
	boot_log_typical(&b);
	boot_log_text(&b, 14, 0xd, "MokList"); /* logged, so compared */
	boot_log_text(&b, 16, 0xd, "debug");   /* never */
	tpm = b;
	memset(tpm.pcrs[0][16], 9, 32);
	memset(tpm.pcrs[1][16], 9, 48);
	memset(tpm.pcrs[0][10], 9, 32);        /* IMA's: not logged */
	memset(tpm.pcrs[1][10], 9, 48);
	compares(&b, &tpm, true, "");
	for (size_t pcr = 0; pcr < 24; pcr++) {
		struct boot_log other = tpm;
		char what[32];

		if (pcr > 13 && pcr != 14)
			continue;
		if (pcr == 10)
			continue;
		other.pcrs[0][pcr][5] ^= 1;
		other.pcrs[1][pcr][5] ^= 1;
		snprintf(what, sizeof what, "PCR %zu (sha", pcr);
		compares(&b, &other, false, what);
	}
	boot_log_free(&b);
}
END_TEST

/* An event that the bank has no digest of is nobody's word, whatever another bank has of it. */
START_TEST(event_log_compares_all_events)
{
	static const char text[] = "SecureBoot";
	struct boot_log b;

	boot_log_new(&b, both, 2);
	boot_log_typical(&b);
	compares(&b, &b, true, "");
	boot_log_number(&b.bytes, (uint64_t)_i, 4);
	boot_log_number(&b.bytes, _i == 23 ? 3 : 0xd, 4); /* EV_NO_ACTION measures nothing */
	boot_log_number(&b.bytes, 1, 4);
	boot_log_number(&b.bytes, 0xc, 2); /* SHA-384 alone */
	buf_add(&b.bytes, b.pcrs[1][0], 48);
	boot_log_number(&b.bytes, sizeof text, 4);
	buf_add(&b.bytes, text, sizeof text);
	compares_bank(&b, &b, 0, _i == 23, _i == 23 ? "" : "has no sha256 digest");
	boot_log_free(&b);
}
END_TEST

static void
typical_and(struct boot_log *b, const char *extra)
{
	boot_log_new(b, both, 2);
	boot_log_typical(b);
	if (extra != NULL)
		boot_log_text(b, 4, 0x80000007, extra);
	boot_log_text(b, 4, 0x80000007, "last");
}

START_TEST(event_log_names_the_event)
{
	struct boot_log b, tpm;

	/* one more in the log */
	typical_and(&b, "inserted");
	typical_and(&tpm, NULL);
	compares(&b, &tpm, false, "event 18 (EV_EFI_ACTION inserted, byte offset");
	/* the last one did not happen */
	boot_log_free(&tpm);
	boot_log_new(&tpm, both, 2);
	boot_log_typical(&tpm);
	compares(&b, &tpm, false, "event 18 (EV_EFI_ACTION inserted");
	boot_log_free(&tpm);
	/* a digest changed, its payload not */
	typical_and(&tpm, "inserted");
	b.bytes.data[b.offset + 14 + 3] ^= 1;
	b.bytes.data[b.offset + 14 + 32 + 2 + 3] ^= 1;
	compares(&b, &tpm, false, "event 19 (EV_EFI_ACTION last");
	compares(&b, &tpm, false, "the TPM has the digest of its payload");
	boot_log_free(&b);
	/* one missing cannot be named */
	typical_and(&b, NULL);
	compares(&b, &tpm, false, "events differs or one is missing");
	boot_log_free(&b);
	/* no event at all */
	boot_log_new(&b, both, 2);
	compares(&b, &tpm, false, "PCR 0 (sha");
	compares(&b, &tpm, false, "no event for it");
	boot_log_free(&b);
	boot_log_free(&tpm);
}
END_TEST

START_TEST(event_log_compare_needs_the_bank)
{
	static const unsigned char zero[24 * 48];
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct boot_log b;
	struct event_log l;
	struct err e;
	bool ok = true;

	boot_log_new_sha1(&b);
	boot_log_typical(&b);
	decoded(&b, &l);
	UNIT_OK(event_log_compare(&l, HASH_SHA256, zero, 0xffffff, &ok, &reason, &e), &e);
	ck_assert(!ok);
	ck_assert_ptr_nonnull(strstr(buf_str(&reason), "only SHA-1"));
	ok = true;
	UNIT_OK(event_log_compare(&l, HASH_SHA1, zero, 0xffffff, &ok, &reason, &e), &e);
	ck_assert(!ok);
	event_log_free(&l);
	boot_log_free(&b);
	/* values that are not all there */
	boot_log_new(&b, both, 2);
	decoded(&b, &l);
	ok = false;
	UNIT_OK(event_log_compare(&l, HASH_SHA256, zero, 0x3bff, &ok, &reason, &e), &e);
	ck_assert(ok);
	UNIT_OK(event_log_compare(&l, HASH_SHA256, zero, 0x3bfe, &ok, &reason, &e), &e);
	ck_assert(!ok);
	ck_assert_ptr_nonnull(strstr(buf_str(&reason), "PCR 0 (sha256) is needed"));
	event_log_free(&l);
	boot_log_free(&b);
}
END_TEST

/* An algorithm we cannot compute does not keep us from the others. */
START_TEST(event_log_unknown_algorithm)
{
	char name[EVENT_LOG_NAME_SIZE];
	struct event_log_pcrs p;
	struct boot_log b;
	struct event_log l;
	struct err e;

	boot_log_new(&b, both, 2);
	boot_log_text(&b, 4, 0x80000007, "action");
	b.bytes.data[32 + 28] = 0x27; /* SHA3-256 */
	b.bytes.data[b.offset + 12] = 0x27;
	decoded(&b, &l);
	event_log_bank_name(&l.banks[0], name);
	ck_assert_str_eq(name, "0x0027");
	UNIT_FAILS(event_log_replay(&l, 0, &p, &e), &e, ERR_UNSUPPORTED);
	UNIT_OK(event_log_replay(&l, 1, &p, &e), &e);
	ck_assert_mem_eq(p.value[4], b.pcrs[1][4], 48);
	ck_assert_int_eq(match(&l, 0), EVENT_LOG_MATCHES);
	event_log_free(&l);
	boot_log_free(&b);
}
END_TEST

/* Read from a copy that ends where the log does, for the sanitizers. */
static bool
survives(const void *data, size_t len)
{
	unsigned char *copy = malloc(len > 0 ? len : 1);
	struct event_log_pcrs p;
	struct event_log l;
	struct err e;
	bool ok;

	memcpy(copy, data, len);
	ok = event_log_decode(copy, len, &l, &e) == 0;
	if (ok) {
		for (size_t i = 0; i < l.count; i++)
			match(&l, i);
		for (size_t i = 0; i < l.bank_count; i++) {
			if (l.banks[i].known)
				UNIT_OK(event_log_replay(&l, i, &p, &e), &e);
		}
		event_log_free(&l);
	} else {
		ck_assert_int_ne(e.code, ERR_INTERNAL);
	}
	free(copy);
	return ok;
}

START_TEST(event_log_cut_and_flipped)
{
	struct boot_log b;
	size_t whole = 0;

	if (_i == 0)
		boot_log_new_sha1(&b);
	else
		boot_log_new(&b, both, 2);
	boot_log_startup(&b, 3);
	boot_log_typical(&b);
	for (size_t n = 0; n < b.bytes.len; n++)
		whole += survives(b.bytes.data, n);
	/* cut between events, or else in an event: refused */
	ck_assert_uint_eq(whole, _i == 0 ? 18 : 19);
	for (size_t n = 0; n < b.bytes.len; n++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			b.bytes.data[n] ^= (unsigned char)(1u << bit);
			survives(b.bytes.data, b.bytes.len);
			b.bytes.data[n] ^= (unsigned char)(1u << bit);
		}
	}
	boot_log_free(&b);
}
END_TEST

static void
corpus_log(const char *path, struct buf *ret)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;
	size_t n = 0;

	if (strstr(path, ".b64") == NULL) {
		corpus_read(path, ret);
		return;
	}
	corpus_read(path, &text);
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] > ' ')
			text.data[n++] = text.data[i];
	}
	UNIT_OK(base64_decode(ret, (char *)text.data, n, &e), &e);
}

/* PCR values that were read from the machines that made the logs. */
static void
corpus_expects(const struct event_log *l, const struct jcs *banks)
{
	const struct jcs *bank, *value;
	const char *name, *pcr;

	for (size_t i = 0; (bank = jcs_member(banks, i, &name)) != NULL; i++) {
		struct event_log_pcrs p;
		enum hash_alg alg;
		struct err e;
		size_t at;

		UNIT_OK(hash_from_name(name, &alg, &e), &e);
		ck_assert(event_log_bank(l, alg, &at));
		UNIT_OK(event_log_replay(l, at, &p, &e), &e);
		for (size_t k = 0; (value = jcs_member(bank, k, &pcr)) != NULL; k++) {
			char hex[2 * HASH_SIZE_MAX + 1];

			hex_encode(hex, p.value[atoi(pcr)], hash_size(alg));
			ck_assert_str_eq(hex, jcs_string(value));
		}
	}
}

START_TEST(event_log_corpus_pcrs)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const struct jcs *one;
	const char *name;
	size_t looked = 0;

	if (!corpus_has("google_go-tpm-tools/eventlogs/expected_pcrs_known.json"))
		return;
	v = corpus_json("google_go-tpm-tools/eventlogs/expected_pcrs_known.json");
	for (size_t i = 0; (one = jcs_member(v, i, &name)) != NULL; i++) {
		CLEANUP(buf_free) struct buf bytes = BUF_INIT;
		struct event_log l;
		char path[256];
		struct err e;

		snprintf(path, sizeof path, "google_go-tpm-tools/%s", jcs_get_string(one, "log"));
		if (!corpus_there(path))
			continue;
		corpus_read(path, &bytes);
		UNIT_OK(event_log_decode(bytes.data, bytes.len, &l, &e), &e);
		corpus_expects(&l, jcs_get(one, "pcrs"));
		event_log_free(&l);
		looked++;
	}
	ck_assert_uint_ge(looked, 6);
}
END_TEST

/* How many events each has; 0 and a word of the message: refused. */
static const struct {
	const char *path;
	size_t count;
	const char *why;
} corpus_logs[] = {
	{"google_go-attestation/coreos_36_shielded_vm_no_secure_boot_eventlog", 75, NULL},
	{"google_go-attestation/crypto_agile_eventlog", 26, NULL},
	{"google_go-attestation/sb_cert_eventlog", 14, NULL},
	{"google_go-tpm-tools/eventlogs/gdc-host.bin", 158, NULL},
	{"google_go-eventlog/eventlogs/ccel/CCEL.bin", 0, "not a TPM log"},
	{"google_go-eventlog/eventlogs/ccel/CCEL_unpadded.data.bin", 0, "not a TPM log"},
	{"google_go-eventlog/eventlogs/ccel/cos-113-intel-tdx.bin", 0, "not a TPM log"},
	{"google_go-eventlog/eventlogs/ccel/cos-113-intel-tdx.table.bin", 0, "not a TPM log"},
	{"confidential-containers_trustee/deps/eventlog/test_data/CCEL_AAEL_alibabacloud", 0,
	    "not a TPM log"},
	{"confidential-containers_trustee/deps/eventlog/test_data/CCEL_data_ovmf", 0, "not a TPM log"},
	{"keylime_keylime/test/data/create-mb-policy/binary_bios_measurements-bogus", 0, "cut short"},
	{"keylime_keylime/test/data/create-mb-policy/binary_bios_measurements-empty", 0, "empty"},
	{"keylime_keylime/test/data/create-mb-policy/binary_bios_measurements-secureboot", 98, NULL},
	{"canonical_tcglog-parser/testdata/binary_bios_measurements", 114, NULL},
	{"tpm2-software_tpm2-tools/ek-template-default.bin", 0, "cut short"},
	{"tpm2-software_tpm2-tools/event-bootorder.bin", 103, NULL},
	{"tpm2-software_tpm2-tools/event-moklisttrusted.bin", 96, NULL},
	{"tpm2-software_tpm2-tools/event-uefi-sha1-log.bin", 17, NULL},
	{"tpm2-software_tpm2-tools/event.bin", 1, NULL},
	{"tpm2-software_tpm2-tools/get-capability-tpm-prop-fixed.bin", 0, "cut short"},
	{"tpm2-software_tpm2-tools/specid-vendordata.bin", 0, "cut short"},
	{"tpm2-software_tpm2-tss/eventlog/binary_measurements_pc_client.b64", 32, NULL},
	{"tpm2-software_tpm2-tss/eventlog/sml-ima-ng-sha1.b64", 0, "cut short"},
	{"immune-gmbh_guard-oss/pkg/eventlog/testdata/binary_bios_measurements_15", 39, NULL},
	{"immune-gmbh_guard-oss/pkg/eventlog/testdata/linux_event_log", 43, NULL},
	{"immune-gmbh_guard-oss/test/dell-notebook-5eventlogs-WBCL.log", 61, NULL},
	{"kgoldman_acs/tpmbios.log", 39, NULL},
};
#define CORPUS_LOGS (sizeof corpus_logs / sizeof *corpus_logs)

START_TEST(event_log_corpus)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct event_log l = {0};
	struct err e;

	if (!corpus_has(corpus_logs[_i].path))
		return;
	corpus_log(corpus_logs[_i].path, &bytes);
	if (corpus_logs[_i].why == NULL) {
		UNIT_OK(event_log_decode(bytes.data, bytes.len, &l, &e), &e);
		ck_assert_uint_eq(l.count, corpus_logs[_i].count);
		event_log_free(&l);
	} else {
		ck_assert_int_ne(event_log_decode(bytes.data, bytes.len, &l, &e), 0);
		ck_assert_ptr_nonnull(strstr(e.msg, corpus_logs[_i].why));
	}
	/* cut here and there in its first pages */
	for (size_t n = 0; n < bytes.len && n < 20000; n += 13)
		survives(bytes.data, n);
}
END_TEST

UNIT_SUITE(event_log)
{
	tcase_add_test(tc, event_log_reads_every_bank);
	tcase_add_test(tc, event_log_reads_sha1);
	tcase_add_loop_test(tc, event_log_locality, 0, 3);
	tcase_add_test(tc, event_log_bad_localities);
	tcase_add_test(tc, event_log_hcrtm);
	tcase_add_test(tc, event_log_no_action_is_not_extended);
	tcase_add_loop_test(tc, event_log_ends_at_a_marker, 0, 2);
	tcase_add_test(tc, event_log_malformed);
	tcase_add_test(tc, event_log_limits);
	tcase_add_test(tc, event_log_ccel);
	tcase_add_test(tc, event_log_digest_of_payload);
	tcase_add_loop_test(tc, event_log_words_of_a_boot_loader, 0, 14);
	tcase_add_loop_test(tc, event_log_digest_of_one_bank, 0, 2);
	tcase_add_test(tc, event_log_texts);
	tcase_add_test(tc, event_log_compares);
	tcase_add_loop_test(tc, event_log_compares_all_events, 0, 24);
	tcase_add_test(tc, event_log_names_the_event);
	tcase_add_test(tc, event_log_compare_needs_the_bank);
	tcase_add_test(tc, event_log_unknown_algorithm);
	tcase_add_loop_test(tc, event_log_cut_and_flipped, 0, 2);
	tcase_add_test(tc, event_log_corpus_pcrs);
	tcase_add_loop_test(tc, event_log_corpus, 0, CORPUS_LOGS);
}
