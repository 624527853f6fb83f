#include "golden.h"

#include <string.h>
#include "object/certificate.h"
#include "object/commit.h"
#include "object/statement.h"

static void
statement_certificate(const char *name, struct certificate *ret)
{
	CLEANUP(buf_free) struct buf data = BUF_INIT;
	struct err e;

	golden_read(name, &data);
	UNIT_OK(certificate_decode(data.data, data.len, ret, &e), &e);
}

static void
statement_refused(const struct event *events, size_t count)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct err e;

	UNIT_FAILS(statement_derive(events, count, &out, &e), &e, ERR_FORMAT);
	ck_assert_msg(strstr(e.msg, "section 6.1") != NULL, "%s", e.msg);
	ck_assert_uint_eq(out.len, 0);
}

START_TEST(statement_incomplete)
{
	struct certificate c;

	statement_certificate("certificate-ok.json", &c);
	statement_refused(c.events, 0);
	for (size_t n = 1; n < c.event_count; n++) {
		statement_refused(c.events, n);
		statement_refused(c.events + n, c.event_count - n);
	}
	certificate_free(&c);
}
END_TEST

/* Each event left out, doubled, or changed with the next. */
START_TEST(statement_wrong_order)
{
	struct certificate c;
	struct event *events;

	statement_certificate("certificate-failed.json", &c);
	events = calloc(c.event_count + 1, sizeof *events);
	ck_assert_ptr_nonnull(events);
	for (size_t i = 0; i < c.event_count; i++) {
		bool list = c.events[i].kind == EVENT_INPUT_RESOURCE || c.events[i].kind == EVENT_OUTPUT_MISSING;

		memcpy(events, c.events, i * sizeof *events);
		memcpy(events + i, c.events + i + 1, (c.event_count - i - 1) * sizeof *events);
		if (!list)
			statement_refused(events, c.event_count - 1);
		memcpy(events + i + 1, c.events + i, (c.event_count - i) * sizeof *events);
		events[i] = c.events[i];
		if (!list)
			statement_refused(events, c.event_count + 1);
		if (i + 1 == c.event_count || c.events[i].kind == c.events[i + 1].kind)
			continue;
		memcpy(events, c.events, c.event_count * sizeof *events);
		events[i] = c.events[i + 1];
		events[i + 1] = c.events[i];
		statement_refused(events, c.event_count);
	}
	free(events);
	certificate_free(&c);
}
END_TEST

START_TEST(statement_texts)
{
	unsigned char nonce[32];
	struct oid id;
	CLEANUP(buf_free) struct buf out = BUF_INIT;

	memset(nonce, 0xab, sizeof nonce);
	memset(id.b, 0x01, sizeof id.b);
	statement_start_text(&out, nonce);
	ck_assert_str_eq(buf_str(&out), "aicert start v1\n"
	    "abababababababababababababababababababababababababababababababab\n");
	buf_reset(&out);
	statement_quote_text(&out, nonce, &id);
	ck_assert_str_eq(buf_str(&out), "aicert quote v1\n"
	    "abababababababababababababababababababababababababababababababab\n"
	    "0101010101010101010101010101010101010101010101010101010101010101\n");
	buf_reset(&out);
	statement_identity_text(&out, nonce, &id);
	ck_assert_str_eq(buf_str(&out), "aicert identity v1\n"
	    "abababababababababababababababababababababababababababababababab\n"
	    "0101010101010101010101010101010101010101010101010101010101010101\n");
}
END_TEST

START_TEST(statement_pae) /* the example of the DSSE protocol, with our payload type */
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;

	dsse_pae(&out, "hello world", 11);
	ck_assert_str_eq(buf_str(&out), "DSSEv1 28 application/vnd.in-toto+json 11 hello world");
	buf_reset(&out);
	dsse_pae(&out, "a\0b", 3);
	ck_assert_uint_eq(out.len, strlen("DSSEv1 28 application/vnd.in-toto+json 3 ") + 3);
}
END_TEST

START_TEST(statement_certificate_parts)
{
	struct certificate ok, failed;

	statement_certificate("certificate-ok.json", &ok);
	statement_certificate("certificate-failed.json", &failed);
	ck_assert(certificate_run_ok(&ok));
	ck_assert(!certificate_run_ok(&failed));
	ck_assert_uint_eq(certificate_output(&ok, "ckpt")->size, 0);
	ck_assert_int_eq(certificate_output(&ok, "ckpt")->type, OBJECT_TREE);
	ck_assert_ptr_null(certificate_output(&ok, "train.py"));
	ck_assert_ptr_null(certificate_output(&failed, "model.safetensors"));
	ck_assert_ptr_eq(certificate_event(&ok, EVENT_INPUT_RESOURCE), &ok.events[2]);
	ck_assert_ptr_null(certificate_event(&ok, EVENT_OUTPUT_MISSING));
	ck_assert_uint_eq(ok.ak_chain_count, 2);
	ck_assert(ok.boot_log.present && !failed.boot_log.present);
	ck_assert(!ok.hardware.present && failed.hardware.present);
	ck_assert_str_eq(buf_str(&failed.hardware.report), "HCL report");
	ck_assert_str_eq(buf_str(&failed.hardware.chain[0]), "VCEK");
	ck_assert_str_eq(buf_str(&failed.hardware.chain[1]), "ASK");
	ck_assert(ok.quote.pcrs.has_sha384 && !failed.quote.pcrs.has_sha384);
	certificate_free(&ok);
	certificate_free(&failed);
}
END_TEST

START_TEST(statement_run_ok)
{
	struct event_run_finished f = {.reason = EVENT_EXITED, .has_exit_code = true};

	ck_assert(event_finished_ok(&f));
	f.exit_code = 1;
	ck_assert(!event_finished_ok(&f));
	f.exit_code = 0;
	f.reason = EVENT_TIME_LIMIT;
	ck_assert(!event_finished_ok(&f));
	f.reason = EVENT_EXITED;
	f.has_exit_code = false;
	ck_assert(!event_finished_ok(&f));
}
END_TEST

/* What a signature covers is the commit without it, to the byte. */
START_TEST(statement_commit_unsigned)
{
	CLEANUP(buf_free) struct buf data = BUF_INIT;
	CLEANUP(buf_free) struct buf bare = BUF_INIT;
	CLEANUP(buf_free) struct buf expected = BUF_INIT;
	struct commit c;
	struct err e;

	golden_read("commit-signed.json", &data);
	golden_read("commit-unsigned.json", &expected);
	UNIT_OK(commit_decode(data.data, data.len, &c, &e), &e);
	UNIT_OK(commit_encode_unsigned(&c, &bare, &e), &e);
	ck_assert_str_eq(buf_str(&bare), buf_str(&expected));
	ck_assert_ptr_nonnull(c.signature);
	commit_free(&c);
}
END_TEST

UNIT_SUITE(statement)
{
	tcase_add_test(tc, statement_incomplete);
	tcase_add_test(tc, statement_wrong_order);
	tcase_add_test(tc, statement_texts);
	tcase_add_test(tc, statement_pae);
	tcase_add_test(tc, statement_certificate_parts);
	tcase_add_test(tc, statement_run_ok);
	tcase_add_test(tc, statement_commit_unsigned);
}
