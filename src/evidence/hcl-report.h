/*
 * The report that Azure's paravisor (host compatibility layer) leaves in NV index
 * 0x01400001 of a confidential machine's virtual TPM: a hardware report whose
 * REPORT_DATA is the digest of a JSON text, which names the attestation key of
 * that TPM.  All numbers are little endian:
 *
 *	0    "HCLA", version 1 or 2, size of all up to the end of the JSON,
 *	     request type 2, status 0, 12 zero bytes
 *	32   hardware report, 1184 bytes, a shorter one followed by zeros
 *	1216 size from here, version 1, type of the hardware report (2 SNP, 4 TDX),
 *	     hash of the JSON (1 SHA-256), length of the JSON
 *	1236 the JSON
 *
 * The JSON is whatever the paravisor wrote: not canonical, its members unknown but
 * for those read here.
 */
#ifndef EVIDENCE_HCL_REPORT_H
#define EVIDENCE_HCL_REPORT_H

#include "evidence/snp-report.h"

#define HCL_REPORT_MAX 16384

enum hcl_report_type { HCL_REPORT_SNP, HCL_REPORT_TDX };

struct hcl_report {                     /* all borrowed from the bytes decoded */
	enum hcl_report_type type;
	const unsigned char *hardware;      /* SNP_REPORT_SIZE bytes */
	const char *runtime;                /* the JSON */
	size_t runtime_len;
	size_t len;                         /* without the zeros that pad the NV index */
};

/* Zeros after the end are what an NV index read whole has; anything else there, other
 * sizes, versions and types: ERR_FORMAT or ERR_UNSUPPORTED by name. */
int hcl_report_decode(const void *data, size_t len, struct hcl_report *ret, struct err *e) MUST_CHECK;
/* Is SHA-256(JSON) the first half of report_data, and the second half zero? */
int hcl_report_bound(const struct hcl_report *h, const unsigned char report_data[64], bool *ret_ok,
    struct err *e) MUST_CHECK;
/* The one key of the JSON that is named HCLAkPub: RSA of 2048 bits or more. */
int hcl_report_ak(const struct hcl_report *h, struct key **ret, struct err *e) MUST_CHECK;

#endif
