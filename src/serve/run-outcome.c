#include "serve/run-outcome.h"

#include "object/certificate.h"
#include "serve/closure.h"
#include "serve/run-state.h"
#include "store/odb.h"

struct run_outcome_list {
	struct oid *ids;
	size_t count, cap;
};

static int
run_outcome_add(struct run_outcome_list *l, const struct oid *id, struct err *e)
{
	if (l->count == l->cap) {
		size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
		struct oid *grown = reallocarray(l->ids, cap, sizeof *grown);

		if (grown == NULL)
			return err_nomem(e);
		l->ids = grown;
		l->cap = cap;
	}
	l->ids[l->count++] = *id;
	return 0;
}

/* A closure_fn: all of an output that the run stored. */
static int
run_outcome_take(void *arg, const struct object_ref *ref, enum closure_need need, struct err *e)
{
	(void)need;
	return run_outcome_add(arg, &ref->id, e) != 0 ? -1 : 1;
}

static int
run_outcome_event(const struct run_outcome_options *o, const struct event *ev,
    struct run_outcome_list *l, struct err *e)
{
	const struct resource *r = &ev->u.output.output;
	const struct object_ref root = {r->type, r->digests.sha256};

	if (ev->kind == EVENT_RUN_FINISHED)
		return run_outcome_add(l, &ev->u.finished.log, e);
	return ev->kind == EVENT_OUTPUT_RESOURCE ?
	    closure_walk(o->store, &root, run_outcome_take, l, e) : 0;
}

static int
run_outcome_own(const struct run_outcome_options *o, const struct certificate *c,
    const struct oid *id, struct err *e)
{
	struct run_outcome_list l = {.count = 0};
	int rc = run_outcome_add(&l, id, e);

	for (size_t i = 0; i < c->event_count && rc == 0; i++)
		rc = run_outcome_event(o, &c->events[i], &l, e);
	if (rc == 0 && c->boot_log.present)
		rc = run_outcome_add(&l, &c->boot_log.id, e);
	if (rc == 0)
		rc = ledger_own(o->ledger, o->owner, l.ids, l.count, e);
	free(l.ids);
	return rc;
}

int
run_outcome_keep(const struct run_outcome_options *o, const struct buf *certificate, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	struct oid id;

	if (o->ledger == NULL)
		return 0;
	if (certificate_decode(certificate->data, certificate->len, &c, e) != 0 ||
	    odb_put(o->store, certificate->data, certificate->len, &id, e) != 0)
		return -1;
	return run_outcome_own(o, &c, &id, e);
}

const char *
run_outcome_state(const struct run_outcome_options *o, const struct buf *certificate,
    const struct err *error)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	const struct event *finished;
	struct err ignored;
	bool cancelled;

	if (certificate == NULL) {
		cancelled = error->code == ERR_CANCELLED;
	} else {
		finished = certificate_decode(certificate->data, certificate->len, &c, &ignored) == 0 ?
		    certificate_event(&c, EVENT_RUN_FINISHED) : NULL;
		cancelled = finished != NULL && finished->u.finished.reason == EVENT_CANCELLED;
	}
	if (cancelled)
		return o->stopping ? RUN_STATE_INTERRUPTED : RUN_STATE_CANCELLED;
	return certificate != NULL ? RUN_STATE_DONE : RUN_STATE_FAILED;
}
