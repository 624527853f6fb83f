#include "store/history.h"
#include "store/history-inside.h"
#include "store/history-tips.h"
#include "store/index.h"

struct history_users {
	struct store *s;
	bool made;
	struct oid_map told;            /* certificates: several commits may carry one */
	struct history_inside inside;
	history_uses_fn *fn;
	void *arg;
	bool whole, stop;
	int rc;
	struct err *e;
};

/* 1: this output or input is told, 0: it is not it */
static int
history_users_thing(struct history_users *u, const struct resource *r, struct history_use *use)
{
	int rc = history_inside_is(&u->inside, r);

	use->inside = rc == 0;
	if (rc == 0 && r->type == OBJECT_TREE)
		rc = history_inside_tree(&u->inside, &r->digests.sha256, u->e);
	if (rc != 1)
		return rc;
	use->thing = r;
	u->stop = u->fn(u->arg, use) != 0;
	return 1;
}

/* The first of its outputs or inputs that has it; the others say nothing new. */
static int
history_users_match(struct history_users *u, const struct certificate *c, struct history_use *use)
{
	use->certificate = c;
	for (size_t i = 0; i < c->event_count; i++) {
		const struct event *ev = &c->events[i];
		int rc = 0;

		if (u->made && ev->kind == EVENT_OUTPUT_RESOURCE)
			rc = history_users_thing(u, &ev->u.output.output, use);
		else if (!u->made && ev->kind == EVENT_INPUT_RESOURCE)
			rc = history_users_thing(u, &ev->u.input.thing, use);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
	}
	return 0;
}

static int
history_users_look(struct history_users *u, const struct oid *commit, const struct oid *id)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	struct history_use use = {.commit = *commit, .certificate_id = *id};
	struct err why;
	bool fresh;

	if (oid_map_add(&u->told, id, 0, &fresh, u->e) != 0)
		return -1;
	if (!fresh)
		return 0;
	if (history_certificate(u->s, id, &c, &why) != 0) {
		u->whole = false;
		return 0;
	}
	return history_users_match(u, &c, &use);
}

static int
history_users_hits(struct history_users *u, const struct index_hits *hits)
{
	u->inside.holders = &hits->holders;
	for (size_t i = 0; i < hits->count && u->rc == 0 && !u->stop; i++)
		u->rc = history_users_look(u, &hits->hits[i].commit, &hits->hits[i].certificate);
	u->inside.holders = NULL;
	return u->rc;
}

struct history_view {
	struct store *s;
	struct index_reached *reached;
	bool complete;
};

int
history_view_new(struct store *s, struct history_view **ret, struct err *e)
{
	CLEANUP(oid_list_free) struct oid_list tips = {0};
	struct history_view *v;

	if (history_tips_head(s, &tips, e) != 0 || history_tips_refs(s, &tips, e) != 0)
		return -1;
	v = calloc(1, sizeof *v);
	if (v == NULL)
		return err_nomem(e);
	v->s = s;
	if (index_reach_new(s, tips.ids, tips.count, &v->reached, &v->complete, e) != 0) {
		free(v);
		return -1;
	}
	*ret = v;
	return 0;
}

void
history_view_free(struct history_view *v)
{
	if (v == NULL)
		return;
	index_reach_free(v->reached);
	free(v);
}

/* What the index lacks could not be read when it was built, and could not be now. */
static int
history_users_find(struct history_users *u, const struct history_view *v, const struct oid *id)
{
	CLEANUP(index_hits_free) struct index_hits hits = INDEX_HITS_INIT;

	if (index_find_again(u->s, u->made ? INDEX_MADE : INDEX_USED, id, true, &hits, u->e) != 0)
		return -1;
	index_reach_filter(v->reached, &hits);
	u->whole = hits.complete && v->complete;
	return history_users_hits(u, &hits);
}

int
history_uses(const struct history_view *v, const struct oid *id, bool made, history_uses_fn *fn,
    void *arg, bool *ret_whole, struct err *e)
{
	const struct resource content = {.digests = {.sha256 = *id}};
	struct err local;
	struct history_users u = {
		.s = v->s,
		.made = made,
		.told = OID_MAP_INIT,
		.inside = {.s = v->s, .content = &content, .any = true},
		.fn = fn,
		.arg = arg,
		.whole = true,
		.e = e != NULL ? e : &local,
	};
	int rc = history_users_find(&u, v, id);

	oid_map_free(&u.told);
	history_inside_free(&u.inside);
	if (rc == 0)
		*ret_whole = u.whole;
	return rc;
}
