/*
 * The client side of the protocol (DESIGN 8): the same calls for the local
 * daemon on its Unix socket and for a remote one over HTTPS.
 */
#ifndef RUNNER_RUNNER_H
#define RUNNER_RUNNER_H

#include "object/certificate.h"
#include "object/run-spec.h"
#include "store/store.h"
#include "verify/trust.h"
#include "verify/verdict.h"

struct runner;

/* unix_socket or https url. */
struct runner_options {
	const char *url;
	const char *unix_socket;
	const char *token;              /* NULL: none */
	const struct trust *trust;
	enum verdict_level required;
	const char *ak_name;            /* pinned AK Name in hex; NULL: none */
};
int runner_connect(const struct runner_options *o, struct runner **ret, struct err *e) MUST_CHECK;
void runner_free(struct runner *r);
static inline void runner_freep(struct runner **r) { runner_free(*r); }

/* GET /v1/identity, judged before anything else is sent; ERR_REFUSED with the check. */
int runner_identify(struct runner *r, struct err *e) MUST_CHECK;
/* Sends the inputs' objects that the runner lacks (POST objects/missing, PUT). */
int runner_send_inputs(struct runner *r, struct store *s, const struct run_spec *spec,
    struct err *e) MUST_CHECK;
int runner_start(struct runner *r, const struct run_spec *spec, const unsigned char nonce[32],
    char **ret_run_id, struct err *e) MUST_CHECK;
/* Streams the log to fn until the run is over; cancels the run when interrupted. */
typedef void runner_log_fn(void *arg, const void *data, size_t len);
int runner_follow(struct runner *r, const char *run_id, runner_log_fn *fn, void *arg,
    struct err *e) MUST_CHECK;
int runner_certificate(struct runner *r, const char *run_id, struct buf *ret, struct err *e) MUST_CHECK;
/* Fetches what the store lacks of the objects a certificate names as outputs and log. */
int runner_fetch_outputs(struct runner *r, struct store *s, const struct certificate *c,
    struct err *e) MUST_CHECK;
int runner_cancel(struct runner *r, const char *run_id, struct err *e) MUST_CHECK;

#endif
