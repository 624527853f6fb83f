#include <string.h>
#include "base/path.h"
#include "store/history.h"
#include "store/history-tips.h"

struct history_user {
	struct store *s;
	const char *path;
	struct oid *ret;
	bool found;
	int rc;
	struct err *e;
};

static int
history_user_look(void *arg, const struct oid *id, const struct commit *c)
{
	CLEANUP(certificate_free) struct certificate cert = {0};
	struct history_user *u = arg;

	(void)id;
	if (c->kind != COMMIT_RUN || !c->has_subject || c->subject.type != OBJECT_CERTIFICATE)
		return 0;
	/* one that cannot be read may be the one that is looked for */
	u->rc = history_certificate(u->s, &c->subject.id, &cert, u->e);
	for (size_t i = 0; u->rc == 0 && !u->found && i < cert.event_count; i++)
		u->found = cert.events[i].kind == EVENT_INPUT_RESOURCE &&
		    path_covers(cert.events[i].u.input.thing.path, u->path);
	if (u->found)
		*u->ret = c->subject.id;
	return u->rc != 0 || u->found;
}

int
history_user_of_path(struct store *s, const char *path, struct oid *ret, struct err *e)
{
	CLEANUP(oid_list_free) struct oid_list head = {0};
	CLEANUP(oid_list_free) struct oid_list all = {0};
	struct history_user u = {.s = s, .path = path, .ret = ret, .e = e};

	if (history_tips_head(s, &head, e) != 0 || history_tips_refs(s, &all, e) != 0)
		return -1;
	if (head.count > 0 && (history_walk(s, head.ids, head.count, history_user_look, &u, e) != 0 || u.rc != 0))
		return -1;
	if (!u.found && all.count > 0 &&
	    (history_walk(s, all.ids, all.count, history_user_look, &u, e) != 0 || u.rc != 0))
		return -1;
	return u.found ? 0 : err_set(e, ERR_NOTFOUND, "%s: no run in this store names it as an input", path);
}
