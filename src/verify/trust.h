/* Trust entries: whom a verifier believes, and for what. Never taken from evidence. */
#ifndef VERIFY_TRUST_H
#define VERIFY_TRUST_H

#include "evidence/hardware.h"
#include "verify/verdict.h"

enum trust_purpose { TRUST_AK, TRUST_EK, TRUST_TSA, TRUST_SNP, TRUST_TDX, TRUST_LOG, TRUST_AUTHOR };

struct trust_entry {
	char *name;
	enum trust_purpose purpose;
	enum verdict_level grants;
	int64_t not_before, not_after;
	struct x509_cert *cert;
	struct hardware_launch *launch; /* purpose snp: identities of which a report shows one */
	size_t launch_count;            /* 0: no report passes by this entry */
	bool has_minimum_tcb;
	struct snp_tcb minimum_tcb;
	struct oid document;        /* of the text it was read from */
};

struct trust {
	struct trust_entry *entries;
	size_t count;
	struct oid digest;          /* SHA-256 over the documents' digests in ascending order; zero: none */
};

/* {"grants":"vtpm","mediaType":"application/vnd.aicert.trust.v1+json","name":...,
 *  "notAfter":...,"notBefore":...,"certificate":base64 DER,"purpose":"ak"}; added to *t.
 *  An entry of purpose snp may have
 *  "launch":[{"idKeyDigest":hex} or {"measurement":hex}, ...] and
 *  "minimumTcb":{"bootloader":n,"fmc":n,"microcode":n,"snp":n,"tee":n}, fmc optional.
 *  Canonical JSON only; a second entry of the same name, or of the same certificate
 *  and purpose, but for snp: ERR_EXISTS; *t is unchanged on failure. */
int trust_add(struct trust *t, const void *json, size_t len, struct err *e) MUST_CHECK;
void trust_free(struct trust *t);

#endif
