#include "evidence/hardware.h"

#include <string.h>
#include "base/hex.h"
#include "base/printable.h"

#define HARDWARE_SNP_CHAIN 2 /* VCEK, ASK */

static const char *const hardware_parts[HARDWARE_PARTS] = {
	[HARDWARE_REPORT] = "report",
	[HARDWARE_CHAIN] = "chain",
	[HARDWARE_VCEK] = "vcek",
	[HARDWARE_SIGNATURE] = "signature",
	[HARDWARE_POLICY] = "policy",
	[HARDWARE_BINDING] = "binding",
	[HARDWARE_AK] = "ak",
	[HARDWARE_LAUNCH] = "launch",
	[HARDWARE_TCB] = "tcb",
};

/* What the steps share. */
struct hardware_ctx {
	const struct hardware_request *rq;
	struct hardware *h;
	const unsigned char *report;    /* SNP_REPORT_SIZE bytes, once they were decoded */
	struct hcl_report hcl;
	struct x509_cert *leaf;
	struct key *vcek;
	bool anchored;
	size_t anchor;                  /* a pin with the ARK at which the chain ends */
};

const char *
hardware_part_name(enum hardware_part p)
{
	return p < HARDWARE_PARTS ? hardware_parts[p] : "unknown";
}

static void
hardware_ctx_free(struct hardware_ctx *x)
{
	x509_free(x->leaf);
	key_free(x->vcek);
}

static int
hardware_set(struct hardware_ctx *x, enum hardware_part p, enum hardware_result r,
    const char *found, struct err *e)
{
	struct hardware_finding *f = &x->h->parts[p];

	f->result = r;
	buf_reset(&f->found);
	if (found != NULL)
		buf_adds(&f->found, found);
	return buf_check(&f->found, e);
}

/* Bytes that are not what they must be are an answer; what kept us from looking is an error. */
static int
hardware_error(struct hardware_ctx *x, enum hardware_part p, const struct err *found, struct err *e)
{
	if (found->code != ERR_FORMAT && found->code != ERR_UNSUPPORTED && found->code != ERR_LIMIT) {
		*e = *found;
		return -1;
	}
	return hardware_set(x, p, HARDWARE_FAILED, found->msg, e);
}

static int
hardware_expect(struct hardware_ctx *x, struct err *e)
{
	static const char *const expected[HARDWARE_PARTS] = {
		[HARDWARE_REPORT] = "a SEV-SNP attestation report",
		[HARDWARE_CHAIN] = "VCEK, signed by ASK, signed by a pinned ARK",
		[HARDWARE_VCEK] = "a VCEK of this chip, product and reported TCB",
		[HARDWARE_SIGNATURE] = "ECDSA P-384 with SHA-384 by the VCEK",
		[HARDWARE_POLICY] = "VMPL 0, debugging and migration off",
		[HARDWARE_AK] = "HCLAkPub is the attestation key",
	};

	for (enum hardware_part p = 0; p < HARDWARE_PARTS; p++) {
		if (expected[p] != NULL)
			buf_adds(&x->h->parts[p].expected, expected[p]);
		if (buf_check(&x->h->parts[p].expected, e) != 0)
			return -1;
	}
	return 0;
}

/* --- the report --- */

/* Named, not judged: the chain of its key is another maker's. */
static bool
hardware_is_tdx(const unsigned char *p, size_t len)
{
	static const unsigned char quote[] = {4, 0, 2, 0, 0x81, 0, 0, 0}; /* TD quote version 4 */

	return len >= sizeof quote && (memcmp(p, quote, sizeof quote) == 0 ||
	    (len == SNP_REPORT_SIZE && p[0] == 0x81)); /* TDREPORT */
}

static int
hardware_unwrap(struct hardware_ctx *x, struct err *e)
{
	const struct hardware_request *rq = x->rq;
	size_t len = rq->len;

	x->report = rq->report;
	if (rq->format == HARDWARE_HCL) {
		if (hcl_report_decode(rq->report, rq->len, &x->hcl, e) != 0)
			return -1;
		if (rq->exact && x->hcl.len != rq->len)
			return err_set(e, ERR_FORMAT, "HCL report: %zu bytes after its end",
			    rq->len - x->hcl.len);
		x->report = x->hcl.hardware;
		len = SNP_REPORT_SIZE;
	}
	if ((rq->format == HARDWARE_HCL && x->hcl.type == HCL_REPORT_TDX) ||
	    hardware_is_tdx(x->report, len))
		return err_set(e, ERR_UNSUPPORTED, "an Intel TDX report: not supported, since the chain of"
		    " its key (PCK) is not checked by this version");
	return snp_report_decode(x->report, len, &x->h->report, e);
}

static int
hardware_report(struct hardware_ctx *x, struct err *e)
{
	char text[64];
	struct err found;

	if (hardware_unwrap(x, &found) != 0)
		return hardware_error(x, HARDWARE_REPORT, &found, e);
	x->h->has_report = true;
	snprintf(text, sizeof text, "SEV-SNP report of version %lu",
	    (unsigned long)x->h->report.version);
	return hardware_set(x, HARDWARE_REPORT, HARDWARE_PASSED, text, e);
}

/* --- the chain --- */

/* Every signature in the chain is RSASSA-PSS with SHA-384; the leaf is kept. */
static int
hardware_chain_read(struct hardware_ctx *x, struct err *e)
{
	const struct hardware_request *rq = x->rq;

	if (rq->chain_count < HARDWARE_SNP_CHAIN - (rq->helper_count > 0 ? 1 : 0) ||
	    rq->chain_count > HARDWARE_SNP_CHAIN + (rq->exact ? 0 : 1))
		return err_set(e, ERR_FORMAT, "%zu certificate%s instead of VCEK and ASK", rq->chain_count,
		    printable_s(rq->chain_count));
	for (size_t i = 0; i < rq->chain_count; i++) {
		struct x509_cert *c = NULL;
		int rc = x509_decode(rq->chain[i].data, rq->chain[i].len, &c, e);

		if (rc == 0)
			rc = x509_pss(c, HASH_SHA384, e);
		if (i == 0 && rc == 0)
			x->leaf = c;
		else
			x509_free(c);
		if (rc != 0)
			return err_prefix(e, "certificate %zu of the chain", i);
	}
	return x509_key(x->leaf, &x->vcek, e);
}

static int
hardware_chain_judge(struct hardware_ctx *x, struct err *e)
{
	const struct hardware_request *rq = x->rq;
	CLEANUP(cleanup_free) const struct x509_cert **anchors = calloc(rq->pin_count + 1,
	    sizeof *anchors);
	CLEANUP(ak_chain_path_free) struct ak_chain_path path = {0};
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	enum ak_chain_result result;
	struct err found;

	if (anchors == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < rq->pin_count; i++)
		anchors[i] = rq->pins[i].ark;
	if (ak_chain_judge(&(struct ak_chain_request){.chain = rq->chain, .n = rq->chain_count,
	    .anchors = anchors, .anchor_count = rq->pin_count, .helpers = rq->helpers,
	    .helper_count = rq->helper_count, .time = rq->time}, &result, &path, &reason, e) != 0)
		return -1;
	if (result == AK_CHAIN_GOOD && path.n != HARDWARE_SNP_CHAIN) {
		buf_addf(&reason, "%zu certificates below the root instead of VCEK and ASK", path.n);
		result = AK_CHAIN_BROKEN;
	}
	/* one that the chain lacked is held to what those in it were */
	if (result == AK_CHAIN_GOOD && x509_pss(path.certs[path.n - 1], HASH_SHA384, &found) != 0) {
		buf_adds(&reason, found.msg);
		result = AK_CHAIN_BROKEN;
	}
	x->anchor = path.anchor_index;
	x->anchored = result == AK_CHAIN_GOOD;
	return hardware_set(x, HARDWARE_CHAIN, result == AK_CHAIN_GOOD ? HARDWARE_PASSED :
	    result == AK_CHAIN_UNPINNED ? HARDWARE_UNPINNED : HARDWARE_FAILED, buf_str(&reason), e);
}

static int
hardware_chain(struct hardware_ctx *x, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err found;

	if (hardware_chain_read(x, &found) != 0)
		return hardware_error(x, HARDWARE_CHAIN, &found, e);
	if (hardware_chain_judge(x, e) != 0)
		return -1;
	if (!x->anchored)
		return 0;
	if (x509_subject(x->rq->pins[x->anchor].ark, &text, e) != 0)
		return -1;
	return hardware_set(x, HARDWARE_CHAIN, HARDWARE_PASSED, buf_str(&text), e);
}

static int
hardware_vcek(struct hardware_ctx *x, struct err *e)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct err found;
	bool ok;

	if (x->leaf == NULL)
		return hardware_set(x, HARDWARE_VCEK, HARDWARE_SKIPPED, "no certificate to look at", e);
	if (snp_vcek_read(x->leaf, &x->h->vcek, &found) != 0)
		return hardware_error(x, HARDWARE_VCEK, &found, e);
	x->h->has_vcek = true;
	ok = snp_vcek_matches(&x->h->vcek, &x->h->report, &reason);
	if (ok)
		buf_addf(&reason, "a %s", snp_report_product_name(x->h->vcek.product));
	return hardware_set(x, HARDWARE_VCEK, ok ? HARDWARE_PASSED : HARDWARE_FAILED,
	    buf_str(&reason), e);
}

static int
hardware_signature(struct hardware_ctx *x, struct err *e)
{
	bool ok = false;

	if (x->vcek == NULL)
		return hardware_set(x, HARDWARE_SIGNATURE, HARDWARE_SKIPPED, "no key to check it with", e);
	if (snp_report_verify(&x->h->report, x->report, x->vcek, &ok, e) != 0)
		return -1;
	return hardware_set(x, HARDWARE_SIGNATURE, ok ? HARDWARE_PASSED : HARDWARE_FAILED,
	    ok ? NULL : "the signature is not one of the VCEK over the report", e);
}

/* --- what it says --- */

static int
hardware_policy(struct hardware_ctx *x, struct err *e)
{
	const struct snp_report *r = &x->h->report;
	char text[128];

	snprintf(text, sizeof text, "VMPL %lu%s%s", (unsigned long)r->vmpl,
	    r->debug ? ", debugging allowed" : "", r->migration ? ", migration allowed" : "");
	return hardware_set(x, HARDWARE_POLICY, r->vmpl == 0 && !r->debug && !r->migration ?
	    HARDWARE_PASSED : HARDWARE_FAILED, text, e);
}

static int
hardware_binding(struct hardware_ctx *x, struct err *e)
{
	const struct snp_report *r = &x->h->report;
	bool hcl = x->rq->format == HARDWARE_HCL, ok;
	char text[129];

	if (!hcl && x->rq->report_data == NULL)
		return hardware_set(x, HARDWARE_BINDING, HARDWARE_SKIPPED,
		    "nothing was given to compare REPORT_DATA with", e);
	hex_encode(text, r->report_data, sizeof r->report_data);
	buf_adds(&x->h->parts[HARDWARE_BINDING].expected,
	    hcl ? "REPORT_DATA is the SHA-256 of the runtime JSON" : "REPORT_DATA as given");
	if (hcl) {
		if (hcl_report_bound(&x->hcl, r->report_data, &ok, e) != 0)
			return -1;
	} else {
		ok = hash_equal(r->report_data, x->rq->report_data, sizeof r->report_data);
	}
	return hardware_set(x, HARDWARE_BINDING, ok ? HARDWARE_PASSED : HARDWARE_FAILED, text, e);
}

static int
hardware_ak(struct hardware_ctx *x, struct err *e)
{
	struct err found;
	bool ok;

	if (x->rq->format != HARDWARE_HCL)
		return hardware_set(x, HARDWARE_AK, HARDWARE_SKIPPED, "a bare report names no key", e);
	if (hcl_report_ak(&x->hcl, &x->h->ak, &found) != 0)
		return hardware_error(x, HARDWARE_AK, &found, e);
	if (x->rq->ak == NULL)
		return hardware_set(x, HARDWARE_AK, HARDWARE_SKIPPED, "no attestation key was given", e);
	ok = key_equal(x->h->ak, x->rq->ak);
	return hardware_set(x, HARDWARE_AK, ok ? HARDWARE_PASSED : HARDWARE_FAILED,
	    ok ? NULL : "HCLAkPub is another key", e);
}

/* --- the pins --- */

/* Zeros are what a report has when nobody signed the launch: they identify nothing. */
static bool
hardware_launch_is(const struct hardware_launch *l, const struct snp_report *r)
{
	static const unsigned char none[SNP_REPORT_DIGEST_SIZE];

	return !hash_equal(l->digest, none, sizeof none) && hash_equal(l->digest,
	    l->kind == HARDWARE_ID_KEY ? r->id_key_digest : r->measurement, sizeof l->digest);
}

static bool
hardware_pin_launch(const struct hardware_pin *p, const struct snp_report *r, size_t *ret)
{
	for (size_t i = 0; i < p->launch_count; i++) {
		if (hardware_launch_is(&p->launch[i], r)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* What is reported, and what the guest was started on, which a later update of the
 * firmware does not make good. */
static bool
hardware_pin_tcb(const struct hardware_pin *p, const struct hardware *h)
{
	struct snp_tcb reported, launch;

	if (!h->has_vcek || snp_report_tcb(h->report.reported_tcb, h->vcek.product, &reported, NULL) != 0 ||
	    snp_report_tcb(h->report.launch_tcb, h->vcek.product, &launch, NULL) != 0)
		return false;
	return !p->has_minimum || (snp_report_tcb_at_least(&reported, &p->minimum) &&
	    snp_report_tcb_at_least(&launch, &p->minimum));
}

static void
hardware_levels_text(const unsigned char raw[8], enum snp_product p, struct buf *ret)
{
	struct snp_tcb t;

	if (snp_report_tcb(raw, p, &t, NULL) == 0)
		snp_report_tcb_text(&t, p == SNP_TURIN, ret);
	else
		buf_adds(ret, "reserved bytes set");
}

static int
hardware_tcb_found(struct hardware_ctx *x, const struct hardware_pin *p, bool ok, struct err *e)
{
	struct hardware_finding *f = &x->h->parts[HARDWARE_TCB];
	struct hardware *h = x->h;

	f->result = ok ? HARDWARE_PASSED : HARDWARE_FAILED;
	buf_adds(&f->expected, p->has_minimum ? "at least " : "no minimum is pinned");
	if (p->has_minimum)
		snp_report_tcb_text(&p->minimum, h->has_vcek && h->vcek.product == SNP_TURIN, &f->expected);
	if (h->has_vcek) {
		buf_adds(&f->found, "reported ");
		hardware_levels_text(h->report.reported_tcb, h->vcek.product, &f->found);
		buf_adds(&f->found, "; at launch ");
		hardware_levels_text(h->report.launch_tcb, h->vcek.product, &f->found);
	} else {
		buf_adds(&f->found, "without a VCEK nobody knows what the levels mean");
	}
	return buf_check(&f->expected, e) != 0 || buf_check(&f->found, e) != 0 ? -1 : 0;
}

static int
hardware_launch_found(struct hardware_ctx *x, bool ok, struct err *e)
{
	char id_key[2 * SNP_REPORT_DIGEST_SIZE + 1], measurement[2 * SNP_REPORT_DIGEST_SIZE + 1];
	struct hardware_finding *f = &x->h->parts[HARDWARE_LAUNCH];

	hex_encode(id_key, x->h->report.id_key_digest, SNP_REPORT_DIGEST_SIZE);
	hex_encode(measurement, x->h->report.measurement, SNP_REPORT_DIGEST_SIZE);
	f->result = ok ? HARDWARE_PASSED : HARDWARE_UNPINNED;
	buf_adds(&f->expected, "a launch identity that is pinned: a report proves a CPU, not who"
	    " emulates the TPM");
	buf_addf(&f->found, "%sidkey:%s measurement:%s", x->anchored ? "" :
	    "not compared, since no ARK is believed: ", id_key, measurement);
	return buf_check(&f->expected, e) != 0 || buf_check(&f->found, e) != 0 ? -1 : 0;
}

/* Several pins may have one ARK; each stands alone, and one that is met is enough. */
static int
hardware_pins(struct hardware_ctx *x, struct err *e)
{
	const struct hardware_pin *pins = x->rq->pins, *best = NULL;
	size_t which = 0;
	bool tcb = false;

	for (size_t i = 0; x->anchored && !tcb && i < x->rq->pin_count; i++) {
		if (!x509_equal(pins[i].ark, pins[x->anchor].ark) ||
		    !hardware_pin_launch(&pins[i], &x->h->report, &which))
			continue;
		tcb = hardware_pin_tcb(&pins[i], x->h);
		best = &pins[i];
		x->h->pin = i;
	}
	if (hardware_launch_found(x, best != NULL, e) != 0)
		return -1;
	if (best != NULL)
		return hardware_tcb_found(x, best, tcb, e);
	return hardware_set(x, HARDWARE_TCB, HARDWARE_SKIPPED, x->anchored ? "no launch identity matched" :
	    "no ARK is believed", e);
}

/* --- all of it --- */

static int
hardware_unreadable(struct hardware_ctx *x, struct err *e)
{
	for (enum hardware_part p = HARDWARE_REPORT + 1; p < HARDWARE_PARTS; p++) {
		if (hardware_set(x, p, HARDWARE_SKIPPED, "the report cannot be judged", e) != 0)
			return -1;
	}
	return 0;
}

static int
hardware_steps(struct hardware_ctx *x, struct err *e)
{
	if (hardware_expect(x, e) != 0 || hardware_report(x, e) != 0)
		return -1;
	if (!x->h->has_report)
		return hardware_unreadable(x, e);
	if (hardware_chain(x, e) != 0 || hardware_vcek(x, e) != 0 || hardware_signature(x, e) != 0 ||
	    hardware_policy(x, e) != 0 || hardware_binding(x, e) != 0 || hardware_ak(x, e) != 0)
		return -1;
	return hardware_pins(x, e);
}

int
hardware_judge(const struct hardware_request *rq, struct hardware *ret, struct err *e)
{
	struct hardware h = {0};
	CLEANUP(hardware_ctx_free) struct hardware_ctx x = {.rq = rq, .h = &h};

	if (hardware_steps(&x, e) != 0) {
		hardware_free(&h);
		return -1;
	}
	*ret = h;
	return 0;
}

/* A part that could not be judged, for whatever reason, has not passed. */
static enum hardware_result
hardware_counts_as(const struct hardware *h, enum hardware_part p)
{
	enum hardware_result r = h->parts[p].result;

	if (r != HARDWARE_SKIPPED)
		return r;
	switch (p) {
	case HARDWARE_BINDING:
	case HARDWARE_AK:
		return HARDWARE_PASSED; /* not asked for */
	case HARDWARE_TCB:
		return HARDWARE_UNPINNED; /* there is no entry to take a minimum from */
	default:
		return HARDWARE_FAILED;
	}
}

enum hardware_result
hardware_result(const struct hardware *h, enum hardware_part *ret_part)
{
	enum hardware_result worst = HARDWARE_SKIPPED;

	for (enum hardware_part p = 0; p < HARDWARE_PARTS; p++) {
		enum hardware_result r = hardware_counts_as(h, p);

		if (r > worst) {
			worst = r;
			*ret_part = p;
		}
	}
	return worst;
}

void
hardware_free(struct hardware *h)
{
	for (enum hardware_part p = 0; p < HARDWARE_PARTS; p++) {
		buf_free(&h->parts[p].expected);
		buf_free(&h->parts[p].found);
	}
	key_free(h->ak);
	*h = (struct hardware){0};
}

int
hardware_launch_parse(const char *text, struct hardware_launch *ret, struct err *e)
{
	static const unsigned char none[SNP_REPORT_DIGEST_SIZE];
	struct hardware_launch l = {0};
	const char *hex = strchr(text, ':');
	size_t len = hex != NULL ? (size_t)(hex - text) : 0;

	if (len == strlen("idkey") && strncmp(text, "idkey", len) == 0)
		l.kind = HARDWARE_ID_KEY;
	else if (len == strlen("measurement") && strncmp(text, "measurement", len) == 0)
		l.kind = HARDWARE_MEASUREMENT;
	else
		return err_set(e, ERR_FORMAT, "launch identity %.40s: not idkey:HEX or measurement:HEX", text);
	if (hex_decode(l.digest, sizeof l.digest, hex + 1, e) != 0)
		return err_prefix(e, "launch identity");
	if (hash_equal(l.digest, none, sizeof none))
		return err_set(e, ERR_FORMAT, "launch identity: all zeros are no identity");
	*ret = l;
	return 0;
}
