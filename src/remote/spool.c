#include "remote/spool.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/fd.h"
#include "remote/pack.h"
#include "store/oid-map.h"

#define SPOOL_BYTES_MAX (UINT64_C(64) << 30)
#define SPOOL_MEMORY (32u * 1024 * 1024)

enum spool_where { SPOOL_MEMORY_HAS, SPOOL_FILE_HAS, SPOOL_GONE };

struct spool_pack {
	enum spool_where where;
	struct buf bytes;       /* in memory */
	uint64_t offset;        /* in the file */
	size_t left;            /* objects that nobody has read yet */
};

struct spool_place {
	size_t pack;
	uint64_t offset, size;  /* in that pack */
};

struct spool {
	int dirfd;              /* where the file is made */
	int fd;                 /* -1: not yet */
	uint64_t end;
	size_t memory;          /* of all packs in it */
	size_t oldest;          /* packs before it are not in memory */
	struct spool_pack *packs;
	size_t pack_count, pack_cap;
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
	p->fd = -1;
	p->dirfd = store_read_only(s) ? -1 : store_tmp_fd(s);
	*ret = p;
	return 0;
}

void
spool_free(struct spool *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	for (size_t i = 0; i < s->pack_count; i++)
		buf_free(&s->packs[i].bytes);
	free(s->packs);
	oid_map_free(&s->map);
	free(s->places);
	free(s);
}

/* --- in --- */

static int
spool_file(struct spool *s, struct err *e)
{
	if (s->fd >= 0)
		return 0;
	s->fd = s->dirfd >= 0 ? openat(s->dirfd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600) :
	    open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	return s->fd >= 0 ? 0 : err_sys(e, "cannot make a file for what is fetched");
}

static int
spool_write(struct spool *s, struct spool_pack *p, struct err *e)
{
	if (s->end + p->bytes.len > SPOOL_BYTES_MAX)
		return err_set(e, ERR_LIMIT, "more small objects than are taken at once");
	if (spool_file(s, e) != 0 || fd_write_all(s->fd, p->bytes.data, p->bytes.len, "a fetched pack", e) != 0)
		return -1;
	p->where = SPOOL_FILE_HAS;
	p->offset = s->end;
	s->end += p->bytes.len;
	s->memory -= p->bytes.len;
	buf_free(&p->bytes);
	return 0;
}

/* The oldest ones into the file, until there is room in memory. */
static int
spool_shrink(struct spool *s, struct err *e)
{
	for (; s->memory > SPOOL_MEMORY && s->oldest < s->pack_count; s->oldest++)
		if (s->packs[s->oldest].where == SPOOL_MEMORY_HAS &&
		    spool_write(s, &s->packs[s->oldest], e) != 0)
			return -1;
	return 0;
}

static int
spool_place(struct spool *s, const struct pack_entry *entry, struct err *e)
{
	const struct spool_place place = {s->pack_count, entry->offset, entry->size};
	size_t at;
	bool fresh;

	if (oid_map_get(&s->map, &entry->id, &at)) {
		if (s->packs[s->places[at].pack].where == SPOOL_GONE)
			s->places[at] = place;
		return 0;
	}
	if (ARRAY_ROOM(s->places, s->count, s->cap, e) != 0)
		return -1;
	if (oid_map_add(&s->map, &entry->id, s->count, &fresh, e) != 0)
		return -1;
	s->places[s->count++] = place;
	return 0;
}

int
spool_add(struct spool *s, struct buf *bytes, struct err *e)
{
	CLEANUP(pack_free) struct pack p = PACK_INIT;

	if (pack_decode(bytes->data, bytes->len, true, &p, e) != 0)
		return -1;
	if (ARRAY_ROOM(s->packs, s->pack_count, s->pack_cap, e) != 0)
		return -1;
	for (size_t i = 0; i < p.count; i++)
		if (spool_place(s, &p.entries[i], e) != 0)
			return -1;
	s->packs[s->pack_count++] = (struct spool_pack){.bytes = *bytes, .left = p.count};
	s->memory += bytes->len;
	*bytes = (struct buf)BUF_INIT;
	return spool_shrink(s, e);
}

/* --- out --- */

bool
spool_has(const struct spool *s, const struct oid *id)
{
	size_t at;

	return oid_map_get(&s->map, id, &at) && s->packs[s->places[at].pack].where != SPOOL_GONE;
}

static int
spool_pread(const struct spool *s, uint64_t offset, size_t size, struct buf *ret, struct err *e)
{
	size_t done = 0;

	if (buf_reserve(ret, size, e) != 0)
		return -1;
	while (done < size) {
		ssize_t n = pread(s->fd, ret->data + ret->len, size - done, (off_t)(offset + done));

		if (n <= 0)
			return err_sys(e, "cannot read what was fetched");
		ret->len += (size_t)n;
		done += (size_t)n;
	}
	if (ret->data != NULL)
		ret->data[ret->len] = '\0';
	return 0;
}

/* Of a pack in memory that was read to the end nothing is needed any more: who follows a history
 * reads each object once. */
static void
spool_was_read(struct spool *s, struct spool_pack *p)
{
	if (p->left > 0)
		p->left--;
	if (p->left > 0 || p->where != SPOOL_MEMORY_HAS)
		return;
	s->memory -= p->bytes.len;
	buf_free(&p->bytes);
	p->where = SPOOL_GONE;
}

int
spool_read(struct spool *s, const struct oid *id, size_t max, struct buf *ret, struct err *e)
{
	const struct spool_place *place;
	struct spool_pack *p;
	size_t at;

	if (!oid_map_get(&s->map, id, &at))
		return err_set(e, ERR_NOTFOUND, "it did not come");
	place = &s->places[at];
	p = &s->packs[place->pack];
	if (p->where == SPOOL_GONE)
		return err_set(e, ERR_NOTFOUND, "it is not here any more");
	if (place->size > max)
		return err_set(e, ERR_LIMIT, "the remote says that it has %llu bytes",
		    (unsigned long long)place->size);
	if (p->where == SPOOL_FILE_HAS) {
		if (spool_pread(s, p->offset + place->offset, place->size, ret, e) != 0)
			return -1;
	} else {
		buf_add(ret, p->bytes.data + place->offset, place->size);
	}
	spool_was_read(s, p);
	return buf_check(ret, e);
}
