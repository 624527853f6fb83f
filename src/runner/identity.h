/* The identity document of a runner, decoded and judged. */
#ifndef RUNNER_IDENTITY_H
#define RUNNER_IDENTITY_H

#include "object/certificate.h"
#include "runner/runner.h"

#define IDENTITY_DOCUMENT_TYPE "application/vnd.aicert.identity.v1+json"
#define IDENTITY_DOCUMENT_MAX (4u * 1024 * 1024)

struct identity {
	struct certificate_quote quote;
	struct buf ak_public;
	struct buf ak_chain[CERTIFICATE_CHAIN_MAX];
	size_t ak_chain_count;
	struct buf spki;            /* DER of the channel key */
	struct buf boot_log;        /* TCG event log; empty: none */
	enum event_tpm tpm;
	char *version;              /* of the daemon; a claim */
};

int identity_decode(const void *data, size_t len, struct identity *ret, struct err *e) MUST_CHECK;
void identity_free(struct identity *id);
/* Name of the AK (TPM 2.0 part 1, section 16) in hex: its algorithm and digest. */
#define IDENTITY_NAME_SIZE 137
int identity_name(const struct identity *id, char ret[IDENTITY_NAME_SIZE], struct err *e) MUST_CHECK;
/* The document's key is the one of the connection it came over: pem is what the peer
 * showed there.  ERR_REFUSED: somebody between, who has a key of his own. */
int identity_check_channel(const struct identity *id, const struct buf *pem,
    struct err *e) MUST_CHECK;
/*
 * verify_identity() with the nonce that was sent; ERR_REFUSED names the check that
 * failed.  Also the pinned AK Name, where there is one.  *ret_verdict, also of a
 * refusal, is the caller's to free; it is left alone when there is none.
 */
int identity_judge(const struct identity *id, const unsigned char nonce[32],
    const struct runner_options *o, struct verdict **ret_verdict, struct err *e) MUST_CHECK;

#endif
