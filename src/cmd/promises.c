#include "cmd/promises.h"

#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/buf.h"

#define PROMISES_BATCH 64       /* files given to the threads at once */

void
promises_free(struct promises *p)
{
	for (size_t i = 0; i < p->count; i++)
		free((char *)(uintptr_t)p->list[i].file.path);
	free(p->list);
	*p = (struct promises){0};
}

struct promises_loading {
	struct promises *p;
	int rc;
	struct err *e;
};

static int
promises_add(void *arg, const struct in_place_file *f)
{
	struct promises_loading *w = arg;
	struct promises *p = w->p;

	w->rc = -1;
	if (ARRAY_ROOM(p->list, p->count, p->cap, w->e) != 0)
		return -1;
	p->list[p->count] = (struct promise){.file = *f};
	p->list[p->count].file.path = buf_strdup(f->path, w->e);
	if (p->list[p->count].file.path == NULL)
		return -1;
	p->count++;
	w->rc = 0;
	return 0;
}

static int
promises_order(const void *a, const void *b)
{
	const struct promise *x = a, *y = b;
	int rc = strcmp(x->file.path, y->file.path);

	return rc != 0 ? rc : oid_compare(&x->file.id, &y->file.id);
}

int
promises_load(struct store *s, struct promises *ret, struct err *e)
{
	struct promises_loading w = {ret, 0, e};

	ret->s = s;
	if (in_place_each(s, promises_add, &w, e) != 0 || w.rc != 0)
		return -1;
	if (ret->count > 0)
		qsort(ret->list, ret->count, sizeof *ret->list, promises_order);
	return 0;
}

void
promises_told(void *arg, const char *path, const struct oid *id)
{
	struct promises *p = arg;
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(p->list[middle].file.path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	/* one path may have been recorded with several contents */
	for (; low < p->count && strcmp(p->list[low].file.path, path) == 0; low++) {
		p->list[low].read = true;
		p->list[low].lost = !oid_equal(&p->list[low].file.id, id);
	}
}

/* Some files at once.  One that cannot be read so, because it changes at this moment or
 * has just gone, is read alone. */
static int
promises_read(struct promises *p, const struct ingest_options *o, struct promise **some, size_t n,
    struct err *e)
{
	struct ingest_item items[PROMISES_BATCH];

	for (size_t i = 0; i < n; i++)
		items[i] = (struct ingest_item){.dirfd = store_worktree_fd(p->s), .path = some[i]->file.path};
	if (ingest_items(NULL, o, items, n, e) != 0 && e->code == ERR_CANCELLED)
		return -1;
	for (size_t i = 0; i < n; i++) {
		enum in_place_state state;

		if (items[i].done) {
			promises_told(p, some[i]->file.path, &items[i].result.id);
			continue;
		}
		if (in_place_verify(p->s, &some[i]->file, &state, e) != 0)
			return -1;
		some[i]->read = true;
		some[i]->lost = state == IN_PLACE_LOST;
	}
	return 0;
}

int
promises_check(struct promises *p, const struct ingest_options *o, bool all, struct err *e)
{
	const struct ingest_options alone = {.flags = INGEST_HASH_ONLY, .threads = o->threads,
	    .progress = o->progress};
	struct promise *some[PROMISES_BATCH];
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct promise *x = &p->list[i];
		enum in_place_state state;

		if (x->read)
			continue;
		if (in_place_look(p->s, &x->file, &state, e) != 0)
			return -1;
		x->lost = state == IN_PLACE_LOST;
		if (state == IN_PLACE_TOUCHED || (all && state == IN_PLACE_SAME))
			some[n++] = x;
		if (n == PROMISES_BATCH) {
			if (promises_read(p, &alone, some, n, e) != 0)
				return -1;
			n = 0;
		}
	}
	return n == 0 ? 0 : promises_read(p, &alone, some, n, e);
}
