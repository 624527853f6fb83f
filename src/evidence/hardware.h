/*
 * Judging a hardware report: SEV-SNP, bare or inside Azure's HCL report.  Every
 * part is judged on its own, so that who asks sees all that is wrong.
 *
 * A report proves which CPU runs what was launched on it, and what that put into
 * REPORT_DATA; not who emulates a TPM.  So the launch must be one that is pinned.
 */
#ifndef EVIDENCE_HARDWARE_H
#define EVIDENCE_HARDWARE_H

#include "evidence/ak-chain.h"
#include "evidence/hcl-report.h"
#include "evidence/snp-vcek.h"

#define HARDWARE_LAUNCH_MAX 64

enum hardware_format { HARDWARE_SNP, HARDWARE_HCL };

enum hardware_part {
	HARDWARE_REPORT,    /* its bytes can be read and what must be zero is */
	HARDWARE_CHAIN,     /* VCEK <- ASK <- a pinned ARK, at the time */
	HARDWARE_VCEK,      /* of this chip, product and patch levels */
	HARDWARE_SIGNATURE, /* the report is signed by the VCEK */
	HARDWARE_POLICY,    /* VMPL 0, no debugging, no migration */
	HARDWARE_BINDING,   /* REPORT_DATA is what it must be */
	HARDWARE_AK,        /* the TPM's key it names is the one that signs quotes */
	HARDWARE_LAUNCH,    /* what was launched is pinned */
	HARDWARE_TCB,       /* minimum patch levels */
	HARDWARE_PARTS
};

/* UNPINNED: nothing is wrong, but nobody who is trusted vouches for it. */
enum hardware_result { HARDWARE_SKIPPED, HARDWARE_PASSED, HARDWARE_UNPINNED, HARDWARE_FAILED };

/* What was launched: the digest of the key that signed it, or of its pages. */
enum hardware_identity { HARDWARE_ID_KEY, HARDWARE_MEASUREMENT };

struct hardware_launch {
	enum hardware_identity kind;
	unsigned char digest[SNP_REPORT_DIGEST_SIZE];
};

/* One ARK and what is demanded of reports that end at it; all borrowed. */
struct hardware_pin {
	const struct x509_cert *ark;
	const struct hardware_launch *launch;
	size_t launch_count;            /* 0: nothing is pinned, so no report passes */
	bool has_minimum;
	struct snp_tcb minimum;
};

struct hardware_request {
	enum hardware_format format;
	const void *report;
	size_t len;
	bool exact;                     /* HCL: no padding after the end, no root in the chain */
	const struct buf *chain;        /* DER: VCEK, ASK unless a helper is it, perhaps the ARK */
	size_t chain_count;
	const struct x509_cert *const *helpers; /* not exact: intermediates the chain may lack */
	size_t helper_count;
	const struct hardware_pin *pins;
	size_t pin_count;
	const struct key *ak;           /* NULL: HARDWARE_AK is skipped */
	const unsigned char *report_data; /* SNP: 64 bytes; NULL: HARDWARE_BINDING is skipped */
	int64_t time;
};

struct hardware_finding {
	enum hardware_result result;
	struct buf expected, found;     /* texts, may be empty */
};

struct hardware {
	struct hardware_finding parts[HARDWARE_PARTS];
	bool has_report, has_vcek;
	struct snp_report report;
	struct snp_vcek vcek;
	struct key *ak;                 /* HCL: HCLAkPub, or NULL */
	size_t pin;                     /* whose launch and levels passed, when both did */
};

const char *hardware_part_name(enum hardware_part p);   /* "signature" */
/* "idkey:HEX" or "measurement:HEX", 96 digits, not all zero: ERR_FORMAT. */
int hardware_launch_parse(const char *text, struct hardware_launch *ret, struct err *e) MUST_CHECK;
/* -1 only when it could not be judged (memory). */
int hardware_judge(const struct hardware_request *rq, struct hardware *ret, struct err *e) MUST_CHECK;
/* FAILED if a part failed, else UNPINNED if one is, else PASSED; parts that were not
 * asked for count as passed.  *ret_part: the first that decided. */
enum hardware_result hardware_result(const struct hardware *h, enum hardware_part *ret_part);
void hardware_free(struct hardware *h);

#endif
