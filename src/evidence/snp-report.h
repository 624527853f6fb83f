/*
 * The attestation report of AMD SEV-SNP ("SEV Secure Nested Paging Firmware
 * ABI", 56860, section "ATTESTATION_REPORT"), versions 2, 3 and 5.  Pure; reads
 * 1184 bytes and nothing else.
 */
#ifndef EVIDENCE_SNP_REPORT_H
#define EVIDENCE_SNP_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "crypto/key.h"

#define SNP_REPORT_SIZE 1184
#define SNP_REPORT_SIGNED 0x2a0     /* what the signature covers */
#define SNP_REPORT_DIGEST_SIZE 48

enum snp_product { SNP_MILAN, SNP_GENOA, SNP_TURIN };

/* Security patch levels, read out of TCB_VERSION; fmc is 0 where the product has none. */
struct snp_tcb {
	uint8_t bootloader, tee, snp, microcode, fmc;
};

struct snp_report {
	uint32_t version, guest_svn;
	uint64_t policy, platform_info;
	uint32_t vmpl;
	bool debug, migration, smt;         /* of the policy */
	unsigned char family_id[16], image_id[16];
	unsigned char report_data[64];
	unsigned char measurement[SNP_REPORT_DIGEST_SIZE];
	unsigned char host_data[32];
	unsigned char id_key_digest[SNP_REPORT_DIGEST_SIZE];
	unsigned char author_key_digest[SNP_REPORT_DIGEST_SIZE];
	unsigned char report_id[32], report_id_ma[32];
	bool has_cpuid;                     /* from version 3 on */
	uint8_t cpuid_family, cpuid_model, cpuid_stepping;
	unsigned char chip_id[64];
	/* TCB_VERSION as it stands: what it means depends on the product */
	unsigned char current_tcb[8], reported_tcb[8], committed_tcb[8], launch_tcb[8];
	unsigned char r[48], s[48];         /* of the signature, big endian */
};

/* ERR_UNSUPPORTED for versions, signature algorithms and signing keys (VLEK) that we do
 * not judge, each by name; ERR_FORMAT for another length, and for bytes and bits that
 * must be zero and are not. */
int snp_report_decode(const void *data, size_t len, struct snp_report *ret, struct err *e) MUST_CHECK;
/* ECDSA P-384 with SHA-384 over the first SNP_REPORT_SIGNED bytes of data, from which r
 * was decoded.  *ret_ok says what was found. */
int snp_report_verify(const struct snp_report *r, const void *data, const struct key *vcek,
    bool *ret_ok, struct err *e) MUST_CHECK;

const char *snp_report_product_name(enum snp_product p); /* "Milan" */
/* Does the CPUID of the report, where it has one, name this product? */
bool snp_report_is_product(const struct snp_report *r, enum snp_product p);
/* TCB_VERSION by the product's layout; ERR_FORMAT when reserved bytes are set. */
int snp_report_tcb(const unsigned char raw[8], enum snp_product p, struct snp_tcb *ret,
    struct err *e) MUST_CHECK;
/* Every level at least that of least. */
bool snp_report_tcb_at_least(const struct snp_tcb *t, const struct snp_tcb *least);
/* "bootloader=3,tee=0,snp=8,microcode=115" with fmc in front when with_fmc */
void snp_report_tcb_text(const struct snp_tcb *t, bool with_fmc, struct buf *ret);

#endif
