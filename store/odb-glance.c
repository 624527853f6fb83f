#include "store/odb-glance.h"

#include <string.h>
#include "base/dir-walk.h"
#include "base/hex.h"
#include "store/elsewhere.h"
#include "store/odb-small.h"
#include "store/odb-state.h"
#include "store/odb.h"

#define ODB_GLANCE_ENTRIES 65536    /* in objects/ */

int
odb_glance_dirs(struct store *s, unsigned char ret[32], struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	unsigned char byte;

	if (dir_walk_list(odb_state(s)->fd, ".", ODB_GLANCE_ENTRIES, &names, e) != 0)
		return -1;
	memset(ret, 0, 32);
	for (size_t i = 0; i < names.count; i++)
		if (strlen(names.names[i]) == 2 && hex_decode(&byte, 1, names.names[i], NULL) == 0)
			ret[byte / 8] |= (unsigned char)(1u << byte % 8);
	return 0;
}

/* What goes wrong here goes wrong again for who looks by himself, and is told there. */
static void
odb_glance_take(struct odb_glance *g)
{
	struct err ignored;
	bool pays;

	g->take_at = g->take_at == 0 ? 256 : 4 * g->take_at;
	if (odb_small_ids_pay(g->s, g->asked, &pays, &ignored) != 0 || !pays)
		return;
	g->taken = elsewhere_any(g->s, &g->elsewhere, &ignored) == 0 &&
	    odb_glance_dirs(g->s, g->dirs, &ignored) == 0 && odb_small_ids(g->s, &g->ids, &ignored) == 0;
}

bool
odb_glance_looks(const struct odb_glance *g)
{
	return g->taken ? g->elsewhere : g->asked >= g->take_at;
}

bool
odb_glance_lacks(struct odb_glance *g, const struct oid *id)
{
	CLEANUP(source_close) struct source p = SOURCE_INIT;
	struct err ignored;

	if (!g->taken && g->asked++ >= g->take_at)
		odb_glance_take(g);
	if (!g->taken || (g->dirs[id->b[0] / 8] >> id->b[0] % 8 & 1) != 0 || oid_set_has(&g->ids, id))
		return false;
	return !g->elsewhere || elsewhere_find(g->s, id, 0, &p, &ignored) == 0;
}

bool
odb_glance_has(struct odb_glance *g, const struct oid *id)
{
	if (odb_glance_lacks(g, id))
		return false;
	return (g->taken && oid_set_has(&g->ids, id)) || odb_has(g->s, id);
}

void
odb_glance_free(struct odb_glance *g)
{
	oid_set_free(&g->ids);
	g->taken = false;
}
