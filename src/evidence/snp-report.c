/*
 * Invariants: a byte that the signature does not cover is zero, or belongs to
 * the signature; so no bit of an accepted report can be changed and stay
 * accepted.  A version that is not listed may give a meaning to a byte that is
 * reserved in those we know, and is refused.
 */
#include "evidence/snp-report.h"

#include <string.h>

#define SNP_REPORT_ALGO_ECDSA_P384_SHA384 1
#define SNP_REPORT_NUMBER 72            /* bytes of r and of s, little endian */
#define SNP_REPORT_KEY_SHIFT 2          /* SIGNING_KEY in the flags at 0x48 */
#define SNP_REPORT_KEY_VLEK 1

/* GUEST_POLICY (section "Guest policy structure"). */
#define SNP_REPORT_POLICY_SMT (UINT64_C(1) << 16)
#define SNP_REPORT_POLICY_ONE (UINT64_C(1) << 17)
#define SNP_REPORT_POLICY_MIGRATE (UINT64_C(1) << 18)
#define SNP_REPORT_POLICY_DEBUG (UINT64_C(1) << 19)
#define SNP_REPORT_POLICY_BITS 26

struct snp_report_zeros {
	uint16_t from, to;  /* first byte and the one after the last */
	uint16_t until;     /* reserved in versions below this one; 0: in all */
};

static const struct snp_report_zeros snp_report_reserved[] = {
	{0x4c, 0x50, 0},
	{0x188, 0x18b, 3},                  /* CPUID */
	{0x18b, 0x1a0, 0},
	{0x1eb, 0x1ec, 0}, {0x1ef, 0x1f0, 0},
	{0x1f8, 0x208, 5},                  /* mitigation vectors */
	{0x208, SNP_REPORT_SIGNED, 0},
	{SNP_REPORT_SIGNED + 48, SNP_REPORT_SIGNED + 72, 0},   /* r is of 384 bits */
	{SNP_REPORT_SIGNED + 120, SNP_REPORT_SIGNED + 144, 0}, /* and so is s */
	{SNP_REPORT_SIGNED + 144, SNP_REPORT_SIZE, 0},
};

static uint64_t
snp_report_le(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	while (n > 0)
		v = v << 8 | p[--n];
	return v;
}

static bool
snp_report_zero(const unsigned char *p, size_t n)
{
	unsigned char any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

static int
snp_report_check_reserved(const unsigned char *p, uint32_t version, struct err *e)
{
	for (size_t i = 0; i < sizeof snp_report_reserved / sizeof *snp_report_reserved; i++) {
		const struct snp_report_zeros *z = &snp_report_reserved[i];

		if ((z->until == 0 || version < z->until) && !snp_report_zero(p + z->from, z->to - z->from))
			return err_set(e, ERR_FORMAT, "SNP report: reserved bytes 0x%x to 0x%x are not zero",
			    z->from, z->to - 1u);
	}
	return 0;
}

static int
snp_report_check_head(const unsigned char *p, struct snp_report *r, struct err *e)
{
	uint64_t algorithm = snp_report_le(p + 0x34, 4), flags = snp_report_le(p + 0x48, 4);
	uint64_t key = flags >> SNP_REPORT_KEY_SHIFT & 7;

	r->version = (uint32_t)snp_report_le(p, 4);
	if (r->version != 2 && r->version != 3 && r->version != 5)
		return err_set(e, ERR_UNSUPPORTED, "SNP report: version %lu; known are 2, 3 and 5",
		    (unsigned long)r->version);
	if (algorithm != SNP_REPORT_ALGO_ECDSA_P384_SHA384)
		return err_set(e, ERR_UNSUPPORTED,
		    "SNP report: signature algorithm %lu is not ECDSA P-384 with SHA-384",
		    (unsigned long)algorithm);
	if (key == SNP_REPORT_KEY_VLEK)
		return err_set(e, ERR_UNSUPPORTED,
		    "SNP report: signed by a VLEK, a key of the cloud's; only VCEKs are judged");
	if (key != 0)
		return err_set(e, ERR_UNSUPPORTED, "SNP report: signing key %lu is no VCEK",
		    (unsigned long)key);
	if (flags >> 5 != 0)
		return err_set(e, ERR_FORMAT, "SNP report: reserved bits of the flags are set");
	return 0;
}

static int
snp_report_take_policy(const unsigned char *p, struct snp_report *r, struct err *e)
{
	r->policy = snp_report_le(p + 0x8, 8);
	if ((r->policy & SNP_REPORT_POLICY_ONE) == 0 || r->policy >> SNP_REPORT_POLICY_BITS != 0)
		return err_set(e, ERR_FORMAT, "SNP report: reserved bits of the policy 0x%llx are wrong",
		    (unsigned long long)r->policy);
	r->smt = (r->policy & SNP_REPORT_POLICY_SMT) != 0;
	r->migration = (r->policy & SNP_REPORT_POLICY_MIGRATE) != 0;
	r->debug = (r->policy & SNP_REPORT_POLICY_DEBUG) != 0;
	return 0;
}

static void
snp_report_take_body(const unsigned char *p, struct snp_report *r)
{
	r->guest_svn = (uint32_t)snp_report_le(p + 0x4, 4);
	memcpy(r->family_id, p + 0x10, sizeof r->family_id);
	memcpy(r->image_id, p + 0x20, sizeof r->image_id);
	r->vmpl = (uint32_t)snp_report_le(p + 0x30, 4);
	memcpy(r->current_tcb, p + 0x38, 8);
	r->platform_info = snp_report_le(p + 0x40, 8);
	memcpy(r->report_data, p + 0x50, sizeof r->report_data);
	memcpy(r->measurement, p + 0x90, sizeof r->measurement);
	memcpy(r->host_data, p + 0xc0, sizeof r->host_data);
	memcpy(r->id_key_digest, p + 0xe0, sizeof r->id_key_digest);
	memcpy(r->author_key_digest, p + 0x110, sizeof r->author_key_digest);
	memcpy(r->report_id, p + 0x140, sizeof r->report_id);
	memcpy(r->report_id_ma, p + 0x160, sizeof r->report_id_ma);
	memcpy(r->reported_tcb, p + 0x180, 8);
	r->has_cpuid = r->version >= 3;
	r->cpuid_family = p[0x188];
	r->cpuid_model = p[0x189];
	r->cpuid_stepping = p[0x18a];
	memcpy(r->chip_id, p + 0x1a0, sizeof r->chip_id);
	memcpy(r->committed_tcb, p + 0x1e0, 8);
	memcpy(r->launch_tcb, p + 0x1f0, 8);
}

static void
snp_report_take_signature(const unsigned char *p, struct snp_report *r)
{
	for (size_t i = 0; i < sizeof r->r; i++) {
		r->r[i] = p[SNP_REPORT_SIGNED + 47 - i];
		r->s[i] = p[SNP_REPORT_SIGNED + SNP_REPORT_NUMBER + 47 - i];
	}
}

int
snp_report_decode(const void *data, size_t len, struct snp_report *ret, struct err *e)
{
	const unsigned char *p = data;
	struct snp_report r = {0};

	if (len != SNP_REPORT_SIZE)
		return err_set(e, ERR_FORMAT, "SNP report: %zu bytes instead of %d", len, SNP_REPORT_SIZE);
	if (snp_report_check_head(p, &r, e) != 0 || snp_report_take_policy(p, &r, e) != 0 ||
	    snp_report_check_reserved(p, r.version, e) != 0)
		return -1;
	snp_report_take_body(p, &r);
	snp_report_take_signature(p, &r);
	*ret = r;
	return 0;
}

int
snp_report_verify(const struct snp_report *r, const void *data, const struct key *vcek,
    bool *ret_ok, struct err *e)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;

	if (key_ecdsa_der(r->r, sizeof r->r, r->s, sizeof r->s, &der, e) != 0)
		return -1;
	if (key_kind(vcek) != KEY_P384) {
		*ret_ok = false;
		return 0;
	}
	return key_verify(vcek, KEY_ECDSA, HASH_SHA384, false, data, SNP_REPORT_SIGNED, der.data,
	    der.len, ret_ok, e);
}

const char *
snp_report_product_name(enum snp_product p)
{
	static const char *const names[] = {
		[SNP_MILAN] = "Milan", [SNP_GENOA] = "Genoa", [SNP_TURIN] = "Turin",
	};

	return p <= SNP_TURIN ? names[p] : "unknown";
}

/* Family 19h models 0 to Fh are Milan, 10h to 1Fh and A0h to AFh Genoa and its kin. */
bool
snp_report_is_product(const struct snp_report *r, enum snp_product p)
{
	unsigned group = r->cpuid_model >> 4;

	if (!r->has_cpuid)
		return true;
	switch (p) {
	case SNP_MILAN:
		return r->cpuid_family == 0x19 && group == 0;
	case SNP_GENOA:
		return r->cpuid_family == 0x19 && (group == 1 || group == 0xa);
	case SNP_TURIN:
		return r->cpuid_family == 0x1a && group <= 1;
	}
	return false;
}

int
snp_report_tcb(const unsigned char raw[8], enum snp_product p, struct snp_tcb *ret, struct err *e)
{
	bool turin = p == SNP_TURIN;

	if (!snp_report_zero(raw + (turin ? 4 : 2), turin ? 3 : 4))
		return err_set(e, ERR_FORMAT, "SNP report: reserved bytes of a %s TCB version are not zero",
		    snp_report_product_name(p));
	if (turin)
		*ret = (struct snp_tcb){.fmc = raw[0], .bootloader = raw[1], .tee = raw[2], .snp = raw[3],
		    .microcode = raw[7]};
	else
		*ret = (struct snp_tcb){.bootloader = raw[0], .tee = raw[1], .snp = raw[6],
		    .microcode = raw[7]};
	return 0;
}

bool
snp_report_tcb_at_least(const struct snp_tcb *t, const struct snp_tcb *least)
{
	return t->bootloader >= least->bootloader && t->tee >= least->tee && t->snp >= least->snp &&
	    t->microcode >= least->microcode && t->fmc >= least->fmc;
}

void
snp_report_tcb_text(const struct snp_tcb *t, bool with_fmc, struct buf *ret)
{
	if (with_fmc)
		buf_addf(ret, "fmc=%u,", t->fmc);
	buf_addf(ret, "bootloader=%u,tee=%u,snp=%u,microcode=%u", t->bootloader, t->tee, t->snp,
	    t->microcode);
}
