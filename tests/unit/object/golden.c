#include "golden.h"

#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "object/certificate.h"
#include "object/commit.h"
#include "object/evidence.h"
#include "object/statement.h"
#include "object/tree.h"

int
golden_event(const void *data, size_t len, struct buf *ret, struct err *e)
{
	struct event ev;
	int rc;

	if (event_decode(data, len, &ev, e) != 0)
		return -1;
	rc = event_encode(&ev, e);
	if (rc == 0)
		buf_add(ret, ev.text, ev.len);
	event_free(&ev);
	return rc;
}

int
golden_spec(const void *data, size_t len, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	CLEANUP(jcs_freep) struct jcs *again = NULL;
	struct run_spec s;

	if (jcs_decode(data, len, 1 << 20, &v, e) != 0 || run_spec_from_jcs(v, &s, e) != 0)
		return -1;
	again = run_spec_to_jcs(&s);
	run_spec_free(&s);
	return jcs_encode(again, ret, e);
}

int
golden_certificate(const void *data, size_t len, struct buf *ret, struct err *e)
{
	struct certificate c;
	int rc;

	if (certificate_decode(data, len, &c, e) != 0)
		return -1;
	rc = certificate_encode(&c, ret, e);
	certificate_free(&c);
	return rc;
}

int
golden_commit(const void *data, size_t len, struct buf *ret, struct err *e)
{
	struct commit c;
	int rc;

	if (commit_decode(data, len, &c, e) != 0)
		return -1;
	rc = commit_encode(&c, ret, e);
	commit_free(&c);
	return rc;
}

int
golden_evidence(const void *data, size_t len, struct buf *ret, struct err *e)
{
	struct evidence v;
	int rc;

	if (evidence_decode(data, len, &v, e) != 0)
		return -1;
	rc = evidence_encode(&v, ret, e);
	evidence_free(&v);
	return rc;
}

int
golden_tree(const void *data, size_t len, struct buf *ret, struct err *e)
{
	struct tree t;
	int rc;

	if (tree_decode(data, len, &t, e) != 0)
		return -1;
	rc = tree_encode(&t, ret, e);
	tree_free(&t);
	return rc;
}

golden_again *
golden_decoder(const char *name)
{
	static const struct {
		const char *prefix;
		golden_again *again;
	} table[] = {
		{"event-", golden_event}, {"spec-", golden_spec}, {"certificate-", golden_certificate},
		{"commit-", golden_commit}, {"evidence-", golden_evidence}, {"tree", golden_tree},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strncmp(name, table[i].prefix, strlen(table[i].prefix)) == 0)
			return table[i].again;
	return NULL;
}

void
golden_read(const char *name, struct buf *ret)
{
	char path[4096];
	struct err e;

	snprintf(path, sizeof path, TEST_DATA "/object/%s", name);
	buf_reset(ret);
	UNIT_OK(fd_read_file(AT_FDCWD, path, 1 << 20, ret, &e), &e);
}

char *
golden_name(size_t i, char ret_hex[65])
{
	CLEANUP(buf_free) struct buf sums = BUF_INIT;
	const char *line;

	golden_read("SHA256SUMS", &sums);
	line = buf_str(&sums);
	while (i-- > 0 && line != NULL && *line != '\0')
		line = strchr(line, '\n') + 1;
	if (line == NULL || strlen(line) < 67)
		return NULL;
	memcpy(ret_hex, line, 64);
	ret_hex[64] = '\0';
	return strndup(line + 66, strcspn(line + 66, "\n"));
}

/* Expected bytes and ids were written by another implementation. */
START_TEST(golden_bytes)
{
	size_t seen = 0;
	char hex[65], found[OID_HEX_SIZE];
	char *name;

	for (; (name = golden_name(seen, hex)) != NULL; seen++, free(name)) {
		CLEANUP(buf_free) struct buf data = BUF_INIT;
		CLEANUP(buf_free) struct buf again = BUF_INIT;
		golden_again *decoder = golden_decoder(name);
		struct oid id;
		struct err e;

		golden_read(name, &data);
		UNIT_OK(oid_from_data(&id, data.data, data.len, &e), &e);
		oid_hex(&id, found);
		ck_assert_str_eq(found, hex);
		if (decoder == NULL)
			continue;
		ck_assert_msg(decoder(data.data, data.len, &again, &e) == 0, "%s: %s", name, e.msg);
		ck_assert_uint_eq(again.len, data.len);
		ck_assert_msg(memcmp(again.data, data.data, data.len) == 0, "%s", name);
	}
	ck_assert_uint_ge(seen, 40);
}
END_TEST

static void
golden_check_statement(const char *certificate, const char *statement)
{
	CLEANUP(buf_free) struct buf data = BUF_INIT;
	CLEANUP(buf_free) struct buf expected = BUF_INIT;
	CLEANUP(buf_free) struct buf derived = BUF_INIT;
	struct certificate c;
	struct err e;

	golden_read(certificate, &data);
	golden_read(statement, &expected);
	UNIT_OK(certificate_decode(data.data, data.len, &c, &e), &e);
	UNIT_OK(statement_derive(c.events, c.event_count, &derived, &e), &e);
	ck_assert_str_eq(buf_str(&derived), buf_str(&expected));
	ck_assert_uint_eq(c.envelope.payload.len, expected.len);
	ck_assert_int_eq(memcmp(c.envelope.payload.data, expected.data, expected.len), 0);
	certificate_free(&c);
}

START_TEST(golden_statement)
{
	golden_check_statement("certificate-ok.json", "statement-ok.json");
	golden_check_statement("certificate-failed.json", "statement-failed.json");
}
END_TEST

/* A document of one type is no document of another. */
START_TEST(golden_types)
{
	static const char *const names[] = {
		"event-ok-00-run_request.json", "spec-ok.json", "certificate-ok.json", "commit-run.json",
		"evidence-crl.json", "tree.txt", "statement-ok.json",
	};
	const size_t n = sizeof names / sizeof *names;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			CLEANUP(buf_free) struct buf data = BUF_INIT;
			CLEANUP(buf_free) struct buf again = BUF_INIT;
			golden_again *decoder = golden_decoder(names[k]);
			struct err e;

			if (i == k || decoder == NULL)
				continue;
			golden_read(names[i], &data);
			UNIT_FAILS(decoder(data.data, data.len, &again, &e), &e, ERR_FORMAT);
			ck_assert_uint_eq(again.len, 0);
		}
	}
}
END_TEST

UNIT_SUITE(golden)
{
	tcase_add_test(tc, golden_bytes);
	tcase_add_test(tc, golden_statement);
	tcase_add_test(tc, golden_types);
}
