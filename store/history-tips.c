#include "store/history-tips.h"

#include <string.h>
#include "store/refs.h"

static int
history_tips_add(struct oid_list *t, const struct object_ref *ref, struct err *e)
{
	return ref->type == OBJECT_COMMIT ? oid_list_add(t, &ref->id, e) : 0;
}

int
history_tips_head(struct store *s, struct oid_list *t, struct err *e)
{
	struct object_ref head;

	if (refs_read(s, "HEAD", &head, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	return history_tips_add(t, &head, e);
}

struct history_tips_walk {
	struct oid_list *t;
	int rc;
	struct err *e;
};

static int
history_tips_each(void *arg, const char *name, const struct object_ref *ref)
{
	struct history_tips_walk *w = arg;

	if (strncmp(name, "refs/failed/", 12) != 0)
		w->rc = history_tips_add(w->t, ref, w->e);
	return w->rc != 0;
}

int
history_tips_refs(struct store *s, struct oid_list *t, struct err *e)
{
	struct history_tips_walk w = {.t = t, .e = e};

	return refs_each(s, "refs/", history_tips_each, &w, e) != 0 ? -1 : w.rc;
}
