#include "store/history.h"

#include <fcntl.h>
#include <string.h>
#include "unit.h"
#include "store/fixture.h"
#include "store/odb.h"

#define NODES 48

/* A graph whose parents have smaller numbers; its clocks may be wrong. */
struct graph {
	struct oid ids[NODES];
	long times[NODES];
	unsigned char parent[NODES][NODES];
	int count;
};

struct told {
	struct oid ids[NODES];
	int count, stop_at;
};

static int
note(void *arg, const struct oid *id, const struct commit *c)
{
	struct told *t = arg;

	ck_assert_ptr_nonnull(c->message);
	ck_assert_int_lt(t->count, NODES);
	t->ids[t->count++] = *id;
	return t->count == t->stop_at;
}

static unsigned
draw(unsigned *seed, unsigned below)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed / 65536 % below;
}

static void
add(struct fixture *f, struct graph *g, long time)
{
	struct oid parents[NODES];
	char name[32];
	size_t n = 0;

	for (int k = 0; k < g->count; k++)
		if (g->parent[g->count][k])
			parents[n++] = g->ids[k];
	snprintf(name, sizeof name, "commit %d", g->count);
	g->times[g->count] = time;
	g->ids[g->count++] = fixture_commit(f, name, time, parents, n).id;
}

static void
draw_graph(struct fixture *f, struct graph *g, unsigned *seed, int count)
{
	unsigned skew = 1 + draw(seed, 4) * 400, roots = draw(seed, 3);

	memset(g, 0, sizeof *g);
	while (g->count < count) {
		int n = g->count;
		unsigned want = n == 0 || draw(seed, 30) < roots ? 0 : 1 + draw(seed, 5) / 3 + draw(seed, 9) / 8;

		while (want-- > 0) /* mostly near ones */
			g->parent[n][n - 1 - (int)draw(seed, n < 4 || draw(seed, 6) == 0 ? (unsigned)n : 4)] = 1;
		add(f, g, 10000 + 100L * n + (long)draw(seed, skew) - skew / 2);
	}
}

/* The definition, without any cleverness: of those whose children were all told,
 * the newest. */
static void
expect(const struct graph *g, const int *starts, int n, struct told *ret)
{
	bool reached[NODES] = {false}, done[NODES] = {false};

	ret->count = 0;
	for (int i = 0; i < n; i++)
		reached[starts[i]] = true;
	for (int i = g->count - 1; i >= 0; i--)
		for (int k = 0; reached[i] && k < i; k++)
			reached[k] = reached[k] || g->parent[i][k];
	for (;;) {
		int best = -1;

		for (int i = 0; i < g->count; i++) {
			bool free_ = reached[i] && !done[i];

			for (int k = i + 1; k < g->count; k++)
				free_ = free_ && !(reached[k] && !done[k] && g->parent[k][i]);
			if (free_ && (best < 0 || g->times[i] > g->times[best] ||
			    (g->times[i] == g->times[best] && oid_compare(&g->ids[i], &g->ids[best]) < 0)))
				best = i;
		}
		if (best < 0)
			return;
		done[best] = true;
		ret->ids[ret->count++] = g->ids[best];
	}
}

static void
compare(struct fixture *f, const struct graph *g, const int *starts, int n)
{
	struct told want = {.count = 0}, got = {.stop_at = -1};
	struct oid ids[4];
	struct err e;

	for (int i = 0; i < n; i++)
		ids[i] = g->ids[starts[i]];
	expect(g, starts, n, &want);
	UNIT_OK(history_walk(f->s, ids, (size_t)n, note, &got, &e), &e);
	ck_assert_int_eq(got.count, want.count);
	for (int i = 0; i < got.count; i++)
		ck_assert_msg(oid_equal(&got.ids[i], &want.ids[i]), "at %d of %d", i, got.count);
	/* told in time: one who stops sees the same beginning */
	got = (struct told){.stop_at = 1 + want.count / 2};
	UNIT_OK(history_walk(f->s, ids, (size_t)n, note, &got, &e), &e);
	ck_assert_int_eq(memcmp(got.ids, want.ids, (size_t)got.count * sizeof *got.ids), 0);
}

START_TEST(history_walk_is_what_it_says)
{
	struct fixture f;
	struct graph g;
	unsigned seed = 1;
	struct err e;

	fixture_open(&f);
	for (int round = 0; round < 60; round++) {
		int starts[4], n = 1 + (int)draw(&seed, 4);

		UNIT_OK(odb_batch_begin(f.s, &e), &e);
		draw_graph(&f, &g, &seed, 2 + (int)draw(&seed, NODES - 2));
		UNIT_OK(odb_batch_end(f.s, &e), &e);
		for (int i = 0; i < n; i++)
			starts[i] = (int)draw(&seed, (unsigned)g.count);
		starts[0] = g.count - 1;
		compare(&f, &g, starts, n);
	}
	fixture_close(&f);
}
END_TEST

/* On a line, a commit is told before its parent is read. */
START_TEST(history_walk_tells_at_once)
{
	struct told got = {.stop_at = 1};
	struct object_ref missing, tip, side, merge;
	struct oid parents[2];
	struct fixture f;
	struct err e;

	fixture_open(&f);
	memset(&missing.id, 0x42, sizeof missing.id);
	tip = fixture_commit(&f, "tip", 2000, &missing.id, 1);
	UNIT_OK(history_walk(f.s, &tip.id, 1, note, &got, &e), &e);
	ck_assert_int_eq(got.count, 1);
	got = (struct told){.stop_at = -1};
	UNIT_FAILS(history_walk(f.s, &tip.id, 1, note, &got, &e), &e, ERR_NOTFOUND);
	ck_assert_int_eq(got.count, 1);
	/* after a merge the order cannot be known before the lines meet */
	side = fixture_commit(&f, "side", 3000, NULL, 0);
	parents[0] = tip.id;
	parents[1] = side.id;
	merge = fixture_commit(&f, "merge", 4000, parents, 2);
	got = (struct told){.stop_at = -1};
	UNIT_FAILS(history_walk(f.s, &merge.id, 1, note, &got, &e), &e, ERR_NOTFOUND);
	ck_assert_int_eq(got.count, 1);
	fixture_close(&f);
}
END_TEST

START_TEST(history_walk_damaged_commit)
{
	struct told got = {.stop_at = -1};
	struct object_ref tip = {0};
	struct fixture f;
	struct oid bad;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_put(f.s, "{}", 2, &bad, &e), &e);
	tip = fixture_commit(&f, "over it", 1000, &bad, 1);
	tip = fixture_commit(&f, "tip", 1000, &tip.id, 1);
	UNIT_FAILS(history_walk(f.s, &tip.id, 1, note, &got, &e), &e, ERR_FORMAT);
	ck_assert_int_eq(got.count, 2);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(history_walk)
{
	tcase_add_test(tc, history_walk_is_what_it_says);
	tcase_add_test(tc, history_walk_tells_at_once);
	tcase_add_test(tc, history_walk_damaged_commit);
}
