/*
 * A processor of our own making: ARK, ASK and VCEK, and reports it would sign,
 * honest or lying, bare or in an HCL report.  Written by the specifications, with
 * nothing shared with the readers under test.
 */
#ifndef UNIT_EVIDENCE_SNP_FORGE_H
#define UNIT_EVIDENCE_SNP_FORGE_H

#include "evidence/hardware.h"
#include "pki.h"

#define SNP_FORGE_TIME 1795000000
#define SNP_FORGE_OID "1.3.6.1.4.1.3704.1."
#define SNP_FORGE_EXTENSIONS 16

struct snp_forge {
	bool turin;
	enum pki_key ca_key;
	struct pki_pss pss;             /* of every certificate */
	struct pki *ark, *ask, *vcek, *ak;
	struct pki_extension extensions[SNP_FORGE_EXTENSIONS]; /* of the VCEK */
	size_t extension_count;
	unsigned char report[SNP_REPORT_SIZE];
	uint32_t hcl_type, hcl_version;
	struct buf runtime;             /* JSON */
	struct buf hcl;
	struct buf chain[3];            /* DER: VCEK, ASK, ARK */
	struct x509_cert *root;
	struct hardware_launch launch;  /* the report's ID_KEY_DIGEST */
	struct hardware_pin pin;
	struct key *ak_key;
};

/* For tcase_add_unchecked_fixture(): makes RSA keys once, for all tests that follow. */
void snp_forge_prepare(void);
void snp_forge_done(void);
/* A Milan or Turin whose report is good; everything derived is made. */
void snp_forge_new(struct snp_forge *f, bool turin);
/* Again from the parts, after one was changed. */
void snp_forge_vcek(struct snp_forge *f);   /* certificate, chain; a new key */
void snp_forge_runtime(struct snp_forge *f, const char *kid, const char *more); /* JSON of ak */
void snp_forge_sign(struct snp_forge *f);   /* REPORT_DATA as it is */
void snp_forge_bind(struct snp_forge *f);   /* REPORT_DATA of runtime, signature, HCL report */
void snp_forge_wrap(struct snp_forge *f);   /* the HCL report alone */
void snp_forge_free(struct snp_forge *f);

void snp_forge_u32(unsigned char *p, uint32_t v);
struct pki_extension *snp_forge_extension(struct snp_forge *f, const char *suffix);
/* The whole request: HCL or bare, chain of VCEK and ASK, the one pin, the AK. */
struct hardware_request snp_forge_request(const struct snp_forge *f, enum hardware_format format);

#endif
