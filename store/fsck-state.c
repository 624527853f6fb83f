#include "store/fsck-state.h"

#include "base/array.h"
#include "store/odb.h"

#include <string.h>
#include "base/buf.h"

void
fsck_state_say(struct fsck *f, enum fsck_severity severity, const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (severity == FSCK_DAMAGE)
		f->r.damage = true;
	f->o->report(f->o->arg, severity, text);
}

int
fsck_state_there(struct fsck *f, const struct oid *id, bool own, bool *ret)
{
	if ((own ? odb_find_own(f->s, id, ret, f->e) : odb_find(f->s, id, ret, f->e)) == 0)
		return 0;
	*ret = false;
	return f->e->code == ERR_CORRUPT || f->e->code == ERR_FORMAT ? 0 : -1;
}

int
fsck_state_finding(struct fsck *f, const char *what)
{
	switch (f->e->code) {
	case ERR_NOMEM:
	case ERR_CANCELLED:
	case ERR_IO:
	case ERR_BUSY:
		return err_prefix(f->e, "%s", what);
	default:
		fsck_state_say(f, FSCK_DAMAGE, "%s: %s", what, f->e->msg);
		return 0;
	}
}

int
fsck_state_suspect(struct fsck *f, const struct oid *id, const char *why)
{
	char *copy;

	if (ARRAY_ROOM(f->suspects, f->suspect_count, f->suspect_cap, f->e) != 0)
		return -1;
	copy = buf_strdup(why, f->e);
	if (copy == NULL)
		return -1;
	f->suspects[f->suspect_count++] = (struct fsck_suspect){*id, copy};
	return 0;
}

static int
fsck_state_settle_one(struct fsck *f, const struct fsck_suspect *x)
{
	size_t ignored;
	bool fresh;
	int rc = 0;

	if (oid_map_get(&f->bad, &x->id, &ignored))
		return 0;
	if (f->o->flags & FSCK_REPAIR)
		rc = fsck_repair_object(f, &x->id);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	fsck_state_say(f, FSCK_DAMAGE, "%s", x->why);
	return oid_map_add(&f->bad, &x->id, 0, &fresh, f->e);
}

static int
fsck_state_compare(const void *a, const void *b)
{
	const struct fsck_suspect *x = a, *y = b;

	return oid_compare(&x->id, &y->id);
}

int
fsck_state_settle(struct fsck *f)
{
	int rc = 0;

	if (f->suspect_count > 0)
		qsort(f->suspects, f->suspect_count, sizeof *f->suspects, fsck_state_compare);
	for (size_t i = 0; i < f->suspect_count; i++) {
		if (rc == 0)
			rc = fsck_state_settle_one(f, &f->suspects[i]);
		free(f->suspects[i].why);
	}
	f->suspect_count = 0;
	return rc;
}
