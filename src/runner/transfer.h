/* Objects between a store and a runner: what is lacking, out and in. */
#ifndef RUNNER_TRANSFER_H
#define RUNNER_TRANSFER_H

#include "net/http.h"
#include "object/certificate.h"
#include "object/run-spec.h"
#include "store/store.h"

/* Everything a spec needs: inputs with all that their trees hold, the image, the
 * certificates of madeBy. */
int transfer_send_spec(struct http *h, struct store *s, const struct run_spec *spec,
    struct err *e) MUST_CHECK;
/* Outputs with all that their trees hold, log and boot log: what the store lacks. */
int transfer_fetch_certificate(struct http *h, struct store *s, const struct certificate *c,
    struct err *e) MUST_CHECK;

#endif
