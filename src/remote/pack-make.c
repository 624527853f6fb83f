#include "remote/pack-make.h"

#include "base/array.h"
#include "codec/zstd.h"
#include "remote/pack.h"

static int
pack_make_compare(const void *a, const void *b)
{
	return oid_compare(&((const struct pack_make_item *)a)->id, &((const struct pack_make_item *)b)->id);
}

static int
pack_make_text(struct pack_make *m, struct buf *ret, struct err *e)
{
	CLEANUP(pack_free) struct pack p = PACK_INIT;
	size_t at = 0;

	qsort(m->items, m->count, sizeof *m->items, pack_make_compare);
	for (size_t i = 0; i < m->count; i++)
		if (pack_add(&p, &m->items[i].id, m->items[i].len, e) != 0)
			return -1;
	if (pack_head(&p, &m->head, e) != 0 || buf_reserve(ret, m->head.len + m->bytes.len, e) != 0)
		return -1;
	buf_add(ret, m->head.data, m->head.len);
	for (size_t i = 0; i < p.count; i++) {
		while (!oid_equal(&m->items[at].id, &p.entries[i].id))
			at++;
		buf_add(ret, m->bytes.data + m->items[at].offset, m->items[at].len);
	}
	return buf_check(ret, e);
}

static int
pack_make_all(struct pack_make *m, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (pack_make_text(m, &text, e) != 0 || oid_from_data(&m->id, text.data, text.len, e) != 0)
		return -1;
	buf_free(&m->bytes);
	m->total = text.len;
	return zstd_compress(text.data, text.len, &m->packed, e);
}

static void
pack_make_run(struct workers_job *base)
{
	struct pack_make *m = (struct pack_make *)base;

	m->rc = pack_make_all(m, &m->why);
}

int
pack_make_new(struct pack_make **ret, struct err *e)
{
	struct pack_make *m = calloc(1, sizeof *m);

	if (m == NULL)
		return err_nomem(e);
	m->base.run = pack_make_run;
	*ret = m;
	return 0;
}

void
pack_make_free(struct pack_make *m)
{
	if (m == NULL)
		return;
	free(m->items);
	buf_free(&m->bytes);
	buf_free(&m->head);
	buf_free(&m->packed);
	free(m);
}

int
pack_make_add(struct pack_make *m, const struct oid *id, size_t offset, struct err *e)
{
	if (ARRAY_ROOM(m->items, m->count, m->cap, e) != 0)
		return -1;
	m->items[m->count++] = (struct pack_make_item){*id, offset, m->bytes.len - offset};
	return 0;
}
