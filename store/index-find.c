#include <string.h>
#include "base/array.h"
#include "crypto/hash.h"
#include "store/index-db.h"
#include "store/odb-state.h"

#define INDEX_HITS_MAX 1000000
#define INDEX_HOLDERS_MAX 100000 /* trees that hold one thing */

int
index_path_key(const char *path, struct oid *ret, struct err *e)
{
	return oid_from_data(ret, path, strlen(path), e);
}

void
index_hits_free(struct index_hits *h)
{
	free(h->hits);
	oid_map_free(&h->holders);
	*h = (struct index_hits)INDEX_HITS_INIT;
}

struct index_finder {
	struct db *d;
	enum index_role role;
	struct index_hits *found;
	struct oid_map seen;        /* commits among them */
	struct oid *queue;          /* trees whose holders are to be found */
	size_t count, cap;
	struct err *e;
};

/* Rows that cannot be are left out, and then something may be missing. */
static int
index_hit_add(struct index_finder *f, struct db_stmt *st)
{
	struct index_hits *h = f->found;
	struct index_hit hit = {.chain = db_int(st, 2), .pos = db_int(st, 3)};
	size_t commit_len, certificate_len;
	const void *commit = db_blob(st, 0, &commit_len), *certificate = db_blob(st, 1, &certificate_len);
	bool fresh;

	if (commit_len != OID_SIZE || certificate_len != OID_SIZE || h->count == INDEX_HITS_MAX) {
		h->complete = false;
		return 0;
	}
	memcpy(hit.commit.b, commit, OID_SIZE);
	memcpy(hit.certificate.b, certificate, OID_SIZE);
	if (oid_map_add(&f->seen, &hit.commit, 0, &fresh, f->e) != 0)
		return -1;
	if (!fresh)
		return 0;
	if (ARRAY_ROOM(h->hits, h->count, h->cap, f->e) != 0)
		return -1;
	h->hits[h->count++] = hit;
	return 0;
}

static int
index_find_commits(struct index_finder *f, const struct oid *key)
{
	struct db_stmt *st;
	int rc;

	if (db_prepare(f->d, "SELECT c.id, c.cert, c.chain, c.pos FROM edges e JOIN commits c ON c.n=e.n"
	    " WHERE e.key=?1 AND e.role=?2", &st, f->e) != 0)
		return -1;
	db_bind_int(st, 1, index_key(key));
	db_bind_int(st, 2, f->role);
	while ((rc = db_step(st, f->e)) == 1)
		if (index_hit_add(f, st) != 0) {
			db_reset(st);
			return -1;
		}
	return rc;
}

static int
index_holder_add(struct index_finder *f, struct db_stmt *st)
{
	struct oid id;
	size_t len;
	const void *blob = db_blob(st, 0, &len);
	bool fresh;

	if (len != OID_SIZE || f->found->holders.count == INDEX_HOLDERS_MAX) {
		f->found->complete = false;
		return 0;
	}
	memcpy(id.b, blob, OID_SIZE);
	if (oid_map_add(&f->found->holders, &id, 0, &fresh, f->e) != 0)
		return -1;
	if (!fresh)
		return 0;
	if (ARRAY_ROOM(f->queue, f->count, f->cap, f->e) != 0)
		return -1;
	f->queue[f->count++] = id;
	return 0;
}

static int
index_find_holders(struct index_finder *f, const struct oid *key)
{
	struct db_stmt *st;
	int rc;

	if (db_prepare(f->d, "SELECT t.id FROM edges e JOIN trees t ON t.n=e.n"
	    " WHERE e.key=?1 AND e.role=3", &st, f->e) != 0)
		return -1;
	db_bind_int(st, 1, index_key(key));
	while ((rc = db_step(st, f->e)) == 1)
		if (index_holder_add(f, st) != 0) {
			db_reset(st);
			return -1;
		}
	return rc;
}

static int
index_hit_compare(const void *a, const void *b)
{
	const struct index_hit *x = a, *y = b;

	if (x->chain != y->chain)
		return x->chain < y->chain ? 1 : -1;
	return (x->pos < y->pos) - (x->pos > y->pos);
}

static int
index_find_all(struct index_finder *f, const struct oid *key, bool inside)
{
	if (index_find_commits(f, key) != 0 || (inside && index_find_holders(f, key) != 0))
		return -1;
	for (size_t i = 0; i < f->count; i++) {
		struct oid tree = f->queue[i]; /* the queue may move */

		if (index_find_commits(f, &tree) != 0 || index_find_holders(f, &tree) != 0)
			return -1;
	}
	if (f->found->count > 0)
		qsort(f->found->hits, f->found->count, sizeof *f->found->hits, index_hit_compare);
	return 0;
}

/* The index cannot be used: that is no error of the question. */
static int
index_failed(struct index_hits *hits, struct err *e)
{
	index_hits_free(hits);
	hits->complete = false;
	if (e->code == ERR_NOMEM || e->code == ERR_CANCELLED)
		return -1;
	err_clear(e);
	return 0;
}

int
index_find_again(struct store *s, enum index_role role, const struct oid *key, bool inside,
    struct index_hits *ret, struct err *e)
{
	struct index_hits hits = INDEX_HITS_INIT;
	struct err local;
	struct index_finder f = {.d = odb_state(s)->index, .role = role, .found = &hits,
	    .seen = OID_MAP_INIT, .e = e != NULL ? e : &local};
	int rc = 0;

	if (f.d == NULL)
		hits.complete = false;
	else if (index_find_all(&f, key, inside) != 0)
		rc = index_failed(&hits, f.e);
	free(f.queue);
	oid_map_free(&f.seen);
	if (rc == 0)
		*ret = hits;
	return rc;
}

int
index_find(struct store *s, enum index_role role, const struct oid *key, bool inside,
    struct index_hits *ret, struct err *e)
{
	struct index_hits hits = INDEX_HITS_INIT;
	struct err local;
	struct db *d;
	bool complete;

	e = e != NULL ? e : &local;
	if (index_ready(s, NULL, &d, &complete, e) != 0) {
		if (index_failed(&hits, e) != 0)
			return -1;
	} else if (index_find_again(s, role, key, inside, &hits, e) != 0) {
		return -1;
	} else {
		hits.complete = hits.complete && complete;
	}
	*ret = hits;
	return 0;
}

/* --- what a commit reaches --- */

/* How far up each chain is reached: a table of open addresses. */
struct index_tops {
	struct index_place *slots;  /* pos < 0: free */
	size_t cap, count;
};

static struct index_place *
index_top(struct index_tops *t, int64_t chain)
{
	size_t i = ((uint64_t)chain * 0x9e3779b97f4a7c15u) >> 20 & (t->cap - 1);

	while (t->slots[i].pos >= 0 && t->slots[i].chain != chain)
		i = (i + 1) & (t->cap - 1);
	return &t->slots[i];
}

static int
index_tops_grow(struct index_tops *t, struct err *e)
{
	struct index_tops old = *t;

	t->cap = old.cap != 0 ? old.cap * 2 : 64;
	t->slots = calloc(t->cap, sizeof *t->slots);
	if (t->slots == NULL) {
		*t = old;
		return err_nomem(e);
	}
	for (size_t i = 0; i < t->cap; i++)
		t->slots[i].pos = -1;
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].pos >= 0)
			*index_top(t, old.slots[i].chain) = old.slots[i];
	free(old.slots);
	return 0;
}

/* A stretch of a chain whose links are to be followed. */
struct index_stretch {
	int64_t chain, from, to;
};

struct index_reacher {
	struct db *d;
	struct index_tops tops;
	struct index_stretch *todo;
	size_t count, cap;
	struct err *e;
};

/* What is new of the chain up to here. */
static int
index_reach_place(struct index_reacher *r, const struct index_place *at)
{
	struct index_place *top;
	int64_t from;

	if (at->pos < 0)
		return 0;
	if (r->tops.count >= r->tops.cap / 2 && index_tops_grow(&r->tops, r->e) != 0)
		return -1;
	top = index_top(&r->tops, at->chain);
	if (top->pos >= at->pos)
		return 0;
	r->tops.count += top->pos < 0;
	from = top->pos + 1;
	*top = *at;
	if (ARRAY_ROOM(r->todo, r->count, r->cap, r->e) != 0)
		return -1;
	r->todo[r->count++] = (struct index_stretch){at->chain, from, at->pos};
	return 0;
}

static int
index_reach_links(struct index_reacher *r, const struct index_stretch *s)
{
	struct db_stmt *st;
	int rc;

	if (db_prepare(r->d, "SELECT to_chain, to_pos FROM links WHERE chain=?1 AND pos>=?2 AND pos<=?3",
	    &st, r->e) != 0)
		return -1;
	db_bind_int(st, 1, s->chain);
	db_bind_int(st, 2, s->from);
	db_bind_int(st, 3, s->to);
	while ((rc = db_step(st, r->e)) == 1) {
		const struct index_place to = {db_int(st, 0), db_int(st, 1)};

		if (index_reach_place(r, &to) != 0) {
			db_reset(st);
			return -1;
		}
	}
	return rc;
}

/* 1: the index does not know one of them */
static int
index_reach_all(struct index_reacher *r, const struct oid *start, size_t n)
{
	int unknown = 0;

	for (size_t i = 0; i < n; i++) {
		struct index_place at;
		int rc = index_has(r->d, &start[i], &at, r->e);

		if (rc < 0 || (rc == 1 && index_reach_place(r, &at) != 0))
			return -1;
		unknown = rc == 0 ? 1 : unknown;
	}
	while (r->count > 0) {
		struct index_stretch s = r->todo[--r->count];

		if (index_reach_links(r, &s) != 0)
			return -1;
	}
	return unknown;
}

struct index_reached {
	struct index_tops tops;
};

static int
index_reach_from(struct db *d, const struct oid *start, size_t n, struct index_reached *ret,
    struct err *e)
{
	struct index_reacher r = {.d = d, .e = e};
	int rc = index_tops_grow(&r.tops, e);

	if (rc == 0 && d != NULL)
		rc = index_reach_all(&r, start, n);
	free(r.todo);
	ret->tops = r.tops;
	return rc;
}

void
index_reach_filter(const struct index_reached *r, struct index_hits *hits)
{
	struct index_tops tops = r->tops; /* looked at only */
	size_t kept = 0;

	for (size_t i = 0; i < hits->count; i++)
		if (index_top(&tops, hits->hits[i].chain)->pos >= hits->hits[i].pos)
			hits->hits[kept++] = hits->hits[i];
	hits->count = kept;
}

void
index_reach_free(struct index_reached *r)
{
	if (r == NULL)
		return;
	free(r->tops.slots);
	free(r);
}

int
index_reach_new(struct store *s, const struct oid *start, size_t n, struct index_reached **ret,
    bool *ret_complete, struct err *e)
{
	struct index_reached *r = calloc(1, sizeof *r);
	struct db *d;
	bool complete = false;
	int rc;

	if (r == NULL)
		return err_nomem(e);
	rc = index_ready(s, NULL, &d, &complete, e);
	if (rc != 0)
		d = NULL;
	if (rc == 0 || (e->code != ERR_NOMEM && e->code != ERR_CANCELLED))
		rc = index_reach_from(d, start, n, r, e);
	if (rc < 0) {
		index_reach_free(r);
		return -1;
	}
	*ret = r;
	*ret_complete = complete && rc == 0;
	return 0;
}

int
index_reach(struct store *s, const struct oid *start, size_t n, struct index_hits *hits,
    struct err *e)
{
	struct index_reached r = {.tops = {.cap = 0}};
	struct db *d = odb_state(s)->index;
	int rc = index_reach_from(d, start, n, &r, e);

	if (rc >= 0) {
		hits->complete = hits->complete && rc == 0 && d != NULL;
		index_reach_filter(&r, hits);
	} else if (e->code != ERR_NOMEM && e->code != ERR_CANCELLED) {
		hits->complete = false;
		hits->count = 0;
		rc = 0;
	}
	free(r.tops.slots);
	return rc < 0 ? -1 : 0;
}
