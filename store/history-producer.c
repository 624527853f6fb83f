#include <string.h>
#include "store/history.h"
#include "store/history-inside.h"
#include "store/history-tips.h"
#include "store/index.h"
#include "store/odb.h"
#include "store/refs.h"

/*
 * The index says which commits may be the answer; their certificates are read
 * again, in the order of a walk, until one matches.  Where the index is not known
 * to be complete, or knows of none, every certificate is read, newest first.  A
 * certificate carries the digests of its outputs as text, so one that does not
 * have the text is not decoded.
 */
struct history_search {
	struct store *s;
	const struct resource *content; /* or */
	const char *path;
	unsigned flags;
	const struct oid_list *tips;    /* NULL: HEAD and all refs */
	const struct oid_map *among;    /* certificates that count; NULL: all */
	char hex[OID_HEX_SIZE];
	struct oid_map told;    /* commits looked at already */
	struct history_inside inside;
	struct history_producer found;
	bool done;
	int rc;
	struct err *e;
};

static void
history_search_free(struct history_search *h)
{
	oid_map_free(&h->told);
	history_inside_free(&h->inside);
}

static int
history_output_matches(struct history_search *h, const struct resource *output)
{
	if (h->path != NULL)
		return strcmp(output->path, h->path) == 0;
	if (history_inside_is(&h->inside, output))
		return 1;
	if ((h->flags & HISTORY_INSIDE) == 0 || output->type != OBJECT_TREE)
		return 0;
	return history_inside_tree(&h->inside, &output->digests.sha256, h->e);
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
	size_t at;

	if (oid_map_add(&h->told, id, 0, &fresh, h->e) != 0)
		h->rc = -1;
	else if (fresh && c->kind == COMMIT_RUN && c->has_subject &&
	    c->subject.type == OBJECT_CERTIFICATE &&
	    (h->among == NULL || oid_map_get(h->among, &c->subject.id, &at)))
		h->rc = history_look(h, id, &c->subject.id);
	return h->done || h->rc != 0;
}

static int
history_search_from(struct history_search *h, const struct oid_list *tips)
{
	if (history_walk(h->s, tips->ids, tips->count, history_search_commit, h, h->e) != 0) {
		if (h->e->code == ERR_NOTFOUND)
			h->e->code = ERR_IO;
		return -1;
	}
	return h->rc;
}

/* --- with the index --- */

enum history_answer { HISTORY_FOUND, HISTORY_NONE, HISTORY_UNKNOWN };

struct history_among {
	struct history_search *h;
	struct oid_map hits;
	size_t left;
};

static int
history_search_among(void *arg, const struct oid *id, const struct commit *c)
{
	struct history_among *a = arg;
	size_t at;
	int stop;

	if (!oid_map_get(&a->hits, id, &at))
		return 0;
	stop = history_search_commit(a->h, id, c);
	return stop != 0 || --a->left == 0;
}

/* Candidates on several lines: their order is that of a walk. */
static int
history_search_walk(struct history_search *h, const struct index_hits *hits,
    const struct oid_list *tips)
{
	struct history_among a = {.h = h, .hits = OID_MAP_INIT};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < hits->count; i++) {
		bool fresh;

		rc = oid_map_add(&a.hits, &hits->hits[i].commit, 0, &fresh, h->e);
		a.left += fresh;
	}
	if (rc == 0)
		rc = history_walk(h->s, tips->ids, tips->count, history_search_among, &a, h->e);
	oid_map_free(&a.hits);
	return rc != 0 ? -1 : h->rc;
}

/* On one line the descendant comes first. */
static int
history_search_line(struct history_search *h, const struct index_hits *hits)
{
	for (size_t i = 0; i < hits->count && !h->done; i++) {
		CLEANUP(commit_free) struct commit c = {0};

		if (history_commit(h->s, &hits->hits[i].commit, &c, h->e) != 0)
			return -1;
		(void)history_search_commit(h, &hits->hits[i].commit, &c);
		if (h->rc != 0)
			return -1;
	}
	return 0;
}

/* Among those of the hits that tips reach. */
static int
history_search_hits(struct history_search *h, const struct index_hits *all,
    const struct oid_list *tips, enum history_answer *ret)
{
	CLEANUP(index_hits_free) struct index_hits hits = {.complete = true, .count = all->count};
	int rc = 0;

	*ret = HISTORY_NONE;
	if (all->count == 0 || tips->count == 0)
		return 0;
	hits.hits = calloc(all->count, sizeof *hits.hits);
	if (hits.hits == NULL)
		return err_nomem(h->e);
	memcpy(hits.hits, all->hits, all->count * sizeof *hits.hits);
	if (index_reach(h->s, tips->ids, tips->count, &hits, h->e) != 0)
		return -1;
	if (!hits.complete)
		*ret = HISTORY_UNKNOWN;
	else if (hits.count > 0)
		rc = hits.hits[0].chain == hits.hits[hits.count - 1].chain ?
		    history_search_line(h, &hits) : history_search_walk(h, &hits, tips);
	if (h->done)
		*ret = HISTORY_FOUND;
	return rc;
}

static int
history_search_index(struct history_search *h, const struct oid_list *head,
    const struct oid_list *refs, enum history_answer *ret)
{
	CLEANUP(index_hits_free) struct index_hits hits = INDEX_HITS_INIT;
	struct oid key;
	int rc;

	if (h->path != NULL && index_path_key(h->path, &key, h->e) != 0)
		return -1;
	rc = index_find(h->s, h->path != NULL ? INDEX_NAMED : INDEX_MADE,
	    h->path != NULL ? &key : &h->content->digests.sha256, h->flags & HISTORY_INSIDE, &hits, h->e);
	if (rc != 0)
		return -1;
	*ret = HISTORY_UNKNOWN;
	if (!hits.complete)
		return 0;
	h->inside.holders = &hits.holders;
	rc = history_search_hits(h, &hits, head, ret);
	if (rc == 0 && *ret == HISTORY_NONE)
		rc = history_search_hits(h, &hits, refs, ret);
	h->inside.holders = NULL;
	return rc;
}

static void
history_search_again(struct history_search *h)
{
	oid_map_free(&h->told);
	history_inside_free(&h->inside);
	h->inside.entries = 0;
	h->rc = 0;
}

/* The tips that were not read yet; what is before those that were, was too. */
static int
history_search_rest(struct history_search *h, const struct oid_list *refs)
{
	CLEANUP(oid_list_free) struct oid_list rest = {0};
	size_t at;

	rest.ids = calloc(refs->count + 1, sizeof *rest.ids);
	if (rest.ids == NULL)
		return err_nomem(h->e);
	for (size_t i = 0; i < refs->count; i++)
		if (!oid_map_get(&h->told, &refs->ids[i], &at))
			rest.ids[rest.count++] = refs->ids[i];
	return history_search_from(h, &rest);
}

static int
history_search_tips(struct history_search *h, const struct oid_list *head,
    const struct oid_list *refs)
{
	enum history_answer answer;

	if (history_search_index(h, head, refs, &answer) != 0) {
		if (h->e->code == ERR_NOMEM || h->e->code == ERR_CANCELLED)
			return -1;
		answer = HISTORY_UNKNOWN; /* damage on the way: a walk tells whether it matters */
		err_clear(h->e);
	}
	if (answer == HISTORY_FOUND || (answer == HISTORY_NONE && (h->flags & HISTORY_QUICK) != 0))
		return 0;
	history_search_again(h);
	if (history_search_from(h, head) != 0)
		return -1;
	return h->done ? 0 : history_search_rest(h, refs);
}

static int
history_search(struct history_search *h, struct history_producer *ret)
{
	CLEANUP(oid_list_free) struct oid_list head = {0};
	CLEANUP(oid_list_free) struct oid_list refs = {0};
	int rc;

	h->inside.s = h->s;
	h->inside.content = h->content;
	if (h->tips != NULL)
		rc = history_search_tips(h, h->tips, &refs);
	else if (history_tips_head(h->s, &head, h->e) != 0 ||
	    ((h->flags & HISTORY_HEAD_ONLY) == 0 && history_tips_refs(h->s, &refs, h->e) != 0))
		rc = -1;
	else
		rc = history_search_tips(h, &head, &refs);
	if (rc != 0)
		return -1;
	if (!h->done)
		return err_set(h->e, ERR_NOTFOUND, "no successful run in %s has it as an output",
		    store_path(h->s));
	*ret = h->found;
	return 0;
}

static int
history_search_content(struct history_search *h, const struct resource *content,
    struct history_producer *ret)
{
	h->content = content;
	oid_hex(&content->digests.sha256, h->hex);
	return history_search(h, ret);
}

int
history_producer(struct store *s, const struct resource *content, unsigned flags,
    struct history_producer *ret, struct err *e)
{
	struct err local;
	CLEANUP(history_search_free) struct history_search h = {.s = s, .flags = flags,
	    .e = e != NULL ? e : &local};

	return history_search_content(&h, content, ret);
}

int
history_producer_among(struct store *s, const struct resource *content, unsigned flags,
    const struct oid_list *tips, const struct oid_map *certificates, struct history_producer *ret,
    struct err *e)
{
	struct err local;
	CLEANUP(history_search_free) struct history_search h = {.s = s, .flags = flags, .tips = tips,
	    .among = certificates, .e = e != NULL ? e : &local};

	return history_search_content(&h, content, ret);
}

int
history_producer_of_path(struct store *s, const char *path, unsigned flags,
    struct history_producer *ret, struct err *e)
{
	struct err local;
	CLEANUP(history_search_free) struct history_search h = {.s = s, .path = path,
	    .flags = flags, .e = e != NULL ? e : &local};

	return history_search(&h, ret);
}

void
history_producer_free(struct history_producer *p)
{
	free(p->path);
	p->path = NULL;
}
