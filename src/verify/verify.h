/*
 * Verification: a pure function of (certificate, objects through a callback,
 * trust entries, reference records, policy, time).  No network, no TPM, no
 * clock of its own, no store.  It fails closed.
 */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include "object/certificate.h"
#include "verify/memo.h"
#include "verify/policy.h"
#include "verify/reference.h"
#include "verify/trust.h"
#include "verify/verdict.h"

/* Objects by id, verified by us again. ERR_NOTFOUND: missing. */
typedef int verify_fetch(void *arg, const struct oid *id, size_t max, struct buf *ret, struct err *e);

/* A file or directory that is said to be an output (or input): measured by the caller. */
struct verify_file {
	const char *path;           /* the name to compare with, or NULL: any output with its content */
	enum object_type type;
	struct oid id;
	uint64_t size;
	bool missing;               /* named but not there */
	const char *detail;         /* of a directory: which entries differ, for people; or NULL */
};

/* The ancestors that madeBy names. */
enum verify_chain {
	VERIFY_CHAIN_NONE,      /* nothing is asked of them */
	VERIFY_CHAIN_JUDGED,    /* each is judged, and theirs */
	VERIFY_CHAIN_NAMED      /* they are there and made the inputs; the caller judges them by themselves */
};

struct verify_request {
	struct oid id;              /* of the certificate */
	const void *data;           /* its bytes */
	size_t len;
	verify_fetch *fetch;        /* NULL: nothing else can be had */
	void *fetch_arg;
	const struct trust *trust;  /* NULL: no entries */
	/* For who judges many with the same trust entries; NULL: one of this call alone. */
	struct memo *memo;
	const struct policy *policy; /* NULL: none */
	const struct buf *crls;     /* revocation lists, DER or PEM, for the AK's certificates */
	size_t crl_count;
	const struct reference_set *references; /* NULL: none */
	/* One of the documents marked as demanded must match, or boot.reference fails; not
	 * so for ancestors. */
	bool reference_required;
	enum verdict_level required;
	int64_t time;
	const char *time_source;
	/* RFC 3161, over the certificate's bytes: proves a time, at which everything is judged
	 * unless time_source is other than "now"; NULL: none.  Not of ancestors. */
	const struct buf *time_stamp;
	enum verify_chain chain;
	const struct verify_file *outputs;  /* NULL, 0: not asked for */
	size_t output_count;
	bool check_inputs;          /* --inputs */
	/* Not all inputs are compared but those given, which may lie inside of one. */
	bool inputs_given;
	const struct verify_file *inputs;
	size_t input_count;
	/* What was sent, where it is known (a commit in progress): both NULL otherwise. */
	const struct run_spec *spec;
	const unsigned char *nonce;
};

/* 0: *ret holds the verdict, whatever it is. -1: it could not be made (memory). */
int verify_certificate(const struct verify_request *rq, struct verdict **ret, struct err *e) MUST_CHECK;

/* The identity of a runner: checks ak.*, quote.* but quote.start, boot.* (aicert-protocol(5)). */
struct verify_identity {
	unsigned char nonce[32];
	struct oid spki;            /* the channel key's digest */
	const struct certificate_quote *quote;
	const struct buf *ak_public;
	const struct buf *ak_chain;
	size_t ak_chain_count;
	enum event_tpm tpm;
	const struct buf *boot_log; /* NULL or empty: none */
	const struct trust *trust;
	const struct reference_set *references; /* NULL: none */
	enum verdict_level required;
	int64_t time;
	bool in_use;                /* a run of the caller's was started: PCR 14, 15 are used */
};
int verify_identity(const struct verify_identity *rq, struct verdict **ret, struct err *e) MUST_CHECK;

#endif
