/* A history may only grow: what a remote had once, it must still have. */
#include <string.h>
#include "base/array.h"
#include "base/timestamp.h"
#include "cmd/audit-state.h"
#include "cmd/cmd.h"
#include "store/odb.h"
#include "store/reflog.h"
#include "store/refs.h"

/* The moves of one tracking ref, oldest first. */
struct audit_moves {
	struct audit *a;
	const char *ref;
	struct reflog_entry *items; /* without their texts */
	size_t count, cap;
	struct err *e;
};

static int
audit_move(void *arg, const struct reflog_entry *entry)
{
	struct audit_moves *m = arg;

	/* before --since was the tip, somebody has looked already */
	if (m->a->since != NULL && entry->has_new && oid_equal(&entry->new_, &m->a->since_id)) {
		m->count = 0;
		return 0;
	}
	if (ARRAY_ROOM(m->items, m->count, m->cap, m->e) != 0)
		return -1;
	m->items[m->count] = *entry;
	m->items[m->count].author = m->items[m->count].message = NULL;
	m->count++;
	return 0;
}

static int
audit_lost(struct audit *a, const char *ref, const struct reflog_entry *x, struct err *e)
{
	struct jcs *v = a->json ? jcs_new_object() : NULL;
	char old[OID_TEXT_SIZE], new_[OID_TEXT_SIZE], time[TIMESTAMP_SIZE];

	a->lost++;
	oid_text(&x->old, old);
	oid_text(&x->new_, new_);
	if (timestamp_format(time, x->time, e) != 0)
		return -1;
	if (a->json) {
		jcs_set_string(v, "ref", ref);
		jcs_set_string(v, "old", old);
		jcs_set_string(v, "new", x->has_new ? new_ : NULL);
		jcs_set_string(v, "time", time);
	}
	return audit_state_tell(a, "rewritten", v, e, "%s at %s: commits that were there are gone; the old tip"
	    " is %.12s", ref, time, old + strlen("sha256:"));
}

/* Reached from any of the tips that are looked at. */
static int
audit_reached(struct audit *a, const struct oid *id, bool *ret, struct err *e)
{
	*ret = false;
	for (size_t i = 0; i < a->tips.count && !*ret; i++)
		if (sync_descends(a->s, &a->tips.ids[i], id, ret, e) != 0)
			return -1;
	return 0;
}

static int
audit_move_check(struct audit *a, const char *ref, const struct reflog_entry *x, struct err *e)
{
	bool kept = false, there, moved = false;

	if (!x->has_old || (x->has_new && oid_equal(&x->old, &x->new_)))
		return 0;
	if (odb_find(a->s, &x->old, &there, e) != 0 ||
	    (x->has_new && odb_find(a->s, &x->new_, &moved, e) != 0))
		return -1;
	/* what gc or nobody kept cannot be told from lost */
	if (there && moved &&
	    sync_descends(a->s, &x->new_, &x->old, &kept, e) != 0)
		return -1;
	if (there && !x->has_new && audit_reached(a, &x->old, &kept, e) != 0)
		return -1;
	return kept ? 0 : audit_lost(a, ref, x, e);
}

static int
audit_ref(struct audit *a, const char *ref, struct err *e)
{
	struct audit_moves m = {.a = a, .ref = ref, .e = e};
	size_t bad;
	int rc = reflog_each(a->s, ref, audit_move, &m, &bad, e);

	for (size_t i = 0; rc == 0 && i < m.count; i++)
		rc = audit_move_check(a, ref, &m.items[i], e);
	free(m.items);
	return rc;
}

/* A tag that is elsewhere there is not in a reflog: ours did not move. */
static int
audit_kept(struct audit *a, struct err *e)
{
	for (size_t i = 0; a->fetched && i < a->fetch.count; i++) {
		const struct fetch_ref *r = &a->fetch.refs[i];
		struct jcs *v = a->json ? jcs_new_object() : NULL;

		jcs_set_string(v, "ref", r->theirs);
		if (r->result == FETCH_KEPT) {
			a->lost++;
			if (audit_state_tell(a, "rewritten", v, e, "%s was moved there; ours stays", r->theirs) != 0)
				return -1;
		} else if (r->result == FETCH_FAILED) {
			a->missing++;
			if (audit_state_tell(a, "missing", v, e, "%s could not be fetched whole", r->theirs) != 0)
				return -1;
		} else {
			jcs_free(v);
		}
	}
	return 0;
}

static int
audit_since(struct audit *a, struct err *e)
{
	struct jcs *v;
	bool reached;

	if (a->since == NULL)
		return 0;
	if (audit_reached(a, &a->since_id, &reached, e) != 0)
		return -1;
	if (reached)
		return 0;
	a->lost++;
	v = a->json ? jcs_new_object() : NULL;
	jcs_set_string(v, "since", a->since);
	return audit_state_tell(a, "rewritten", v, e, "%s is not part of the history any more", a->since);
}

/* --- refs that a remote had once, and has no more --- */

static int
audit_gone(struct audit *a, const char *ref, const char *what, struct err *e)
{
	struct jcs *v = a->json ? jcs_new_object() : NULL;

	a->lost++;
	jcs_set_string(v, "ref", ref);
	return audit_state_tell(a, "rewritten", v, e, "%s: %s", ref, what);
}

static bool
audit_is_there(const struct audit *a, const char *ours)
{
	for (size_t i = 0; i < a->fetch.count; i++)
		if (a->fetch.refs[i].ours != NULL && strcmp(a->fetch.refs[i].ours, ours) == 0)
			return true;
	return false;
}

/* A branch may go when others there have its commits, or --since had them. */
static int
audit_gone_branch(struct audit *a, const char *ref, struct err *e)
{
	struct object_ref at;
	bool kept = false, there;

	if (refs_read(a->s, ref, &at, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	if (odb_find(a->s, &at.id, &there, e) != 0 || (there && audit_reached(a, &at.id, &kept, e) != 0))
		return -1;
	if (there && !kept && a->since != NULL && sync_descends(a->s, &a->since_id, &at.id, &kept, e) != 0)
		return -1;
	return kept ? 0 : audit_gone(a, ref, "is gone there, with commits that no other ref there has", e);
}

struct audit_origin_log {
	const char *prefix;     /* of what fetch writes in reflogs */
	bool found;
};

static int
audit_fetched_from(void *arg, const struct reflog_entry *entry)
{
	struct audit_origin_log *o = arg;

	o->found |= strncmp(entry->message, o->prefix, strlen(o->prefix)) == 0;
	return 0;
}

static int
audit_gone_tag(struct audit *a, const char *ref, struct err *e)
{
	CLEANUP(cleanup_free) char *prefix = buf_strfmt(e, "fetch %s: ", a->fetch.entry.name);
	struct audit_origin_log o = {.prefix = prefix};
	size_t bad;

	if (prefix == NULL || reflog_each(a->s, ref, audit_fetched_from, &o, &bad, e) != 0)
		return -1;
	return o.found ? audit_gone(a, ref, "is gone there (aicert tag -d, if that is right)", e) : 0;
}

static int
audit_gone_refs(struct audit *a, const char *prefix, int (*check)(struct audit *, const char *, struct err *),
    struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;

	if (refs_names(a->s, prefix, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (!audit_is_there(a, names.names[i]) && check(a, names.names[i], e) != 0)
			return -1;
	return 0;
}

/* --- all --- */

int
audit_history(struct audit *a, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	bool named = a->fetched && a->fetch.entry.name[0] != '\0';
	CLEANUP(cleanup_free) char *prefix = named ? buf_strfmt(e, "refs/remotes/%s/", a->fetch.entry.name) :
	    buf_strdup("refs/remotes/", e);

	if (prefix == NULL || refs_log_names(a->s, &names, e) != 0 || audit_since(a, e) != 0 ||
	    audit_kept(a, e) != 0)
		return -1;
	if (named && (audit_gone_refs(a, prefix, audit_gone_branch, e) != 0 ||
	    audit_gone_refs(a, "refs/tags/", audit_gone_tag, e) != 0))
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (strncmp(names.names[i], prefix, strlen(prefix)) == 0 && (!a->fetched || named) &&
		    audit_ref(a, names.names[i], e) != 0)
			return -1;
	return 0;
}
