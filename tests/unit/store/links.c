#include "store/links.h"

#include <string.h>
#include "unit.h"
#include "object/evidence.h"
#include "store/odb-small.h"
#include "store/odb.h"
#include "store/runs.h"

struct named {
	enum links_role role[64];
	struct object_ref ref[64];
	bool needed[64];
	int count, stop;
};

static int
name(void *arg, const struct links_link *l, struct err *e)
{
	struct named *n = arg;

	ck_assert_int_lt(n->count, 64);
	n->role[n->count] = l->role;
	n->needed[n->count] = l->needed;
	n->ref[n->count++] = l->ref;
	return n->stop == n->count ? err_set(e, ERR_LIMIT, "stop") : 0;
}

static int
count(const struct named *n, enum links_role role, bool needed)
{
	int found = 0;

	for (int i = 0; i < n->count; i++)
		found += n->role[i] == role && n->needed[i] == needed;
	return found;
}

START_TEST(links_of_a_run)
{
	struct named n = {.count = 0};
	struct object_ref c, cert = {.type = OBJECT_CERTIFICATE};
	struct runs_output a, b;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	a = runs_blob(&f, "a", "a");
	b = runs_blob(&f, "b", "b");
	cert.id = runs_certificate(&f, &a, &b);
	c = runs_commit(&f, &cert.id, 1, &a.id);
	UNIT_OK(links_each(f.s, &c, name, &n, &e), &e);
	ck_assert_int_eq(n.count, 2);
	ck_assert(n.role[0] == LINKS_PARENT && oid_equal(&n.ref[0].id, &a.id));
	ck_assert(n.role[1] == LINKS_SUBJECT && oid_equal(&n.ref[1].id, &cert.id));
	ck_assert(n.needed[0] && n.needed[1]);
	n.count = 0;
	UNIT_OK(links_each(f.s, &cert, name, &n, &e), &e);
	ck_assert_int_eq(count(&n, LINKS_OUTPUT, true), 2);
	ck_assert_int_eq(count(&n, LINKS_LOG, true), 1);
	ck_assert_int_ge(count(&n, LINKS_INPUT, false), 1);
	ck_assert_int_eq(count(&n, LINKS_INPUT, true), 0);
	/* outputs first: what is both is judged as one */
	ck_assert(n.role[0] == LINKS_OUTPUT);
	/* of a run that failed nothing is needed */
	n.count = 0;
	cert.id = runs_failed_certificate(&f);
	UNIT_OK(links_each(f.s, &cert, name, &n, &e), &e);
	ck_assert_int_eq(count(&n, LINKS_LOG, false), 1);
	ck_assert_int_eq(count(&n, LINKS_LOG, true), 0);
	n = (struct named){.stop = 1};
	UNIT_FAILS(links_each(f.s, &cert, name, &n, &e), &e, ERR_LIMIT);
	fixture_close(&f);
}
END_TEST

START_TEST(links_of_the_rest)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct object_ref ref = {.type = OBJECT_EVIDENCE};
	struct named n = {.count = 0};
	struct evidence v = {.kind = EVIDENCE_CRL, .subject = {OBJECT_CERTIFICATE, {{9}}}};
	struct fixture f;
	struct err e;

	fixture_open(&f);
	buf_add(&v.data, "x", 1);
	UNIT_OK(evidence_encode(&v, &text, &e), &e);
	buf_free(&v.data);
	UNIT_OK(odb_put(f.s, text.data, text.len, &ref.id, &e), &e);
	UNIT_OK(links_each(f.s, &ref, name, &n, &e), &e);
	ck_assert_int_eq(n.count, 1);
	ck_assert(n.ref[0].type == OBJECT_CERTIFICATE && !n.needed[0]);
	/* as another type it is refused, as a blob it names nothing */
	ref.type = OBJECT_TREE;
	UNIT_FAILS(links_each(f.s, &ref, name, &n, &e), &e, ERR_FORMAT);
	ref.type = OBJECT_COMMIT;
	UNIT_FAILS(links_each(f.s, &ref, name, &n, &e), &e, ERR_FORMAT);
	ref.type = OBJECT_BLOB;
	n.count = 0;
	UNIT_OK(links_each(f.s, &ref, name, &n, &e), &e);
	ck_assert_int_eq(n.count, 0);
	ref.type = OBJECT_TREE;
	ref.id.b[0] ^= 1;
	UNIT_FAILS(links_each(f.s, &ref, name, &n, &e), &e, ERR_NOTFOUND);
	for (int role = LINKS_PARENT; role <= LINKS_ENTRY; role++)
		ck_assert_uint_gt(strlen(links_role_name((enum links_role)role)), 2);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(links)
{
	tcase_add_test(tc, links_of_a_run);
	tcase_add_test(tc, links_of_the_rest);
}
