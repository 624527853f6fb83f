#include "serve/hub-reach.h"

#include "base/array.h"
#include "serve/closure.h"
#include "store/refs.h"

void
hub_reach_list_free(struct hub_reach_list *l)
{
	free(l->items);
	*l = (struct hub_reach_list){0};
}

static int
hub_reach_add(struct hub_reach_list *l, const struct oid *id, bool proved, struct err *e)
{
	if (ARRAY_ROOM(l->items, l->count, l->cap, e) != 0)
		return -1;
	l->items[l->count++] = (struct ledger_item){.id = *id, .proved = proved};
	return 0;
}

/* What a commit needs is needed beneath it, as long as it is itself. */
static bool
hub_reach_proves(const struct object_ref *ref, enum closure_need need)
{
	return ref->type == OBJECT_COMMIT && need == CLOSURE_NEEDED;
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
	struct ledger_mark mark;
	int visible = session_visible(p->call, &ref->id, e);
	char hex[OID_HEX_SIZE];

	if (visible < 0 || ledger_mark(session_app(p->call)->ledger, &ref->id, &mark, e) != 0)
		return -1;
	if (visible == 0 && need == CLOSURE_OPTIONAL)
		return 0;
	if (visible == 0) {
		oid_hex(&ref->id, hex);
		return err_set(e, ERR_REFUSED, "%s %s is not here; send it first",
		    oid_type_name(ref->type), hex);
	}
	if (!p->again && mark.proved >= p->mark && ref->type == OBJECT_COMMIT)
		return 0; /* a history that was proved before */
	return hub_reach_add(p->list, &ref->id, hub_reach_proves(ref, need), e) != 0 ? -1 : 1;
}

int
hub_reach_prove(struct http_call *c, const struct object_ref *root, enum ledger_reach mark, bool again,
    struct hub_reach_list *ret, struct err *e)
{
	struct hub_reach_proof p = {.call = c, .mark = mark, .again = again, .list = ret};
	struct store *s;

	return session_store(c, &s, e) != 0 ? -1 : closure_walk(s, root, 1, hub_reach_look, &p, e);
}

struct hub_reach_rebuild {
	const struct hub_options *o;
	struct store *store;
	struct hub_reach_list lists[2]; /* reached by a ref, by a public one */
	struct hub_reach_list *list;
	enum ledger_reach floor;        /* what is named but not needed must have had */
	bool hole;                      /* something that this ref needs has no mark */
	bool broken;                    /* the ledger, and not the ref */
};

/* A closure_fn. */
static int
hub_reach_again(void *arg, const struct object_ref *ref, enum closure_need need, struct err *e)
{
	struct hub_reach_rebuild *w = arg;
	struct ledger_mark mark;

	w->broken = ledger_mark(w->o->ledger, &ref->id, &mark, e) != 0;
	if (w->broken)
		return -1;
	if (mark.reach < (need == CLOSURE_OPTIONAL ? w->floor : LEDGER_REF)) {
		w->hole |= need == CLOSURE_NEEDED;
		return 0;
	}
	return hub_reach_add(w->list, &ref->id, hub_reach_proves(ref, need), e) != 0 ? -1 : 1;
}

static int
hub_reach_walk(struct hub_reach_rebuild *w, const char *name, bool public_, struct err *e)
{
	struct ledger_mark before;
	struct object_ref ref;

	if (refs_read(w->store, name, &ref, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	w->broken = ledger_mark(w->o->ledger, &ref.id, &before, e) != 0;
	if (w->broken)
		return -1;
	/* an input that was not sent with a public ref, and came later with another, stays closed */
	w->floor = public_ && before.reach == LEDGER_PUBLIC ? LEDGER_PUBLIC : LEDGER_REF;
	return closure_walk(w->store, &ref, 1, hub_reach_again, w, e);
}

/* Not about the ref: the same walk may go through a moment later. */
static bool
hub_reach_passing(const struct hub_reach_rebuild *w, const struct err *e)
{
	return w->broken || e->code == ERR_NOMEM || e->code == ERR_IO || e->code == ERR_BUSY;
}

/* What one ref reaches, or nothing: whoever wrote it must not be able to close the others. */
static int
hub_reach_ref(struct hub_reach_rebuild *w, const char *name, struct err *e)
{
	bool public_ = settings_public(w->o->settings, name);
	struct hub_reach_list *list = &w->lists[public_ ? 1 : 0];
	size_t start = list->count;

	w->list = list;
	w->hole = false;
	if (hub_reach_walk(w, name, public_, e) != 0) {
		if (hub_reach_passing(w, e))
			return err_prefix(e, "%s", name);
		list->count = start;
		if (w->o->on_closed != NULL)
			w->o->on_closed(w->o->arg, name, e);
	}
	for (size_t i = start; w->hole && i < list->count; i++)
		list->items[i].proved = false;
	return 0;
}

int
hub_reach_rebuild(const struct hub_options *o, struct store *s, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	struct hub_reach_rebuild w = {.o = o, .store = s};
	int rc = refs_names(s, "refs/", &names, e);

	for (size_t i = 0; i < names.count && rc == 0; i++)
		rc = hub_reach_ref(&w, names.names[i], e);
	if (rc == 0)
		rc = ledger_reach_replace(o->ledger, w.lists[0].items, w.lists[0].count, w.lists[1].items,
		    w.lists[1].count, e);
	hub_reach_list_free(&w.lists[0]);
	hub_reach_list_free(&w.lists[1]);
	return rc;
}
