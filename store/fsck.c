#include "store/fsck.h"

#include <string.h>
#include "base/dir-walk.h"
#include "store/fsck-state.h"
#include "store/history.h"
#include "store/index.h"
#include "store/odb.h"
#include "store/refs.h"

static int
fsck_ref_object(struct fsck *f, const char *name, const struct object_ref *ref)
{
	enum object_type type;
	char hex[OID_HEX_SIZE];
	size_t ignored;
	bool there;

	oid_hex(&ref->id, hex);
	if (oid_map_get(&f->bad, &ref->id, &ignored))
		return 0;
	if (fsck_state_there(f, &ref->id, false, &there) != 0)
		return -1;
	if (!there) {
		fsck_state_say(f, FSCK_DAMAGE, "%s: names %s %s, which is missing", name,
		    oid_type_name(ref->type), hex);
		return 0;
	}
	/* any bytes are a blob */
	if (ref->type == OBJECT_BLOB)
		return 0;
	if (history_type(f->s, &ref->id, &type, f->e) != 0)
		return fsck_state_finding(f, name);
	if (type != ref->type)
		fsck_state_say(f, FSCK_DAMAGE, "%s: names %s %s, which is a %s", name,
		    oid_type_name(ref->type), hex, oid_type_name(type));
	return 0;
}

static int
fsck_ref(struct fsck *f, const char *name)
{
	struct object_ref ref;

	if (refs_read(f->s, name, &ref, f->e) == 0)
		return fsck_ref_object(f, name, &ref);
	return f->e->code == ERR_NOTFOUND ? 0 : fsck_state_finding(f, name);
}

/* HEAD moves only to branches that exist: one that does not is the first one of an
 * empty history, or damage. */
static int
fsck_head_branch(struct fsck *f, const char *branch)
{
	CLEANUP(dir_walk_free) struct dir_walk others = DIR_WALK_INIT;
	struct object_ref ref;

	if (refs_read(f->s, branch, &ref, f->e) == 0 || f->e->code != ERR_NOTFOUND)
		return 0; /* a branch that does not parse is found with the other refs */
	if (refs_names(f->s, "refs/heads/", &others, f->e) != 0)
		return fsck_state_finding(f, "refs/heads");
	if (others.count > 0)
		fsck_state_say(f, FSCK_DAMAGE, "HEAD: names %s, which is not there, though %s is; aicert branch"
		    " tells what there is", branch, others.names[0]);
	return 0;
}

static int
fsck_head(struct fsck *f)
{
	CLEANUP(cleanup_free) char *branch = NULL;
	struct object_ref ref;

	if (refs_head(f->s, &branch, f->e) != 0)
		return fsck_state_finding(f, "HEAD");
	if (branch != NULL)
		return fsck_head_branch(f, branch);
	return refs_read(f->s, "HEAD", &ref, f->e) != 0 ? fsck_state_finding(f, "HEAD") :
	    fsck_ref_object(f, "HEAD", &ref);
}

static int
fsck_refs(struct fsck *f)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;

	if (fsck_head(f) != 0)
		return -1;
	if (refs_names(f->s, "refs/", &names, f->e) != 0)
		return fsck_state_finding(f, "refs");
	for (size_t i = 0; i < names.count; i++)
		if (fsck_ref(f, names.names[i]) != 0)
			return -1;
	return 0;
}

/* Not needed, so no damage; with bytes that are wrong it is of no use either. */
static int
fsck_index(struct fsck *f)
{
	if (index_check(f->s, f->e) == 0)
		return 0;
	if (f->e->code == ERR_NOMEM || f->e->code == ERR_CANCELLED || f->e->code == ERR_BUSY)
		return -1;
	if (f->o->flags & FSCK_REPAIR) {
		index_discard(f->s);
		fsck_state_say(f, FSCK_REPAIRED, "%s; thrown away, it is made again", f->e->msg);
	} else {
		fsck_state_say(f, FSCK_LITTER, "%s; it is only a cache and is made again", f->e->msg);
	}
	return 0;
}

static void
fsck_free(struct fsck *f)
{
	progress_end(&f->progress);
	for (size_t i = 0; i < f->suspect_count; i++)
		free(f->suspects[i].why);
	free(f->suspects);
	free(f->certificates);
	oid_map_free(&f->bad);
	oid_map_free(&f->reached);
	oid_map_free(&f->opened);
	oid_map_free(&f->outside);
}

int
fsck_run(struct store *s, const struct fsck_options *o, struct fsck_result *ret, struct err *e)
{
	struct err local;
	CLEANUP(fsck_free) struct fsck f = {.s = s, .o = o, .e = e != NULL ? e : &local};

	if ((o->flags & FSCK_REPAIR) != 0 && store_read_only(s))
		return err_set(f.e, ERR_DENIED, "%s: the store is read-only: nothing can be repaired",
		    store_path(s));
	if (fsck_litter_gate(&f) != 0 || fsck_objects_run(&f) != 0 || fsck_refs(&f) != 0 ||
	    fsck_reach_run(&f) != 0 || fsck_reflog_run(&f) != 0 || fsck_runs_run(&f) != 0 ||
	    fsck_outside_run(&f) != 0 || fsck_touch_run(&f) != 0 || fsck_index(&f) != 0 ||
	    fsck_litter_run(&f) != 0)
		return -1;
	*ret = f.r;
	return 0;
}
