/* What a verification found: a list of checks, a level, a verdict in words and in JSON. */
#ifndef VERIFY_VERDICT_H
#define VERIFY_VERDICT_H

#include "base/buf.h"
#include "object/event.h"
#include "object/oid.h"

enum verdict_check {            /* in the order of aicert-certificate(5) */
	CHECK_OBJECT_ID, CHECK_CERTIFICATE_CANONICAL, CHECK_EVENTS_GRAMMAR, CHECK_AK_CHAIN,
	CHECK_AK_KEY, CHECK_QUOTE_STRUCTURE, CHECK_QUOTE_SIGNATURE, CHECK_QUOTE_BINDING,
	CHECK_QUOTE_PCRS, CHECK_QUOTE_START, CHECK_BOOT_LOG, CHECK_BOOT_REFERENCE,
	CHECK_INPUTS_LOG, CHECK_OUTPUTS_LOG, CHECK_RUN_EXIT, CHECK_ENVELOPE_STATEMENT,
	CHECK_ENVELOPE_SIGNATURE, CHECK_HARDWARE_REPORT, CHECK_TIME_PROOF,
	CHECK_COMMIT_SIGNATURE, CHECK_FILES_OUTPUTS, CHECK_FILES_INPUTS, CHECK_CHAIN_INPUTS,
	CHECK_REVOCATION, CHECK_POLICY,
	CHECK_COUNT
};

enum verdict_result { VERDICT_SKIP, VERDICT_PASS, VERDICT_FAIL };
enum verdict_level { LEVEL_NONE, LEVEL_SIMULATED, LEVEL_DEVICE, LEVEL_VTPM, LEVEL_CONFIDENTIAL };
enum verdict_answer { ANSWER_FAIL, ANSWER_UNDECIDED, ANSWER_PASS };

struct verdict_item {
	enum verdict_result result;
	bool missing;               /* a skip for want of an object or of what could be fetched */
	char *expected;             /* NULL: none */
	char *found;
};

/* What the certificate says of the run, for the sentence that people read. */
struct verdict_run {
	bool known;
	char *command;              /* as run_spec_command() writes it; printable */
	char *image;                /* its name, "unknown" where unmeasured; printable */
	size_t inputs, outputs;     /* as asked for */
	size_t missing;             /* outputs that were not there in the end */
	bool has_times;
	int64_t started, finished;  /* as the host claims */
};

struct verdict {
	enum verdict_answer answer;
	enum verdict_level level, required;
	char *subject;              /* what was asked about: a path or an id */
	struct oid certificate;
	struct verdict_item checks[CHECK_COUNT];
	bool partial;               /* only those with `asked` were judged and are written out */
	bool asked[CHECK_COUNT];
	enum event_tpm tpm;         /* as the run states it; embedded while unknown */
	bool emulated;              /* its reference record is of a machine whose TPM is a program */
	char *bank;                 /* the bank that carries the proof */
	int64_t time;
	char *time_source;          /* "now", "--at", "evidence" */
	char **notes;               /* sentences for people: what is not proved, other matches, ... */
	size_t note_count;
	struct verdict **chain;     /* ancestors */
	size_t chain_count;
	struct verdict_run run;
	char *root;                 /* the trust entry that vouches for the AK; NULL: none does */
	struct oid trust_digest, reference_digest, policy_digest;
};

const char *verdict_check_name(enum verdict_check c);   /* "quote.binding" */
const char *verdict_check_clause(enum verdict_check c); /* "aicert-certificate(5) ..." */
const char *verdict_level_name(enum verdict_level l);   /* "none" for LEVEL_NONE */
/* ERR_USAGE lists the checks. */
int verdict_check_parse(const char *name, enum verdict_check *ret, struct err *e) MUST_CHECK;
int verdict_level_parse(const char *name, enum verdict_level *ret, struct err *e) MUST_CHECK;

int verdict_new(struct verdict **ret, struct err *e) MUST_CHECK;
void verdict_free(struct verdict *v);
/* expected and found may be NULL; a later fail replaces a pass, never the reverse. */
int verdict_set(struct verdict *v, enum verdict_check c, enum verdict_result r,
    const char *expected, const char *found, struct err *e) MUST_CHECK;
int verdict_missing(struct verdict *v, enum verdict_check c, const char *what, struct err *e) MUST_CHECK;
int verdict_note(struct verdict *v, struct err *e, const char *fmt, ...) PRINTF(3, 4) MUST_CHECK;

/* The document of aicert-verify(1), canonical. */
int verdict_to_json(const struct verdict *v, struct buf *ret, struct err *e) MUST_CHECK;
/* A table and a sentence for people. all: also the checks that passed or were skipped. */
int verdict_to_text(const struct verdict *v, bool all, struct buf *ret, struct err *e) MUST_CHECK;
/* What a check asks, how to look at it with other tools, and what its failure means. */
int verdict_explain(enum verdict_check c, struct buf *ret, struct err *e) MUST_CHECK;

#endif
