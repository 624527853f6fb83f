#include "store/index.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "unit.h"
#include "db/db.h"
#include "object/commit.h"
#include "store/history.h"
#include "store/index-db.h"
#include "store/odb.h"
#include "store/runs.h"

#define NODES 32
#define CONTENTS 5

static size_t
ask(struct fixture *f, enum index_role role, const struct oid *id, struct index_hits *ret)
{
	struct err e;

	index_hits_free(ret);
	UNIT_OK(index_find(f->s, role, id, true, ret, &e), &e);
	return ret->count;
}

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

struct scene {
	struct runs_output model, leaf, tree;
	struct object_ref commit;
	struct oid certificate, input;  /* an input of the golden certificate */
};

static void
setup(struct fixture *f, struct scene *c)
{
	struct certificate cert;
	struct err e;

	fixture_open(f);
	c->model = runs_blob(f, "model", "weights");
	c->leaf = runs_blob(f, "leaf", "inside");
	c->tree = tree_of(f, "ckpt", "100644", &c->leaf);
	c->certificate = runs_certificate(f, &c->model, &c->tree);
	c->commit = runs_commit(f, &c->certificate, 1000, NULL);
	runs_set_ref(f, "HEAD", &c->commit);
	UNIT_OK(history_certificate(f->s, &c->certificate, &cert, &e), &e);
	c->input = certificate_event(&cert, EVENT_INPUT_RESOURCE)->u.input.thing.digests.sha256;
	certificate_free(&cert);
}

START_TEST(index_fills_itself)
{
	CLEANUP(index_hits_free) struct index_hits h = INDEX_HITS_INIT;
	struct runs_output other;
	struct object_ref next;
	struct fixture f;
	struct scene c;
	struct oid cert, name;
	struct err e;

	setup(&f, &c);
	ck_assert_uint_eq(ask(&f, INDEX_MADE, &c.model.id, &h), 1);
	ck_assert(h.complete && oid_equal(&h.hits[0].commit, &c.commit.id));
	ck_assert(oid_equal(&h.hits[0].certificate, &c.certificate));
	ck_assert_uint_eq(ask(&f, INDEX_MADE, &c.leaf.id, &h), 1);
	ck_assert_uint_eq(h.holders.count, 1);
	ck_assert_uint_eq(ask(&f, INDEX_USED, &c.model.id, &h), 0);
	ck_assert_uint_eq(ask(&f, INDEX_USED, &c.input, &h), 1);
	UNIT_OK(index_path_key("ckpt", &name, &e), &e);
	ck_assert_uint_eq(ask(&f, INDEX_NAMED, &name, &h), 1);
	ck_assert_uint_eq(ask(&f, INDEX_MADE, &name, &h), 0);
	/* a commit that nobody told it about; the descendant comes first */
	other = runs_blob(&f, "other", "other");
	cert = runs_certificate(&f, &c.model, &other);
	next = runs_commit(&f, &cert, 10, &c.commit.id);
	runs_set_ref(&f, "HEAD", &next);
	ck_assert_uint_eq(ask(&f, INDEX_MADE, &c.model.id, &h), 2);
	ck_assert(oid_equal(&h.hits[0].commit, &next.id));
	ck_assert_int_eq(h.hits[0].chain, h.hits[1].chain);
	UNIT_OK(index_add(f.s, &next.id, &e), &e);
	UNIT_OK(index_rebuild(f.s, &e), &e);
	ck_assert_uint_eq(ask(&f, INDEX_MADE, &c.model.id, &h), 2);
	ck_assert_uint_eq(ask(&f, INDEX_MADE, &other.id, &h), 1);
	fixture_close(&f);
}
END_TEST

/* Deleted, garbage, a symlink, another database, a directory; a store opened to be read. */
START_TEST(index_of_any_kind)
{
	CLEANUP(index_hits_free) struct index_hits h = INDEX_HITS_INIT;
	struct fixture f;
	struct scene c;

	setup(&f, &c);
	for (int i = 0; i < 5; i++) {
		ck_assert_uint_eq(ask(&f, INDEX_MADE, &c.model.id, &h), 1);
		fixture_reopen(&f, 0);
		(void)unlinkat(store_dirfd(f.s), "index.db", 0);
		if (i == 1)
			fixture_write(&f, ".aicert/index.db", "garbage that is no database at all", 34);
		else if (i == 2)
			ck_assert_int_eq(symlinkat("HEAD", store_dirfd(f.s), "index.db"), 0);
		else if (i == 3)
			ck_assert_int_eq(linkat(store_dirfd(f.s), "objects/small.db", store_dirfd(f.s),
			    "index.db", 0), 0);
		else if (i == 4)
			ck_assert_int_eq(mkdirat(store_dirfd(f.s), "index.db", 0755), 0);
	}
	/* what cannot be replaced is done without */
	ck_assert_uint_eq(ask(&f, INDEX_MADE, &c.model.id, &h), 1);
	ck_assert(h.complete);
	ck_assert_int_eq(unlinkat(store_dirfd(f.s), "index.db", AT_REMOVEDIR), 0);
	fixture_reopen(&f, STORE_READ_ONLY);
	ck_assert_uint_eq(ask(&f, INDEX_MADE, &c.leaf.id, &h), 1);
	ck_assert_int_eq(faccessat(store_dirfd(f.s), "index.db", F_OK, 0), 0);
	fixture_close(&f);
}
END_TEST

/* It says that it is not complete while something is missing, and finds it when it comes. */
START_TEST(index_knows_its_gaps)
{
	CLEANUP(index_hits_free) struct index_hits h = INDEX_HITS_INIT;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct object_ref next;
	struct fixture f, g;
	struct scene c;
	struct oid cert, id;
	struct err e;

	setup(&f, &c);
	/* a certificate made elsewhere */
	fixture_open(&g);
	c.model.path = "again";
	cert = runs_certificate(&g, &c.model, &c.leaf);
	UNIT_OK(odb_read(g.s, &cert, CERTIFICATE_BYTES_MAX, &text, &e), &e);
	fixture_close(&g);
	next = runs_commit(&f, &cert, 2000, &c.commit.id);
	runs_set_ref(&f, "HEAD", &next);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(ask(&f, INDEX_MADE, &c.model.id, &h), 1);
		ck_assert(!h.complete);
	}
	UNIT_OK(odb_put(f.s, text.data, text.len, &id, &e), &e);
	ck_assert_uint_eq(ask(&f, INDEX_MADE, &c.model.id, &h), 2);
	ck_assert(h.complete);
	/* the same for a commit */
	memset(&id, 0x55, sizeof id);
	next = runs_commit(&f, &cert, 3000, &id);
	runs_set_ref(&f, "refs/heads/side", &next);
	ck_assert_uint_eq(ask(&f, INDEX_MADE, &c.model.id, &h), 3);
	ck_assert(!h.complete);
	fixture_close(&f);
}
END_TEST

START_TEST(index_takes_in_a_tree_that_comes)
{
	CLEANUP(index_hits_free) struct index_hits h = INDEX_HITS_INIT;
	struct runs_output leaf, sub, top, other;
	struct object_ref commit;
	struct fixture f, g;
	struct oid cert, id;
	char text[200], hex[OID_HEX_SIZE];
	struct err e;

	fixture_open(&g);
	leaf = runs_blob(&g, "leaf", "deep");
	sub = tree_of(&g, "sub", "100644", &leaf);
	fixture_close(&g);
	fixture_open(&f);
	top = tree_of(&f, "ckpt", "040000", &sub);
	other = runs_blob(&f, "other", "other");
	cert = runs_certificate(&f, &top, &other);
	commit = runs_commit(&f, &cert, 1, NULL);
	runs_set_ref(&f, "HEAD", &commit);
	ck_assert_uint_eq(ask(&f, INDEX_MADE, &sub.id, &h), 1);
	ck_assert_uint_eq(ask(&f, INDEX_MADE, &leaf.id, &h), 0);
	ck_assert(h.complete); /* a tree that is not here has nothing to say */
	oid_hex(&leaf.id, hex);
	snprintf(text, sizeof text, "aicert tree 1\n100644 4 %s x\n", hex);
	UNIT_OK(odb_put(f.s, text, strlen(text), &id, &e), &e);
	ck_assert(oid_equal(&id, &sub.id));
	ck_assert_uint_eq(ask(&f, INDEX_MADE, &leaf.id, &h), 1);
	ck_assert_uint_eq(h.holders.count, 2);
	fixture_close(&f);
}
END_TEST

/* Rows that a stranger took out or put in: a wrong "none" is only ever said in haste. */
START_TEST(index_that_lies)
{
	CLEANUP(index_hits_free) struct index_hits h = INDEX_HITS_INIT;
	struct history_producer p;
	struct resource r;
	struct fixture f;
	struct scene c;
	struct db *d;
	bool complete;
	struct err e;

	setup(&f, &c);
	ck_assert_uint_eq(ask(&f, INDEX_MADE, &c.model.id, &h), 1);
	UNIT_OK(index_ready(f.s, NULL, &d, &complete, &e), &e);
	UNIT_OK(db_exec(d, "UPDATE edges SET role=4 WHERE role=0", &e), &e);
	r = (struct resource){.type = OBJECT_BLOB, .size = c.model.size, .digests = {.sha256 = c.model.id}};
	UNIT_FAILS(history_producer(f.s, &r, HISTORY_QUICK, &p, &e), &e, ERR_NOTFOUND);
	UNIT_OK(history_producer(f.s, &r, 0, &p, &e), &e);
	ck_assert_str_eq(p.path, "model");
	history_producer_free(&p);
	/* every digest of the certificate is said to be an output */
	UNIT_OK(db_exec(d, "UPDATE edges SET role=0", &e), &e);
	r.digests.sha256 = c.input;
	UNIT_FAILS(history_producer(f.s, &r, HISTORY_QUICK, &p, &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(history_producer(f.s, &r, HISTORY_INSIDE, &p, &e), &e, ERR_NOTFOUND);
	/* commits and certificates that are none */
	UNIT_OK(db_exec(d, "UPDATE commits SET cert=x'00'", &e), &e);
	r.digests.sha256 = c.model.id;
	UNIT_OK(history_producer(f.s, &r, HISTORY_QUICK, &p, &e), &e);
	history_producer_free(&p);
	UNIT_OK(db_exec(d, "UPDATE commits SET cert=id, chain=-5, pos=-7", &e), &e);
	UNIT_OK(history_producer(f.s, &r, 0, &p, &e), &e);
	history_producer_free(&p);
	fixture_close(&f);
}
END_TEST

/* --- random graphs --- */

struct graph {
	struct object_ref commits[NODES];
	int content[NODES];             /* of output "model" */
	unsigned char reach[NODES][NODES];
	int count;
};

static unsigned
draw(unsigned *seed, unsigned below)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed / 65536 % below;
}

static struct object_ref
merge_commit(struct fixture *f, const struct oid *certificate, long time, struct oid *parents,
    size_t count)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct commit c = {
		.kind = count > 1 ? COMMIT_MERGE : COMMIT_RUN, .parents = parents, .parent_count = count,
		.has_subject = count <= 1,
		.subject = {OBJECT_CERTIFICATE, *certificate}, .author_name = (char *)(uintptr_t)"T",
		.author_email = (char *)(uintptr_t)"t@localhost", .time = time,
		.message = (char *)(uintptr_t)"m",
	};
	struct object_ref ref = {.type = OBJECT_COMMIT};
	struct err e;

	UNIT_OK(commit_encode(&c, &text, &e), &e);
	UNIT_OK(odb_put(f->s, text.data, text.len, &ref.id, &e), &e);
	return ref;
}

static void
draw_graph(struct fixture *f, struct graph *g, const struct oid *certs, unsigned *seed)
{
	memset(g, 0, sizeof *g);
	for (int n = 0; n < NODES; n++) {
		struct oid parents[3];
		size_t count = 0;
		unsigned want = n == 0 ? 0 : 1 + draw(seed, 4) / 3 + draw(seed, 9) / 8;

		g->reach[n][n] = 1;
		g->content[n] = (int)draw(seed, CONTENTS);
		while (want-- > 0) {
			int p = n - 1 - (int)draw(seed, n < 4 ? (unsigned)n : 4);
			bool had = false;

			for (size_t i = 0; i < count; i++)
				had = had || oid_equal(&parents[i], &g->commits[p].id);
			if (had)
				continue;
			parents[count++] = g->commits[p].id;
			for (int k = 0; k < n; k++)
				g->reach[n][k] |= g->reach[p][k];
		}
		g->commits[n] = merge_commit(f, &certs[g->content[n]], 1000 + 10 * n + (long)draw(seed, 60),
		    parents, count);
		g->content[n] = count > 1 ? -1 : g->content[n]; /* a merge made nothing */
	}
}

struct first {
	const struct graph *g;
	int content, found;
};

static int
find_first(void *arg, const struct oid *id, const struct commit *c)
{
	struct first *w = arg;

	(void)c;
	for (int i = 0; i < NODES && w->found < 0; i++)
		if (oid_equal(id, &w->g->commits[i].id) && w->g->content[i] == w->content)
			w->found = i;
	return w->found >= 0;
}

/* The answer is that of a walk which reads everything. */
static void
compare_producer(struct fixture *f, const struct graph *g, const struct runs_output *o, int content,
    int head)
{
	struct first w = {.g = g, .content = content, .found = -1};
	CLEANUP(history_producer_free) struct history_producer p = {0};
	struct resource r = {.type = o->type, .size = o->size, .digests = {.sha256 = o->id}};
	struct err e;
	int rc;

	runs_set_ref(f, "HEAD", &g->commits[head]);
	UNIT_OK(history_walk(f->s, &g->commits[head].id, 1, find_first, &w, &e), &e);
	rc = history_producer(f->s, &r, HISTORY_HEAD_ONLY | HISTORY_QUICK, &p, &e);
	ck_assert_msg((rc == 0) == (w.found >= 0), "%s", e.msg);
	ck_assert(rc != 0 || oid_equal(&p.commit, &g->commits[w.found].id));
}

static void
compare_reach(struct fixture *f, const struct graph *g, const struct runs_output *o, int content,
    int from)
{
	CLEANUP(index_hits_free) struct index_hits h = INDEX_HITS_INIT;
	size_t want = 0;
	struct err e;

	ask(f, INDEX_MADE, &o->id, &h);
	UNIT_OK(index_reach(f->s, &g->commits[from].id, 1, &h, &e), &e);
	ck_assert(h.complete);
	for (int i = 0; i < NODES; i++) {
		bool has = g->reach[from][i] && g->content[i] == content, got = false;

		for (size_t k = 0; k < h.count; k++)
			got = got || oid_equal(&h.hits[k].commit, &g->commits[i].id);
		ck_assert_int_eq(got, has);
		want += has;
	}
	ck_assert_uint_eq(h.count, want);
}

START_TEST(index_on_random_graphs)
{
	static const char *const texts[CONTENTS] = {"a", "b", "c", "d", "e"};
	struct runs_output outputs[CONTENTS], same;
	struct oid certs[CONTENTS];
	struct fixture f;
	struct graph g;
	unsigned seed = 7;

	fixture_open(&f);
	same = runs_blob(&f, "same", "the same everywhere");
	for (int i = 0; i < CONTENTS; i++) {
		outputs[i] = runs_blob(&f, "model", texts[i]);
		certs[i] = runs_certificate(&f, &outputs[i], &same);
	}
	for (int round = 0; round < 12; round++) {
		char name[32];

		draw_graph(&f, &g, certs, &seed);
		for (int i = 0; i < 8; i++) { /* the index grows from several tips */
			int from = (int)draw(&seed, NODES), content = (int)draw(&seed, CONTENTS);

			compare_producer(&f, &g, &outputs[content], content, from);
			compare_reach(&f, &g, &outputs[content], content, from);
		}
		snprintf(name, sizeof name, "refs/heads/r%d", round);
		runs_set_ref(&f, name, &g.commits[NODES - 1]);
	}
	fixture_close(&f);
}
END_TEST

struct uses {
	int count;
	char paths[8][32];
	bool inside[8];
};

static int
note_use(void *arg, const struct history_use *use)
{
	struct uses *u = arg;

	ck_assert_ptr_nonnull(use->certificate);
	snprintf(u->paths[u->count], 32, "%s", use->thing->path);
	u->inside[u->count++] = use->inside;
	return u->count == 8;
}

static void
ask_uses(struct fixture *f, const struct oid *id, bool made, struct uses *u, bool *whole)
{
	CLEANUP(history_view_freep) struct history_view *v = NULL;
	struct err e;

	u->count = 0;
	UNIT_OK(history_view_new(f->s, &v, &e), &e);
	UNIT_OK(history_uses(v, id, made, note_use, u, whole, &e), &e);
}

START_TEST(index_uses)
{
	struct uses u = {.count = 0};
	struct object_ref next;
	struct fixture f;
	struct scene c;
	bool whole;

	setup(&f, &c);
	ask_uses(&f, &c.input, false, &u, &whole);
	ck_assert_int_eq(u.count, 1);
	ck_assert(whole);
	ck_assert_str_eq(u.paths[0], "train.py");
	ask_uses(&f, &c.leaf.id, true, &u, &whole);
	ck_assert_int_eq(u.count, 1);
	ck_assert_str_eq(u.paths[0], "ckpt");
	ck_assert(u.inside[0]);
	/* two commits of one certificate are one use */
	next = runs_commit(&f, &c.certificate, 3000, &c.commit.id);
	runs_set_ref(&f, "HEAD", &next);
	ask_uses(&f, &c.model.id, true, &u, &whole);
	ck_assert_int_eq(u.count, 1);
	ck_assert(!u.inside[0]);
	/* with something missing it reads on, and says so */
	memset(&c.certificate, 0x11, sizeof c.certificate);
	next = runs_commit(&f, &c.certificate, 3000, &next.id);
	runs_set_ref(&f, "HEAD", &next);
	ask_uses(&f, &c.leaf.id, true, &u, &whole);
	ck_assert_int_eq(u.count, 1);
	ck_assert(!whole);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(index)
{
	tcase_add_test(tc, index_fills_itself);
	tcase_add_test(tc, index_of_any_kind);
	tcase_add_test(tc, index_knows_its_gaps);
	tcase_add_test(tc, index_takes_in_a_tree_that_comes);
	tcase_add_test(tc, index_that_lies);
	tcase_add_test(tc, index_on_random_graphs);
	tcase_add_test(tc, index_uses);
}
