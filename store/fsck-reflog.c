#include <string.h>
#include "base/atomic-file.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/timestamp.h"
#include "store/fsck-state.h"
#include "store/reflog.h"
#include "store/refs.h"

#define FSCK_REFLOG_TRIES 3     /* while others move the ref */
#define FSCK_REFLOG_LOCK_MS 10000

/*
 * A line is written under the ref's lock before the ref is: it begins with what the ref
 * was, and the ref is then what the line ends with or, when the writer died, what it was.
 * So each line continues the one before it, and the ref the last.  A line that is torn is
 * one whose change did not happen.
 */
struct fsck_reflog_value {
	bool has;
	struct oid id;
};

struct fsck_reflog {
	struct fsck *f;
	size_t lines;
	struct fsck_reflog_value old, new_;     /* of the last line */
	size_t broken;          /* the first line that does not continue; 0: none */
	bool lost;              /* id is named and absent */
	struct oid id;
	int rc;
};

static bool
fsck_reflog_equal(const struct fsck_reflog_value *a, const struct fsck_reflog_value *b)
{
	return a->has == b->has && (!a->has || oid_equal(&a->id, &b->id));
}

static bool
fsck_reflog_continues(const struct fsck_reflog *l, const struct fsck_reflog_value *v)
{
	return fsck_reflog_equal(v, &l->old) || fsck_reflog_equal(v, &l->new_);
}

static int
fsck_reflog_object(struct fsck_reflog *l, const struct fsck_reflog_value *v)
{
	size_t ignored;
	bool there;

	if (l->lost || !v->has || oid_map_get(&l->f->reached, &v->id, &ignored) ||
	    oid_map_get(&l->f->bad, &v->id, &ignored))
		return 0;
	if (fsck_state_there(l->f, &v->id, false, &there) != 0)
		return -1;
	l->lost = !there;
	l->id = v->id;
	return 0;
}

static int
fsck_reflog_line(void *arg, const struct reflog_entry *entry)
{
	struct fsck_reflog *l = arg;
	const struct fsck_reflog_value old = {entry->has_old, entry->old};
	const struct fsck_reflog_value new_ = {entry->has_new, entry->new_};

	l->lines++;
	/* before the first line there is no ref: both of *l are none */
	if (l->broken == 0 && !fsck_reflog_continues(l, &old))
		l->broken = l->lines;
	l->old = old;
	l->new_ = new_;
	l->rc = fsck_reflog_object(l, &new_);
	return l->rc;
}

static int
fsck_reflog_ref(struct fsck *f, const char *name, struct fsck_reflog_value *ret)
{
	struct object_ref ref;

	if (refs_read(f->s, name, &ref, f->e) == 0)
		*ret = (struct fsck_reflog_value){true, ref.id};
	else if (f->e->code == ERR_NOTFOUND)
		*ret = (struct fsck_reflog_value){.has = false};
	else
		return -1;
	return 0;
}

/* One reading of the log between two of the ref; *ret_moved: they differ. */
static int
fsck_reflog_read(struct fsck_reflog *l, const char *name, struct fsck_reflog_value *ret_ref,
    bool *ret_moved, size_t *ret_bad)
{
	struct fsck_reflog_value after;

	if (fsck_reflog_ref(l->f, name, ret_ref) != 0 ||
	    reflog_each(l->f->s, name, fsck_reflog_line, l, ret_bad, l->f->e) != 0 || l->rc != 0 ||
	    fsck_reflog_ref(l->f, name, &after) != 0)
		return -1;
	*ret_moved = !fsck_reflog_equal(ret_ref, &after);
	return 0;
}

/* "" when all is well, or others are faster than we read. */
static void
fsck_reflog_judge(const struct fsck_reflog *l, const struct fsck_reflog_value *ref, char *ret,
    size_t size)
{
	char hex[OID_HEX_SIZE];

	ret[0] = '\0';
	if (l->lost) {
		oid_hex(&l->id, hex);
		snprintf(ret, size, "names %s, which is missing", hex);
	} else if (ref->has && l->lines == 0) {
		snprintf(ret, size, "is lost, and what it alone named");
	} else if (l->broken > 0) {
		snprintf(ret, size, "line %zu does not begin with what the one before it ended with: a line"
		    " was changed, or is lost", l->broken);
	} else if (!fsck_reflog_continues(l, ref)) {
		snprintf(ret, size, "does not end with what the ref %s: a line was changed, or is lost",
		    ref->has ? "names" : "is, none");
	}
}

/* What is wrong with it, read until the ref stands still. */
static int
fsck_reflog_look(struct fsck_reflog *l, const char *name, char *ret, size_t size, size_t *ret_bad)
{
	struct fsck_reflog_value ref;
	bool moved = true;

	ret[0] = '\0';
	for (int i = 0; i < FSCK_REFLOG_TRIES && (i == 0 || moved || ret[0] != '\0'); i++) {
		*l = (struct fsck_reflog){.f = l->f};
		if (fsck_reflog_read(l, name, &ref, &moved, ret_bad) != 0)
			return -1;
		fsck_reflog_judge(l, &ref, ret, size);
	}
	if (moved)
		ret[0] = '\0';
	return 0;
}

/* The damaged log is kept, and a new one begins with what the ref is. */
static int
fsck_reflog_renew(struct fsck *f, const char *name)
{
	struct reflog_entry entry = {.author = "", .message = "fsck: the log before it was damaged",
	    .time = timestamp_now()};
	struct fsck_reflog_value ref;

	if (fsck_reflog_ref(f, name, &ref) != 0 || fsck_repair_keep_log(f, name) != 0)
		return -1;
	if (!ref.has)
		return 0;
	entry.has_new = true;
	entry.new_ = ref.id;
	return reflog_append(f->s, name, &entry, f->e);
}

/* 1: done; 0: others did it, or nothing can be done */
static int
fsck_reflog_repair(struct fsck *f, const char *name)
{
	CLEANUP(cleanup_close) int dirfd = -1;
	CLEANUP(atomic_file_unlock) struct atomic_file_lock lock = ATOMIC_FILE_LOCK_INIT;
	struct fsck_reflog l = {.f = f};
	char why[256];
	const char *base;
	size_t bad;

	if (fd_open_parent(store_dirfd(f->s), name, &dirfd, &base, f->e) != 0)
		return f->e->code == ERR_NOTFOUND ? 0 : -1;
	if (atomic_file_lock(&lock, dirfd, base, FSCK_REFLOG_LOCK_MS, f->e) != 0 ||
	    fsck_reflog_look(&l, name, why, sizeof why, &bad) != 0)
		return -1;
	if (why[0] == '\0' || l.lost)
		return 0;
	return fsck_reflog_renew(f, name) == 0 ? 1 : -1;
}

static int
fsck_reflog_say(struct fsck *f, const char *name, const char *why)
{
	int rc = (f->o->flags & FSCK_REPAIR) != 0 ? fsck_reflog_repair(f, name) : 0;

	if (rc < 0)
		return fsck_state_finding(f, name);
	if (rc == 1) {
		f->r.repaired++;
		fsck_state_say(f, FSCK_REPAIRED, "logs/%s: %s; it is kept in " FSCK_QUARANTINE ", and a new"
		    " one begun", name, why);
	} else {
		fsck_state_say(f, FSCK_DAMAGE, "logs/%s: %s", name, why);
	}
	return 0;
}

static int
fsck_reflog_one(struct fsck *f, const char *name)
{
	struct fsck_reflog l = {.f = f};
	struct fsck_reflog_value ref;
	char why[256], text[1400];
	size_t bad;

	if (fsck_reflog_ref(f, name, &ref) != 0) /* a ref that does not parse was told with the refs */
		return f->e->code == ERR_FORMAT ? 0 : fsck_state_finding(f, name);
	for (;;) {
		if (fsck_reflog_look(&l, name, why, sizeof why, &bad) != 0)
			return fsck_state_finding(f, name);
		if (!l.lost || why[0] == '\0')
			break;
		/* repaired, or said and known to be bad: then for the rest of the log */
		snprintf(text, sizeof text, "logs/%s: %s", name, why);
		if (fsck_state_suspect(f, &l.id, text) != 0 || fsck_state_settle(f) != 0)
			return -1;
	}
	if (bad > 0)
		fsck_state_say(f, FSCK_LITTER, "logs/%s: %zu lines do not parse", name, bad);
	return why[0] != '\0' ? fsck_reflog_say(f, name, why) : 0;
}

/* Of every ref, and those that deleted refs left. */
int
fsck_reflog_run(struct fsck *f)
{
	CLEANUP(dir_walk_free) struct dir_walk refs = DIR_WALK_INIT;
	CLEANUP(dir_walk_free) struct dir_walk logs = DIR_WALK_INIT;
	size_t i = 0, k = 0;

	if (refs_names(f->s, "refs/", &refs, f->e) != 0)
		return 0; /* found before */
	if (refs_log_names(f->s, &logs, f->e) != 0)
		return fsck_state_finding(f, "logs");
	while (i < refs.count || k < logs.count) {
		int order = i == refs.count ? 1 : k == logs.count ? -1 : strcmp(refs.names[i], logs.names[k]);

		if (interrupt_check(f->e) != 0 ||
		    fsck_reflog_one(f, order <= 0 ? refs.names[i] : logs.names[k]) != 0)
			return -1;
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}
