#include "store/oid-set.h"

#include <stdlib.h>

#define OID_SET_FAN 65536u

/* Ids are digests, so as many begin with any two bytes as with any others: a few. */
static size_t
oid_set_first(const struct oid *id)
{
	return (size_t)id->b[0] << 8 | id->b[1];
}

int
oid_set_make(struct oid_set *ret, struct oid *ids, size_t count, struct err *e)
{
	uint32_t *fan = count <= OID_SET_MAX ? malloc((OID_SET_FAN + 1) * sizeof *fan) : NULL;
	size_t next = 0;

	if (fan == NULL) {
		free(ids);
		return count <= OID_SET_MAX ? err_nomem(e) : err_set(e, ERR_LIMIT, "more than %u ids", OID_SET_MAX);
	}
	for (size_t first = 0; first <= OID_SET_FAN; first++) {
		while (next < count && oid_set_first(&ids[next]) < first)
			next++;
		fan[first] = (uint32_t)next;
	}
	*ret = (struct oid_set){ids, count, fan};
	return 0;
}

bool
oid_set_has(const struct oid_set *s, const struct oid *id)
{
	size_t low, high;

	if (s->count == 0)
		return false;
	low = s->fan[oid_set_first(id)];
	high = s->fan[oid_set_first(id) + 1];
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int rc = oid_compare(&s->ids[middle], id);

		if (rc == 0)
			return true;
		if (rc < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

void
oid_set_ahead(const struct oid_set *s, const struct oid *id)
{
	if (s->count > 0)
		__builtin_prefetch(&s->ids[s->fan[oid_set_first(id)]]);
}

void
oid_set_free(struct oid_set *s)
{
	free(s->ids);
	free(s->fan);
	*s = (struct oid_set)OID_SET_INIT;
}
