#include <string.h>
#include "object/tree.h"
#include "store/history.h"
#include "store/odb.h"
#include "store/oid-map.h"
#include "store/refs.h"

/* Entries of output trees looked at in one search. */
#define HISTORY_INSIDE_MAX 1000000

/*
 * Every certificate is read again, newest first, until one matches: the index
 * is not asked, since it can be stale or hostile and would have to be complete
 * to say which is the newest.  A certificate carries the digests of its outputs
 * as text, so one that does not have the text is not decoded.
 */
struct history_search {
	struct store *s;
	const struct resource *content; /* or */
	const char *path;
	unsigned flags;
	char hex[OID_HEX_SIZE];
	struct oid_map told;    /* commits looked at already */
	struct oid_map trees;   /* looked into, without it */
	size_t entries;
	struct history_producer found;
	bool done;
	int rc;
	struct err *e;
};

static void
history_search_free(struct history_search *h)
{
	oid_map_free(&h->told);
	oid_map_free(&h->trees);
}

static int history_inside(struct history_search *h, const struct oid *tree, int depth);

/* 1: it is here, 0: not, -1 */
static int
history_inside_entries(struct history_search *h, const struct tree *t, int depth)
{
	const struct resource *want = h->content;

	for (size_t i = 0; i < t->count; i++) {
		const struct tree_entry *entry = &t->entries[i];
		enum object_type type = entry->mode == TREE_DIR ? OBJECT_TREE : OBJECT_BLOB;
		int rc;

		if (++h->entries > HISTORY_INSIDE_MAX)
			return 0;
		if (entry->mode != TREE_LINK && type == want->type && entry->size == want->size &&
		    oid_equal(&entry->id, &want->digests.sha256))
			return 1;
		if (type != OBJECT_TREE)
			continue;
		rc = history_inside(h, &entry->id, depth + 1);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* A tree that is not in this store, or is none, has nothing to say. */
static int
history_inside(struct history_search *h, const struct oid *id, int depth)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	bool fresh;

	if (depth > TREE_DEPTH_MAX)
		return 0;
	if (oid_map_add(&h->trees, id, 0, &fresh, h->e) != 0)
		return -1;
	if (!fresh || !odb_has(h->s, id))
		return 0;
	if (odb_read(h->s, id, TREE_BYTES_MAX, &text, h->e) != 0)
		return -1;
	if (tree_decode(text.data, text.len, &t, NULL) != 0)
		return 0;
	return history_inside_entries(h, &t, depth);
}

static int
history_output_matches(struct history_search *h, const struct resource *output)
{
	if (h->path != NULL)
		return strcmp(output->path, h->path) == 0;
	if (output->type == h->content->type && output->size == h->content->size &&
	    oid_equal(&output->digests.sha256, &h->content->digests.sha256))
		return 1;
	if ((h->flags & HISTORY_INSIDE) == 0 || output->type != OBJECT_TREE)
		return 0;
	return history_inside(h, &output->digests.sha256, 1);
}

static int
history_match(struct history_search *h, const struct oid *commit, const struct oid *id,
    const struct certificate *cert)
{
	if (!certificate_run_ok(cert))
		return 0;
	for (size_t i = 0; i < cert->event_count; i++) {
		const struct event *ev = &cert->events[i];
		int rc;

		if (ev->kind != EVENT_OUTPUT_RESOURCE)
			continue;
		rc = history_output_matches(h, &ev->u.output.output);
		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		h->found.path = buf_strdup(ev->u.output.output.path, h->e);
		if (h->found.path == NULL)
			return -1;
		h->found.commit = *commit;
		h->found.certificate = *id;
		h->done = true;
		return 0;
	}
	return 0;
}

/* False when the text rules a match out; the events are JSON inside of JSON. */
static bool
history_may_match(const struct history_search *h, const struct buf *text)
{
	static const char tree[] = "tree\\\"";

	if (h->path != NULL)
		return strpbrk(h->path, "\"\\") != NULL ||
		    memmem(text->data, text->len, h->path, strlen(h->path)) != NULL;
	if (memmem(text->data, text->len, h->hex, OID_HEX_SIZE - 1) != NULL)
		return true;
	return (h->flags & HISTORY_INSIDE) != 0 &&
	    memmem(text->data, text->len, tree, sizeof tree - 1) != NULL;
}

static int
history_look(struct history_search *h, const struct oid *commit, const struct oid *id)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(certificate_free) struct certificate cert = {0};
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	if (odb_read(h->s, id, CERTIFICATE_BYTES_MAX, &text, h->e) != 0) {
		/* not "there is no producer": it cannot be known */
		if (h->e->code == ERR_NOTFOUND)
			err_set(h->e, ERR_IO, "certificate %s is missing from %s", hex, store_path(h->s));
		return -1;
	}
	if (!history_may_match(h, &text))
		return 0;
	if (certificate_decode(text.data, text.len, &cert, h->e) != 0)
		return err_prefix(h->e, "certificate %s", hex);
	return history_match(h, commit, id, &cert);
}

static int
history_search_commit(void *arg, const struct oid *id, const struct commit *c)
{
	struct history_search *h = arg;
	bool fresh;

	if (oid_map_add(&h->told, id, 0, &fresh, h->e) != 0)
		h->rc = -1;
	else if (fresh && c->kind == COMMIT_RUN && c->has_subject && c->subject.type == OBJECT_CERTIFICATE)
		h->rc = history_look(h, id, &c->subject.id);
	return h->done || h->rc != 0;
}

static int
history_search_from(struct history_search *h, const struct oid *start, size_t n)
{
	if (history_walk(h->s, start, n, history_search_commit, h, h->e) != 0) {
		if (h->e->code == ERR_NOTFOUND)
			h->e->code = ERR_IO;
		return -1;
	}
	return h->rc;
}

struct history_tips {
	struct oid *ids;
	size_t count;
	bool failed;
};

static int
history_tips_add(void *arg, const char *name, const struct object_ref *ref)
{
	struct history_tips *t = arg;
	struct oid *ids;

	/* failed runs hang there; they produce nothing */
	if (ref->type != OBJECT_COMMIT || strncmp(name, "refs/failed/", 12) == 0)
		return 0;
	ids = reallocarray(t->ids, t->count + 1, sizeof *ids);
	t->failed = ids == NULL;
	if (t->failed)
		return 1;
	t->ids = ids;
	t->ids[t->count++] = ref->id;
	return 0;
}

static int
history_search_refs(struct history_search *h)
{
	struct history_tips tips = {0};
	int rc = refs_each(h->s, "refs/", history_tips_add, &tips, h->e);

	if (rc == 0 && tips.failed)
		rc = err_nomem(h->e);
	if (rc == 0)
		rc = history_search_from(h, tips.ids, tips.count);
	free(tips.ids);
	return rc;
}

static int
history_search(struct history_search *h, struct history_producer *ret)
{
	struct object_ref head;

	if (refs_read(h->s, "HEAD", &head, h->e) == 0) {
		if (head.type == OBJECT_COMMIT && history_search_from(h, &head.id, 1) != 0)
			return -1;
	} else if (h->e->code != ERR_NOTFOUND) {
		return -1;
	}
	if (!h->done && (h->flags & HISTORY_HEAD_ONLY) == 0 && history_search_refs(h) != 0)
		return -1;
	if (!h->done)
		return err_set(h->e, ERR_NOTFOUND, "no successful run in %s has it as an output",
		    store_path(h->s));
	*ret = h->found;
	return 0;
}

int
history_producer(struct store *s, const struct resource *content, unsigned flags,
    struct history_producer *ret, struct err *e)
{
	struct err local;
	CLEANUP(history_search_free) struct history_search h = {.s = s, .content = content,
	    .flags = flags, .e = e != NULL ? e : &local};

	oid_hex(&content->digests.sha256, h.hex);
	return history_search(&h, ret);
}

int
history_producer_of_path(struct store *s, const char *path, struct history_producer *ret,
    struct err *e)
{
	struct err local;
	CLEANUP(history_search_free) struct history_search h = {.s = s, .path = path,
	    .e = e != NULL ? e : &local};

	return history_search(&h, ret);
}

void
history_producer_free(struct history_producer *p)
{
	free(p->path);
	p->path = NULL;
}
