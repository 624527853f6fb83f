#include "serve/run-outcome.h"

#include "object/certificate.h"
#include "object/oid-list.h"
#include "serve/closure.h"
#include "serve/run-state.h"
#include "store/odb.h"

/* A closure_fn: all of an output that the run stored. */
static int
run_outcome_take(void *arg, const struct object_ref *ref, enum closure_need need, struct err *e)
{
	(void)need;
	return oid_list_add(arg, &ref->id, e) != 0 ? -1 : 1;
}

static int
run_outcome_event(const struct run_outcome_options *o, const struct event *ev,
    struct oid_list *l, struct err *e)
{
	const struct resource *r = &ev->u.output.output;
	const struct object_ref root = {r->type, r->digests.sha256};

	if (ev->kind == EVENT_RUN_FINISHED)
		return oid_list_add(l, &ev->u.finished.log, e);
	return ev->kind == EVENT_OUTPUT_RESOURCE ?
	    closure_walk(o->store, &root, 1, run_outcome_take, l, e) : 0;
}

static int
run_outcome_own(const struct run_outcome_options *o, const struct certificate *c,
    const struct oid *id, struct err *e)
{
	CLEANUP(oid_list_free) struct oid_list l = {0};
	int rc = oid_list_add(&l, id, e);

	for (size_t i = 0; i < c->event_count && rc == 0; i++)
		rc = run_outcome_event(o, &c->events[i], &l, e);
	if (rc == 0 && c->boot_log.present)
		rc = oid_list_add(&l, &c->boot_log.id, e);
	return rc == 0 ? ledger_own(o->ledger, o->owner, l.ids, l.count, e) : -1;
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
