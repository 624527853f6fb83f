#include "serve/hub-reach.h"

#include "serve/closure.h"
#include "store/refs.h"

void
hub_reach_list_free(struct hub_reach_list *l)
{
	free(l->ids);
	*l = (struct hub_reach_list){0};
}

static int
hub_reach_add(struct hub_reach_list *l, const struct oid *id, struct err *e)
{
	if (l->count == l->cap) {
		size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
		struct oid *grown = reallocarray(l->ids, cap, sizeof *grown);

		if (grown == NULL)
			return err_nomem(e);
		l->ids = grown;
		l->cap = cap;
	}
	l->ids[l->count++] = *id;
	return 0;
}

struct hub_reach_proof {
	struct http_call *call;
	enum ledger_reach mark;
	bool again;             /* all of it, also what was proved before: contents may have come */
	struct hub_reach_list *list;
};

/* A closure_fn. */
static int
hub_reach_look(void *arg, const struct object_ref *ref, enum closure_need need, struct err *e)
{
	struct hub_reach_proof *p = arg;
	enum ledger_reach reach;
	int visible = session_visible(p->call, &ref->id, e);
	char hex[OID_HEX_SIZE];

	if (visible < 0 || ledger_reach(session_app(p->call)->ledger, &ref->id, &reach, e) != 0)
		return -1;
	if (visible == 0 && need == CLOSURE_OPTIONAL)
		return 0;
	if (visible == 0) {
		oid_hex(&ref->id, hex);
		return err_set(e, ERR_REFUSED, "%s %s is not here; send it first",
		    oid_type_name(ref->type), hex);
	}
	if (!p->again && reach >= p->mark && ref->type == OBJECT_COMMIT)
		return 0; /* a history that was proved before */
	return hub_reach_add(p->list, &ref->id, e) != 0 ? -1 : 1;
}

int
hub_reach_prove(struct http_call *c, const struct object_ref *root, enum ledger_reach mark, bool again,
    struct hub_reach_list *ret, struct err *e)
{
	struct hub_reach_proof p = {.call = c, .mark = mark, .again = again, .list = ret};
	struct store *s;

	return session_store(c, &s, e) != 0 ? -1 : closure_walk(s, root, hub_reach_look, &p, e);
}

struct hub_reach_rebuild {
	struct store *store;
	struct ledger *ledger;
	const struct settings *settings;
	struct hub_reach_list lists[2]; /* reached by a ref, by a public one */
	struct hub_reach_list *list;
	enum ledger_reach floor;        /* what is named but not needed must have had */
	struct err *e;
	int rc;
};

/* A closure_fn. */
static int
hub_reach_again(void *arg, const struct object_ref *ref, enum closure_need need, struct err *e)
{
	struct hub_reach_rebuild *w = arg;
	enum ledger_reach reach;

	if (ledger_reach(w->ledger, &ref->id, &reach, e) != 0)
		return -1;
	if (reach < (need == CLOSURE_OPTIONAL ? w->floor : LEDGER_REF))
		return 0;
	return hub_reach_add(w->list, &ref->id, e) != 0 ? -1 : 1;
}

static int
hub_reach_ref(void *arg, const char *name, const struct object_ref *ref)
{
	struct hub_reach_rebuild *w = arg;
	bool public_ = settings_public(w->settings, name);
	enum ledger_reach before;

	w->list = &w->lists[public_ ? 1 : 0];
	w->rc = ledger_reach(w->ledger, &ref->id, &before, w->e);
	/* an input that was not sent with a public ref, and came later with another, stays closed */
	w->floor = w->rc == 0 && public_ && before == LEDGER_PUBLIC ? LEDGER_PUBLIC : LEDGER_REF;
	if (w->rc == 0)
		w->rc = closure_walk(w->store, ref, hub_reach_again, w, w->e);
	return w->rc;
}

int
hub_reach_rebuild(struct store *s, struct ledger *l, const struct settings *settings, struct err *e)
{
	struct hub_reach_rebuild w = {.store = s, .ledger = l, .settings = settings, .e = e};
	int rc = refs_each(s, "refs/", hub_reach_ref, &w, e);

	if (rc == 0)
		rc = w.rc;
	if (rc == 0)
		rc = ledger_reach_replace(l, w.lists[0].ids, w.lists[0].count, w.lists[1].ids,
		    w.lists[1].count, e);
	free(w.lists[0].ids);
	free(w.lists[1].ids);
	return rc;
}
