#include "verify/machine.h"

#include <string.h>
#include "unit.h"

static struct machine m;

static void
encoded(struct reference *r, size_t n, struct buf *text)
{
	machine_document(r, n, text);
}

/* Replaces one text by another and fails with these words; everything is as long as it was. */
static void
refused(const struct buf *good, const char *from, const char *to, const char *why)
{
	CLEANUP(buf_free) struct buf bad = BUF_INIT;
	struct reference_document d = {.count = 99};
	const char *at = strstr(buf_str(good), from);
	struct err e;

	ck_assert_msg(at != NULL, "no %s", from);
	buf_add(&bad, good->data, (size_t)(at - buf_str(good)));
	buf_adds(&bad, to);
	buf_adds(&bad, at + strlen(from));
	ck_assert_int_ne(reference_decode(bad.data, bad.len, &d, &e), 0);
	ck_assert_msg(strstr(e.msg, why) != NULL, "%s lacks %s", e.msg, why);
	ck_assert_uint_eq(d.count, 99);
}

START_TEST(reference_round_trip)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct reference r[2];
	struct reference_document d;
	struct err e;

	machine_new(&m);
	machine_record(&m, HASH_SHA256, "one", &r[0]);
	machine_record(&m, HASH_SHA384, "two", &r[1]);
	r[1].events = calloc(2, sizeof *r[1].events);
	r[1].event_count = 2;
	r[1].events[0] = (struct reference_event){.pcr = 4, .type = 0x80000007, .text = strdup("text")};
	UNIT_OK(hash_once(HASH_SHA384, "text", 4, r[1].events[0].digest, &e), &e);
	r[1].events[1] = (struct reference_event){.forbidden = true, .pcr = 12, .type = 0x12345678};
	encoded(r, 2, &text);
	UNIT_OK(reference_decode(text.data, text.len, &d, &e), &e);
	ck_assert_uint_eq(d.count, 2);
	ck_assert_str_eq(d.image.name, "base");
	ck_assert_uint_eq(d.records[1].event_count, 2);
	ck_assert_str_eq(d.records[1].events[0].text, "text");
	ck_assert(d.records[1].events[1].forbidden);
	ck_assert_str_eq(d.records[0].pcrs[10].any, "a reason");
	ck_assert_mem_eq(d.records[1].pcrs[4].value, m.log.pcrs[1][4], 48);
	UNIT_OK(reference_encode(&d, &again, &e), &e);
	ck_assert_uint_eq(again.len, text.len);
	ck_assert_mem_eq(again.data, text.data, text.len);
	reference_free(&d);
	machine_free(&m);
}
END_TEST

START_TEST(reference_refuses)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	static const char zero[] = "\"0\":\"0000000000000000000000000000000000000000000000000000000000000003\"";
	struct reference r;
	char pcr0[80], pcr9[80];

	machine_new(&m);
	machine_record(&m, HASH_SHA256, "one", &r);
	r.events = calloc(1, sizeof *r.events);
	r.event_count = 1;
	r.events[0] = (struct reference_event){.pcr = 4, .type = 0x80000007, .text = strdup("text")};
	encoded(&r, 1, &text);
	memcpy(pcr0, strstr(buf_str(&text), "\"0\":"), sizeof zero - 1);
	pcr0[sizeof zero - 1] = '\0';
	memcpy(pcr9, strstr(buf_str(&text), "\"9\":"), sizeof zero - 1);
	pcr9[sizeof zero - 1] = '\0';
	refused(&text, "reference.v1", "reference.v2", "mediaType");
	refused(&text, "\"bank\":\"sha256\"", "\"bank\":\"sha1\"", "bank");
	refused(&text, "\"bank\":\"sha256\"", "\"bank\":\"sha384\"", "digits of hex");
	refused(&text, "\"part\":\"whole\"", "\"part\":\"parts\"", "part");
	refused(&text, "\"part\":\"whole\"", "\"part\":\"image\"", "has not");
	refused(&text, pcr0, "\"0\":{\"any\":\"who cares\"}", "PCR 0 must be fixed");
	refused(&text, pcr0, zero, "PCR 0 is zero");
	refused(&text, pcr9, "\"9\":\"12\"", "PCR 9: 64 digits");
	refused(&text, pcr9, "\"9\":null", "PCR 9: 64 digits");
	refused(&text, "\"any\":\"a reason\"", "\"any\":\"\"", "1 to");
	refused(&text, "\"platform\":\"one\"", "\"platform\":\"\\u001b[2J\"", "printable");
	refused(&text, "\"must\":\"occur\"", "\"must\":\"maybe\"", "must");
	refused(&text, "\"must\":\"occur\",\"pcr\":4", "\"must\":\"occur\",\"pcr\":14", "PCR 0 to 13");
	refused(&text, "EV_EFI_ACTION", "EV_NO_ACTION", "extended");
	refused(&text, "EV_EFI_ACTION", "EV_UNHEARD_OF", "extended");
	refused(&text, "\"must\"", "\"digest\":\"00\",\"must\"", "either");
	refused(&text, "\"text\":\"text\",", "", "either");
	refused(&text, "\"version\":\"1\"", "\"version\":\"1\",\"z\":1", "unknown member");
	refused(&text, "\"records\":[", "\"records\":[[],", "record 0");
	refused(&text, "{", "{ ", "canonical");
	machine_free(&m);
}
END_TEST

static void
part_of(const struct machine *from, enum reference_part part, enum hash_alg bank,
    struct reference *ret)
{
	machine_record(from, bank, part == REFERENCE_IMAGE ? "any" : "a platform", ret);
	ret->part = part;
	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		free(ret->pcrs[pcr].any);
		ret->pcrs[pcr].any = NULL;
		ret->pcrs[pcr].present = (reference_part_pcrs(part) >> pcr & 1) != 0;
	}
}

static void
part_document(const struct machine *from, enum reference_part part, const enum hash_alg *banks,
    size_t n, struct reference_document *ret)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct reference r[2];
	struct err e;

	for (size_t i = 0; i < n; i++)
		part_of(from, part, banks[i], &r[i]);
	encoded(r, n, &text);
	UNIT_OK(reference_decode(text.data, text.len, ret, &e), &e);
}

START_TEST(reference_parts_become_whole)
{
	static const enum hash_alg both[] = {HASH_SHA256, HASH_SHA384};
	struct reference_document image, firmware, whole;
	struct err e;

	machine_new(&m);
	part_document(&m, REFERENCE_IMAGE, both, 2, &image);
	part_document(&m, REFERENCE_FIRMWARE, both, 2, &firmware);
	UNIT_OK(reference_merge(&image, &firmware, &whole, &e), &e);
	ck_assert_uint_eq(whole.count, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(whole.records[i].part, REFERENCE_WHOLE);
		ck_assert_str_eq(whole.records[i].platform, "a platform");
		ck_assert_ptr_nonnull(whole.records[i].pcrs[10].any);
		for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
			if (pcr != 10)
				ck_assert_mem_eq(whole.records[i].pcrs[pcr].value, m.log.pcrs[i][pcr], 32);
		}
	}
	reference_free(&whole);
	UNIT_FAILS(reference_merge(&firmware, &image, &whole, &e), &e, ERR_FORMAT);
	reference_free(&firmware);
	reference_free(&image);
	part_document(&m, REFERENCE_IMAGE, both, 1, &image);
	part_document(&m, REFERENCE_FIRMWARE, both + 1, 1, &firmware);
	UNIT_FAILS(reference_merge(&image, &firmware, &whole, &e), &e, ERR_FORMAT);
	reference_free(&firmware);
	reference_free(&image);
	machine_free(&m);
}
END_TEST

/* Parts are no records: a machine that has their values is not known. */
START_TEST(reference_parts_do_not_match)
{
	CLEANUP(cleanup_free) unsigned char *values = NULL;
	CLEANUP(buf_free) struct buf a = BUF_INIT, b = BUF_INIT;
	struct reference r;
	size_t differ;
	struct err e;
	bool ok = true;

	machine_new(&m);
	values = boot_log_values(&m.log, 0);
	part_of(&m, REFERENCE_IMAGE, HASH_SHA256, &r);
	UNIT_OK(reference_match(&r, &(struct reference_found){HASH_SHA256, values, NULL}, &ok, &differ,
	    &a, &b, &e), &e);
	ck_assert(!ok);
	ck_assert(differ == REFERENCE_INCOMPARABLE);
	machine_know(&m, &r, 1);
	machine_free(&m);
}
END_TEST

START_TEST(reference_sets)
{
	CLEANUP(buf_free) struct buf one = BUF_INIT, two = BUF_INIT;
	struct reference_set s = {0}, t = {0};
	struct reference r;
	struct oid first;
	struct err e;

	machine_new(&m);
	machine_record(&m, HASH_SHA256, "one", &r);
	encoded(&r, 1, &one);
	machine_record(&m, HASH_SHA256, "two", &r);
	encoded(&r, 1, &two);
	UNIT_OK(reference_set_add(&s, one.data, one.len, &e), &e);
	first = s.digest;
	UNIT_OK(reference_set_add(&s, one.data, one.len, &e), &e); /* no second */
	ck_assert_uint_eq(s.count, 1);
	UNIT_OK(reference_set_add(&s, two.data, two.len, &e), &e);
	ck_assert_uint_eq(s.count, 2);
	ck_assert(!oid_equal(&first, &s.digest));
	/* the digest does not depend on the order */
	UNIT_OK(reference_set_add(&t, two.data, two.len, &e), &e);
	UNIT_OK(reference_set_add(&t, one.data, one.len, &e), &e);
	ck_assert(oid_equal(&t.digest, &s.digest));
	one.data[10] ^= 1;
	UNIT_FAILS(reference_set_add(&t, one.data, one.len, &e), &e, ERR_FORMAT);
	ck_assert_uint_eq(t.count, 2);
	reference_set_free(&s);
	reference_set_free(&t);
	machine_free(&m);
}
END_TEST

START_TEST(reference_firmware_of_no_image)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct reference_document d = {0};
	struct err e;

	machine_new(&m);
	d.records = calloc(1, sizeof *d.records);
	d.count = 1;
	part_of(&m, REFERENCE_FIRMWARE, HASH_SHA256, &d.records[0]);
	UNIT_OK(reference_encode(&d, &text, &e), &e);
	reference_free(&d);
	UNIT_OK(reference_decode(text.data, text.len, &d, &e), &e);
	ck_assert(!d.has_image);
	reference_free(&d);
	refused(&text, "\"part\":\"firmware\"", "\"part\":\"image\"", "");
	machine_free(&m);
}
END_TEST

/* Cut anywhere or changed in any bit, a document is refused or another document. */
START_TEST(reference_cut_and_flipped)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct reference_document d;
	struct reference r;
	struct err e;

	machine_new(&m);
	machine_record(&m, HASH_SHA256, "one", &r);
	encoded(&r, 1, &text);
	for (size_t n = 0; n < text.len; n++)
		ck_assert_int_ne(reference_decode(text.data, n, &d, &e), 0);
	for (size_t n = 0; n < text.len; n++) {
		text.data[n] ^= 1;
		if (reference_decode(text.data, text.len, &d, &e) == 0)
			reference_free(&d);
		text.data[n] ^= 1;
	}
	machine_free(&m);
}
END_TEST

UNIT_SUITE(reference)
{
	tcase_add_test(tc, reference_round_trip);
	tcase_add_test(tc, reference_refuses);
	tcase_add_test(tc, reference_parts_become_whole);
	tcase_add_test(tc, reference_parts_do_not_match);
	tcase_add_test(tc, reference_sets);
	tcase_add_test(tc, reference_firmware_of_no_image);
	tcase_add_test(tc, reference_cut_and_flipped);
}
