#include "object/oid-list.h"

#include <assert.h>
#include <stdlib.h>

int
oid_list_add(struct oid_list *l, const struct oid *id, struct err *e)
{
	if (l->count == l->cap) {
		size_t cap = l->cap == 0 ? 16 : 2 * l->cap;
		struct oid *grown = reallocarray(l->ids, cap, sizeof *grown);

		if (grown == NULL)
			return err_nomem(e);
		l->ids = grown;
		l->cap = cap;
	}
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
