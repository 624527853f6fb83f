#include "cmd/import-check.h"

#include "base/interrupt.h"
#include "object/certificate.h"
#include "object/evidence.h"
#include "object/tree.h"

#define IMPORT_CLAUSE "aicert-bundle(5) section 4"

struct import_check {
	const struct bundle_file *f;
	bool *marked;           /* by object */
	size_t *queue;          /* marked, to be looked into */
	size_t queue_count;
	size_t marks;
	struct err *e;
};

static void
import_check_free(struct import_check *c)
{
	free(c->marked);
	free(c->queue);
}

static int
import_check_wrong(const struct import_check *c, const struct object_ref *ref, const char *what)
{
	char name[BUNDLE_NAME_SIZE];

	bundle_name(ref, name);
	return err_set(c->e, ERR_CORRUPT, "%s: " IMPORT_CLAUSE ": %s: %s", c->f->path, name, what);
}

static int
import_check_mark(struct import_check *c, enum object_type type, const struct oid *id, bool needed)
{
	const struct object_ref ref = {type, *id};
	const struct bundle_object *o = bundle_reader_find(&c->f->b, &ref);
	size_t at;

	if (o == NULL)
		return needed ? import_check_wrong(c, &ref, "is not in the bundle, which names it") : 0;
	at = (size_t)(o - c->f->b.objects);
	if (c->marked[at])
		return 0;
	c->marked[at] = true;
	c->marks++;
	c->queue[c->queue_count++] = at;
	return 0;
}

static int
import_check_commit(struct import_check *c, const struct buf *text)
{
	CLEANUP(commit_free) struct commit v = {0};

	if (commit_decode(text->data, text->len, &v, c->e) != 0)
		return -1;
	for (size_t i = 0; i < v.parent_count; i++)
		if (import_check_mark(c, OBJECT_COMMIT, &v.parents[i], true) != 0)
			return -1;
	/* what an import brought in was data, which a bundle does not hold */
	return v.has_subject && v.kind != COMMIT_IMPORT ?
	    import_check_mark(c, v.subject.type, &v.subject.id, true) : 0;
}

static int
import_check_certificate(struct import_check *c, const struct buf *text)
{
	CLEANUP(certificate_free) struct certificate v = {0};

	if (certificate_decode(text->data, text->len, &v, c->e) != 0)
		return -1;
	if (v.boot_log.present && import_check_mark(c, OBJECT_BLOB, &v.boot_log.id, false) != 0)
		return -1;
	for (size_t i = 0; i < v.event_count; i++) {
		const struct event *ev = &v.events[i];

		if (ev->kind == EVENT_OUTPUT_RESOURCE && ev->u.output.output.type == OBJECT_TREE &&
		    import_check_mark(c, OBJECT_TREE, &ev->u.output.output.digests.sha256, false) != 0)
			return -1;
		if (ev->kind == EVENT_INPUT_RESOURCE && ev->u.input.made_by != NULL &&
		    import_check_mark(c, OBJECT_CERTIFICATE, &ev->u.input.made_by->certificate, false) != 0)
			return -1;
	}
	return 0;
}

static int
import_check_tree(struct import_check *c, const struct buf *text)
{
	CLEANUP(tree_free) struct tree v = TREE_INIT;

	if (tree_decode(text->data, text->len, &v, c->e) != 0)
		return -1;
	for (size_t i = 0; i < v.count; i++)
		if (v.entries[i].mode == TREE_DIR &&
		    import_check_mark(c, OBJECT_TREE, &v.entries[i].id, false) != 0)
			return -1;
	return 0;
}

static int
import_check_evidence(struct import_check *c, const struct buf *text)
{
	CLEANUP(evidence_free) struct evidence v = {0};

	return evidence_decode(text->data, text->len, &v, c->e);
}

static int
import_check_object(struct import_check *c, const struct bundle_object *o)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char name[BUNDLE_NAME_SIZE];
	int rc = 0;

	if (o->ref.type == OBJECT_BLOB)
		return 0;
	if (bundle_file_read(c->f, o, (size_t)bundle_object_max(o->ref.type), &text, c->e) != 0)
		return -1;
	switch (o->ref.type) {
	case OBJECT_COMMIT:
		rc = import_check_commit(c, &text);
		break;
	case OBJECT_CERTIFICATE:
		rc = import_check_certificate(c, &text);
		break;
	case OBJECT_TREE:
		rc = import_check_tree(c, &text);
		break;
	case OBJECT_EVIDENCE:
		rc = import_check_evidence(c, &text);
		break;
	case OBJECT_BLOB:
		break;
	}
	if (rc == 0 || c->e->code == ERR_CORRUPT || c->e->code == ERR_NOMEM)
		return rc;
	if (c->e->code == ERR_FORMAT)
		c->e->code = ERR_CORRUPT;
	bundle_name(&o->ref, name);
	return err_prefix(c->e, "%s: " IMPORT_CLAUSE ": %s", c->f->path, name);
}

static int
import_check_roots(struct import_check *c)
{
	const struct bundle_index *x = &c->f->b.index;

	for (size_t i = 0; i < x->head_count; i++)
		if (import_check_mark(c, OBJECT_COMMIT, &x->heads[i], true) != 0)
			return -1;
	for (size_t i = 0; i < x->subject_count; i++)
		if (import_check_mark(c, OBJECT_CERTIFICATE, &x->subjects[i].certificate, true) != 0)
			return -1;
	return 0;
}

int
import_check(const struct bundle_file *f, struct err *e)
{
	CLEANUP(import_check_free) struct import_check c = {.f = f, .e = e};
	size_t count = f->b.count;

	c.marked = calloc(count + 1, sizeof *c.marked);
	c.queue = calloc(count + 1, sizeof *c.queue);
	if (c.marked == NULL || c.queue == NULL)
		return err_nomem(e);
	if (import_check_roots(&c) != 0)
		return -1;
	while (c.queue_count > 0)
		if (interrupt_check(e) != 0 ||
		    import_check_object(&c, &f->b.objects[c.queue[--c.queue_count]]) != 0)
			return -1;
	for (size_t i = 0; c.marks < count && i < count; i++)
		if (!c.marked[i])
			return import_check_wrong(&c, &f->b.objects[i].ref, "nothing in the bundle names it");
	return 0;
}
