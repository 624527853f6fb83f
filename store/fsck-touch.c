#include <string.h>
#include "base/buf.h"
#include "store/fsck-state.h"
#include "store/links.h"

#define FSCK_TOUCH_MAX 200      /* lines; more say no more */
#define FSCK_TOUCH_DEPTH 64
#define FSCK_TOUCH_PATH_MAX 4096

struct fsck_touch {
	struct fsck *f;
	struct oid_map clean;   /* trees with nothing bad in them */
	const struct fsck_certificate *certificate;
	const char *role;
	size_t said;
};

static void
fsck_touch_say(struct fsck_touch *t, const char *path, const struct oid *id)
{
	char of[OID_HEX_SIZE], by[OID_HEX_SIZE], hex[OID_HEX_SIZE];

	oid_hex(&t->certificate->id, of);
	oid_hex(&t->certificate->commit, by);
	oid_hex(id, hex);
	if (t->said++ == FSCK_TOUCH_MAX)
		fsck_state_say(t->f, FSCK_TOUCHED, "and more");
	if (t->said > FSCK_TOUCH_MAX)
		return;
	fsck_state_say(t->f, FSCK_TOUCHED, "%s %s%sof certificate %s, commit %.12s (object %.12s)",
	    t->role, path != NULL ? path : "", path != NULL ? " " : "", of, by, hex);
}

/* Inside a tree. */
struct fsck_touch_tree {
	struct fsck_touch *t;
	const char *path;
	int depth;
	bool found;
};

static int fsck_touch_tree(struct fsck_touch *t, const struct oid *id, const char *path, int depth,
    bool *ret_found, struct err *e);

static int
fsck_touch_entry(void *arg, const struct links_link *l, struct err *e)
{
	struct fsck_touch_tree *x = arg;
	CLEANUP(cleanup_free) char *path = NULL;
	size_t ignored;
	bool found = false;

	if (strlen(x->path) > FSCK_TOUCH_PATH_MAX)
		return 0;
	path = buf_strfmt(e, "%s/%s", x->path, l->path);
	if (path == NULL)
		return -1;
	if (oid_map_get(&x->t->f->bad, &l->ref.id, &ignored)) {
		fsck_touch_say(x->t, path, &l->ref.id);
		found = true;
	} else if (l->ref.type == OBJECT_TREE &&
	    fsck_touch_tree(x->t, &l->ref.id, path, x->depth + 1, &found, e) != 0) {
		return -1;
	}
	x->found = x->found || found;
	return 0;
}

static int
fsck_touch_tree(struct fsck_touch *t, const struct oid *id, const char *path, int depth,
    bool *ret_found, struct err *e)
{
	const struct object_ref ref = {OBJECT_TREE, *id};
	struct fsck_touch_tree x = {t, path, depth, false};
	size_t ignored;
	bool fresh;

	if (depth > FSCK_TOUCH_DEPTH || oid_map_get(&t->clean, id, &ignored))
		return 0;
	if (links_each(t->f->s, &ref, fsck_touch_entry, &x, e) != 0)
		return e->code == ERR_NOMEM || e->code == ERR_CANCELLED ? -1 : 0;
	if (!x.found && oid_map_add(&t->clean, id, 0, &fresh, e) != 0)
		return -1;
	*ret_found = *ret_found || x.found;
	return 0;
}

static int
fsck_touch_link(void *arg, const struct links_link *l, struct err *e)
{
	struct fsck_touch *t = arg;
	size_t ignored;
	bool found = false;

	if (l->role == LINKS_MADE_BY)
		return 0;
	t->role = links_role_name(l->role);
	if (oid_map_get(&t->f->bad, &l->ref.id, &ignored)) {
		fsck_touch_say(t, l->path, &l->ref.id);
		return 0;
	}
	return l->ref.type == OBJECT_TREE ?
	    fsck_touch_tree(t, &l->ref.id, l->path != NULL ? l->path : "", 1, &found, e) : 0;
}

int
fsck_touch_run(struct fsck *f)
{
	struct fsck_touch t = {.f = f, .clean = OID_MAP_INIT};
	int rc = 0;

	for (size_t i = 0; f->bad.count > 0 && i < f->certificate_count && rc == 0; i++) {
		const struct object_ref ref = {OBJECT_CERTIFICATE, f->certificates[i].id};

		t.certificate = &f->certificates[i];
		/* what cannot be read was reported */
		if (links_each(f->s, &ref, fsck_touch_link, &t, f->e) != 0 &&
		    (f->e->code == ERR_NOMEM || f->e->code == ERR_CANCELLED))
			rc = -1;
	}
	oid_map_free(&t.clean);
	return rc;
}
