#include <string.h>
#include "base/array.h"
#include "base/interrupt.h"
#include "store/history.h"
#include "store/oid-map.h"

/* Commits of a stretch kept decoded until they are told; what is beyond is read again. */
#define HISTORY_KEPT_MAX 20000

/*
 * What is told must come before all its ancestors, and nothing that is still
 * unread may turn out to be its child.  The history is therefore read in
 * stretches.  The frontier is what was read but not entered: its parents were
 * not looked at.  Entering goes on, newest first, until the frontier is one
 * commit.  Then, unless a commit without parents was entered, every entered
 * commit leads down to that one: none of them is an ancestor of what is unread,
 * so the stretch is told, in order, and then that commit, of which all the rest
 * are ancestors.  On a line of commits a stretch is empty and each is told as
 * soon as it is read.  An ancestor cannot be met again after that: ids are
 * digests, so there are no cycles.
 */
struct history_node {
	struct oid id;
	struct commit commit;    /* when kept */
	struct oid *parents;
	size_t parent_count;
	int64_t time;
	size_t children;         /* in the stretch, not told yet */
	bool kept;
};

struct history_heap {
	size_t *nodes;           /* newest on top */
	size_t count, cap;
};

struct history_graph {
	history_read_fn *read;
	void *read_arg;
	struct history_node *nodes;
	size_t count, cap, kept;
	struct oid_map index;
	struct history_heap frontier, ready;
	bool root;               /* a commit without parents was entered */
	history_each_fn *fn;
	void *arg;
	bool stop;
};

static void
history_node_free(struct history_node *n)
{
	if (n->kept)
		commit_free(&n->commit);
	free(n->parents);
	*n = (struct history_node){.kept = false};
}

static void
history_graph_clear(struct history_graph *g)
{
	for (size_t i = 0; i < g->count; i++)
		history_node_free(&g->nodes[i]);
	oid_map_free(&g->index);
	g->count = g->kept = 0;
	g->frontier.count = g->ready.count = 0;
	g->root = false;
}

static void
history_graph_free(struct history_graph *g)
{
	history_graph_clear(g);
	free(g->nodes);
	free(g->frontier.nodes);
	free(g->ready.nodes);
}

/* Newer first; of the same second, the order of ids, so that it is always the same. */
static bool
history_before(const struct history_graph *g, size_t a, size_t b)
{
	const struct history_node *x = &g->nodes[a], *y = &g->nodes[b];

	if (x->time != y->time)
		return x->time > y->time;
	return oid_compare(&x->id, &y->id) < 0;
}

static int
history_push(const struct history_graph *g, struct history_heap *h, size_t node, struct err *e)
{
	size_t i;

	if (ARRAY_ROOM(h->nodes, h->count, h->cap, e) != 0)
		return -1;
	for (i = h->count++; i > 0 && history_before(g, node, h->nodes[(i - 1) / 2]); i = (i - 1) / 2)
		h->nodes[i] = h->nodes[(i - 1) / 2];
	h->nodes[i] = node;
	return 0;
}

static size_t
history_pop(const struct history_graph *g, struct history_heap *h)
{
	size_t top = h->nodes[0], last = h->nodes[--h->count], i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= h->count)
			break;
		if (child + 1 < h->count && history_before(g, h->nodes[child + 1], h->nodes[child]))
			child++;
		if (!history_before(g, h->nodes[child], last))
			break;
		h->nodes[i] = h->nodes[child];
		i = child;
	}
	h->nodes[i] = last;
	return top;
}

static int
history_node_read(struct history_graph *g, const struct oid *id, struct history_node *ret,
    struct err *e)
{
	struct history_node n = {.id = *id, .kept = true};

	if (g->read(g->read_arg, id, &n.commit, e) != 0)
		return -1;
	n.time = n.commit.time;
	n.parent_count = n.commit.parent_count;
	n.parents = calloc(n.parent_count + 1, sizeof *n.parents);
	if (n.parents == NULL) {
		commit_free(&n.commit);
		return err_nomem(e);
	}
	if (n.parent_count > 0)
		memcpy(n.parents, n.commit.parents, n.parent_count * sizeof *n.parents);
	if (g->kept >= HISTORY_KEPT_MAX) {
		commit_free(&n.commit);
		n.kept = false;
	}
	g->kept += n.kept;
	*ret = n;
	return 0;
}

/* Reads a commit into the frontier, unless it is there or was entered; child: it is
 * met as a parent. */
static int
history_meet(struct history_graph *g, const struct oid *id, bool child, struct err *e)
{
	struct history_node n;
	bool fresh;
	size_t at;

	if (oid_map_get(&g->index, id, &at)) {
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): found, so there are nodes */
		g->nodes[at].children += child;
		return 0;
	}
	if (ARRAY_ROOM(g->nodes, g->count, g->cap, e) != 0)
		return -1;
	if (interrupt_check(e) != 0 || history_node_read(g, id, &n, e) != 0)
		return -1;
	n.children = child;
	g->nodes[g->count++] = n;
	if (oid_map_add(&g->index, id, g->count - 1, &fresh, e) != 0)
		return -1;
	return history_push(g, &g->frontier, g->count - 1, e);
}

static int
history_enter(struct history_graph *g, size_t node, struct err *e)
{
	g->root = g->root || g->nodes[node].parent_count == 0;
	for (size_t k = 0; k < g->nodes[node].parent_count; k++) {
		struct oid parent = g->nodes[node].parents[k]; /* nodes may move */

		if (history_meet(g, &parent, true, e) != 0)
			return -1;
	}
	return 0;
}

static int
history_tell(struct history_graph *g, const struct history_node *n, struct err *e)
{
	CLEANUP(commit_free) struct commit again = {0};

	if (interrupt_check(e) != 0)
		return -1;
	if (!n->kept && g->read(g->read_arg, &n->id, &again, e) != 0)
		return -1;
	g->stop = g->fn(g->arg, &n->id, n->kept ? &n->commit : &again) != 0;
	return 0;
}

/* A commit of the stretch is ready when it has no child that is still to be told. */
static int
history_ready(struct history_graph *g, size_t node, struct err *e)
{
	if (g->frontier.count > 0 && node == g->frontier.nodes[0])
		return 0;
	return g->nodes[node].children == 0 ? history_push(g, &g->ready, node, e) : 0;
}

/* Tells what was entered; what is left of the frontier is an ancestor of it all. */
static int
history_tell_stretch(struct history_graph *g, struct err *e)
{
	for (size_t i = 0; i < g->count; i++)
		if (history_ready(g, i, e) != 0)
			return -1;
	while (g->ready.count > 0 && !g->stop) {
		const struct history_node *n = &g->nodes[history_pop(g, &g->ready)];

		if (history_tell(g, n, e) != 0)
			return -1;
		for (size_t k = 0; k < n->parent_count; k++) {
			size_t parent;

			if (!oid_map_get(&g->index, &n->parents[k], &parent))
				continue;
			g->nodes[parent].children--;
			if (history_ready(g, parent, e) != 0)
				return -1;
		}
	}
	return 0;
}

/* Tells the one commit of the frontier and begins anew with its parents. */
static int
history_tell_last(struct history_graph *g, struct err *e)
{
	struct history_node n = g->nodes[g->frontier.nodes[0]];
	int rc;

	g->nodes[g->frontier.nodes[0]] = (struct history_node){.kept = false};
	history_graph_clear(g);
	rc = history_tell(g, &n, e);
	for (size_t k = 0; rc == 0 && !g->stop && k < n.parent_count; k++)
		rc = history_meet(g, &n.parents[k], false, e);
	history_node_free(&n);
	return rc;
}

int
history_walk_with(const struct history_source *from, const struct oid *start, size_t n,
    history_each_fn *fn, void *arg, struct err *e)
{
	CLEANUP(history_graph_free) struct history_graph g = {.read = from->read, .read_arg = from->arg,
	    .index = OID_MAP_INIT, .fn = fn, .arg = arg};

	for (size_t i = 0; i < n; i++)
		if (history_meet(&g, &start[i], false, e) != 0)
			return -1;
	while (g.frontier.count > 0 && !g.stop) {
		while (g.frontier.count > 1 || (g.frontier.count > 0 && g.root))
			if (history_enter(&g, history_pop(&g, &g.frontier), e) != 0)
				return -1;
		if (history_tell_stretch(&g, e) != 0)
			return -1;
		if (g.frontier.count > 0 && !g.stop && history_tell_last(&g, e) != 0)
			return -1;
	}
	return 0;
}

static int
history_walk_read(void *arg, const struct oid *id, struct commit *ret, struct err *e)
{
	return history_commit(arg, id, ret, e);
}

int
history_walk(struct store *s, const struct oid *start, size_t n, history_each_fn *fn, void *arg,
    struct err *e)
{
	const struct history_source from = {history_walk_read, s};

	return history_walk_with(&from, start, n, fn, arg, e);
}
