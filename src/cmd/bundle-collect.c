#include "cmd/bundle-collect.h"

#include <string.h>
#include "base/array.h"
#include "object/certificate-scan.h"
#include "object/evidence.h"
#include "object/tree.h"
#include "store/history.h"
#include "store/history-tips.h"
#include "store/odb.h"
#include "store/oid-map.h"

#define BUNDLE_COLLECT_TYPES 5

struct collect {
	struct store *s;
	struct bundle_collect *out;
	bool history;
	struct oid_map have[BUNDLE_COLLECT_TYPES];  /* by type: what is in out->refs */
	struct oid_map lineage;                     /* certificates */
	struct oid *queue;                          /* of the lineage, still to be read */
	size_t queue_count, queue_cap;
	struct oid_map covered;                     /* commits that belong to the history */
	int rc;
	struct err *e;
};

static void
collect_free(struct collect *c)
{
	for (size_t i = 0; i < BUNDLE_COLLECT_TYPES; i++)
		oid_map_free(&c->have[i]);
	oid_map_free(&c->lineage);
	oid_map_free(&c->covered);
	free(c->queue);
}

void
bundle_collect_free(struct bundle_collect *c)
{
	bundle_index_free(&c->index);
	free(c->refs);
	*c = (struct bundle_collect){0};
}

/* *ret_fresh is false when it was taken before. */
static int
collect_add(struct collect *c, enum object_type type, const struct oid *id, bool *ret_fresh)
{
	struct bundle_collect *out = c->out;

	if (oid_map_add(&c->have[type], id, 0, ret_fresh, c->e) != 0)
		return -1;
	if (!*ret_fresh)
		return 0;
	if (out->count == BUNDLE_OBJECTS_MAX)
		return err_set(c->e, ERR_LIMIT, "more than %u objects belong to it%s", BUNDLE_OBJECTS_MAX,
		    c->history ? " (--no-history leaves other runs out)" : "");
	if (ARRAY_ROOM(out->refs, out->count, out->cap, c->e) != 0)
		return -1;
	out->refs[out->count++] = (struct object_ref){type, *id};
	return 0;
}

/* Something that a certificate names; what a certificate of the lineage needs must be there. */
static int
collect_there(struct collect *c, const struct object_ref *ref, bool needed, bool *ret)
{
	char hex[OID_HEX_SIZE];

	if (odb_find(c->s, &ref->id, ret, c->e) != 0)
		return -1;
	if (*ret || !needed)
		return 0;
	oid_hex(&ref->id, hex);
	return err_set(c->e, ERR_NOTFOUND, "%s %s is not in this store: the proof would not be whole",
	    oid_type_name(ref->type), hex);
}

static int
collect_tree(struct collect *c, const struct oid *id, bool needed, int depth)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	bool there, fresh;

	if (depth > TREE_DEPTH_MAX)
		return err_set(c->e, ERR_LIMIT, "a tree of more than %d levels", TREE_DEPTH_MAX);
	if (collect_there(c, &(struct object_ref){OBJECT_TREE, *id}, needed, &there) != 0)
		return -1;
	if (!there)
		return 0;
	if (collect_add(c, OBJECT_TREE, id, &fresh) != 0)
		return -1;
	if (!fresh)
		return 0;
	if (odb_read(c->s, id, TREE_BYTES_MAX, &text, c->e) != 0 ||
	    tree_decode(text.data, text.len, &t, c->e) != 0)
		return -1;
	for (size_t i = 0; i < t.count; i++)
		if (t.entries[i].mode == TREE_DIR &&
		    collect_tree(c, &t.entries[i].id, needed, depth + 1) != 0)
			return -1;
	return 0;
}

static int
collect_boot_log(struct collect *c, const struct certificate_blob_ref *log, bool needed)
{
	const struct object_ref ref = {OBJECT_BLOB, log->id};
	bool there, fresh;

	if (!log->present || log->size == 0 || log->size > BUNDLE_BLOB_MAX)
		return 0;
	if (collect_there(c, &ref, needed, &there) != 0)
		return -1;
	return there ? collect_add(c, OBJECT_BLOB, &log->id, &fresh) : 0;
}

static int
collect_queue(struct collect *c, const struct oid *id)
{
	bool fresh;

	if (oid_map_add(&c->lineage, id, 0, &fresh, c->e) != 0)
		return -1;
	if (!fresh)
		return 0;
	if (ARRAY_ROOM(c->queue, c->queue_count, c->queue_cap, c->e) != 0)
		return -1;
	c->queue[c->queue_count++] = *id;
	return 0;
}

static int
collect_item(void *arg, const struct certificate_scan_item *item)
{
	bool *names = arg;

	*names = *names || (item->output && item->type == OBJECT_TREE);
	return 0;
}

/* Most certificates name neither trees nor a boot log: their text, not decoded, says so. */
static bool
collect_plain(const struct buf *text)
{
	static const char none[] = "\"bootLog\":null";
	bool names = false;

	return certificate_scan(text->data, text->len, collect_item, &names) == 0 && !names &&
	    memmem(text->data, text->len, none, sizeof none - 1) != NULL;
}

/* A certificate and what verifying it needs; ancestors of the lineage wait in the queue. */
static int
collect_certificate(struct collect *c, const struct oid *id, bool lineage)
{
	CLEANUP(certificate_free) struct certificate cert = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	bool fresh;

	if (collect_add(c, OBJECT_CERTIFICATE, id, &fresh) != 0)
		return -1;
	if (!fresh)
		return 0;
	if (odb_read(c->s, id, CERTIFICATE_BYTES_MAX, &text, c->e) != 0)
		return -1;
	if (!lineage && collect_plain(&text))
		return 0;
	if (certificate_decode(text.data, text.len, &cert, c->e) != 0 ||
	    collect_boot_log(c, &cert.boot_log, lineage) != 0)
		return -1;
	for (size_t i = 0; i < cert.event_count; i++) {
		const struct event *ev = &cert.events[i];

		if (ev->kind == EVENT_OUTPUT_RESOURCE && ev->u.output.output.type == OBJECT_TREE &&
		    collect_tree(c, &ev->u.output.output.digests.sha256, lineage, 1) != 0)
			return -1;
		if (lineage && ev->kind == EVENT_INPUT_RESOURCE && ev->u.input.made_by != NULL &&
		    collect_queue(c, &ev->u.input.made_by->certificate) != 0)
			return -1;
	}
	return 0;
}

static int
collect_lineage(struct collect *c)
{
	for (size_t i = 0; i < c->out->index.subject_count; i++)
		if (collect_queue(c, &c->out->index.subjects[i].certificate) != 0)
			return -1;
	while (c->queue_count > 0) {
		struct oid id = c->queue[--c->queue_count];

		if (collect_certificate(c, &id, true) != 0)
			return -1;
	}
	c->out->lineage = c->lineage.count;
	return 0;
}

/* --- commits, children before parents --- */

static bool
collect_in_lineage(const struct collect *c, const struct object_ref *ref)
{
	size_t at;

	return ref->type == OBJECT_CERTIFICATE && oid_map_get(&c->lineage, &ref->id, &at);
}

/* The commit names the lineage: its run, what was learned of it, or that it is revoked. */
static int
collect_concerns(struct collect *c, const struct commit *commit, bool *ret)
{
	CLEANUP(evidence_free) struct evidence v = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	*ret = commit->has_subject && collect_in_lineage(c, &commit->subject);
	if (commit->kind != COMMIT_EVIDENCE)
		return 0;
	if (odb_read(c->s, &commit->subject.id, EVIDENCE_BYTES_MAX, &text, c->e) != 0 ||
	    evidence_decode(text.data, text.len, &v, c->e) != 0)
		return err_prefix(c->e, "evidence of a commit");
	*ret = collect_in_lineage(c, &v.subject);
	return 0;
}

static int
collect_head(struct collect *c, const struct oid *id)
{
	struct bundle_index *x = &c->out->index;
	struct oid *grown;

	if (x->head_count == BUNDLE_HEADS_MAX)
		return err_set(c->e, ERR_LIMIT, "more than %u heads", BUNDLE_HEADS_MAX);
	grown = reallocarray(x->heads, x->head_count + 1, sizeof *grown);
	if (grown == NULL)
		return err_nomem(c->e);
	x->heads = grown;
	x->heads[x->head_count++] = *id;
	return 0;
}

static int
collect_commit_object(struct collect *c, const struct oid *id, const struct commit *commit)
{
	bool fresh;

	if (collect_add(c, OBJECT_COMMIT, id, &fresh) != 0)
		return -1;
	if (commit->has_subject && commit->subject.type == OBJECT_CERTIFICATE)
		return collect_certificate(c, &commit->subject.id, false);
	if (commit->has_subject && commit->subject.type == OBJECT_EVIDENCE)
		return collect_add(c, OBJECT_EVIDENCE, &commit->subject.id, &fresh);
	return 0;
}

static int
collect_commit(void *arg, const struct oid *id, const struct commit *commit)
{
	struct collect *c = arg;
	bool concerns = false, fresh;
	size_t at;
	bool covered = c->history && oid_map_get(&c->covered, id, &at);

	c->rc = -1;
	if (!covered && collect_concerns(c, commit, &concerns) != 0)
		return -1;
	c->rc = 0;
	if (!covered && !concerns)
		return 0;
	if (c->history && !covered)
		c->rc = collect_head(c, id);
	for (size_t i = 0; c->history && c->rc == 0 && i < commit->parent_count; i++)
		c->rc = oid_map_add(&c->covered, &commit->parents[i], 0, &fresh, c->e);
	if (c->rc == 0)
		c->rc = collect_commit_object(c, id, commit);
	return c->rc;
}

static int
collect_commits(struct collect *c)
{
	CLEANUP(oid_list_free) struct oid_list tips = {0};

	if (history_tips_head(c->s, &tips, c->e) != 0 || history_tips_refs(c->s, &tips, c->e) != 0 ||
	    history_walk(c->s, tips.ids, tips.count, collect_commit, c, c->e) != 0)
		return -1;
	return c->rc;
}

static int
collect_order(const void *a, const void *b)
{
	return bundle_order(a, b);
}

int
bundle_collect(struct store *s, bool history, struct bundle_collect *ret, struct err *e)
{
	CLEANUP(collect_free) struct collect c = {.s = s, .out = ret, .history = history, .e = e};

	if (collect_lineage(&c) != 0 || collect_commits(&c) != 0)
		return -1;
	qsort(ret->refs, ret->count, sizeof *ret->refs, collect_order);
	return 0;
}
