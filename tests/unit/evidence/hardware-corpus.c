/* Real reports of the corpus, and their right answers. */
#include "corpus.h"

#include <ctype.h>
#include <string.h>
#include "base/hex.h"
#include "codec/base64.h"
#include "evidence/hardware.h"
#include "unit.h"

#define TIME 1785542400     /* 2026-08-01: every VCEK below is valid */
#define TRUSTEE "confidential-containers_trustee/deps/verifier/test_data/"
#define VIRTEE "virtee_sev/"
#define GOOGLE "google_go-sev-guest/testdata/"
#define MICROSOFT "microsoft_TEE-Attestation-Verification/"
#define KINVOLK "kinvolk_azure-cvm-tooling/test/"
#define ID_0356 "idkey:0356215882a825279a85b300b0b742931d113bf7e32dde2e50ffde7ec743ca49" \
	"1ecdd7f336dc28a6e0b2bb57af7a44a3"

struct real {
	const char *report;
	enum hardware_format format;
	const char *vcek, *chain, *root;    /* files; chain: from its second certificate on, or NULL */
	const char *launch;
	enum hardware_result result;
	enum hardware_part part;
};

static const struct real reals[] = {
	{TRUSTEE "snp/test-report.bin", HARDWARE_SNP, TRUSTEE "snp/test-vcek.der",
	    VIRTEE "src/certs/snp/builtin/milan/ask.pem", VIRTEE "src/certs/snp/builtin/milan/ark.pem",
	    ID_0356, HARDWARE_PASSED, HARDWARE_REPORT},
	{TRUSTEE "snp/test-report.bin", HARDWARE_SNP, TRUSTEE "snp/test-vcek.der",
	    VIRTEE "src/certs/snp/builtin/milan/ask.pem", VIRTEE "src/certs/snp/builtin/genoa/ark.pem",
	    ID_0356, HARDWARE_UNPINNED, HARDWARE_CHAIN},
	{TRUSTEE "snp/test-report.bin", HARDWARE_SNP, VIRTEE "tests/certs_data/vcek_milan.der",
	    VIRTEE "src/certs/snp/builtin/milan/ask.pem", VIRTEE "src/certs/snp/builtin/milan/ark.pem",
	    ID_0356, HARDWARE_FAILED, HARDWARE_VCEK},
	{GOOGLE "attestation.bin", HARDWARE_SNP, GOOGLE "vcek.testcer",
	    VIRTEE "src/certs/snp/builtin/milan/ask.pem", VIRTEE "src/certs/snp/builtin/milan/ark.pem",
	    "measurement:b07af9620f3b839b47996422ddec6058338951d984e312115131ea82705eaf5b"
	    "6bdf8a9ece31a5a608eb0cf2e4872b01", HARDWARE_FAILED, HARDWARE_POLICY},
	{MICROSOFT "tests/test_data/milan_attestation_report.bin", HARDWARE_SNP,
	    MICROSOFT "tests/test_data/milan_vcek.pem", MICROSOFT "tests/test_data/milan_ask.pem",
	    MICROSOFT "src/pinned_arks/milan_ark.pem",
	    "idkey:0ad79ceb0b648b0e6a90d8aa9f6ea24c33a968b6632085353145e8b19a4741a2"
	    "dab9ba342e13be4fc0d225e889cc1a58", HARDWARE_PASSED, HARDWARE_REPORT},
	{VIRTEE "tests/certs_data/report_milan.hex", HARDWARE_SNP,
	    VIRTEE "tests/certs_data/vcek_milan.der", VIRTEE "src/certs/snp/builtin/milan/ask.pem",
	    VIRTEE "src/certs/snp/builtin/milan/ark.pem",
	    "measurement:7a1e5c266c0108dbc9bb94fa926951320940915d0aafb42464bd88b579ea158d"
	    "3e1a0dc39b2c60bd95b9c480cd81841f", HARDWARE_PASSED, HARDWARE_REPORT},
	{VIRTEE "tests/certs_data/report_milan.hex", HARDWARE_SNP,
	    VIRTEE "tests/certs_data/vcek_turin.der", VIRTEE "src/certs/snp/builtin/turin/ask.pem",
	    VIRTEE "src/certs/snp/builtin/turin/ark.pem", ID_0356, HARDWARE_FAILED, HARDWARE_VCEK},
	{TRUSTEE "az-snp-vtpm/hcl-report.bin", HARDWARE_HCL, TRUSTEE "az-snp-vtpm/vcek.pem", NULL,
	    VIRTEE "src/certs/snp/builtin/milan/ark.pem", ID_0356, HARDWARE_PASSED, HARDWARE_REPORT},
	{TRUSTEE "az-snp-vtpm/hcl-report.bin", HARDWARE_HCL, TRUSTEE "az-snp-vtpm/vcek.pem", NULL,
	    VIRTEE "src/certs/snp/builtin/milan/ark.pem", NULL, HARDWARE_UNPINNED, HARDWARE_LAUNCH},
	{TRUSTEE "az-snp-vtpm/hcl-report.bin", HARDWARE_HCL, KINVOLK "certs.pem", NULL,
	    VIRTEE "src/certs/snp/builtin/milan/ark.pem", ID_0356, HARDWARE_FAILED, HARDWARE_VCEK},
	{KINVOLK "hcl-report-snp.bin", HARDWARE_HCL, KINVOLK "certs.pem", NULL,
	    VIRTEE "src/certs/snp/builtin/milan/ark.pem",
	    "idkey:934f68bd8ba01938eec21475c872e3a942b60c59fafc6df9e9a76ee66bc47f2d"
	    "09c676f61c0315c578da26085fb13a71", HARDWARE_FAILED, HARDWARE_VCEK},
	{KINVOLK "hcl-report-tdx.bin", HARDWARE_HCL, KINVOLK "certs.pem", NULL,
	    VIRTEE "src/certs/snp/builtin/milan/ark.pem", ID_0356, HARDWARE_FAILED, HARDWARE_REPORT},
};

struct loaded {
	struct buf report, chain[4];
	size_t chain_count;
	struct x509_cert *root;
	struct hardware_launch launch;
	struct hardware_pin pin;
	struct hardware_request rq;
};

/* DER, or every certificate of a PEM file. */
static void
load_certificates(const char *path, struct loaded *l)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct x509_cert *certs[4];
	size_t n = 1;
	struct err e;

	corpus_read(path, &bytes);
	if (bytes.data[0] == 0x30)
		UNIT_OK(x509_decode(bytes.data, bytes.len, &certs[0], &e), &e);
	else
		UNIT_OK(x509_decode_pem(bytes.data, bytes.len, 4, certs, &n, &e), &e);
	for (size_t i = 0; i < n; i++) {
		UNIT_OK(x509_der(certs[i], &l->chain[l->chain_count++], &e), &e);
		x509_free(certs[i]);
	}
}

static void
load(const struct real *r, struct loaded *l)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct err e;
	size_t n;

	memset(l, 0, sizeof *l);
	corpus_read(r->report, strstr(r->report, ".hex") != NULL ? &bytes : &l->report);
	for (size_t i = 0; i < bytes.len; i++)
		bytes.data[i] = (unsigned char)tolower(bytes.data[i]);
	if (bytes.len > 0)
		corpus_hex(buf_str(&bytes), &l->report);
	load_certificates(r->vcek, l);
	if (r->chain != NULL)
		load_certificates(r->chain, l);
	buf_reset(&bytes);
	corpus_read(r->root, &bytes);
	UNIT_OK(x509_decode_pem(bytes.data, bytes.len, 1, &l->root, &n, &e), &e);
	if (r->launch != NULL)
		UNIT_OK(hardware_launch_parse(r->launch, &l->launch, &e), &e);
	l->pin = (struct hardware_pin){.ark = l->root, .launch = &l->launch,
	    .launch_count = r->launch != NULL};
	l->rq = (struct hardware_request){.format = r->format, .report = l->report.data,
	    .len = l->report.len, .chain = l->chain, .chain_count = l->chain_count, .pins = &l->pin,
	    .pin_count = 1, .time = TIME};
}

static void
unload(struct loaded *l)
{
	buf_free(&l->report);
	for (size_t i = 0; i < 4; i++)
		buf_free(&l->chain[i]);
	x509_free(l->root);
}

START_TEST(answers)
{
	CLEANUP(hardware_free) struct hardware h = {0};
	const struct real *r = &reals[_i];
	enum hardware_part part = HARDWARE_PARTS;
	enum hardware_result result;
	struct loaded l;
	struct err e;

	if (!corpus_has(r->report))
		return;
	load(r, &l);
	UNIT_OK(hardware_judge(&l.rq, &h, &e), &e);
	result = hardware_result(&h, &part);
	ck_assert_msg(result == r->result && part == r->part, "%s: %d by %s: %s", r->report, result,
	    hardware_part_name(part), buf_str(&h.parts[part].found));
	unload(&l);
}
END_TEST

/* The two generations of evidence: the key of the report signed the quote that came with it. */
START_TEST(keys_of_quotes)
{
	static const char *const names[] = {
		"quotes/d1-azure-cvm-v0/key.pem", "quotes/d1-azure-cvm-v0/other-key.pem",
	};
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	CLEANUP(buf_free) struct buf hcl = BUF_INIT;
	const struct jcs *report;
	struct hcl_report h;
	struct err e;
	bool bound;

	if (!corpus_has(TRUSTEE "az-snp-vtpm/evidence-v0.json") || !corpus_has(names[0]))
		return;
	v = corpus_json(TRUSTEE "az-snp-vtpm/evidence-v0.json");
	report = jcs_get(v, "report");
	for (size_t i = 0; i < jcs_length(report); i++) {
		int64_t n;

		ck_assert_int_eq(jcs_int(jcs_at(report, i), &n), 0);
		buf_addc(&hcl, (int)n);
	}
	UNIT_OK(hcl_report_decode(hcl.data, hcl.len, &h, &e), &e);
	UNIT_OK(hcl_report_bound(&h, h.hardware + 0x50, &bound, &e), &e);
	ck_assert(bound);
	for (size_t i = 0; i < 2; i++) {
		CLEANUP(buf_free) struct buf pem = BUF_INIT;
		CLEANUP(buf_free) struct buf der = BUF_INIT;
		CLEANUP(buf_free) struct buf joined = BUF_INIT;
		CLEANUP(key_freep) struct key *ak = NULL;
		CLEANUP(key_freep) struct key *pub = NULL;
		char *line, *save = NULL;

		corpus_read(names[i], &pem);
		for (line = strtok_r((char *)pem.data, "\n", &save); line != NULL;
		    line = strtok_r(NULL, "\n", &save)) {
			if (line[0] != '-')
				buf_adds(&joined, line);
		}
		UNIT_OK(base64_decode(&der, buf_str(&joined), joined.len, &e), &e);
		UNIT_OK(key_from_spki(der.data, der.len, &pub, &e), &e);
		UNIT_OK(hcl_report_ak(&h, &ak, &e), &e);
		ck_assert_int_eq(key_equal(ak, pub), i == 0);
	}
}
END_TEST

/* Turin's certificates lead to Turin's root; there is no report to go with them. */
START_TEST(turin_vcek)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	struct x509_cert *c = NULL;
	struct snp_vcek v;
	struct err e;

	if (!corpus_has(VIRTEE "tests/certs_data/vcek_turin.der"))
		return;
	corpus_read(VIRTEE "tests/certs_data/vcek_turin.der", &der);
	UNIT_OK(x509_decode(der.data, der.len, &c, &e), &e);
	UNIT_OK(x509_pss(c, HASH_SHA384, &e), &e);
	UNIT_OK(snp_vcek_read(c, &v, &e), &e);
	ck_assert_int_eq(v.product, SNP_TURIN);
	ck_assert_mem_eq(v.chip_id, "\x1e\x55\x0a\x8e\xe5\xcf\x9f\x4d\0", 9);
	x509_free(c);
}
END_TEST

UNIT_SUITE(hardware_corpus)
{
	tcase_add_loop_test(tc, answers, 0, (int)(sizeof reals / sizeof *reals));
	tcase_add_test(tc, keys_of_quotes);
	tcase_add_test(tc, turin_vcek);
}
