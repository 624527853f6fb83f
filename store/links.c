#include "store/links.h"

#include <string.h>
#include "object/certificate.h"
#include "object/commit.h"
#include "object/evidence.h"
#include "object/tree.h"
#include "store/history.h"
#include "store/odb.h"

struct links {
	links_fn *fn;
	void *arg;
	bool partial;           /* contents may be missing */
};

const char *
links_role_name(enum links_role role)
{
	static const char *const names[] = {"commit", "subject", "input", "certificate", "image",
	    "output", "log", "boot log", "entry"};

	return names[role];
}

static bool
links_need(const struct links *k, enum links_role role, bool needed)
{
	return needed && !(k->partial && (role == LINKS_OUTPUT || role == LINKS_LOG ||
	    role == LINKS_BOOT_LOG || role == LINKS_ENTRY));
}

static int
links_tell(const struct links *k, enum links_role role, enum object_type type, const struct oid *id,
    bool needed, struct err *e)
{
	const struct links_link l = {.role = role, .ref = {type, *id},
	    .needed = links_need(k, role, needed)};

	return k->fn(k->arg, &l, e);
}

static int
links_resource(const struct links *k, enum links_role role, const struct resource *r, bool needed,
    struct err *e)
{
	const struct links_link l = {.role = role, .ref = {r->type, r->digests.sha256}, .path = r->path,
	    .has_size = r->type == OBJECT_BLOB, .size = r->size, .needed = links_need(k, role, needed),
	    .failed = role == LINKS_OUTPUT && !needed};

	return k->fn(k->arg, &l, e);
}

static int
links_commit(struct store *s, const struct links *k, const struct oid *id, struct err *e)
{
	CLEANUP(commit_free) struct commit c = {0};

	if (history_commit(s, id, &c, e) != 0)
		return -1;
	for (size_t i = 0; i < c.parent_count; i++)
		if (links_tell(k, LINKS_PARENT, OBJECT_COMMIT, &c.parents[i], true, e) != 0)
			return -1;
	return c.has_subject ? links_tell(k, LINKS_SUBJECT, c.subject.type, &c.subject.id, true, e) : 0;
}

static int
links_input(const struct links *k, const struct resource_input *in, struct err *e)
{
	if (in->made_by != NULL &&
	    links_tell(k, LINKS_MADE_BY, OBJECT_CERTIFICATE, &in->made_by->certificate, false, e) != 0)
		return -1;
	return links_resource(k, LINKS_INPUT, &in->thing, false, e);
}

static int
links_request(const struct links *k, const struct run_spec *spec, struct err *e)
{
	return spec->image == RUN_SPEC_HOST ? 0 :
	    links_resource(k, LINKS_IMAGE, &spec->image_file, false, e);
}

static int
links_event(const struct links *k, const struct event *ev, bool ok, struct err *e)
{
	switch (ev->kind) {
	case EVENT_RUN_REQUEST:
		return links_request(k, &ev->u.request.spec, e);
	case EVENT_INPUT_RESOURCE:
		return links_input(k, &ev->u.input, e);
	case EVENT_OUTPUT_RESOURCE:
		return links_resource(k, LINKS_OUTPUT, &ev->u.output.output, ok, e);
	case EVENT_RUN_FINISHED:
		return links_tell(k, LINKS_LOG, OBJECT_BLOB, &ev->u.finished.log, ok, e);
	default:
		return 0;
	}
}

/* What must be there comes first: what is an input too is judged as an output. */
static int
links_certificate(struct store *s, const struct links *k, const struct oid *id, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	bool ok;

	if (history_certificate(s, id, &c, e) != 0)
		return -1;
	ok = certificate_run_ok(&c);
	for (int inputs = 0; inputs < 2; inputs++)
		for (size_t i = 0; i < c.event_count; i++)
			if ((c.events[i].pcr == 14) == (inputs == 1) &&
			    links_event(k, &c.events[i], ok, e) != 0)
				return -1;
	return c.boot_log.present ?
	    links_tell(k, LINKS_BOOT_LOG, OBJECT_BLOB, &c.boot_log.id, ok, e) : 0;
}

static int
links_tree(struct store *s, const struct links *k, const struct oid *id, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	if (odb_read(s, id, TREE_BYTES_MAX, &text, e) != 0)
		return -1;
	if (tree_decode(text.data, text.len, &t, e) != 0)
		return err_prefix(e, "tree %s", hex);
	for (size_t i = 0; i < t.count; i++) {
		const struct tree_entry *entry = &t.entries[i];
		bool dir = entry->mode == TREE_DIR;
		const struct links_link l = {.role = LINKS_ENTRY,
		    .ref = {dir ? OBJECT_TREE : OBJECT_BLOB, entry->id}, .path = entry->name,
		    .has_size = !dir, .size = entry->size, .needed = links_need(k, LINKS_ENTRY, true)};

		if (k->fn(k->arg, &l, e) != 0)
			return -1;
	}
	return 0;
}

/* Its subject may be anywhere: what matters is that the evidence can be read. */
static int
links_evidence(struct store *s, const struct links *k, const struct oid *id, struct err *e)
{
	CLEANUP(evidence_free) struct evidence v = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	if (odb_read(s, id, EVIDENCE_BYTES_MAX, &text, e) != 0)
		return -1;
	if (evidence_decode(text.data, text.len, &v, e) != 0)
		return err_prefix(e, "evidence %s", hex);
	return links_tell(k, LINKS_SUBJECT, v.subject.type, &v.subject.id, false, e);
}

int
links_each(struct store *s, const struct object_ref *ref, links_fn *fn, void *arg, struct err *e)
{
	const struct links k = {fn, arg, store_partial(s)};

	switch (ref->type) {
	case OBJECT_COMMIT:
		return links_commit(s, &k, &ref->id, e);
	case OBJECT_CERTIFICATE:
		return links_certificate(s, &k, &ref->id, e);
	case OBJECT_TREE:
		return links_tree(s, &k, &ref->id, e);
	case OBJECT_EVIDENCE:
		return links_evidence(s, &k, &ref->id, e);
	default:
		return 0;
	}
}
