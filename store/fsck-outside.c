#include <string.h>
#include "base/buf.h"
#include "base/interrupt.h"
#include "store/elsewhere.h"
#include "store/fsck-state.h"
#include "store/odb.h"
#include "store/in-place.h"

/*
 * What refs reach and the store does not have itself must be in one of the other
 * places.  A file that has its size, times and inode still, or lies in an
 * alternate, is believed; with FSCK_FULL everything is read.
 */
static int
fsck_outside_object(struct fsck *f, const struct oid *id, bool *ret_good)
{
	struct err unread = {.code = ERR_NONE};
	bool good = false;

	for (unsigned nth = 0; !good; nth++) {
		CLEANUP(source_close) struct source p = SOURCE_INIT;
		int rc = elsewhere_find(f->s, id, nth, &p, f->e);

		if (rc < 0)
			return -1;
		if (rc == 0)
			break;
		if (p.steady && (f->o->flags & FSCK_FULL) == 0) {
			good = true;
		} else if (elsewhere_verify(&p, id, f->e) == 0) {
			good = true;
			progress_add(&f->progress, p.size);
		} else if (f->e->code == ERR_IO) {
			unread = *f->e;
		} else if (f->e->code != ERR_CORRUPT) {
			return -1;
		}
	}
	if (!good && unread.code != ERR_NONE) {
		*f->e = unread;
		return -1;
	}
	*ret_good = good;
	return 0;
}

struct fsck_outside {
	struct fsck *f;
	const struct oid *id;   /* whose files are looked for */
	struct buf names;
};

static int
fsck_outside_name(void *arg, const struct in_place_file *r)
{
	struct fsck_outside *x = arg;

	if (oid_equal(&r->id, x->id))
		buf_addf(&x->names, "%s%s", x->names.len > 0 ? ", " : "", r->path);
	return 0;
}

static int
fsck_outside_lost(struct fsck *f, const struct oid *id)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct fsck_outside x = {f, id, {.max = 600}};
	char hex[OID_HEX_SIZE];
	int rc;

	oid_hex(id, hex);
	if (in_place_each(f->s, fsck_outside_name, &x, f->e) != 0) {
		buf_free(&x.names);
		return fsck_state_finding(f, "references");
	}
	if (x.names.len > 0)
		buf_addf(&text, "object %s was kept as the file %s, which was changed or is gone: this"
		    " content is lost unless there is a copy elsewhere", hex, buf_str(&x.names));
	else
		buf_addf(&text, "object %s is not in the store, and the alternates have other bytes or"
		    " none", hex);
	buf_free(&x.names);
	rc = buf_check(&text, f->e);
	return rc == 0 ? fsck_state_suspect(f, id, buf_str(&text)) : -1;
}

struct fsck_outside_walk {
	struct fsck *f;
	int rc;
};

static int
fsck_outside_one(void *arg, const struct oid *id)
{
	struct fsck_outside_walk *w = arg;
	bool good;

	w->rc = interrupt_check(w->f->e);
	if (w->rc == 0)
		w->rc = fsck_outside_object(w->f, id, &good);
	if (w->rc == 0 && !good)
		w->rc = fsck_outside_lost(w->f, id);
	return w->rc;
}

/* A promise that was broken: damage when the content is needed and nowhere else. */
static int
fsck_outside_reference(void *arg, const struct in_place_file *r)
{
	struct fsck_outside_walk *w = arg;
	struct fsck *f = w->f;
	enum in_place_state state;
	char hex[OID_HEX_SIZE];
	size_t ignored;

	w->rc = in_place_look(f->s, r, &state, f->e);
	if (w->rc != 0)
		return -1;
	if (state != IN_PLACE_LOST || oid_map_get(&f->bad, &r->id, &ignored))
		return 0;
	oid_hex(&r->id, hex);
	if (odb_has(f->s, &r->id))
		fsck_state_say(f, FSCK_LITTER, "%s: is no longer the file that was referenced as %s, whose"
		    " bytes are kept elsewhere", r->path, hex);
	else if (oid_map_get(&f->reached, &r->id, &ignored) || (f->o->flags & FSCK_FULL) != 0)
		fsck_state_say(f, FSCK_LITTER, "%s: is no longer the file that was referenced as %s",
		    r->path, hex);
	return 0;
}

int
fsck_outside_run(struct fsck *f)
{
	struct fsck_outside_walk w = {f, 0};

	progress_start(&f->progress, f->o->progress, "checking alternates and references", 0);
	if (oid_map_each(&f->outside, fsck_outside_one, &w) != 0)
		return -1;
	progress_end(&f->progress);
	if (fsck_state_settle(f) != 0)
		return -1;
	if (in_place_each(f->s, fsck_outside_reference, &w, f->e) != 0)
		return fsck_state_finding(f, "references");
	return w.rc;
}
