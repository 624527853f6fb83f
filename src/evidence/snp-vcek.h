/*
 * The versioned chip endorsement key's certificate ("VCEK Certificate and KDS
 * Interface Specification", 57230, section 3.1): which chip, at which patch
 * levels.
 */
#ifndef EVIDENCE_SNP_VCEK_H
#define EVIDENCE_SNP_VCEK_H

#include "crypto/x509.h"
#include "evidence/snp-report.h"

struct snp_vcek {
	enum snp_product product;
	unsigned char chip_id[64];      /* as a report has it: a short hwID is followed by zeros */
	unsigned char tcb[8];           /* TCB_VERSION of the levels the key was derived for */
};

/* A VLEK, a CA, another product, missing or malformed extensions: ERR_UNSUPPORTED or
 * ERR_FORMAT by name.  Who signed the certificate is not looked at. */
int snp_vcek_read(const struct x509_cert *c, struct snp_vcek *ret, struct err *e) MUST_CHECK;
/* The certificate is of the chip, product and reported levels of the report; the first
 * difference is named in reason. */
bool snp_vcek_matches(const struct snp_vcek *v, const struct snp_report *r, struct buf *reason);

#endif
