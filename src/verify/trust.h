/* Trust entries: whom a verifier believes, and for what. Never taken from evidence. */
#ifndef VERIFY_TRUST_H
#define VERIFY_TRUST_H

#include "evidence/hardware.h"
#include "verify/verdict.h"

#define TRUST_MEDIA_TYPE "application/vnd.aicert.trust.v1+json"

/* What a certificate is believed to be good for.  An intermediate is believed for nothing:
 * it only completes the path from a leaf to an entry that is. */
enum trust_purpose {
	TRUST_AK, TRUST_EK, TRUST_TSA, TRUST_SNP, TRUST_TDX, TRUST_LOG, TRUST_AUTHOR,
	TRUST_INTERMEDIATE
};

#define TRUST_PURPOSES_MAX 8
#define TRUST_OID_SIZE 64

struct trust_purposes {         /* of a certificate's extendedKeyUsage, dotted */
	char oids[TRUST_PURPOSES_MAX][TRUST_OID_SIZE];
	size_t count;
};

struct trust_entry {
	char *name;
	enum trust_purpose purpose;
	enum verdict_level grants;  /* LEVEL_NONE for an intermediate */
	int64_t not_before, not_after;
	int64_t ak_not_before;      /* AKs certified before it are granted nothing; 0: no such day */
	struct trust_purposes required, forbidden; /* of the AK's certificate, beside the profile of all */
	char *source;               /* where the certificate was taken from, for people; or NULL */
	struct x509_cert *cert;
	struct oid fingerprint;     /* SHA-256 of the certificate */
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

/* A document of aicert-trust(5), added to *t.
 *  An entry of purpose snp may have
 *  "launch":[{"idKeyDigest":hex} or {"measurement":hex}, ...] and
 *  "minimumTcb":{"bootloader":n,"fmc":n,"microcode":n,"snp":n,"tee":n}, fmc optional.
 *  Canonical JSON only; a second entry of the same name, or of the same certificate
 *  and purpose, but for snp: ERR_EXISTS; *t is unchanged on failure. */
int trust_add(struct trust *t, const void *json, size_t len, struct err *e) MUST_CHECK;
void trust_free(struct trust *t);
/* Has the AK's certificate the purposes that the entry asks for, and none it forbids? */
bool trust_leaf_ok(const struct trust_entry *t, const struct x509_cert *leaf, struct buf *reason);
/* ERR_FORMAT unless it is an object identifier and there is room. */
int trust_leaf_add(struct trust_purposes *list, const char *oid, struct err *e) MUST_CHECK;
/* Is anything decided by entries of this purpose? */
bool trust_purpose_used(enum trust_purpose purpose);
/* "ak" and so on; ERR_UNSUPPORTED for another. */
int trust_purpose_parse(const char *name, enum trust_purpose *ret, struct err *e) MUST_CHECK;
const char *trust_purpose_name(enum trust_purpose purpose);

/* The canonical document of an entry; fingerprint and document need not be set. */
int trust_encode(const struct trust_entry *t, struct buf *ret, struct err *e) MUST_CHECK;

#endif
