#include "object/oid-list.h"

#include <assert.h>
#include <stdlib.h>
#include "base/array.h"

int
oid_list_add(struct oid_list *l, const struct oid *id, struct err *e)
{
	if (ARRAY_ROOM(l->ids, l->count, l->cap, e) != 0)
		return -1;
	l->ids[l->count++] = *id;
	return 0;
}

void
oid_list_free(struct oid_list *l)
{
	free(l->ids);
	*l = (struct oid_list){0};
}

static int
oid_list_order(const void *a, const void *b)
{
	return oid_compare(a, b);
}

int
oid_list_digest(struct oid_list *l, struct oid *ret, struct err *e)
{
	static_assert(sizeof *l->ids == OID_SIZE, "ids lie side by side");
	if (l->count == 0)
		return oid_from_data(ret, "", 0, e);
	qsort(l->ids, l->count, sizeof *l->ids, oid_list_order);
	return oid_from_data(ret, l->ids, l->count * sizeof *l->ids, e);
}
