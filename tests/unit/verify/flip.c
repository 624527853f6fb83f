/* Not a bit of a certificate can be changed, nor anything cut off, without a refusal: by who
 * also gives it its new id, so that object.id has nothing to say. */
#include <string.h>
#include "unit.h"
#include "verify/machine.h"

#define FLIP_PARTS 8

static enum verdict_answer
answer(const struct verify_request *like, const void *data, size_t len)
{
	struct verify_request rq = *like;
	struct verdict *v;
	enum verdict_answer a;
	struct err e;

	rq.data = data;
	rq.len = len;
	UNIT_OK(oid_from_data(&rq.id, data, len, &e), &e);
	v = forge_judge(&rq);
	a = v->answer;
	verdict_free(v);
	return a;
}

static struct forge f;

/* Each byte, each bit of it; parts, so that they run beside each other's time limits. */
START_TEST(every_bit)
{
	struct verify_request rq;
	struct err e;

	forge_new(&f);
	forge_finish(&f);
	rq = forge_request(&f);
	UNIT_OK(memo_new(&rq.memo, &e), &e);
	ck_assert_int_eq(answer(&rq, f.bytes.data, f.bytes.len), ANSWER_PASS);
	for (size_t i = (size_t)_i; i < f.bytes.len; i += FLIP_PARTS) {
		for (unsigned bit = 0; bit < 8; bit++) {
			f.bytes.data[i] ^= (unsigned char)(1u << bit);
			ck_assert_msg(answer(&rq, f.bytes.data, f.bytes.len) == ANSWER_FAIL,
			    "byte %zu, bit %u: %.40s", i, bit,
			    buf_str(&f.bytes) + (i > 20 ? i - 20 : 0));
			f.bytes.data[i] ^= (unsigned char)(1u << bit);
		}
	}
	memo_free(rq.memo);
	forge_free(&f);
}
END_TEST

START_TEST(every_length)
{
	struct verify_request rq;

	forge_new(&f);
	forge_finish(&f);
	rq = forge_request(&f);
	for (size_t len = 0; len < f.bytes.len; len++)
		ck_assert_msg(answer(&rq, f.bytes.data, len) == ANSWER_FAIL, "%zu bytes", len);
	forge_free(&f);
}
END_TEST

static struct machine m;

/* With a chain, a boot log and a reference record, at the level they give: another log's
 * name is missing, not refused; nothing passes. */
START_TEST(every_byte_of_a_machine)
{
	static const struct pki_options leaf = {
		.name = "ak", .key = PKI_P256, .usage = "digitalSignature",
	};
	struct reference r;
	size_t first, last, media, media_end;
	struct err e;

	machine_new(&m);
	machine_pcrs(&m);
	machine_log(&m);
	machine_chain(&m, &leaf);
	machine_record(&m, HASH_SHA256, "any", &r);
	machine_know(&m, &r, 1);
	machine_finish(&m);
	first = (size_t)(strstr(buf_str(&m.f.bytes), "\"public\":\"") - buf_str(&m.f.bytes));
	last = first + strcspn(buf_str(&m.f.bytes) + first, "}");
	media = (size_t)(strstr(strstr(buf_str(&m.f.bytes), "\"bootLog\""), "\"mediaType\":\"") + 13 -
	    buf_str(&m.f.bytes));
	media_end = media + strcspn(buf_str(&m.f.bytes) + media, "\"");
	UNIT_OK(memo_new(&m.rq.memo, &e), &e);
	ck_assert_int_eq(answer(&m.rq, m.f.bytes.data, m.f.bytes.len), ANSWER_PASS);
	for (size_t i = 0; i < m.f.bytes.len; i++) {
		unsigned char flip = (unsigned char)(1u << (i * 7 + 3) % 8);

		/* of a key that a chain vouches for, attributes that make no difference are the
		 * runner's word (aicert-trust(5)); so is what the boot log's bytes, which are judged
		 * themselves, are called */
		if ((i >= first && i < last) || (i >= media && i < media_end))
			continue;
		m.f.bytes.data[i] ^= flip;
		ck_assert_msg(answer(&m.rq, m.f.bytes.data, m.f.bytes.len) != ANSWER_PASS,
		    "byte %zu: %.40s", i, buf_str(&m.f.bytes) + (i > 20 ? i - 20 : 0));
		m.f.bytes.data[i] ^= flip;
	}
	memo_free(m.rq.memo);
	machine_free(&m);
}
END_TEST

UNIT_SUITE(flip)
{
	tcase_add_loop_test(tc, every_bit, 0, FLIP_PARTS);
	tcase_add_test(tc, every_length);
	tcase_add_test(tc, every_byte_of_a_machine);
}
