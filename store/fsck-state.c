#include "store/fsck-state.h"

void
fsck_state_say(struct fsck *f, enum fsck_severity severity, const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (severity == FSCK_DAMAGE)
		f->damage = true;
	f->report(f->arg, severity, text);
}

int
fsck_state_bad_object(struct fsck *f, const struct oid *id, const char *why)
{
	bool fresh;

	if (oid_map_add(&f->bad, id, 0, &fresh, f->e) != 0)
		return -1;
	if (fresh)
		fsck_state_say(f, FSCK_DAMAGE, "%s", why);
	return 0;
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
