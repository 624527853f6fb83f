#include <string.h>
#include "base/array.h"
#include "store/fsck-state.h"
#include "store/history.h"
#include "store/links.h"
#include "store/odb.h"
#include "store/refs.h"

/*
 * What must be there: the parents and the subject of every commit that a ref
 * reaches, and of a successful run its outputs (with everything inside), its
 * log and its boot log.  Inputs, and the outputs of failed runs, are kept when
 * the run stored them; that they are absent is told, but it is not damage.
 */
struct fsck_reach_todo {
	struct object_ref ref;
	enum fsck_severity severity;    /* of what it lacks */
};

struct fsck_reach {
	struct fsck *f;
	struct fsck_reach_todo *queue;
	size_t count, cap;
};

static int
fsck_reach_missing(struct fsck *f, enum fsck_severity severity, const struct oid *by,
    const char *what, const struct oid *id)
{
	char hex[OID_HEX_SIZE], of[OID_HEX_SIZE];
	bool fresh;
	int rc = 0;

	oid_hex(id, hex);
	oid_hex(by, of);
	if (f->o->flags & FSCK_REPAIR)
		rc = fsck_repair_object(f, id);
	if (rc != 0)
		return rc;
	fsck_state_say(f, severity, "%s %s of %s is %s", what, hex, of,
	    severity == FSCK_DAMAGE ? "missing" : "not kept here");
	return severity == FSCK_DAMAGE ? oid_map_add(&f->bad, id, 0, &fresh, f->e) : 0;
}

/* 1: here, 0: nothing to do, -1 */
static int
fsck_reach_first(struct fsck *f, enum fsck_severity severity, const struct oid *by,
    const char *what, const struct oid *id)
{
	size_t ignored;
	bool fresh, there;
	int rc = 1;

	if (oid_map_get(&f->bad, id, &ignored))
		return 0;
	if (oid_map_get(&f->reached, id, &ignored))
		return 1;
	if (fsck_state_there(f, id, true, &there) != 0)
		return -1;
	if (!there) {
		if (fsck_state_there(f, id, false, &there) != 0)
			return -1;
		if (there)
			rc = oid_map_add(&f->outside, id, 0, &fresh, f->e) == 0 ? 1 : -1;
		else
			rc = fsck_reach_missing(f, severity, by, what, id);
	}
	if (rc == 1 && oid_map_add(&f->reached, id, 0, &fresh, f->e) != 0)
		return -1;
	return rc;
}

static int
fsck_reach_enqueue(struct fsck_reach *r, const struct object_ref *ref, enum fsck_severity severity)
{
	size_t ignored;
	bool fresh;

	if (ref->type == OBJECT_BLOB || oid_map_get(&r->f->opened, &ref->id, &ignored))
		return 0;
	if (oid_map_add(&r->f->opened, &ref->id, 0, &fresh, r->f->e) != 0)
		return -1;
	if (ARRAY_ROOM(r->queue, r->count, r->cap, r->f->e) != 0)
		return -1;
	r->queue[r->count++] = (struct fsck_reach_todo){*ref, severity};
	return 0;
}

/* Remembered for what damage touches. */
static int
fsck_reach_certificate(struct fsck *f, const struct oid *id, const struct oid *commit)
{
	if (ARRAY_ROOM(f->certificates, f->certificate_count, f->certificate_cap, f->e) != 0)
		return -1;
	f->certificates[f->certificate_count++] = (struct fsck_certificate){*id, *commit};
	return 0;
}

/* Of one object that is followed. */
struct fsck_reach_by {
	struct fsck_reach *r;
	const struct fsck_reach_todo *todo;
};

static void
fsck_reach_size(struct fsck *f, const struct links_link *l)
{
	uint64_t size;
	struct err ignored;

	if (odb_size(f->s, &l->ref.id, &size, &ignored) == 0 && size != l->size)
		fsck_state_say(f, FSCK_DAMAGE, "a tree or certificate says that %s has %llu bytes; it"
		    " has %llu", l->path, (unsigned long long)l->size, (unsigned long long)size);
}

static int
fsck_reach_link(void *arg, const struct links_link *l, struct err *e)
{
	const struct fsck_reach_by *by = arg;
	enum fsck_severity severity = l->needed ? by->todo->severity : FSCK_LITTER;
	const char *what = l->ref.type == OBJECT_BLOB || l->role == LINKS_PARENT ?
	    links_role_name(l->role) : oid_type_name(l->ref.type);
	int rc;

	(void)e; /* the same as that of the check */
	if (l->role == LINKS_MADE_BY || (l->role == LINKS_SUBJECT && by->todo->ref.type == OBJECT_EVIDENCE))
		return 0; /* may be anywhere */
	rc = fsck_reach_first(by->r->f, severity, &by->todo->ref.id, what, &l->ref.id);
	if (rc <= 0)
		return rc;
	if (l->has_size)
		fsck_reach_size(by->r->f, l);
	if (l->ref.type == OBJECT_CERTIFICATE && by->todo->ref.type == OBJECT_COMMIT &&
	    fsck_reach_certificate(by->r->f, &l->ref.id, &by->todo->ref.id) != 0)
		return -1;
	return fsck_reach_enqueue(by->r, &l->ref, severity);
}

static int
fsck_reach_follow(struct fsck_reach *r, const struct fsck_reach_todo *todo)
{
	struct fsck_reach_by by = {r, todo};
	char what[OID_HEX_SIZE + 16], hex[OID_HEX_SIZE];

	if (links_each(r->f->s, &todo->ref, fsck_reach_link, &by, r->f->e) == 0)
		return 0;
	oid_hex(&todo->ref.id, hex);
	snprintf(what, sizeof what, "%s %s", oid_type_name(todo->ref.type), hex);
	return fsck_state_finding(r->f, what);
}

/* Names that do not parse, or name nothing, were reported with the refs. */
static int
fsck_reach_ref(struct fsck_reach *r, const char *name)
{
	struct object_ref ref;
	size_t ignored;
	bool fresh, there, own;

	if (refs_read(r->f->s, name, &ref, NULL) != 0 || oid_map_get(&r->f->bad, &ref.id, &ignored))
		return 0;
	if (fsck_state_there(r->f, &ref.id, false, &there) != 0 ||
	    fsck_state_there(r->f, &ref.id, true, &own) != 0)
		return -1;
	if (!there)
		return 0;
	if (oid_map_add(&r->f->reached, &ref.id, 0, &fresh, r->f->e) != 0)
		return -1;
	if (fresh && !own &&
	    oid_map_add(&r->f->outside, &ref.id, 0, &fresh, r->f->e) != 0)
		return -1;
	if (ref.type == OBJECT_CERTIFICATE && fsck_reach_certificate(r->f, &ref.id, &ref.id) != 0)
		return -1;
	return fsck_reach_enqueue(r, &ref, FSCK_DAMAGE);
}

int
fsck_reach_run(struct fsck *f)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	struct fsck_reach r = {.f = f};
	int rc;

	if (refs_names(f->s, "refs/", &names, f->e) != 0)
		return fsck_state_finding(f, "refs");
	rc = fsck_reach_ref(&r, "HEAD");
	for (size_t i = 0; i < names.count && rc == 0; i++)
		rc = fsck_reach_ref(&r, names.names[i]);
	for (size_t i = 0; i < r.count && rc == 0; i++) {
		const struct fsck_reach_todo todo = r.queue[i]; /* the queue moves as it grows */

		rc = fsck_reach_follow(&r, &todo);
	}
	free(r.queue);
	return rc;
}
