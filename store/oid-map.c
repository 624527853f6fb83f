#include "store/oid-map.h"

#include <string.h>

#define OID_MAP_FIRST 256
#define OID_MAP_MAX (UINT32_MAX / 2)    /* entries; the index is twice as long */

struct oid_map_entry {
	struct oid id;
	size_t value;
};

/* Its place in the index, or the free one where it would be.  Ids are digests: their first
 * bytes are as good as a hash. */
static size_t
oid_map_find(const struct oid_map *m, const struct oid *id)
{
	uint64_t h;
	size_t i;

	memcpy(&h, id->b, sizeof h);
	for (i = (size_t)h & (m->cap - 1); m->index[i] != 0 &&
	    memcmp(m->entries[m->index[i] - 1].id.b, id->b, OID_SIZE) != 0;)
		i = (i + 1) & (m->cap - 1);
	return i;
}

bool
oid_map_get(const struct oid_map *m, const struct oid *id, size_t *ret)
{
	uint32_t at;

	if (m->cap == 0)
		return false;
	at = m->index[oid_map_find(m, id)];
	if (at == 0)
		return false;
	*ret = m->entries[at - 1].value;
	return true;
}

/* Twice as many: the entries move as they are, the index is made anew. */
static int
oid_map_grow(struct oid_map *m, struct err *e)
{
	size_t cap = m->cap != 0 ? m->cap * 2 : OID_MAP_FIRST;
	struct oid_map_entry *entries;
	uint32_t *index;

	if (m->count >= OID_MAP_MAX)
		return err_set(e, ERR_LIMIT, "more than %u ids", OID_MAP_MAX);
	entries = reallocarray(m->entries, cap / 2, sizeof *entries);
	if (entries == NULL)
		return err_nomem(e);
	m->entries = entries;
	index = calloc(cap, sizeof *index);
	if (index == NULL)
		return err_nomem(e);
	free(m->index);
	m->index = index;
	m->cap = cap;
	for (size_t i = 0; i < m->count; i++)
		index[oid_map_find(m, &entries[i].id)] = (uint32_t)(i + 1);
	return 0;
}

int
oid_map_add(struct oid_map *m, const struct oid *id, size_t value, bool *ret_new, struct err *e)
{
	size_t i;

	if (m->count == m->cap / 2 && oid_map_grow(m, e) != 0)
		return -1;
	i = oid_map_find(m, id);
	*ret_new = m->index[i] == 0;
	if (!*ret_new)
		return 0;
	m->entries[m->count] = (struct oid_map_entry){*id, value};
	m->index[i] = (uint32_t)++m->count;
	return 0;
}

int
oid_map_each(const struct oid_map *m, oid_map_fn *fn, void *arg)
{
	for (size_t i = 0; i < m->count; i++)
		if (fn(arg, &m->entries[i].id) != 0)
			return -1;
	return 0;
}

void
oid_map_free(struct oid_map *m)
{
	free(m->entries);
	free(m->index);
	*m = (struct oid_map)OID_MAP_INIT;
}
