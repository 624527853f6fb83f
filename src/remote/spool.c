#include "remote/spool.h"

#include <fcntl.h>
#include <unistd.h>
#include "base/fd.h"
#include "remote/pack.h"
#include "store/oid-map.h"

#define SPOOL_BYTES_MAX (UINT64_C(64) << 30)

struct spool_place {
	uint64_t offset, size;
};

struct spool {
	int fd;
	uint64_t end;
	struct oid_map map;     /* to places */
	struct spool_place *places;
	size_t count, cap;
};

int
spool_new(struct store *s, struct spool **ret, struct err *e)
{
	struct spool *p = calloc(1, sizeof *p);

	if (p == NULL)
		return err_nomem(e);
	p->fd = openat(store_read_only(s) ? AT_FDCWD : store_tmp_fd(s), store_read_only(s) ? "/tmp" : ".",
	    O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (p->fd < 0) {
		free(p);
		return err_sys(e, "%s/tmp: cannot make a file for what is fetched", store_path(s));
	}
	*ret = p;
	return 0;
}

void
spool_free(struct spool *s)
{
	if (s == NULL)
		return;
	close(s->fd);
	oid_map_free(&s->map);
	free(s->places);
	free(s);
}

static int
spool_place(struct spool *s, const struct pack_entry *entry, struct err *e)
{
	bool fresh;

	if (s->count == s->cap) {
		size_t cap = s->cap == 0 ? 1024 : 2 * s->cap;
		struct spool_place *grown = reallocarray(s->places, cap, sizeof *grown);

		if (grown == NULL)
			return err_nomem(e);
		s->places = grown;
		s->cap = cap;
	}
	if (oid_map_add(&s->map, &entry->id, s->count, &fresh, e) != 0)
		return -1;
	if (fresh)
		s->places[s->count++] = (struct spool_place){s->end + entry->offset, entry->size};
	return 0;
}

int
spool_add(struct spool *s, const void *pack, size_t len, struct err *e)
{
	CLEANUP(pack_free) struct pack p = PACK_INIT;

	if (pack_decode(pack, len, true, &p, e) != 0)
		return -1;
	if (s->end + len > SPOOL_BYTES_MAX)
		return err_set(e, ERR_LIMIT, "more small objects than are taken at once");
	if (fd_write_all(s->fd, pack, len, "a fetched pack", e) != 0)
		return -1;
	for (size_t i = 0; i < p.count; i++)
		if (spool_place(s, &p.entries[i], e) != 0)
			return -1;
	s->end += len;
	return 0;
}

bool
spool_has(const struct spool *s, const struct oid *id)
{
	size_t ignored;

	return oid_map_get(&s->map, id, &ignored);
}

int
spool_read(const struct spool *s, const struct oid *id, size_t max, struct buf *ret, struct err *e)
{
	size_t at, done = 0;

	if (!oid_map_get(&s->map, id, &at))
		return err_set(e, ERR_NOTFOUND, "it did not come");
	if (s->places[at].size > max)
		return err_set(e, ERR_LIMIT, "the remote says that it has %llu bytes",
		    (unsigned long long)s->places[at].size);
	if (buf_reserve(ret, s->places[at].size, e) != 0)
		return -1;
	while (done < s->places[at].size) {
		ssize_t n = pread(s->fd, ret->data + ret->len, s->places[at].size - done,
		    (off_t)(s->places[at].offset + done));

		if (n <= 0)
			return err_sys(e, "cannot read what was fetched");
		ret->len += (size_t)n;
		done += (size_t)n;
	}
	if (ret->data != NULL)
		ret->data[ret->len] = '\0';
	return 0;
}
