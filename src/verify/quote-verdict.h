/*
 * A verdict on one quote alone, with whatever is given beside it: a key or a
 * chain, PCR values, a nonce, a boot log.  It is no claim about a run and has
 * no level.  Pure, as verify.h is.
 */
#ifndef VERIFY_QUOTE_VERDICT_H
#define VERIFY_QUOTE_VERDICT_H

#include "evidence/quote-any.h"
#include "evidence/tpm-signature.h"
#include "verify/trust.h"
#include "verify/verdict.h"

struct quote_verdict_request {
	const char *subject;
	const struct buf *attest;           /* TPMS_ATTEST */
	const struct buf *signature;
	struct tpm_signature_format format;
	const struct buf *key_pem;          /* one of these two */
	const struct buf *chain_pem;
	struct x509_cert *const *roots;     /* pinned for this question; then trust is not looked at */
	size_t root_count;
	const struct trust *trust;          /* where no root is given; NULL: no entries */
	struct x509_cert *const *fetched;   /* intermediates that were fetched for the chain */
	size_t fetched_count;
	const struct buf *crls;             /* DER or PEM */
	size_t crl_count;
	const struct buf *pcrs;             /* evidence/pcr-values.h; NULL: not given */
	const struct buf *nonce;            /* NULL: not given */
	bool any_nonce;
	uint32_t require[PCR_VALUES_BANKS];
	const struct buf *event_log;        /* NULL: not given */
	int64_t time;
	const char *time_source;
};

/* 0: *ret holds the verdict, whatever it is. -1: it could not be made (memory). */
int quote_verdict(const struct quote_verdict_request *rq, struct verdict **ret, struct err *e) MUST_CHECK;

#endif
