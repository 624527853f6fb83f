#include "store/fsck.h"

#include <errno.h>
#include <string.h>
#include "base/dir-walk.h"
#include "base/interrupt.h"
#include "store/fsck-state.h"
#include "store/history.h"
#include "store/odb-file.h"
#include "store/odb-small.h"
#include "store/odb.h"
#include "store/reflog.h"
#include "store/refs.h"

static void
fsck_progress(struct fsck *f, uint64_t size)
{
	if (f->progress != NULL)
		progress_add(f->progress, size);
}

/* An object that cannot be read is reported; only what concerns the machine stops. */
static int
fsck_object_result(struct fsck *f, const struct oid *id, int rc)
{
	if (rc >= 0)
		return 0;
	if (f->e->code == ERR_CORRUPT || f->e->code == ERR_FORMAT || f->e->code == ERR_LIMIT ||
	    f->e->sys == EIO)
		return fsck_state_bad_object(f, id, f->e->msg);
	return -1;
}

static int
fsck_file(void *arg, const struct oid *id, uint64_t size)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct fsck *f = arg;
	int rc = interrupt_check(f->e);

	if (rc == 0) {
		rc = odb_file_open(f->s, id, &fd, &size, f->e);
		if (rc == 1)
			rc = odb_file_verify(f->s, id, fd, f->e);
		f->rc = fsck_object_result(f, id, rc);
	} else {
		f->rc = -1;
	}
	fsck_progress(f, size);
	return f->rc;
}

static int
fsck_small(void *arg, const struct oid *id, uint64_t size)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct fsck *f = arg;

	f->rc = interrupt_check(f->e);
	if (f->rc == 0)
		f->rc = fsck_object_result(f, id, odb_small_read(f->s, id, &bytes, f->e));
	fsck_progress(f, size);
	return f->rc;
}

static void
fsck_stray(void *arg, const char *name)
{
	fsck_state_say(arg, FSCK_LITTER, "%s: not the name of an object", name);
}

static int
fsck_objects(struct fsck *f)
{
	struct oid first, last;

	memset(first.b, 0, OID_SIZE);
	memset(last.b, 0xff, OID_SIZE);
	if (odb_file_each(f->s, "", fsck_file, fsck_stray, f, f->e) != 0 || f->rc != 0)
		return -1;
	if (odb_small_check(f->s, f->e) != 0)
		return fsck_state_finding(f, "small objects");
	if (odb_small_each(f->s, &first, &last, fsck_small, f, f->e) != 0)
		return fsck_state_finding(f, "small objects");
	return f->rc;
}

static int
fsck_ref_object(struct fsck *f, const char *name, const struct object_ref *ref)
{
	enum object_type type;
	char hex[OID_HEX_SIZE];
	size_t ignored;

	oid_hex(&ref->id, hex);
	if (oid_map_get(&f->bad, &ref->id, &ignored))
		return 0;
	if (!odb_has(f->s, &ref->id)) {
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
fsck_reflog(struct fsck *f, const char *name)
{
	size_t bad;

	if (reflog_each(f->s, name, NULL, NULL, &bad, f->e) != 0)
		return fsck_state_finding(f, name);
	if (bad > 0)
		fsck_state_say(f, FSCK_LITTER, "logs/%s: %zu lines do not parse", name, bad);
	return 0;
}

static int
fsck_ref(struct fsck *f, const char *name)
{
	struct object_ref ref;

	if (refs_read(f->s, name, &ref, f->e) == 0) {
		if (fsck_ref_object(f, name, &ref) != 0)
			return -1;
	} else if (f->e->code != ERR_NOTFOUND && fsck_state_finding(f, name) != 0) {
		return -1;
	}
	return fsck_reflog(f, name);
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

int
fsck_run(struct store *s, fsck_report_fn *report, void *arg, struct progress *p, bool *ret_damage,
    struct err *e)
{
	struct err local;
	struct fsck f = {.s = s, .report = report, .arg = arg, .progress = p, .bad = OID_MAP_INIT,
	    .reached = OID_MAP_INIT, .e = e != NULL ? e : &local};
	int rc = -1;

	if (fsck_objects(&f) == 0 && fsck_refs(&f) == 0 && fsck_reach_run(&f) == 0 &&
	    fsck_litter_run(&f) == 0)
		rc = 0;
	oid_map_free(&f.bad);
	oid_map_free(&f.reached);
	if (rc == 0)
		*ret_damage = f.damage;
	return rc;
}
