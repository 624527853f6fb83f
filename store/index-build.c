#include <string.h>
#include <time.h>
#include "base/array.h"
#include "base/interrupt.h"
#include "object/certificate-scan.h"
#include "object/tree.h"
#include "store/history.h"
#include "store/index-db.h"
#include "store/odb.h"

#define INDEX_EDGES_MAX 500000  /* held in memory before they are written, in order */
#define INDEX_STEP_SECONDS 5    /* so long at most others wait for the lock */

struct index_edge {
	int64_t key, role, n;
};

/* A commit on the way down: its parents come first. */
struct index_node {
	struct oid id;
	struct commit commit;
	size_t next;            /* parent to look at */
};

struct index_builder {
	struct store *s;
	struct db *d;
	struct index_node *stack;
	size_t depth, cap;
	struct index_edge *edges;
	size_t edge_count, edge_cap;
	int64_t next_commit, next_tree;
	time_t began;
	struct err *e;
};

int64_t
index_key(const struct oid *id)
{
	int64_t key;

	memcpy(&key, id->b, sizeof key);
	return key;
}

int
index_has(struct db *d, const struct oid *id, struct index_place *ret, struct err *e)
{
	struct db_stmt *st;
	int rc;

	if (db_prepare(d, "SELECT chain, pos FROM commits WHERE id=?1", &st, e) != 0)
		return -1;
	db_bind_blob(st, 1, id->b, OID_SIZE);
	rc = db_step(st, e);
	if (rc == 1) {
		*ret = (struct index_place){db_int(st, 0), db_int(st, 1)};
		db_reset(st);
	}
	return rc;
}

/* --- edges --- */

static int
index_edge_compare(const void *a, const void *b)
{
	const struct index_edge *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->role != y->role)
		return x->role < y->role ? -1 : 1;
	return (x->n > y->n) - (x->n < y->n);
}

/* In the order of the table: each page is written once. */
static int
index_flush(struct index_builder *b)
{
	struct db_stmt *st;

	if (b->edge_count > 0)
		qsort(b->edges, b->edge_count, sizeof *b->edges, index_edge_compare);
	for (size_t i = 0; i < b->edge_count; i++) {
		if (db_prepare(b->d, "INSERT OR IGNORE INTO edges(key, role, n) VALUES(?1, ?2, ?3)", &st,
		    b->e) != 0)
			return -1;
		db_bind_int(st, 1, b->edges[i].key);
		db_bind_int(st, 2, b->edges[i].role);
		db_bind_int(st, 3, b->edges[i].n);
		if (db_step(st, b->e) != 0)
			return -1;
	}
	b->edge_count = 0;
	return 0;
}

static int
index_edge(struct index_builder *b, const struct oid *id, int role, int64_t n)
{
	if (b->edge_count == INDEX_EDGES_MAX && index_flush(b) != 0)
		return -1;
	if (ARRAY_ROOM(b->edges, b->edge_count, b->edge_cap, b->e) != 0)
		return -1;
	b->edges[b->edge_count++] = (struct index_edge){index_key(id), role, n};
	return 0;
}

/* --- trees --- */

enum { INDEX_TREE_ABSENT, INDEX_TREE_READ, INDEX_TREE_BAD };

static int index_tree(struct index_builder *b, const struct oid *id, int depth);

static int
index_tree_set(struct index_builder *b, int64_t n, int there)
{
	struct db_stmt *st;

	if (db_prepare(b->d, "UPDATE trees SET there=?2 WHERE n=?1", &st, b->e) != 0)
		return -1;
	db_bind_int(st, 1, n);
	db_bind_int(st, 2, there);
	return db_step(st, b->e);
}

/* The entries of a tree that has a row; one that is not here, or is none, keeps it alone. */
static int
index_tree_entries(struct index_builder *b, const struct oid *id, int64_t n, int depth)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	bool there;

	if (odb_find(b->s, id, &there, b->e) != 0)
		return -1;
	if (!there)
		return 0;
	if (odb_read(b->s, id, TREE_BYTES_MAX, &text, b->e) != 0 ||
	    tree_decode(text.data, text.len, &t, b->e) != 0)
		return b->e->code == ERR_NOMEM ? -1 : index_tree_set(b, n, INDEX_TREE_BAD);
	buf_free(&text);
	if (index_tree_set(b, n, INDEX_TREE_READ) != 0)
		return -1;
	for (size_t i = 0; i < t.count; i++) {
		if (t.entries[i].mode == TREE_LINK)
			continue;
		if (index_edge(b, &t.entries[i].id, INDEX_ENTRY, n) != 0 ||
		    (t.entries[i].mode == TREE_DIR && index_tree(b, &t.entries[i].id, depth + 1) != 0))
			return -1;
	}
	return 0;
}

/* 1: it has a row already */
static int
index_tree_row(struct index_builder *b, const struct oid *id)
{
	struct db_stmt *st;
	int rc;

	if (db_prepare(b->d, "SELECT 1 FROM trees WHERE id=?1", &st, b->e) != 0)
		return -1;
	db_bind_blob(st, 1, id->b, OID_SIZE);
	rc = db_step(st, b->e);
	if (rc == 1)
		db_reset(st);
	if (rc != 0)
		return rc;
	if (db_prepare(b->d, "INSERT INTO trees(n, id, there) VALUES(?1, ?2, 0)", &st, b->e) != 0)
		return -1;
	db_bind_int(st, 1, b->next_tree);
	db_bind_blob(st, 2, id->b, OID_SIZE);
	return db_step(st, b->e);
}

/* Each tree once, whoever has it. */
static int
index_tree(struct index_builder *b, const struct oid *id, int depth)
{
	int rc;

	if (depth > TREE_DEPTH_MAX)
		return 0;
	rc = index_tree_row(b, id);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return index_tree_entries(b, id, b->next_tree++, depth);
}

/* --- commits --- */

static int
index_gap(struct index_builder *b, const struct oid *id)
{
	struct db_stmt *st;

	if (db_prepare(b->d, "INSERT OR IGNORE INTO gaps(id, intact) VALUES(?1, ?2)", &st, b->e) != 0)
		return -1;
	db_bind_blob(st, 1, id->b, OID_SIZE);
	db_bind_int(st, 2, odb_intact(b->s, id));
	return db_step(st, b->e);
}

/* An input or output of the commit n. */
static int
index_item(struct index_builder *b, const struct certificate_scan_item *item, int64_t n)
{
	struct oid path;

	if (index_edge(b, &item->id, item->output ? INDEX_MADE : INDEX_USED, n) != 0)
		return -1;
	if (item->output && (oid_from_data(&path, item->path, item->path_len, b->e) != 0 ||
	    index_edge(b, &path, INDEX_NAMED, n) != 0))
		return -1;
	return item->type == OBJECT_TREE ? index_tree(b, &item->id, 1) : 0;
}

static int
index_scanned(void *arg, const struct certificate_scan_item *item)
{
	struct index_builder *b = arg;

	return index_item(b, item, b->next_commit);
}

static int
index_decoded(struct index_builder *b, const struct buf *text, const struct oid *id)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	int rc = 0;

	if (certificate_decode(text->data, text->len, &c, b->e) != 0)
		return b->e->code == ERR_NOMEM ? -1 : index_gap(b, id);
	for (size_t i = 0; rc == 0 && i < c.event_count; i++) {
		const struct event *ev = &c.events[i];
		bool output = ev->kind == EVENT_OUTPUT_RESOURCE;
		const struct resource *r = output ? &ev->u.output.output : &ev->u.input.thing;

		if (output || ev->kind == EVENT_INPUT_RESOURCE)
			rc = index_item(b, &(struct certificate_scan_item){output, r->type,
			    r->digests.sha256, r->path, strlen(r->path)}, b->next_commit);
	}
	return rc;
}

/* One that does not decode gives hints that lead to nothing. */
static int
index_certificate(struct index_builder *b, const struct oid *id)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	int rc;

	if (odb_read(b->s, id, CERTIFICATE_BYTES_MAX, &text, NULL) != 0)
		return index_gap(b, id);
	rc = certificate_scan(text.data, text.len, index_scanned, b);
	return rc == 1 ? index_decoded(b, &text, id) : rc;
}

static int
index_link(struct index_builder *b, const struct index_place *from, const struct index_place *to)
{
	struct db_stmt *st;

	if (db_prepare(b->d, "INSERT OR IGNORE INTO links(chain, pos, to_chain, to_pos)"
	    " VALUES(?1, ?2, ?3, ?4)", &st, b->e) != 0)
		return -1;
	db_bind_int(st, 1, from->chain);
	db_bind_int(st, 2, from->pos);
	db_bind_int(st, 3, to->chain);
	db_bind_int(st, 4, to->pos);
	return db_step(st, b->e);
}

/* 1: no commit stands on this one in its chain */
static int
index_is_end(struct index_builder *b, const struct index_place *at)
{
	struct db_stmt *st;
	int rc;

	if (db_prepare(b->d, "SELECT 1 FROM commits WHERE chain=?1 AND pos=?2", &st, b->e) != 0)
		return -1;
	db_bind_int(st, 1, at->chain);
	db_bind_int(st, 2, at->pos + 1);
	rc = db_step(st, b->e);
	if (rc == 1)
		db_reset(st);
	return rc < 0 ? -1 : rc == 0;
}

/* Continues the chain of its first parent, or begins one; links to all other parents. */
static int
index_place(struct index_builder *b, const struct commit *c, struct index_place *ret)
{
	struct index_place at = {.chain = b->next_commit, .pos = 0}, parent = {0};

	for (size_t i = 0; i < c->parent_count; i++) {
		int rc = index_has(b->d, &c->parents[i], &parent, b->e);

		if (rc < 0)
			return -1;
		if (rc == 0)
			continue; /* a gap */
		rc = i == 0 ? index_is_end(b, &parent) : 0;
		if (rc < 0)
			return -1;
		if (rc == 1)
			at = (struct index_place){parent.chain, parent.pos + 1};
		else if (index_link(b, &at, &parent) != 0)
			return -1;
	}
	*ret = at;
	return 0;
}

static int
index_insert(struct index_builder *b, const struct index_node *node, const struct index_place *at)
{
	const struct commit *c = &node->commit;
	struct db_stmt *st;

	if (db_prepare(b->d, "INSERT INTO commits(n, id, chain, pos, cert) VALUES(?1, ?2, ?3, ?4, ?5)",
	    &st, b->e) != 0)
		return -1;
	db_bind_int(st, 1, b->next_commit);
	db_bind_blob(st, 2, node->id.b, OID_SIZE);
	db_bind_int(st, 3, at->chain);
	db_bind_int(st, 4, at->pos);
	db_bind_blob(st, 5, c->subject.id.b, c->kind == COMMIT_RUN ? OID_SIZE : 0);
	return db_step(st, b->e);
}

/* All its parents are in, or are gaps. */
static int
index_commit(struct index_builder *b, const struct index_node *node)
{
	struct index_place at;
	int rc = index_has(b->d, &node->id, &at, b->e);

	if (rc != 0)
		return rc < 0 ? -1 : 0; /* another process was faster */
	if (index_place(b, &node->commit, &at) != 0 || index_insert(b, node, &at) != 0)
		return -1;
	if (node->commit.kind == COMMIT_RUN &&
	    index_certificate(b, &node->commit.subject.id) != 0)
		return -1;
	b->next_commit++;
	return 0;
}

static int
index_push(struct index_builder *b, const struct oid *id)
{
	struct index_node node = {.id = *id};
	struct index_place at;
	int rc = index_has(b->d, id, &at, b->e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (history_commit(b->s, id, &node.commit, NULL) != 0)
		return index_gap(b, id);
	if (ARRAY_ROOM(b->stack, b->depth, b->cap, b->e) != 0) {
		commit_free(&node.commit);
		return -1;
	}
	b->stack[b->depth++] = node;
	return 0;
}

static int
index_next_number(struct db *d, const char *sql, int64_t *ret, struct err *e)
{
	struct db_stmt *st;

	if (db_prepare(d, sql, &st, e) != 0 || db_step(st, e) != 1)
		return -1;
	*ret = db_int(st, 0) + 1;
	db_reset(st);
	return 0;
}

static int
index_begin(struct index_builder *b)
{
	if (db_begin(b->d, b->e) != 0)
		return -1;
	b->began = time(NULL);
	if (index_next_number(b->d, "SELECT max(n) FROM commits", &b->next_commit, b->e) == 0 &&
	    index_next_number(b->d, "SELECT max(n) FROM trees", &b->next_tree, b->e) == 0)
		return 0;
	db_rollback(b->d);
	return -1;
}

static int
index_end(struct index_builder *b)
{
	if (index_flush(b) == 0 && db_commit(b->d, b->e) == 0)
		return 0;
	db_rollback(b->d);
	return -1;
}

/* Parents come before children, so that what is committed on the way is whole. */
static int
index_drain(struct index_builder *b)
{
	while (b->depth > 0) {
		struct index_node *top = &b->stack[b->depth - 1];

		if (interrupt_check(b->e) != 0)
			return -1;
		if (top->next < top->commit.parent_count) {
			struct oid parent = top->commit.parents[top->next++];

			if (index_push(b, &parent) != 0)
				return -1;
			continue;
		}
		if (index_commit(b, top) != 0)
			return -1;
		commit_free(&top->commit);
		b->depth--;
		if (time(NULL) > b->began + INDEX_STEP_SECONDS && (index_end(b) != 0 || index_begin(b) != 0))
			return -1;
	}
	return 0;
}

static void
index_builder_free(struct index_builder *b)
{
	for (size_t i = 0; i < b->depth; i++)
		commit_free(&b->stack[i].commit);
	free(b->stack);
	free(b->edges);
}

int
index_build(struct store *s, struct db *d, const struct oid *tips, size_t count, struct err *e)
{
	CLEANUP(index_builder_free) struct index_builder b = {.s = s, .d = d, .e = e};

	if (index_begin(&b) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (index_push(&b, &tips[i]) != 0 || index_drain(&b) != 0) {
			db_rollback(d);
			return -1;
		}
	return index_end(&b);
}

/* --- what was missing --- */

struct index_missing {
	struct oid id;
	int64_t n;              /* of a tree; of a gap: was intact */
};

struct index_missing_list {
	struct index_missing *items;
	size_t count;
	bool more;              /* than are looked for */
};

static void
index_missing_free(struct index_missing_list *l)
{
	free(l->items);
}

static int
index_missing_add(struct index_missing_list *l, struct db_stmt *st, struct err *e)
{
	size_t len;
	const void *id = db_blob(st, 0, &len);

	if (l->count == INDEX_ABSENT_MAX || len != OID_SIZE) {
		l->more = true;
		return 0;
	}
	if (l->items == NULL)
		l->items = calloc(INDEX_ABSENT_MAX, sizeof *l->items);
	if (l->items == NULL)
		return err_nomem(e);
	memcpy(l->items[l->count].id.b, id, OID_SIZE);
	l->items[l->count++].n = db_int(st, 1);
	return 0;
}

static int
index_missing_read(struct db *d, const char *sql, struct index_missing_list *ret, struct err *e)
{
	struct db_stmt *st;
	int rc;

	if (db_prepare(d, sql, &st, e) != 0)
		return -1;
	while (!ret->more && (rc = db_step(st, e)) == 1)
		if (index_missing_add(ret, st, e) != 0) {
			db_reset(st);
			return -1;
		}
	if (!ret->more)
		return rc;
	db_reset(st);
	return 0;
}

static int
index_absent_trees(struct store *s, struct db *d, bool *ret_more, struct err *e)
{
	CLEANUP(index_builder_free) struct index_builder b = {.s = s, .d = d, .e = e};
	CLEANUP(index_missing_free) struct index_missing_list l = {.count = 0};
	bool begun = false;

	if (index_missing_read(d, "SELECT id, n FROM trees WHERE there=0", &l, e) != 0)
		return -1;
	*ret_more = l.more;
	for (size_t i = 0; i < l.count; i++) {
		if (!odb_has(s, &l.items[i].id))
			continue;
		if (!begun && index_begin(&b) != 0)
			return -1;
		begun = true;
		if (index_tree_entries(&b, &l.items[i].id, l.items[i].n, 1) != 0) {
			db_rollback(d);
			return -1;
		}
	}
	return begun ? index_end(&b) : 0;
}

int
index_gaps(struct store *s, struct db *d, bool *ret_stale, bool *ret_complete, struct err *e)
{
	CLEANUP(index_missing_free) struct index_missing_list l = {.count = 0};
	bool more_trees;

	if (index_missing_read(d, "SELECT id, intact FROM gaps", &l, e) != 0)
		return -1;
	*ret_stale = false;
	for (size_t i = 0; i < l.count; i++)
		if (odb_intact(s, &l.items[i].id) != (l.items[i].n != 0))
			*ret_stale = true;
	if (*ret_stale)
		return 0;
	if (index_absent_trees(s, d, &more_trees, e) != 0)
		return -1;
	*ret_complete = l.count == 0 && !l.more && !more_trees;
	return 0;
}
