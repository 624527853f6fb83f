#include "runner/transfer-objects.h"

#include <string.h>
#include "runner/transfer-internal.h"

struct transfer_objects {
	const struct transfer_list *list;
	struct transfer_object *objects;    /* as in list */
	transfer_item_fn *one;
};

/* Not the link, and not this machine: the one object. */
static bool
transfer_objects_local(const struct err *e)
{
	return e->code == ERR_NOTFOUND || e->code == ERR_REFUSED || e->code == ERR_FORMAT ||
	    e->code == ERR_LIMIT || e->code == ERR_CORRUPT || e->code == ERR_CONFLICT;
}

static int
transfer_objects_one(struct transfer_worker *w, const struct transfer_item *item, struct err *e)
{
	const struct transfer_objects *t = w->arg;
	struct transfer_object *o = &t->objects[item - t->list->items];
	char hex[OID_HEX_SIZE];

	o->outcome = TRANSFER_DONE;
	if (t->one(w, item, e) == 0)
		return 0;
	o->outcome = e->code == ERR_NOTFOUND ? TRANSFER_ABSENT : TRANSFER_FAILED;
	if (!transfer_objects_local(e))
		return -1;
	oid_hex(&item->id, hex);
	if (o->outcome == TRANSFER_FAILED)
		notice_say(&w->link.notice, "%s%s%s", strstr(e->msg, hex) == NULL ? hex : "",
		    strstr(e->msg, hex) == NULL ? ": " : "", e->msg);
	return 0;
}

static int
transfer_objects_run(struct link *l, struct store *s, struct transfer_objects *t, bool in,
    struct err *e)
{
	struct transfer_work work = {
		.link = l, .store = s, .list = t->list, .label = in ? "fetching" : "sending",
		.item = transfer_objects_one, .end = in ? transfer_fetch_end : NULL, .arg = t,
	};

	t->one = in ? transfer_fetch_item : transfer_send_item;
	return transfer_queue_run(&work, e);
}

static int
transfer_objects_move(struct link *l, struct store *s, struct transfer_object *o, size_t n, bool in,
    struct err *e)
{
	CLEANUP(transfer_list_free) struct transfer_list list = {0};
	struct transfer_objects t = {.list = &list, .objects = o};

	for (size_t i = 0; i < n; i++) {
		const struct transfer_item item = {o[i].id, o[i].size, o[i].exact};

		o[i].outcome = TRANSFER_OPEN;
		if (transfer_list_add(&list, &item, e) != 0)
			return -1;
	}
	return transfer_objects_run(l, s, &t, in, e);
}

int
transfer_objects_get(struct link *l, struct store *s, struct transfer_object *o, size_t n,
    struct err *e)
{
	return transfer_objects_move(l, s, o, n, true, e);
}

int
transfer_objects_put(struct link *l, struct store *s, struct transfer_object *o, size_t n,
    struct err *e)
{
	return transfer_objects_move(l, s, o, n, false, e);
}

static int
transfer_objects_ask(struct link *l, struct transfer_object *o, size_t n, struct err *e)
{
	CLEANUP(transfer_list_free) struct transfer_list asked = {0}, missing = {0};

	for (size_t i = 0; i < n; i++) {
		const struct transfer_item item = {o[i].id, o[i].size, o[i].exact};

		if (transfer_list_add(&asked, &item, e) != 0)
			return -1;
	}
	transfer_list_unique(&asked);
	if (transfer_ask_missing(l, &asked, &missing, e) != 0)
		return -1;
	transfer_list_unique(&missing);
	for (size_t i = 0; i < n; i++)
		o[i].outcome = transfer_list_has(&missing, &o[i].id) ? TRANSFER_ABSENT : TRANSFER_DONE;
	return 0;
}

int
transfer_objects_missing(struct link *l, struct transfer_object *o, size_t n, struct err *e)
{
	for (size_t at = 0; at < n; at += TRANSFER_LIST_MAX)
		if (transfer_objects_ask(l, o + at, n - at < TRANSFER_LIST_MAX ? n - at : TRANSFER_LIST_MAX,
		    e) != 0)
			return -1;
	return 0;
}
