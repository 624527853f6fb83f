/*
 * The checks of aicert-certificate(5) section 7, one small function each, over
 * one shared context.  A check writes what it found into the verdict; it
 * returns -1 only for want of memory.  checks.c has the plumbing and the
 * checks that are not judged yet; checks-boot.c, checks-events.c, checks-key.c,
 * checks-quote.c, checks-envelope.c, checks-hardware.c, checks-files.c, checks-chain.c,
 * checks-time.c, checks-policy.c the rest.
 */
#ifndef VERIFY_CHECKS_H
#define VERIFY_CHECKS_H

#include "evidence/ak-chain.h"
#include "evidence/ak-public.h"
#include "evidence/attest.h"
#include "evidence/event-log.h"
#include "evidence/quote-check.h"
#include "evidence/replay.h"
#include "verify/level.h"
#include "verify/verify.h"

#define CHECKS_DEPTH_MAX 256        /* generations of a lineage */
#define CHECKS_ANCESTORS_MAX 4096   /* certificates of a lineage */
#define CHECKS_UNPROVEN "Unproven origin: "

/* What one verification knows of all certificates it met. */
struct checks_lineage {
	struct verdict **done;      /* ancestors before those they were used for; owned */
	size_t done_count;
	struct oid active[CHECKS_DEPTH_MAX + 1]; /* being judged, from the one asked for down */
	size_t depth;
};

/* One quote, decoded, with what it has to bind. */
struct checks_quote {
	const char *name;           /* "quote", "startQuote" */
	const struct certificate_quote *raw; /* NULL: there is none (an identity) */
	bool decoded;
	struct attest attest;
	struct err why;             /* not decoded: the reason */
	struct quote_check_pcrs pcrs;
	struct buf text;            /* the text whose SHA-256 is the expected extraData */
	unsigned char extra[HASH_SHA256_SIZE];
};

struct check_ctx {
	const struct verify_request *rq;
	struct verdict *v;
	const struct trust *trust;
	int64_t time;
	struct certificate *cert;   /* decoded; NULL for an identity */
	bool identity_in_use;       /* of an identity: its PCR 14 and 15 may be used */
	const struct buf *ak_public;
	const struct buf *ak_chain;
	size_t ak_chain_count;
	struct memo *memo;
	struct memo_item *chain_item, *ak_item, *leaf_item; /* held; NULL: not asked yet */
	int64_t ak_certified;       /* ak.chain passed: notBefore of the AK's certificate */
	const char *image;          /* boot.reference passed: its record's image; NULL: it did not */
	const struct ak_chain_path *ak_path; /* as ak.chain judged it; NULL: no chain */
	struct checks_quote quote, start;
	enum hash_alg bank;         /* that carries the proof */
	const struct buf *identity_log; /* an identity's boot log, or NULL */
	struct buf boot_bytes;      /* the boot log, once fetched */
	struct event_log boot_log;  /* of boot_bytes */
	const struct ak_public *ak; /* NULL: cannot be read */
	bool has_hierarchy;         /* ak is a primary of this hierarchy */
	enum ak_hierarchy hierarchy;
	struct replay pcr14, pcr15; /* of the events, from zeros */
	struct level_facts facts;
	const struct resource *found_in; /* the output that a file without a name is in */
	struct checks_lineage *lineage;
	enum verdict_level ancestors_level; /* the lowest of them; CONFIDENTIAL without any */
};

typedef int check_fn(struct check_ctx *x, struct err *e);

/* checks.c */
int checks_pass(struct check_ctx *x, enum verdict_check c, struct err *e) MUST_CHECK;
int checks_skip(struct check_ctx *x, enum verdict_check c, const char *reason, struct err *e) MUST_CHECK;
int checks_fail(struct check_ctx *x, enum verdict_check c, const char *expected, struct err *e,
    const char *fmt, ...) PRINTF(5, 6) MUST_CHECK;
/* A called function returned -1: out of memory is passed on, anything else
 * makes the check fail with the message. */
int checks_error(struct check_ctx *x, enum verdict_check c, const char *expected,
    const struct err *found, struct err *e) MUST_CHECK;
check_fn checks_commit_signature;
/* Fetches a tree or certificate and hashes it again.  0: *ret_ok says whether it is here; else
 * the check was set to missing, or failed where the bytes are damaged. */
int checks_fetch(struct check_ctx *x, enum verdict_check c, const struct object_ref *ref,
    struct buf *ret, bool *ret_ok, struct err *e) MUST_CHECK;

/* checks-boot.c */
check_fn checks_boot_log, checks_boot_reference;

/* checks-events.c */
int checks_events_replay(struct check_ctx *x, struct err *e) MUST_CHECK;
check_fn checks_events_grammar, checks_events_run_exit;

/* checks-key.c */
check_fn checks_key_chain, checks_key_ak, checks_revocation;

/* checks-quote.c */
int checks_quote_load(struct checks_quote *q, const char *name,
    const struct certificate_quote *raw, struct err *e) MUST_CHECK;
check_fn checks_quote_structure, checks_quote_signature, checks_quote_binding, checks_quote_pcrs,
    checks_quote_start, checks_quote_inputs_log, checks_quote_outputs_log;

/* checks-envelope.c */
check_fn checks_envelope_statement, checks_envelope_signature;

/* checks-hardware.c */
check_fn checks_hardware_report;

/* checks-files.c */
check_fn checks_files_outputs, checks_files_inputs;

/* checks-time.c */
int checks_time_load(struct check_ctx *x, struct err *e) MUST_CHECK;
check_fn checks_time_proof;

/* checks-policy.c */
check_fn checks_policy;

/* checks-chain.c */
check_fn checks_chain_inputs;

/* verify.c: one certificate, its ancestors added to lineage; for checks-chain.c.  The
 * request has a memo. */
int verify_one(const struct verify_request *rq, struct checks_lineage *lineage,
    const char *subject, struct verdict **ret, struct err *e) MUST_CHECK;

#endif
