#include <fcntl.h>
#include <string.h>
#include "base/array.h"
#include "base/fd.h"
#include "base/hex.h"
#include "base/interrupt.h"
#include "store/fsck.h"
#include "store/gc-state.h"
#include "store/history.h"
#include "store/links.h"
#include "store/odb.h"
#include "store/reflog.h"
#include "store/refs.h"
#include "store/sealed.h"

#define GC_MARK_DIGITS 64        /* of an id */
#define GC_MARK_GLUED 512        /* in a row: more are a text of digits, not ids that lost a blank */
#define GC_MARK_PENDING_MAX 100000

static int
gc_mark_todo(struct gc *g, const struct object_ref *ref, bool needed, struct err *e)
{
	if (ARRAY_ROOM(g->todo, g->todo_count, g->todo_cap, e) != 0)
		return -1;
	g->todo[g->todo_count++] = (struct gc_todo){*ref, needed};
	return 0;
}

static int
gc_mark_one(struct gc *g, const struct oid *id, struct err *e)
{
	bool fresh;

	return oid_map_add(&g->marked, id, 0, &fresh, e);
}

/* Named by the object that is followed: its parent's need is its own. */
struct gc_mark {
	struct gc *g;
	bool needed;
};

static int
gc_mark_link(void *arg, const struct links_link *l, struct err *e)
{
	const struct gc_mark *m = arg;
	bool optional = l->role == LINKS_INPUT || l->role == LINKS_IMAGE ||
	    (l->role == LINKS_OUTPUT && l->failed);

	if (m->g->o->prune_inputs && optional)
		return 0;
	if (l->ref.type == OBJECT_BLOB)
		return gc_mark_one(m->g, &l->ref.id, e);
	return gc_mark_todo(m->g, &l->ref, m->needed && l->needed, e);
}

/* In a damaged store nothing is removed. */
static int
gc_mark_unknown(struct err *e)
{
	return err_set(e, ERR_CORRUPT, "%.700s; it is not known what must be kept, nothing was removed:"
	    " see aicert fsck", strdupa(e->msg));
}

/* What is absent names nothing, unless its absence is damage. */
static int
gc_mark_absent(const struct gc_todo *t, struct err *e)
{
	char hex[OID_HEX_SIZE];

	if (!t->needed)
		return 0;
	oid_hex(&t->ref.id, hex);
	return err_set(e, ERR_CORRUPT, "%s %s is missing, so it is not known what must be kept;"
	    " nothing was removed: see aicert fsck", oid_type_name(t->ref.type), hex);
}

static int
gc_mark_follow(struct gc *g, const struct gc_todo *t, struct err *e)
{
	struct gc_mark m = {g, t->needed};
	size_t ignored;
	bool fresh, there;

	if (interrupt_check(e) != 0 || gc_mark_one(g, &t->ref.id, e) != 0)
		return -1;
	if (t->ref.type == OBJECT_BLOB || oid_map_get(&g->opened, &t->ref.id, &ignored))
		return 0;
	if (odb_find(g->s, &t->ref.id, &there, e) != 0)
		return -1;
	if (!there)
		return gc_mark_absent(t, e);
	if (oid_map_add(&g->opened, &t->ref.id, 0, &fresh, e) != 0)
		return -1;
	if (links_each(g->s, &t->ref, gc_mark_link, &m, e) == 0)
		return 0;
	return e->code == ERR_CORRUPT || e->code == ERR_FORMAT || e->code == ERR_NOTFOUND ?
	    gc_mark_unknown(e) : -1;
}

static int
gc_mark_run(struct gc *g, struct err *e)
{
	while (g->todo_count > 0) {
		const struct gc_todo t = g->todo[--g->todo_count];

		if (gc_mark_follow(g, &t, e) != 0)
			return -1;
	}
	return 0;
}

int
gc_mark_id(void *gc, const struct oid *id, struct err *e)
{
	struct object_ref ref = {.id = *id};
	struct gc *g = gc;
	size_t ignored;
	bool there;

	if (oid_map_get(&g->opened, id, &ignored))
		return 0;
	if (odb_find(g->s, id, &there, e) != 0)
		return -1;
	if (!there)
		return gc_mark_one(g, id, e); /* it may come yet */
	if (history_type(g->s, id, &ref.type, e) != 0) {
		if (e->code == ERR_NOTFOUND) /* removed meanwhile */
			return gc_mark_one(g, id, e);
		return e->code == ERR_CORRUPT ? gc_mark_unknown(e) : -1;
	}
	return gc_mark_todo(g, &ref, false, e) != 0 || gc_mark_run(g, e) != 0 ? -1 : 0;
}

int
gc_mark_ref_id(struct gc *g, const struct object_ref *ref, struct err *e)
{
	return gc_mark_todo(g, ref, false, e) != 0 ? -1 : gc_mark_run(g, e);
}

static int
gc_mark_ref(struct gc *g, const char *name, struct err *e)
{
	struct object_ref ref;

	if (refs_read(g->s, name, &ref, e) == 0)
		return gc_mark_todo(g, &ref, true, e);
	if (e->code == ERR_NOTFOUND) /* unborn, or deleted meanwhile: then in a lease */
		return 0;
	return e->code == ERR_FORMAT ? gc_mark_unknown(e) : -1;
}

static int
gc_mark_leases(struct gc *g, struct err *e)
{
	return lease_set_read(&g->leases, gc_mark_id, g, e);
}

static bool
gc_mark_is_digit(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Whatever the text means: an id too many is kept, none is overlooked, also when damage
 * glued other digits to it. */
static int
gc_mark_text(void *gc, const void *text, size_t len, struct err *e)
{
	const unsigned char *p = text;
	size_t digits = 0;

	for (size_t i = 0; i < len; i++) {
		char hex[OID_HEX_SIZE];
		struct oid id;

		digits = gc_mark_is_digit(p[i]) ? digits + 1 : 0;
		if (digits < GC_MARK_DIGITS || digits > GC_MARK_GLUED)
			continue;
		memcpy(hex, p + i + 1 - GC_MARK_DIGITS, GC_MARK_DIGITS);
		hex[GC_MARK_DIGITS] = '\0';
		if (strspn(hex, "0") == GC_MARK_DIGITS) /* stands for none */
			continue;
		if (oid_from_hex(&id, hex, e) != 0 || gc_mark_id(gc, &id, e) != 0)
			return -1;
	}
	return 0;
}

/* The end of a block of text, for an id that goes on in the next. */
struct gc_mark_log {
	struct gc *g;
	struct buf text;
};

static void
gc_mark_log_free(struct gc_mark_log *log)
{
	buf_free(&log->text);
}

static int
gc_mark_block(void *arg, const void *data, size_t len, struct err *e)
{
	struct gc_mark_log *log = arg;
	size_t keep;

	buf_add(&log->text, data, len);
	if (buf_check(&log->text, e) != 0 ||
	    gc_mark_text(log->g, log->text.data, log->text.len, e) != 0)
		return -1;
	keep = log->text.len < GC_MARK_DIGITS - 1 ? log->text.len : GC_MARK_DIGITS - 1;
	memmove(log->text.data, log->text.data + log->text.len - keep, keep);
	log->text.len = keep;
	return 0;
}

/* All of it: an id in a line that is damaged is needed as well. */
static int
gc_mark_reflog(struct gc *g, const char *name, struct err *e)
{
	CLEANUP(gc_mark_log_free) struct gc_mark_log text = {g, BUF_INIT};

	return reflog_bytes(g->s, name, gc_mark_block, &text, e);
}

/* Logs that fsck replaced because they were damaged. */
static int
gc_mark_kept_logs(struct gc *g, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(cleanup_close) int fd = fd_open_beneath(store_dirfd(g->s), FSCK_QUARANTINE,
	    O_RDONLY | O_DIRECTORY, 0, e);

	if (fd < 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	if (dir_walk_list(fd, ".", GC_MARK_PENDING_MAX, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP(gc_mark_log_free) struct gc_mark_log text = {g, BUF_INIT};
		CLEANUP(cleanup_close) int log = -1;

		if (strncmp(names.names[i], FSCK_QUARANTINE_LOG, strlen(FSCK_QUARANTINE_LOG)) != 0)
			continue;
		log = fd_open_beneath(fd, names.names[i], O_RDONLY | O_NONBLOCK, 0, e);
		if (log < 0 || reflog_blocks(log, names.names[i], gc_mark_block, &text, e) != 0)
			return err_prefix(e, "%s/" FSCK_QUARANTINE, store_path(g->s));
	}
	return 0;
}

/* Runs on other machines: what they were given is wanted when their certificate comes. */
static int
gc_mark_pending(struct gc *g, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(cleanup_close) int fd = fd_open_beneath(store_dirfd(g->s), "runs", O_RDONLY | O_DIRECTORY,
	    0, e);

	if (fd < 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	if (dir_walk_list(fd, ".", GC_MARK_PENDING_MAX, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP(buf_free) struct buf text = BUF_INIT;

		if (strlen(names.names[i]) != 64 || !hex_is(names.names[i], 64))
			continue; /* on its way to be one */
		if (sealed_read(fd, names.names[i], STORE_RUN_BYTES_MAX, &text, e) != 0) {
			if (e->code == ERR_NOTFOUND) /* collected meanwhile: then in a lease */
				continue;
			return err_set(e, e->code, "%s/runs/%.700s; it is not known what must be kept, nothing was"
			    " removed: see aicert fsck", store_path(g->s), strdupa(e->msg));
		}
		if (gc_mark_text(g, text.data, text.len, e) != 0)
			return -1;
	}
	return 0;
}

int
gc_mark_roots(struct gc *g, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(dir_walk_free) struct dir_walk logs = DIR_WALK_INIT;

	if (refs_names(g->s, "refs/", &names, e) != 0 || refs_log_names(g->s, &logs, e) != 0 ||
	    gc_mark_ref(g, "HEAD", e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (gc_mark_ref(g, names.names[i], e) != 0)
			return -1;
	if (gc_mark_run(g, e) != 0)
		return -1;
	for (size_t i = 0; i < logs.count; i++)
		if (gc_mark_reflog(g, logs.names[i], e) != 0)
			return -1;
	if (gc_mark_kept_logs(g, e) != 0 || gc_mark_pending(g, e) != 0 ||
	    (g->o->roots != NULL && g->o->roots(g->o->arg, g->s, gc_mark_text, g, e) != 0))
		return -1;
	return gc_mark_leases(g, e);
}
