#include "store/runs.h"

#include <fcntl.h>
#include <string.h>
#include "unit.h"
#include "base/fd.h"
#include "object/certificate.h"
#include "object/commit.h"
#include "store/odb.h"
#include "store/refs.h"

struct runs_output
runs_blob(struct fixture *f, const char *path, const char *text)
{
	struct runs_output o = {.path = path, .type = OBJECT_BLOB, .size = strlen(text)};
	struct err e;

	UNIT_OK(odb_put(f->s, text, strlen(text), &o.id, &e), &e);
	return o;
}

static void
runs_load(const char *name, struct certificate *ret)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;

	UNIT_OK(fd_read_file(AT_FDCWD, name, 10000000, &text, &e), &e);
	UNIT_OK(certificate_decode(text.data, text.len, ret, &e), &e);
}

static void
runs_set_output(struct event *ev, const struct runs_output *o)
{
	struct resource *r = &ev->u.output.output;
	struct err e;

	free(r->path);
	r->path = strdup(o->path);
	r->type = o->type;
	r->size = o->size;
	r->digests = (struct resource_digests){.sha256 = o->id};
	UNIT_OK(event_encode(ev, &e), &e);
}

/* The log of a golden run is not ours: one that is in the store. */
static void
runs_set_log(struct fixture *f, struct event *ev)
{
	struct err e;

	UNIT_OK(odb_put(f->s, "log", 3, &ev->u.finished.log, &e), &e);
	ev->u.finished.log_size = 3;
	UNIT_OK(event_encode(ev, &e), &e);
}

static struct oid
runs_store(struct fixture *f, struct certificate *c)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct oid id;
	struct err e;

	c->boot_log.present = false;
	UNIT_OK(certificate_encode(c, &text, &e), &e);
	UNIT_OK(odb_put(f->s, text.data, text.len, &id, &e), &e);
	return id;
}

struct oid
runs_certificate(struct fixture *f, const struct runs_output *a, const struct runs_output *b)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	int outputs = 0;

	runs_load(TEST_DATA "/object/certificate-ok.json", &c);
	for (size_t i = 0; i < c.event_count; i++) {
		if (c.events[i].kind == EVENT_OUTPUT_RESOURCE)
			runs_set_output(&c.events[i], outputs++ == 0 ? a : b);
		else if (c.events[i].kind == EVENT_RUN_FINISHED)
			runs_set_log(f, &c.events[i]);
	}
	ck_assert_int_eq(outputs, 2);
	return runs_store(f, &c);
}

struct oid
runs_failed_certificate(struct fixture *f)
{
	CLEANUP(certificate_free) struct certificate c = {0};

	runs_load(TEST_DATA "/object/certificate-failed.json", &c);
	return runs_store(f, &c);
}

struct object_ref
runs_commit(struct fixture *f, const struct oid *certificate, long time, const struct oid *parent)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct oid copy;
	struct commit c = {
		.kind = COMMIT_RUN,
		.parents = &copy,
		.parent_count = parent != NULL ? 1 : 0,
		.has_subject = true,
		.subject = {OBJECT_CERTIFICATE, *certificate},
		.author_name = (char *)(uintptr_t)"Tester",
		.author_email = (char *)(uintptr_t)"tester@example.org",
		.time = time,
		.message = (char *)(uintptr_t)"a run",
	};
	struct object_ref ref = {.type = OBJECT_COMMIT};
	struct err e;

	if (parent != NULL)
		copy = *parent;
	UNIT_OK(commit_encode(&c, &text, &e), &e);
	UNIT_OK(odb_put(f->s, text.data, text.len, &ref.id, &e), &e);
	return ref;
}

void
runs_set_ref(struct fixture *f, const char *name, const struct object_ref *to)
{
	const struct refs_change c = {.name = name, .any_old = true, .new_ = to,
	    .author = "Tester <tester@example.org>", .message = "set"};
	struct err e;

	UNIT_OK(refs_update(f->s, &c, &e), &e);
}
