#include "serve/closure.h"

#include <string.h>
#include <sys/stat.h>
#include "object/tree.h"
#include "store/odb.h"
#include "unit.h"

static struct store *
closure_store(const char *name)
{
	char dir[128], path[160];
	struct store *s = NULL;
	bool created;
	struct err e;

	snprintf(dir, sizeof dir, "%s/%s", unit_dir(), name);
	snprintf(path, sizeof path, "%s/.aicert", dir);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	UNIT_OK(store_init(dir, &created, &e), &e);
	UNIT_OK(store_open(path, 0, &s, &e), &e);
	return s;
}

/* A tree with one entry, stored. */
static struct oid
make_tree(struct store *s, enum tree_mode mode, const struct oid *entry)
{
	struct tree_builder *b;
	struct buf text = BUF_INIT;
	uint64_t size;
	struct oid id;
	struct err e;

	UNIT_OK(tree_builder_new(&b, &e), &e);
	UNIT_OK(tree_builder_add(b, mode, 1, entry, "x", &e), &e);
	UNIT_OK(tree_builder_finish(b, &text, &size, &e), &e);
	UNIT_OK(odb_put(s, text.data, text.len, &id, &e), &e);
	tree_builder_free(b);
	buf_free(&text);
	return id;
}

struct seen {
	struct object_ref refs[64];
	size_t count;
	bool descend;
	const struct oid *refuse;
};

static int
see(void *arg, const struct object_ref *ref, enum closure_need need, struct err *e)
{
	struct seen *s = arg;

	ck_assert_int_eq((int)need, CLOSURE_NEEDED);
	ck_assert_uint_lt(s->count, 64);
	if (s->refuse != NULL && oid_equal(s->refuse, &ref->id))
		return err_set(e, ERR_REFUSED, "no");
	s->refs[s->count++] = *ref;
	return s->descend && ref->type == OBJECT_TREE;
}

static size_t
count(const struct seen *s, const struct oid *id)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		n += oid_equal(&s->refs[i].id, id);
	return n;
}

START_TEST(trees_are_walked)
{
	struct store *s = closure_store("trees");
	struct oid blob, inner, outer;
	struct seen seen = {.descend = true};
	struct object_ref root;
	struct err e;

	UNIT_OK(odb_put(s, "b", 1, &blob, &e), &e);
	inner = make_tree(s, TREE_FILE, &blob);
	outer = make_tree(s, TREE_DIR, &inner);
	root = (struct object_ref){OBJECT_TREE, outer};
	UNIT_OK(closure_walk(s, &root, 1, see, &seen, &e), &e);
	ck_assert_uint_eq(seen.count, 3);
	ck_assert(count(&seen, &outer) == 1 && count(&seen, &inner) == 1 && count(&seen, &blob) == 1);
	seen = (struct seen){.descend = false};
	UNIT_OK(closure_walk(s, &root, 1, see, &seen, &e), &e);
	ck_assert_uint_eq(seen.count, 1);
	seen = (struct seen){.descend = true, .refuse = &blob};
	UNIT_FAILS(closure_walk(s, &root, 1, see, &seen, &e), &e, ERR_REFUSED);
	store_close(s);
}
END_TEST

/* Who names a tree as a blob first must not hide what is in it. */
START_TEST(types_do_not_hide_each_other)
{
	struct store *s = closure_store("types");
	struct resource_input inputs[2] = {{.fetched = false}};
	struct run_spec spec = {.image = RUN_SPEC_HOST, .inputs = inputs, .input_count = 2};
	struct seen seen = {.descend = true};
	struct oid blob, tree;
	struct err e;

	UNIT_OK(odb_put(s, "b", 1, &blob, &e), &e);
	tree = make_tree(s, TREE_FILE, &blob);
	for (int order = 0; order < 2; order++) {
		for (int i = 0; i < 2; i++) {
			inputs[i].thing.type = (i ^ order) == 0 ? OBJECT_BLOB : OBJECT_TREE;
			inputs[i].thing.digests.sha256 = tree;
		}
		seen.count = 0;
		UNIT_OK(closure_spec(s, &spec, see, &seen, &e), &e);
		ck_assert_uint_eq(count(&seen, &tree), 2);
		ck_assert_uint_eq(count(&seen, &blob), 1);
	}
	store_close(s);
}
END_TEST

/* Nor does who names an id that is like another: nobody has to know bytes of it. */
START_TEST(ids_do_not_hide_each_other)
{
	struct store *s = closure_store("alike");
	struct resource_input inputs[32];
	struct run_spec spec = {.image = RUN_SPEC_HOST, .inputs = inputs, .input_count = 32};
	struct seen seen = {.descend = false};
	struct err e;

	memset(inputs, 0, sizeof inputs);
	for (unsigned last = 0; last < 16; last++)
		for (int i = 0; i < 2; i++) {
			inputs[2 * last + (unsigned)i].thing.type = i == 0 ? OBJECT_BLOB : OBJECT_TREE;
			inputs[2 * last + (unsigned)i].thing.digests.sha256.b[31] = (unsigned char)last;
		}
	UNIT_OK(closure_spec(s, &spec, see, &seen, &e), &e);
	ck_assert_uint_eq(seen.count, 32);
	store_close(s);
}
END_TEST

START_TEST(a_spec_names_its_image_and_makers)
{
	struct store *s = closure_store("spec");
	struct resource_made_by by = {.path = NULL};
	struct resource_input input = {.made_by = &by};
	struct run_spec spec = {.image = RUN_SPEC_OCI, .inputs = &input, .input_count = 1};
	struct seen seen = {.descend = true};
	struct err e;

	memset(spec.image_file.digests.sha256.b, 1, 32);
	memset(input.thing.digests.sha256.b, 2, 32);
	memset(by.certificate.b, 3, 32);
	UNIT_OK(closure_spec(s, &spec, see, &seen, &e), &e);
	ck_assert_uint_eq(seen.count, 3);
	ck_assert_uint_eq(count(&seen, &spec.image_file.digests.sha256), 1);
	ck_assert_uint_eq(count(&seen, &by.certificate), 1);
	store_close(s);
}
END_TEST

UNIT_SUITE(serve_closure)
{
	tcase_add_test(tc, trees_are_walked);
	tcase_add_test(tc, types_do_not_hide_each_other);
	tcase_add_test(tc, ids_do_not_hide_each_other);
	tcase_add_test(tc, a_spec_names_its_image_and_makers);
}
