#include "evidence/snp-vcek.h"

#include <string.h>

#define SNP_VCEK_OID "1.3.6.1.4.1.3704.1."
#define SNP_VCEK_PRODUCT SNP_VCEK_OID "2"
#define SNP_VCEK_HWID SNP_VCEK_OID "4"
#define SNP_VCEK_CSP_ID SNP_VCEK_OID "5" /* only a VLEK has one */
#define SNP_VCEK_NAME_MAX 32

/* Where each level stands in TCB_VERSION; spl 4 to 7 are the reserved bytes. */
static const char *const snp_vcek_levels_zen3[8] = {
	SNP_VCEK_OID "3.1", SNP_VCEK_OID "3.2", SNP_VCEK_OID "3.4", SNP_VCEK_OID "3.5",
	SNP_VCEK_OID "3.6", SNP_VCEK_OID "3.7", SNP_VCEK_OID "3.3", SNP_VCEK_OID "3.8",
};
static const char *const snp_vcek_levels_turin[8] = {
	SNP_VCEK_OID "3.9", SNP_VCEK_OID "3.1", SNP_VCEK_OID "3.2", SNP_VCEK_OID "3.3",
	SNP_VCEK_OID "3.5", SNP_VCEK_OID "3.6", SNP_VCEK_OID "3.7", SNP_VCEK_OID "3.8",
};

/* DER INTEGER of 0 to 255, its one encoding. */
static int
snp_vcek_level(const struct x509_cert *c, const char *oid, unsigned char *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf v = BUF_INIT;

	if (x509_extension(c, oid, &v, e) != 0)
		return -1;
	if (v.len == 3 && v.data[0] == 2 && v.data[1] == 1 && v.data[2] < 0x80)
		*ret = v.data[2];
	else if (v.len == 4 && v.data[0] == 2 && v.data[1] == 2 && v.data[2] == 0 && v.data[3] >= 0x80)
		*ret = v.data[3];
	else
		return err_set(e, ERR_FORMAT, "VCEK: extension %s is no integer of 0 to 255", oid);
	return 0;
}

/* IA5String: the product, and its stepping after a hyphen. */
static int
snp_vcek_product(const struct x509_cert *c, enum snp_product *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf v = BUF_INIT;
	const char *name;
	size_t len;

	if (x509_extension(c, SNP_VCEK_PRODUCT, &v, e) != 0)
		return -1;
	if (v.len < 2 || v.len > SNP_VCEK_NAME_MAX || v.data[0] != 0x16 || v.data[1] != v.len - 2)
		return err_set(e, ERR_FORMAT, "VCEK: the product's name is malformed");
	name = (const char *)v.data + 2;
	len = strcspn(name, "-");
	for (enum snp_product p = SNP_MILAN; p <= SNP_TURIN; p++) {
		const char *known = snp_report_product_name(p);

		if (strlen(name) == v.len - 2 && len == strlen(known) && strncmp(name, known, len) == 0) {
			*ret = p;
			return 0;
		}
	}
	return err_set(e, ERR_UNSUPPORTED, "VCEK: product %.*s is not Milan, Genoa or Turin",
	    (int)(v.len - 2), name);
}

static int
snp_vcek_hwid(const struct x509_cert *c, struct snp_vcek *v, struct err *e)
{
	CLEANUP(buf_free) struct buf id = BUF_INIT;
	size_t wanted = v->product == SNP_TURIN ? 8 : 64;

	if (x509_extension(c, SNP_VCEK_HWID, &id, e) != 0)
		return -1;
	if (id.len != wanted)
		return err_set(e, ERR_FORMAT, "VCEK: a chip id of %zu bytes instead of %zu", id.len, wanted);
	memcpy(v->chip_id, id.data, wanted);
	return 0;
}

static int
snp_vcek_check_kind(const struct x509_cert *c, struct err *e)
{
	CLEANUP(buf_free) struct buf id = BUF_INIT;
	struct x509_profile p;

	if (x509_extension(c, SNP_VCEK_CSP_ID, &id, e) == 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "the certificate is of a VLEK, a key of the cloud's; only VCEKs are judged");
	if (e->code != ERR_NOTFOUND || x509_profile(c, &p, e) != 0)
		return -1;
	if (p.ca || p.unknown_critical)
		return err_set(e, ERR_FORMAT, "VCEK: %s",
		    p.ca ? "the certificate is a CA's" : "a critical extension we do not know");
	return 0;
}

static int
snp_vcek_take(const struct x509_cert *c, struct snp_vcek *v, struct err *e)
{
	const char *const *levels;

	if (snp_vcek_product(c, &v->product, e) != 0 || snp_vcek_hwid(c, v, e) != 0)
		return -1;
	levels = v->product == SNP_TURIN ? snp_vcek_levels_turin : snp_vcek_levels_zen3;
	for (size_t i = 0; i < sizeof v->tcb; i++) {
		if (snp_vcek_level(c, levels[i], &v->tcb[i], e) != 0)
			return -1;
	}
	return 0;
}

int
snp_vcek_read(const struct x509_cert *c, struct snp_vcek *ret, struct err *e)
{
	struct snp_vcek v = {0};

	if (snp_vcek_check_kind(c, e) != 0)
		return -1;
	if (snp_vcek_take(c, &v, e) != 0) {
		if (e->code == ERR_NOTFOUND) /* bytes that are no VCEK, not a file that is not there */
			e->code = ERR_FORMAT;
		return -1;
	}
	*ret = v;
	return 0;
}

static void
snp_vcek_explain_tcb(const struct snp_vcek *v, const struct snp_report *r, struct buf *reason)
{
	struct snp_tcb key = {0}, report = {0};
	bool fmc = v->product == SNP_TURIN;

	if (snp_report_tcb(v->tcb, v->product, &key, NULL) != 0 ||
	    snp_report_tcb(r->reported_tcb, v->product, &report, NULL) != 0) {
		buf_adds(reason, "reserved bytes of the reported TCB version are not zero");
		return;
	}
	buf_adds(reason, "the certificate is for ");
	snp_report_tcb_text(&key, fmc, reason);
	buf_adds(reason, ", the report states ");
	snp_report_tcb_text(&report, fmc, reason);
}

bool
snp_vcek_matches(const struct snp_vcek *v, const struct snp_report *r, struct buf *reason)
{
	struct snp_tcb t;

	if (!hash_equal(v->chip_id, r->chip_id, sizeof v->chip_id)) {
		buf_adds(reason, "the certificate is of another chip");
		return false;
	}
	if (!snp_report_is_product(r, v->product)) {
		buf_addf(reason, "the certificate is of a %s, the report of CPU family %u model %u",
		    snp_report_product_name(v->product), r->cpuid_family, r->cpuid_model);
		return false;
	}
	if (!hash_equal(v->tcb, r->reported_tcb, sizeof v->tcb) ||
	    snp_report_tcb(v->tcb, v->product, &t, NULL) != 0) {
		snp_vcek_explain_tcb(v, r, reason);
		return false;
	}
	return true;
}
