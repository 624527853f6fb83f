#include <string.h>
#include "store/history.h"
#include "store/oid-map.h"

struct history_node {
	struct oid id;
	struct commit commit;
	size_t children;     /* not told yet */
};

/* Everything reachable is read first: only then is it known that all children
 * of a commit were told. */
struct history_graph {
	struct store *s;
	struct history_node *nodes;
	size_t count, cap;
	struct oid_map index;
	size_t *heap;        /* nodes without untold children, newest on top */
	size_t heap_count;
};

static void
history_graph_free(struct history_graph *g)
{
	for (size_t i = 0; i < g->count; i++)
		commit_free(&g->nodes[i].commit);
	free(g->nodes);
	free(g->heap);
	oid_map_free(&g->index);
}

static int
history_graph_add(struct history_graph *g, const struct oid *id, struct err *e)
{
	bool fresh;

	if (oid_map_add(&g->index, id, g->count, &fresh, e) != 0)
		return -1;
	if (!fresh)
		return 0;
	if (g->count == g->cap) {
		size_t cap = g->cap != 0 ? g->cap * 2 : 64;
		struct history_node *nodes = reallocarray(g->nodes, cap, sizeof *nodes);

		if (nodes == NULL)
			return err_nomem(e);
		g->nodes = nodes;
		g->cap = cap;
	}
	g->nodes[g->count++] = (struct history_node){.id = *id};
	return 0;
}

static int
history_graph_read(struct history_graph *g, const struct oid *start, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (history_graph_add(g, &start[i], e) != 0)
			return -1;
	for (size_t i = 0; i < g->count; i++) {
		struct commit c;

		if (history_commit(g->s, &g->nodes[i].id, &c, e) != 0)
			return -1;
		g->nodes[i].commit = c;
		for (size_t k = 0; k < c.parent_count; k++)
			if (history_graph_add(g, &c.parents[k], e) != 0)
				return -1;
	}
	return 0;
}

static void
history_graph_count(struct history_graph *g)
{
	for (size_t i = 0; i < g->count; i++)
		for (size_t k = 0; k < g->nodes[i].commit.parent_count; k++) {
			size_t parent;

			if (oid_map_get(&g->index, &g->nodes[i].commit.parents[k], &parent))
				g->nodes[parent].children++;
		}
}

/* Newer first; of the same second, the order of ids, so that it is always the same. */
static bool
history_before(const struct history_graph *g, size_t a, size_t b)
{
	const struct history_node *x = &g->nodes[a], *y = &g->nodes[b];

	if (x->commit.time != y->commit.time)
		return x->commit.time > y->commit.time;
	return oid_compare(&x->id, &y->id) < 0;
}

static void
history_push(struct history_graph *g, size_t node)
{
	size_t i = g->heap_count++;

	while (i > 0 && history_before(g, node, g->heap[(i - 1) / 2])) {
		g->heap[i] = g->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	g->heap[i] = node;
}

static size_t
history_pop(struct history_graph *g)
{
	size_t top = g->heap[0], last = g->heap[--g->heap_count], i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= g->heap_count)
			break;
		if (child + 1 < g->heap_count && history_before(g, g->heap[child + 1], g->heap[child]))
			child++;
		if (!history_before(g, g->heap[child], last))
			break;
		g->heap[i] = g->heap[child];
		i = child;
	}
	g->heap[i] = last;
	return top;
}

static int
history_tell(struct history_graph *g, history_each_fn *fn, void *arg, struct err *e)
{
	if (g->count == 0)
		return 0;
	g->heap = calloc(g->count, sizeof *g->heap);
	if (g->heap == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < g->count; i++)
		if (g->nodes[i].children == 0)
			history_push(g, i);
	while (g->heap_count > 0) {
		struct history_node *node = &g->nodes[history_pop(g)];

		if (fn(arg, &node->id, &node->commit) != 0)
			return 0;
		for (size_t k = 0; k < node->commit.parent_count; k++) {
			size_t parent;

			if (oid_map_get(&g->index, &node->commit.parents[k], &parent) &&
			    --g->nodes[parent].children == 0)
				history_push(g, parent);
		}
	}
	return 0;
}

int
history_walk(struct store *s, const struct oid *start, size_t n, history_each_fn *fn, void *arg,
    struct err *e)
{
	CLEANUP(history_graph_free) struct history_graph g = {.s = s, .index = OID_MAP_INIT};

	if (history_graph_read(&g, start, n, e) != 0)
		return -1;
	history_graph_count(&g);
	return history_tell(&g, fn, arg, e);
}
