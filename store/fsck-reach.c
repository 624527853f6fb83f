#include <string.h>
#include "object/evidence.h"
#include "object/tree.h"
#include "store/fsck-state.h"
#include "store/history.h"
#include "store/odb.h"
#include "store/refs.h"

/*
 * What must be there: the parents and the subject of every commit that a ref
 * reaches, and of a successful run its outputs (with everything inside), its
 * log and its boot log.  Inputs, and the outputs of failed runs, are kept when
 * the run stored them; that they are absent is told, but it is not damage.
 */
struct fsck_reach {
	struct fsck *f;
	struct oid *queue;      /* commits */
	size_t count, cap;
};

static int
fsck_reach_missing(struct fsck *f, enum fsck_severity severity, const struct oid *by,
    const char *what, const struct oid *id)
{
	char hex[OID_HEX_SIZE], of[OID_HEX_SIZE];
	bool fresh;

	oid_hex(id, hex);
	oid_hex(by, of);
	if (severity == FSCK_DAMAGE && oid_map_add(&f->bad, id, 0, &fresh, f->e) != 0)
		return -1;
	fsck_state_say(f, severity, "%s %s of %s is %s", what, hex, of,
	    severity == FSCK_DAMAGE ? "missing" : "not kept here");
	return 0;
}

/* 1: here and to be looked at for the first time, 0: nothing to do, -1 */
static int
fsck_reach_first(struct fsck *f, enum fsck_severity severity, const struct oid *by,
    const char *what, const struct oid *id)
{
	size_t ignored;
	bool fresh;

	if (oid_map_get(&f->bad, id, &ignored))
		return 0;
	if (oid_map_get(&f->reached, id, &ignored))
		return 0;
	if (!odb_has(f->s, id))
		return fsck_reach_missing(f, severity, by, what, id);
	return oid_map_add(&f->reached, id, 0, &fresh, f->e) != 0 ? -1 : 1;
}

static int fsck_reach_tree(struct fsck *f, enum fsck_severity severity, const struct oid *by,
    const struct oid *id, int depth);

static int
fsck_reach_entries(struct fsck *f, enum fsck_severity severity, const struct oid *id,
    const struct tree *t, int depth)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct tree_entry *entry = &t->entries[i];
		uint64_t size;
		int rc;

		if (entry->mode == TREE_DIR) {
			if (fsck_reach_tree(f, severity, id, &entry->id, depth + 1) != 0)
				return -1;
			continue;
		}
		rc = fsck_reach_first(f, severity, id, "entry", &entry->id);
		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		if (odb_size(f->s, &entry->id, &size, f->e) != 0)
			return -1;
		if (size != entry->size)
			fsck_state_say(f, FSCK_DAMAGE, "a tree says that %s has %llu bytes; it has %llu",
			    entry->name, (unsigned long long)entry->size, (unsigned long long)size);
	}
	return 0;
}

static int
fsck_reach_tree(struct fsck *f, enum fsck_severity severity, const struct oid *by,
    const struct oid *id, int depth)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	char what[OID_HEX_SIZE + 8];
	int rc = depth > TREE_DEPTH_MAX ? 0 : fsck_reach_first(f, severity, by, "tree", id);

	if (rc <= 0)
		return rc;
	memcpy(what, "tree ", 5);
	oid_hex(id, what + 5);
	if (odb_read(f->s, id, TREE_BYTES_MAX, &text, f->e) != 0 ||
	    tree_decode(text.data, text.len, &t, f->e) != 0)
		return fsck_state_finding(f, what);
	return fsck_reach_entries(f, severity, id, &t, depth);
}

static int
fsck_reach_thing(struct fsck *f, enum fsck_severity severity, const struct oid *by,
    const char *what, const struct resource *r)
{
	if (r->type == OBJECT_TREE)
		return fsck_reach_tree(f, severity, by, &r->digests.sha256, 1);
	return fsck_reach_first(f, severity, by, what, &r->digests.sha256) < 0 ? -1 : 0;
}

static int
fsck_reach_events(struct fsck *f, const struct oid *id, const struct certificate *cert)
{
	enum fsck_severity kept = certificate_run_ok(cert) ? FSCK_DAMAGE : FSCK_LITTER;

	for (size_t i = 0; i < cert->event_count; i++) {
		const struct event *ev = &cert->events[i];
		int rc = 0;

		if (ev->kind == EVENT_OUTPUT_RESOURCE)
			rc = fsck_reach_thing(f, kept, id, "output", &ev->u.output.output);
		else if (ev->kind == EVENT_RUN_FINISHED)
			rc = fsck_reach_first(f, kept, id, "log", &ev->u.finished.log);
		if (rc < 0)
			return -1;
	}
	if (cert->boot_log.present &&
	    fsck_reach_first(f, kept, id, "boot log", &cert->boot_log.id) < 0)
		return -1;
	/* inputs last: what is an output too is judged as one */
	for (size_t i = 0; i < cert->event_count; i++)
		if (cert->events[i].kind == EVENT_INPUT_RESOURCE &&
		    fsck_reach_thing(f, FSCK_LITTER, id, "input", &cert->events[i].u.input.thing) != 0)
			return -1;
	return 0;
}

static int
fsck_reach_certificate(struct fsck *f, const struct oid *by, const struct oid *id)
{
	CLEANUP(certificate_free) struct certificate cert = {0};
	int rc = fsck_reach_first(f, FSCK_DAMAGE, by, "certificate", id);

	if (rc <= 0)
		return rc;
	if (history_certificate(f->s, id, &cert, f->e) != 0)
		return fsck_state_finding(f, "certificate");
	return fsck_reach_events(f, id, &cert);
}

static int
fsck_reach_evidence(struct fsck *f, const struct oid *by, const struct oid *id)
{
	CLEANUP(evidence_free) struct evidence v = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	int rc = fsck_reach_first(f, FSCK_DAMAGE, by, "evidence", id);

	if (rc <= 0)
		return rc;
	if (odb_read(f->s, id, EVIDENCE_BYTES_MAX, &text, f->e) != 0 ||
	    evidence_decode(text.data, text.len, &v, f->e) != 0)
		return fsck_state_finding(f, "evidence");
	return 0;
}

static int
fsck_reach_subject(struct fsck *f, const struct oid *by, const struct commit *c)
{
	switch (c->subject.type) {
	case OBJECT_CERTIFICATE:
		return fsck_reach_certificate(f, by, &c->subject.id);
	case OBJECT_EVIDENCE:
		return fsck_reach_evidence(f, by, &c->subject.id);
	case OBJECT_TREE:
		return fsck_reach_tree(f, FSCK_DAMAGE, by, &c->subject.id, 1);
	default:
		return fsck_reach_first(f, FSCK_DAMAGE, by, "object", &c->subject.id) < 0 ? -1 : 0;
	}
}

static int
fsck_reach_enqueue(struct fsck_reach *r, const struct oid *by, const struct oid *id)
{
	int rc = fsck_reach_first(r->f, FSCK_DAMAGE, by, "commit", id);

	if (rc <= 0)
		return rc;
	if (r->count == r->cap) {
		size_t cap = r->cap != 0 ? r->cap * 2 : 64;
		struct oid *queue = reallocarray(r->queue, cap, sizeof *queue);

		if (queue == NULL)
			return err_nomem(r->f->e);
		r->queue = queue;
		r->cap = cap;
	}
	r->queue[r->count++] = *id;
	return 0;
}

static int
fsck_reach_commit(struct fsck_reach *r, const struct oid *id)
{
	CLEANUP(commit_free) struct commit c = {0};

	if (history_commit(r->f->s, id, &c, r->f->e) != 0)
		return fsck_state_finding(r->f, "commit");
	for (size_t i = 0; i < c.parent_count; i++)
		if (fsck_reach_enqueue(r, id, &c.parents[i]) != 0)
			return -1;
	return c.has_subject ? fsck_reach_subject(r->f, id, &c) : 0;
}

/* Names that do not parse, or name nothing, were reported with the refs. */
static int
fsck_reach_ref(struct fsck_reach *r, const char *name)
{
	struct object_ref ref;
	size_t ignored;

	if (refs_read(r->f->s, name, &ref, NULL) != 0 || !odb_has(r->f->s, &ref.id) ||
	    oid_map_get(&r->f->bad, &ref.id, &ignored))
		return 0;
	switch (ref.type) {
	case OBJECT_COMMIT:
		return fsck_reach_enqueue(r, &ref.id, &ref.id);
	case OBJECT_CERTIFICATE:
		return fsck_reach_certificate(r->f, &ref.id, &ref.id);
	case OBJECT_TREE:
		return fsck_reach_tree(r->f, FSCK_DAMAGE, &ref.id, &ref.id, 1);
	default:
		return 0;
	}
}

int
fsck_reach_run(struct fsck *f)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	struct fsck_reach r = {.f = f};
	int rc;

	if (refs_names(f->s, "refs/", &names, f->e) != 0)
		return fsck_state_finding(f, "refs");
	rc = fsck_reach_ref(&r, "HEAD");
	for (size_t i = 0; i < names.count && rc == 0; i++)
		rc = fsck_reach_ref(&r, names.names[i]);
	for (size_t i = 0; i < r.count && rc == 0; i++)
		rc = fsck_reach_commit(&r, &r.queue[i]);
	free(r.queue);
	return rc;
}
