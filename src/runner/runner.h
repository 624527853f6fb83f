/*
 * The client side of the protocol, aicert-protocol(5): the same calls for the
 * local daemon on its Unix socket and for a remote one over HTTPS.
 *
 * Over HTTPS nothing but the request for the identity is sent before the
 * identity was judged; from then on every connection is to the key that the
 * identity is bound to.  When the other side shows another key (its daemon was
 * restarted) nothing is sent to it: it is judged again, from the beginning, and
 * must have the same AK.
 */
#ifndef RUNNER_RUNNER_H
#define RUNNER_RUNNER_H

#include "object/certificate.h"
#include "object/run-spec.h"
#include "runner/link.h"
#include "runner/remote-run.h"
#include "store/store.h"
#include "verify/reference.h"
#include "verify/trust.h"
#include "verify/verdict.h"

struct runner;

/* unix_socket or https url. Everything is borrowed and must outlive the runner. */
struct runner_options {
	const char *url;                /* as of http_url_base() */
	const char *unix_socket;
	const char *token;              /* NULL: none */
	const char *client_cert, *client_key; /* PEM files; NULL: none */
	const struct trust *trust;
	const struct reference_set *references; /* NULL: none */
	enum verdict_level required;
	const char *ak_name;            /* pinned AK Name in hex; NULL: none */
	bool in_use;                    /* a run of ours was started there before */
	bool detach;                    /* a signal leaves the run alone */
	unsigned wait_s;                /* for a place in the runner's queue */
	unsigned patience_s;            /* with a lost link; 0: LINK_PATIENCE_S */
	struct notice notice;
	FILE *progress;
};
int runner_connect(const struct runner_options *o, struct runner **ret, struct err *e) MUST_CHECK;
void runner_free(struct runner *r);
static inline void runner_freep(struct runner **r) { runner_free(*r); }

/* GET /v1/identity, judged before anything else is sent; ERR_REFUSED with the check. */
int runner_identify(struct runner *r, struct err *e) MUST_CHECK;
/* What was found, also by an identity that was refused; borrowed, NULL: nothing. */
const struct verdict *runner_verdict(const struct runner *r);
/* Of the identity that was accepted; "" before. */
const char *runner_ak_name(const struct runner *r);
const char *runner_version(const struct runner *r);     /* of the daemon: a claim */

/* Sends the inputs' objects that the runner lacks (POST objects/missing, PUT). */
int runner_send_inputs(struct runner *r, struct store *s, const struct run_spec *spec,
    struct err *e) MUST_CHECK;
/* Starts the run of that name, which the caller drew: asked again after a lost answer, it is
 * the same run.  A full queue is waited for, wait_s at most.  *ret_unknown, when it fails: no
 * answer came, and the run may have begun. */
int runner_start(struct runner *r, const struct run_spec *spec, const unsigned char nonce[32],
    const char *run_id, bool *ret_unknown, struct err *e) MUST_CHECK;
/*
 * Streams the log to fn until the run is over, over lost links and restarts.  A
 * signal cancels the run and it is followed to its end, or, with detach, leaves it
 * alone: ERR_CANCELLED.
 */
typedef void runner_log_fn(void *arg, const void *data, size_t len);
int runner_follow(struct runner *r, const char *run_id, runner_log_fn *fn, void *arg,
    struct err *e) MUST_CHECK;
/* What has been logged so far. */
int runner_log(struct runner *r, const char *run_id, runner_log_fn *fn, void *arg,
    struct err *e) MUST_CHECK;
int runner_state(struct runner *r, const char *run_id, struct remote_run *ret, struct err *e) MUST_CHECK;
int runner_list(struct runner *r, struct remote_run_list *ret, struct err *e) MUST_CHECK;
int runner_certificate(struct runner *r, const char *run_id, struct buf *ret, struct err *e) MUST_CHECK;
/* One object into memory, hashed; ERR_NOTFOUND, ERR_LIMIT. */
int runner_object(struct runner *r, const struct oid *id, size_t max, struct buf *ret,
    struct err *e) MUST_CHECK;
/* Fetches what the store lacks of the objects a certificate names as outputs and log. */
int runner_fetch_outputs(struct runner *r, struct store *s, const struct certificate *c,
    struct err *e) MUST_CHECK;
int runner_cancel(struct runner *r, const char *run_id, struct err *e) MUST_CHECK;

#endif
