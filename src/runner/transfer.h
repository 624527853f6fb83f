/*
 * Objects between a store and a runner: what is lacking, out and in.
 *
 * Several objects travel at a time, each over its own connection; a large one
 * goes on where it stopped, after a lost link or in another process: what the
 * runner has of it stays there, what has come of it stays in the store's
 * tmp/fetch.  When link->key_changed is set on return, the same call may be made
 * again over a new session: nothing that arrived is sent again.
 */
#ifndef RUNNER_TRANSFER_H
#define RUNNER_TRANSFER_H

#include "object/certificate.h"
#include "object/run-spec.h"
#include "runner/link.h"
#include "store/store.h"

/* Everything a spec needs: inputs with all that their trees hold, the image, the
 * certificates of madeBy. */
int transfer_send_spec(struct link *l, struct store *s, const struct run_spec *spec,
    struct err *e) MUST_CHECK;
/* Outputs with all that their trees hold, log and boot log: what the store lacks. */
int transfer_fetch_certificate(struct link *l, struct store *s, const struct certificate *c,
    struct err *e) MUST_CHECK;

#endif
