/*
 * The certificate: what a runner returns (aicert-certificate(5)).
 * Decoding checks the shape of the document and decodes every event, but
 * judges nothing: grammar, quotes and signatures are verify/'s work.
 */
#ifndef OBJECT_CERTIFICATE_H
#define OBJECT_CERTIFICATE_H

#include "object/event.h"
#include "object/dsse.h"

#define CERTIFICATE_MEDIA_TYPE "application/vnd.aicert.certificate.v1+json"
#define CERTIFICATE_BYTES_MAX (64u * 1024 * 1024)
#define CERTIFICATE_CHAIN_MAX 8
#define CERTIFICATE_HARDWARE_CHAIN 2
#define CERTIFICATE_PCRS 24

struct certificate_pcrs {       /* values as reported; all 24 of each bank present */
	bool has_sha256, has_sha384;
	unsigned char sha256[CERTIFICATE_PCRS][32];
	unsigned char sha384[CERTIFICATE_PCRS][48];
};

struct certificate_quote {
	struct buf attest;          /* TPMS_ATTEST */
	struct buf signature;       /* TPMT_SIGNATURE */
	struct certificate_pcrs pcrs;
};

struct certificate_hardware {   /* format azure-hcl-snp */
	bool present;
	struct buf report;          /* the HCL report, without what pads its NV index */
	struct buf chain[CERTIFICATE_HARDWARE_CHAIN]; /* DER: VCEK, ASK */
};

struct certificate_blob_ref {   /* bootLog */
	bool present;
	char *media_type;
	struct oid id;
	uint64_t size;
};

struct certificate {
	unsigned char nonce[32];
	struct event *events;
	size_t event_count;
	struct certificate_quote quote;
	struct certificate_quote start_quote;
	struct buf ak_public;       /* TPMT_PUBLIC */
	struct buf ak_chain[CERTIFICATE_CHAIN_MAX]; /* DER, leaf first, without the root */
	size_t ak_chain_count;
	struct certificate_blob_ref boot_log;
	struct certificate_hardware hardware;
	struct dsse envelope;
};

int certificate_decode(const void *data, size_t len, struct certificate *ret, struct err *e) MUST_CHECK;
int certificate_encode(const struct certificate *c, struct buf *ret, struct err *e) MUST_CHECK;
/* The run ended with exit code 0 and no output is missing. */
bool certificate_run_ok(const struct certificate *c);
void certificate_free(struct certificate *c);
/* First event of a kind, or NULL; run_request and run_finished are always there in
 * what was decoded. */
const struct event *certificate_event(const struct certificate *c, enum event_kind kind);
/* Output with that path, or NULL. */
const struct resource *certificate_output(const struct certificate *c, const char *path);

/* A quote as the identity document carries it too. */
struct jcs *certificate_quote_to_jcs(const struct certificate_quote *q);
int certificate_quote_from_jcs(const struct jcs *v, const char *where,
    struct certificate_quote *ret, struct err *e) MUST_CHECK;
void certificate_quote_free(struct certificate_quote *q);

#endif
