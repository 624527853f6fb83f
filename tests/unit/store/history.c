#include "store/history.h"

#include <fcntl.h>
#include <string.h>
#include "unit.h"
#include "store/odb.h"
#include "store/runs.h"

static struct resource
content(const struct runs_output *o)
{
	return (struct resource){.type = o->type, .size = o->size, .digests = {.sha256 = o->id}};
}

static void
producer_is(struct fixture *f, const struct runs_output *what, unsigned flags,
    const struct object_ref *commit, const char *path)
{
	CLEANUP(history_producer_free) struct history_producer p = {0};
	struct resource r = content(what);
	struct err e;

	if (commit == NULL) {
		UNIT_FAILS(history_producer(f->s, &r, flags, &p, &e), &e, ERR_NOTFOUND);
		return;
	}
	UNIT_OK(history_producer(f->s, &r, flags, &p, &e), &e);
	ck_assert(oid_equal(&p.commit, &commit->id));
	ck_assert_str_eq(p.path, path);
}

START_TEST(history_types)
{
	static const char *const blobs[] = {"", "{}", "aicert tree 1", "aicert tree 1\nx\n",
	    "{\"mediaType\":\"application/vnd.aicert.commit.v1+json\"}", "#!/bin/sh\n"};
	struct runs_output a, b;
	enum object_type type;
	struct object_ref commit;
	struct fixture f;
	struct oid id;
	struct err e;

	fixture_open(&f);
	for (size_t i = 0; i < sizeof blobs / sizeof *blobs; i++) {
		UNIT_OK(odb_put(f.s, blobs[i], strlen(blobs[i]), &id, &e), &e);
		UNIT_OK(history_type(f.s, &id, &type, &e), &e);
		ck_assert_msg(type == OBJECT_BLOB, "%s", blobs[i]);
	}
	UNIT_OK(odb_put(f.s, "aicert tree 1\n", 14, &id, &e), &e);
	UNIT_OK(history_type(f.s, &id, &type, &e), &e);
	ck_assert_int_eq(type, OBJECT_TREE);
	a = runs_blob(&f, "a", "a");
	b = runs_blob(&f, "b", "b");
	id = runs_certificate(&f, &a, &b);
	UNIT_OK(history_type(f.s, &id, &type, &e), &e);
	ck_assert_int_eq(type, OBJECT_CERTIFICATE);
	commit = runs_commit(&f, &id, 1, NULL);
	UNIT_OK(history_type(f.s, &commit.id, &type, &e), &e);
	ck_assert_int_eq(type, OBJECT_COMMIT);
	id.b[0] ^= 1;
	UNIT_FAILS(history_type(f.s, &id, &type, &e), &e, ERR_NOTFOUND);
	fixture_close(&f);
}
END_TEST

/* Nothing is opened as another type. */
START_TEST(history_opens_only_what_it_is)
{
	struct certificate cert;
	struct commit c;
	struct object_ref commit;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	commit = fixture_commit(&f, "x", 1, NULL, 0);
	ck_assert_int_ne(history_certificate(f.s, &commit.id, &cert, &e), 0);
	ck_assert_int_ne(e.code, ERR_NOTFOUND);
	UNIT_OK(oid_from_data(&commit.id, "x", 1, &e), &e);
	UNIT_FAILS(history_commit(f.s, &commit.id, &c, &e), &e, ERR_FORMAT);
	fixture_close(&f);
}
END_TEST

struct order {
	struct oid ids[16];
	int count, stop_at;
};

static int
note(void *arg, const struct oid *id, const struct commit *c)
{
	struct order *o = arg;

	ck_assert_ptr_nonnull(c->message);
	o->ids[o->count++] = *id;
	return o->count == o->stop_at;
}

START_TEST(history_walk_order)
{
	struct object_ref root, left, right, merge, late;
	struct order o = {.count = 0};
	struct oid parents[2], starts[2];
	struct fixture f;
	struct err e;

	/* the clock of whoever made "late" is wrong: children come first all the same */
	fixture_open(&f);
	root = fixture_commit(&f, "root", 5000, NULL, 0);
	left = fixture_commit(&f, "left", 2000, &root.id, 1);
	right = fixture_commit(&f, "right", 3000, &root.id, 1);
	parents[0] = left.id;
	parents[1] = right.id;
	merge = fixture_commit(&f, "merge", 4000, parents, 2);
	late = fixture_commit(&f, "late", 10, &merge.id, 1);
	starts[0] = late.id;
	starts[1] = right.id;
	UNIT_OK(history_walk(f.s, starts, 2, note, &o, &e), &e);
	ck_assert_int_eq(o.count, 5);
	ck_assert(oid_equal(&o.ids[0], &late.id) && oid_equal(&o.ids[1], &merge.id));
	ck_assert(oid_equal(&o.ids[2], &right.id) && oid_equal(&o.ids[3], &left.id));
	ck_assert(oid_equal(&o.ids[4], &root.id));
	o = (struct order){.stop_at = 2};
	UNIT_OK(history_walk(f.s, starts, 1, note, &o, &e), &e);
	ck_assert_int_eq(o.count, 2);
	o.count = 0;
	UNIT_OK(history_walk(f.s, NULL, 0, note, &o, &e), &e);
	ck_assert_int_eq(o.count, 0);
	starts[0].b[0] ^= 1;
	UNIT_FAILS(history_walk(f.s, starts, 1, note, &o, &e), &e, ERR_NOTFOUND);
	fixture_close(&f);
}
END_TEST

START_TEST(history_producer_newest_then_other_refs)
{
	struct runs_output a, b, c, wrong;
	struct object_ref one, two, side;
	struct history_producer p;
	struct resource r;
	struct oid cert;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	a = runs_blob(&f, "model", "the weights");
	b = runs_blob(&f, "metrics", "{}");
	c = runs_blob(&f, "elsewhere", "only on the side");
	producer_is(&f, &a, 0, NULL, NULL);
	cert = runs_certificate(&f, &a, &b);
	one = runs_commit(&f, &cert, 1000, NULL);
	runs_set_ref(&f, "HEAD", &one);
	producer_is(&f, &a, 0, &one, "model");
	a.path = "renamed";
	cert = runs_certificate(&f, &b, &a);
	two = runs_commit(&f, &cert, 2000, &one.id);
	/* stored but reached by nothing: not an answer */
	producer_is(&f, &a, 0, &one, "model");
	runs_set_ref(&f, "HEAD", &two);
	producer_is(&f, &a, 0, &two, "renamed");
	/* newer, with it too, but not reached from HEAD */
	cert = runs_certificate(&f, &c, &a);
	side = runs_commit(&f, &cert, 9000, NULL);
	runs_set_ref(&f, "refs/heads/side", &side);
	producer_is(&f, &a, 0, &two, "renamed");
	producer_is(&f, &c, 0, &side, "elsewhere");
	producer_is(&f, &c, HISTORY_HEAD_ONLY, NULL, NULL);
	/* type and size count too */
	wrong = a;
	wrong.size++;
	producer_is(&f, &wrong, 0, NULL, NULL);
	wrong = a;
	wrong.type = OBJECT_TREE;
	producer_is(&f, &wrong, 0, NULL, NULL);
	UNIT_OK(history_producer_of_path(f.s, "metrics", 0, &p, &e), &e);
	ck_assert(oid_equal(&p.commit, &two.id));
	history_producer_free(&p);
	UNIT_OK(history_producer_of_path(f.s, "elsewhere", 0, &p, &e), &e);
	ck_assert(oid_equal(&p.commit, &side.id));
	history_producer_free(&p);
	UNIT_FAILS(history_producer_of_path(f.s, "metric", 0, &p, &e), &e, ERR_NOTFOUND);
	r = content(&a);
	runs_set_ref(&f, "refs/failed/x", &two);
	UNIT_OK(history_producer(f.s, &r, 0, &p, &e), &e);
	history_producer_free(&p);
	fixture_close(&f);
}
END_TEST

START_TEST(history_producer_ignores_failed_runs)
{
	struct history_producer p;
	struct object_ref c;
	struct fixture f;
	struct oid cert;
	struct err e;

	fixture_open(&f);
	cert = runs_failed_certificate(&f);
	c = runs_commit(&f, &cert, 1000, NULL);
	runs_set_ref(&f, "HEAD", &c);
	UNIT_FAILS(history_producer_of_path(f.s, "model.safetensors", 0, &p, &e), &e, ERR_NOTFOUND);
	fixture_close(&f);
}
END_TEST

static struct runs_output
tree_of(struct fixture *f, const char *path, const char *mode, const struct runs_output *in)
{
	struct runs_output o = {.path = path, .type = OBJECT_TREE, .size = in->size};
	char text[200], hex[OID_HEX_SIZE];
	struct err e;

	oid_hex(&in->id, hex);
	snprintf(text, sizeof text, "aicert tree 1\n%s %llu %s x\n", mode, (unsigned long long)in->size, hex);
	UNIT_OK(odb_put(f->s, text, strlen(text), &o.id, &e), &e);
	return o;
}

START_TEST(history_producer_inside_trees)
{
	struct runs_output leaf, link, sub, top, other, absent;
	struct object_ref c, next;
	struct fixture f;
	struct oid cert;

	fixture_open(&f);
	leaf = runs_blob(&f, "leaf", "deep inside");
	link = runs_blob(&f, "link", "target");
	sub = tree_of(&f, "sub", "100755", &leaf);
	top = tree_of(&f, "ckpt", "040000", &sub);
	other = tree_of(&f, "links", "120000", &link);
	cert = runs_certificate(&f, &top, &other);
	c = runs_commit(&f, &cert, 1000, NULL);
	runs_set_ref(&f, "HEAD", &c);
	producer_is(&f, &leaf, 0, NULL, NULL);
	producer_is(&f, &leaf, HISTORY_INSIDE, &c, "ckpt");
	producer_is(&f, &sub, HISTORY_INSIDE, &c, "ckpt");
	producer_is(&f, &top, 0, &c, "ckpt");
	/* the text of a link is not a file */
	producer_is(&f, &link, HISTORY_INSIDE, NULL, NULL);
	/* a tree that is not here is not looked into, and no error */
	absent = top;
	absent.id.b[0] ^= 1;
	cert = runs_certificate(&f, &absent, &leaf);
	next = runs_commit(&f, &cert, 2000, &c.id);
	runs_set_ref(&f, "HEAD", &next);
	producer_is(&f, &sub, HISTORY_INSIDE | HISTORY_HEAD_ONLY, &c, "ckpt");
	producer_is(&f, &leaf, HISTORY_INSIDE, &next, "leaf");
	fixture_close(&f);
}
END_TEST

/* "There is none" is not said when it cannot be known. */
START_TEST(history_producer_missing_certificate)
{
	struct history_producer p;
	struct runs_output a;
	struct object_ref c;
	struct resource r;
	struct fixture f;
	struct oid cert;
	struct err e;

	fixture_open(&f);
	a = runs_blob(&f, "a", "a");
	memset(&cert, 0x77, sizeof cert);
	c = runs_commit(&f, &cert, 1000, NULL);
	runs_set_ref(&f, "HEAD", &c);
	r = content(&a);
	UNIT_FAILS(history_producer(f.s, &r, 0, &p, &e), &e, ERR_IO);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(history)
{
	tcase_add_test(tc, history_types);
	tcase_add_test(tc, history_opens_only_what_it_is);
	tcase_add_test(tc, history_walk_order);
	tcase_add_test(tc, history_producer_newest_then_other_refs);
	tcase_add_test(tc, history_producer_ignores_failed_runs);
	tcase_add_test(tc, history_producer_inside_trees);
	tcase_add_test(tc, history_producer_missing_certificate);
}
