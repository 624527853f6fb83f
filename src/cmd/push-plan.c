#include "cmd/push-plan.h"

#include <string.h>
#include "object/commit.h"
#include "remote/refspec.h"
#include "store/history.h"
#include "store/odb.h"
#include "store/oid-map.h"
#include "store/refs.h"

void
push_plan_free(struct push_plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->refs[i].name);
		free(p->refs[i].local);
	}
	free(p->refs);
	*p = (struct push_plan){0};
}

bool
push_plan_known(struct store *s, const struct object_ref *ref)
{
	return ref->type == OBJECT_COMMIT && odb_has(s, &ref->id);
}

/* --- which refs --- */

static struct push_ref *
push_plan_add(struct push_plan *p, const char *name, struct err *e)
{
	struct push_ref *grown;

	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->refs[i].name, name) == 0) {
			err_set(e, ERR_USAGE, "%s is named twice", name);
			return NULL;
		}
	grown = reallocarray(p->refs, p->count + 1, sizeof *grown);
	if (grown == NULL) {
		err_nomem(e);
		return NULL;
	}
	p->refs = grown;
	grown[p->count] = (struct push_ref){.name = buf_strdup(name, e)};
	if (grown[p->count].name == NULL)
		return NULL;
	return &grown[p->count++];
}

static int
push_plan_add_ref(struct push_plan *p, const char *local, const struct object_ref *ref,
    const char *name, bool force, struct err *e)
{
	struct push_ref *r = push_plan_add(p, name, e);

	if (r == NULL)
		return -1;
	r->update = (struct remote_update){.has_new = ref != NULL, .force = force};
	if (ref != NULL)
		r->update.new_ = *ref;
	r->local = local != NULL ? buf_strdup(local, e) : NULL;
	return local == NULL || r->local != NULL ? 0 : -1;
}

struct push_plan_all {
	struct push_plan *p;
	const struct refspec *spec; /* NULL: the same name there */
	bool force;
	struct err *e;
	int rc;
};

static int
push_plan_each(void *arg, const char *name, const struct object_ref *ref)
{
	struct push_plan_all *a = arg;
	char dst[REFSPEC_NAME_SIZE];

	if (a->spec != NULL && !refspec_map(a->spec, name, dst))
		return 0;
	a->rc = push_plan_add_ref(a->p, name, ref, a->spec != NULL ? dst : name, a->force, a->e);
	return a->rc;
}

static int
push_plan_prefix(struct store *s, struct push_plan *p, const char *prefix, const struct refspec *spec,
    bool force, struct err *e)
{
	struct push_plan_all a = {.p = p, .spec = spec, .force = force, .e = e};

	return refs_each(s, prefix, push_plan_each, &a, e) != 0 ? -1 : a.rc;
}

/* A branch, else a tag, of that name; *ret full. */
static int
push_plan_find(struct store *s, const char *name, char ret[REFSPEC_NAME_SIZE],
    struct object_ref *ref, struct err *e)
{
	static const char *const prefixes[] = {"refs/heads/", "refs/tags/"};

	for (size_t i = 0; i < 2; i++)
		if (refspec_qualify(name, prefixes[i], ret, NULL) == 0 && refs_read(s, ret, ref, NULL) == 0)
			return 0;
	return err_set(e, ERR_USAGE, "%s: no such branch or tag", name);
}

static int
push_plan_pattern(struct store *s, struct push_plan *p, struct refspec *spec, bool force,
    struct err *e)
{
	char src[REFSPEC_NAME_SIZE], dst[REFSPEC_NAME_SIZE];

	if (refspec_qualify(spec->src, "refs/heads/", src, e) != 0 ||
	    refspec_qualify(spec->has_dst ? spec->dst : spec->src, "refs/heads/", dst, e) != 0)
		return -1;
	memcpy(spec->src, src, sizeof src);
	memcpy(spec->dst, dst, sizeof dst);
	return push_plan_prefix(s, p, "refs/", spec, force, e);
}

static int
push_plan_delete(struct push_plan *p, const struct remote_refs *there, const char *name, bool force,
    struct err *e)
{
	char full[REFSPEC_NAME_SIZE];

	if (refspec_qualify(name, "refs/heads/", full, e) != 0)
		return -1;
	if (remote_refs_find(there, full) == NULL && strncmp(name, "refs/", 5) != 0 &&
	    refspec_qualify(name, "refs/tags/", full, e) != 0)
		return -1;
	if (remote_refs_find(there, full) == NULL)
		return err_set(e, ERR_NOTFOUND, "%s: the remote has no such ref", name);
	return push_plan_add_ref(p, NULL, NULL, full, force, e);
}

static int
push_plan_spec(struct store *s, const struct push_options *o, const struct remote_refs *there,
    const char *text, struct push_plan *p, struct err *e)
{
	char src[REFSPEC_NAME_SIZE], dst[REFSPEC_NAME_SIZE];
	struct refspec spec;
	struct object_ref ref;
	bool force, named;

	if (refspec_parse(text, &spec, e) != 0)
		return -1;
	force = spec.force || o->force;
	if (o->remove || spec.src[0] == '\0')
		return push_plan_delete(p, there, o->remove ? spec.src : spec.dst, force, e);
	if (spec.pattern)
		return push_plan_pattern(s, p, &spec, force, e);
	named = push_plan_find(s, spec.src, src, &ref, e) == 0;
	if (!named && (!spec.has_dst || refs_resolve(s, spec.src, &ref, e) != 0)) {
		if (e->code == ERR_NOTFOUND)
			e->code = ERR_USAGE;
		return -1;
	}
	if (!named && strncmp(spec.dst, "refs/", 5) != 0)
		return err_set(e, ERR_USAGE, "%s: name the ref there in full: refs/heads/... or"
		    " refs/tags/...", text);
	if (refspec_qualify(spec.has_dst && spec.dst[0] != '\0' ? spec.dst : src,
	    named && strncmp(src, "refs/tags/", 10) == 0 ? "refs/tags/" : "refs/heads/", dst, e) != 0)
		return -1;
	return push_plan_add_ref(p, named ? src : NULL, &ref, dst, force, e);
}

static int
push_plan_current(struct store *s, const struct push_options *o, struct push_plan *p, struct err *e)
{
	CLEANUP(cleanup_free) char *head = NULL;
	struct object_ref ref;

	if (refs_head(s, &head, e) != 0)
		return -1;
	if (head == NULL)
		return err_set(e, ERR_USAGE, "HEAD is on no branch: say which ref to push");
	if (refs_read(s, head, &ref, e) != 0)
		return e->code == ERR_NOTFOUND ? err_set(e, ERR_NOTFOUND, "%s: no commit yet, nothing to push",
		    head + strlen("refs/heads/")) : -1;
	return push_plan_add_ref(p, head, &ref, head, o->force, e);
}

static int
push_plan_list(struct store *s, const struct push_options *o, const struct remote_refs *there,
    struct push_plan *p, struct err *e)
{
	if (o->all && push_plan_prefix(s, p, "refs/heads/", NULL, o->force, e) != 0)
		return -1;
	if (o->tags && push_plan_prefix(s, p, "refs/tags/", NULL, o->force, e) != 0)
		return -1;
	for (int i = 0; i < o->argc; i++)
		if (push_plan_spec(s, o, there, o->argv[i], p, e) != 0)
			return -1;
	if (o->argc > 0 || o->all || (o->tags && p->count > 0))
		return 0;
	return o->remove ? err_set(e, ERR_USAGE, "-d: say which refs") : push_plan_current(s, o, p, e);
}

/* --- whether they may move --- */

struct push_plan_loss {
	struct push_ref *r;
	struct oid_map *kept;
	struct err *e;
	int rc;
};

static int
push_plan_kept(void *arg, const struct oid *id, const struct commit *c)
{
	struct push_plan_loss *l = arg;
	bool fresh;

	(void)c;
	l->rc = oid_map_add(l->kept, id, 0, &fresh, l->e);
	return l->rc;
}

static int
push_plan_lost(void *arg, const struct oid *id, const struct commit *c)
{
	struct push_plan_loss *l = arg;
	size_t ignored;

	(void)c;
	if (oid_map_get(l->kept, id, &ignored))
		return 0;
	if (l->r->lost_shown < PUSH_LOST_SHOWN)
		l->r->lost[l->r->lost_shown++] = *id;
	l->r->lost_count++;
	return 0;
}

/* What the remote's ref has and the new one has not; nothing is known of what is not here. */
static int
push_plan_loss(struct store *s, struct push_ref *r, struct err *e)
{
	CLEANUP(oid_map_free) struct oid_map kept = OID_MAP_INIT;
	struct push_plan_loss l = {.r = r, .kept = &kept, .e = e};

	if (r->update.has_new && (history_walk(s, &r->update.new_.id, 1, push_plan_kept, &l, e) != 0 ||
	    l.rc != 0))
		return -1;
	if (history_walk(s, &r->update.old.id, 1, push_plan_lost, &l, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	return 0;
}

/* What --force-with-lease relies on being there. *ret_known: false when nothing is known. */
static int
push_plan_lease(struct store *s, const struct remotes_entry *entry, const struct push_options *o,
    const struct push_ref *r, bool *ret_applies, struct object_ref *ret, struct err *e)
{
	const char *colon = o->lease != NULL ? strchr(o->lease, ':') : NULL;
	size_t len = o->lease == NULL ? 0 : colon != NULL ? (size_t)(colon - o->lease) : strlen(o->lease);
	CLEANUP(cleanup_free) char *name = strndup(o->lease != NULL ? o->lease : "", len);
	char full[REFSPEC_NAME_SIZE], tracking[REFSPEC_NAME_SIZE];

	*ret_applies = o->force_lease;
	if (!o->force_lease)
		return 0;
	if (name == NULL)
		return err_nomem(e);
	if (len > 0) {
		if (refspec_qualify(name, "refs/heads/", full, e) != 0)
			return -1;
		*ret_applies = strcmp(full, r->name) == 0;
	}
	if (!*ret_applies)
		return 0;
	if (colon != NULL)
		return refs_resolve(s, colon + 1, ret, e);
	if (remotes_tracking(entry, r->name, tracking, sizeof tracking) &&
	    refs_read(s, tracking, ret, e) == 0)
		return 0;
	return err_set(e, ERR_USAGE, "--force-with-lease: %s was never fetched from here, so nothing is"
	    " known of it: give --force-with-lease=REF:ID", r->name);
}

static void
push_plan_reject(struct push_ref *r, const char *why)
{
	r->result = PUSH_REJECTED;
	r->why = why;
}

/* Is the new commit built on the old one?  here: the old one is. */
static int
push_plan_forward(struct store *s, const struct push_ref *r, bool here, bool *ret, struct err *e)
{
	*ret = false;
	if (!r->update.has_new || r->update.old.type != OBJECT_COMMIT ||
	    r->update.new_.type != OBJECT_COMMIT || !here)
		return 0;
	return sync_descends(s, &r->update.new_.id, &r->update.old.id, ret, e);
}

static int
push_plan_judge(struct store *s, const struct remotes_entry *entry, const struct push_options *o,
    struct push_ref *r, struct err *e)
{
	bool tag = strncmp(r->name, "refs/tags/", 10) == 0, here, forward, leased;
	struct object_ref expected;

	if (push_plan_lease(s, entry, o, r, &leased, &expected, e) != 0 ||
	    odb_find(s, &r->update.old.id, &here, e) != 0 ||
	    push_plan_forward(s, r, here, &forward, e) != 0)
		return -1;
	if (leased && !oid_equal(&expected.id, &r->update.old.id)) {
		push_plan_reject(r, "it is not as it was last fetched");
		return 0;
	}
	r->then = !r->update.has_new ? PUSH_DELETED : forward && !tag ? PUSH_FORWARD : PUSH_FORCED;
	/* deleting is asked for by name: that is the word */
	if ((forward && !tag) || r->update.force || leased || !r->update.has_new) {
		r->update.force |= leased || !r->update.has_new;
		return 0;
	}
	if (tag) {
		push_plan_reject(r, "the tag is there already, elsewhere; tags do not move");
		return 0;
	}
	if (!here) {
		push_plan_reject(r, "the remote has commits that are not here; fetch first");
		return 0;
	}
	push_plan_reject(r, "non-fast-forward: history would be lost");
	return push_plan_loss(s, r, e);
}

static int
push_plan_check(struct store *s, const struct remotes_entry *entry, const struct remote_refs *there,
    const struct push_options *o, struct push_ref *r, struct err *e)
{
	const struct remote_ref *old = remote_refs_find(there, r->name);

	r->update.name = r->name;
	if (strncmp(r->name, "refs/heads/", 11) != 0 && strncmp(r->name, "refs/tags/", 10) != 0)
		return err_set(e, ERR_USAGE, "%s: only branches and tags are pushed", r->name);
	if (r->update.has_new && strncmp(r->name, "refs/heads/", 11) == 0 &&
	    r->update.new_.type != OBJECT_COMMIT)
		return err_set(e, ERR_USAGE, "%s would be a %s: a branch is a commit", r->name,
		    oid_type_name(r->update.new_.type));
	r->then = PUSH_NEW;
	if (old == NULL)
		return 0;
	r->update.has_old = true;
	r->update.old = old->target;
	if (r->update.has_new && oid_equal(&old->target.id, &r->update.new_.id) &&
	    old->target.type == r->update.new_.type) {
		r->result = PUSH_UP_TO_DATE;
		return 0;
	}
	return push_plan_judge(s, entry, o, r, e);
}

int
push_plan_make(struct store *s, const struct remotes_entry *entry, const struct remote_refs *there,
    const struct push_options *o, struct push_plan *ret, struct err *e)
{
	if (push_plan_list(s, o, there, ret, e) != 0)
		return -1;
	for (size_t i = 0; i < ret->count; i++)
		if (push_plan_check(s, entry, there, o, &ret->refs[i], e) != 0)
			return -1;
	return 0;
}

/* --- moving them --- */

/* What the remote has is known now without asking it again. */
static int
push_plan_track(struct store *s, const struct remotes_entry *entry, const struct push_ref *r,
    struct err *e)
{
	char name[REFSPEC_NAME_SIZE];
	struct refs_change c = {.name = name, .any_old = true, .author = "push <push@localhost>",
	    .message = "push", .new_ = r->update.has_new ? &r->update.new_ : NULL};

	if (!remotes_tracking(entry, r->name, name, sizeof name))
		return 0;
	return refs_update(s, &c, e) == 0 || (c.new_ == NULL && e->code == ERR_NOTFOUND) ? 0 : -1;
}

static void
push_plan_done(struct push_ref *r, enum remote_state state)
{
	r->result = state == REMOTE_HAS ? r->then : state == REMOTE_LACKS ? PUSH_RACE : PUSH_FAILED;
	if (r->result == PUSH_RACE)
		r->why = "another push was first; fetch and push again";
	if (r->result == PUSH_FAILED)
		r->why = "the remote did not take it";
}

int
push_plan_apply(struct store *s, struct remote *r, const struct remotes_entry *entry,
    struct push_plan *p, bool dry_run, struct err *e)
{
	CLEANUP(cleanup_free) struct remote_update *updates = calloc(p->count + 1, sizeof *updates);
	CLEANUP(cleanup_free) size_t *at = calloc(p->count + 1, sizeof *at);
	size_t n = 0;

	if (updates == NULL || at == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < p->count; i++) {
		/* set again: a hub opens the contents that came */
		if (p->refs[i].result != PUSH_READY && !(p->again && p->refs[i].result == PUSH_UP_TO_DATE))
			continue;
		if (p->refs[i].result == PUSH_UP_TO_DATE)
			p->refs[i].then = PUSH_UP_TO_DATE;
		if (dry_run)
			p->refs[i].result = p->refs[i].then;
		at[n] = i;
		updates[n++] = p->refs[i].update;
	}
	if (dry_run)
		return 0;
	if (r->ops->update(r, updates, n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		push_plan_done(&p->refs[at[i]], updates[i].state);
	for (size_t i = 0; i < p->count; i++)
		if (p->refs[i].result != PUSH_REJECTED && p->refs[i].result < PUSH_REJECTED &&
		    push_plan_track(s, entry, &p->refs[i], e) != 0)
			return -1;
	return 0;
}

int
push_plan_follow(struct config *c, const struct remotes_entry *entry, const struct push_plan *p,
    struct err *e)
{
	if (entry->name[0] == '\0')
		return err_set(e, ERR_USAGE, "-u: a branch follows a remote that has a name");
	for (size_t i = 0; i < p->count; i++) {
		const struct push_ref *r = &p->refs[i];
		CLEANUP(cleanup_free) char *remote = NULL;
		CLEANUP(cleanup_free) char *merge = NULL;

		if (r->result >= PUSH_REJECTED || r->result == PUSH_DELETED || r->local == NULL ||
		    strncmp(r->local, "refs/heads/", 11) != 0 || strncmp(r->name, "refs/heads/", 11) != 0)
			continue;
		remote = buf_strfmt(e, "branch.%s.remote", r->local + 11);
		merge = buf_strfmt(e, "branch.%s.merge", r->local + 11);
		if (remote == NULL || merge == NULL || config_set(c, false, remote, entry->name, e) != 0 ||
		    config_set(c, false, merge, r->name, e) != 0)
			return -1;
	}
	return 0;
}
