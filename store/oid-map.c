#include "store/oid-map.h"

#include <stdint.h>
#include <string.h>

#define OID_MAP_FIRST 256

struct oid_map_slot {
	struct oid id;
	size_t after;       /* one more than the value; 0: the slot is free */
};

/* Ids are digests: their first bytes are as good as a hash. */
static size_t
oid_map_find(const struct oid_map_slot *slots, size_t cap, const struct oid *id)
{
	uint64_t h;
	size_t i;

	memcpy(&h, id->b, sizeof h);
	for (i = (size_t)h & (cap - 1); slots[i].after != 0 && memcmp(slots[i].id.b, id->b, OID_SIZE) != 0;)
		i = (i + 1) & (cap - 1);
	return i;
}

bool
oid_map_get(const struct oid_map *m, const struct oid *id, size_t *ret)
{
	size_t i;

	if (m->cap == 0)
		return false;
	i = oid_map_find(m->slots, m->cap, id);
	if (m->slots[i].after == 0)
		return false;
	*ret = m->slots[i].after - 1;
	return true;
}

static int
oid_map_grow(struct oid_map *m, struct err *e)
{
	size_t cap = m->cap != 0 ? m->cap * 2 : OID_MAP_FIRST;
	struct oid_map_slot *slots = calloc(cap, sizeof *slots);

	if (slots == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].after != 0)
			slots[oid_map_find(slots, cap, &m->slots[i].id)] = m->slots[i];
	free(m->slots);
	m->slots = slots;
	m->cap = cap;
	return 0;
}

int
oid_map_add(struct oid_map *m, const struct oid *id, size_t value, bool *ret_new, struct err *e)
{
	size_t i;

	if (m->count >= m->cap / 2 && oid_map_grow(m, e) != 0)
		return -1;
	i = oid_map_find(m->slots, m->cap, id);
	*ret_new = m->slots[i].after == 0;
	if (!*ret_new)
		return 0;
	m->slots[i] = (struct oid_map_slot){*id, value + 1};
	m->count++;
	return 0;
}

int
oid_map_each(const struct oid_map *m, oid_map_fn *fn, void *arg)
{
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].after != 0 && fn(arg, &m->slots[i].id) != 0)
			return -1;
	return 0;
}

void
oid_map_free(struct oid_map *m)
{
	free(m->slots);
	*m = (struct oid_map)OID_MAP_INIT;
}
