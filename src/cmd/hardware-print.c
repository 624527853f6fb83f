#include "cmd/hardware-print.h"

#include <inttypes.h>
#include <stdio.h>
#include "base/hex.h"
#include "cmd/cmd.h"
#include "codec/base64.h"
#include "verify/verdict.h"

/* How a part counts in the check. */
static const char *
hardware_print_word(enum hardware_result r)
{
	switch (r) {
	case HARDWARE_SKIPPED:
		return "skip";
	case HARDWARE_PASSED:
		return "pass";
	case HARDWARE_UNPINNED:
	case HARDWARE_FAILED:
		break;
	}
	return "fail";
}

/* --- the report --- */

static void
hardware_print_hex(struct jcs *o, const char *name, const unsigned char *data, size_t len)
{
	char text[129];

	hex_encode(text, data, len);
	jcs_set_string(o, name, text);
}

static void
hardware_print_u64(struct jcs *o, const char *name, uint64_t v)
{
	char text[32];

	snprintf(text, sizeof text, "0x%" PRIx64, v);
	jcs_set_string(o, name, text);
}

/* By the layout of the product that the VCEK states; without one nobody knows. */
static struct jcs *
hardware_print_tcb(const struct hardware *h, const unsigned char raw[8])
{
	struct jcs *o;
	struct snp_tcb t;

	if (!h->has_vcek || snp_report_tcb(raw, h->vcek.product, &t, NULL) != 0)
		return jcs_new_null();
	o = jcs_new_object();
	jcs_set_int(o, "bootloader", t.bootloader);
	jcs_set_int(o, "tee", t.tee);
	jcs_set_int(o, "snp", t.snp);
	jcs_set_int(o, "microcode", t.microcode);
	if (h->vcek.product == SNP_TURIN)
		jcs_set_int(o, "fmc", t.fmc);
	return o;
}

static struct jcs *
hardware_print_levels(const struct hardware *h)
{
	struct jcs *o = jcs_new_object();

	jcs_set(o, "current", hardware_print_tcb(h, h->report.current_tcb));
	jcs_set(o, "reported", hardware_print_tcb(h, h->report.reported_tcb));
	jcs_set(o, "committed", hardware_print_tcb(h, h->report.committed_tcb));
	jcs_set(o, "launch", hardware_print_tcb(h, h->report.launch_tcb));
	return o;
}

static struct jcs *
hardware_print_report(const struct hardware *h)
{
	const struct snp_report *r = &h->report;
	struct jcs *o;

	if (!h->has_report)
		return jcs_new_null();
	o = jcs_new_object();
	jcs_set_int(o, "version", r->version);
	jcs_set_int(o, "guestSvn", r->guest_svn);
	jcs_set_int(o, "vmpl", r->vmpl);
	hardware_print_u64(o, "policy", r->policy);
	hardware_print_u64(o, "platformInfo", r->platform_info);
	jcs_set_bool(o, "debug", r->debug);
	jcs_set_bool(o, "migration", r->migration);
	jcs_set_bool(o, "smt", r->smt);
	hardware_print_hex(o, "familyId", r->family_id, sizeof r->family_id);
	hardware_print_hex(o, "imageId", r->image_id, sizeof r->image_id);
	hardware_print_hex(o, "reportData", r->report_data, sizeof r->report_data);
	hardware_print_hex(o, "measurement", r->measurement, sizeof r->measurement);
	hardware_print_hex(o, "hostData", r->host_data, sizeof r->host_data);
	hardware_print_hex(o, "idKeyDigest", r->id_key_digest, sizeof r->id_key_digest);
	hardware_print_hex(o, "authorKeyDigest", r->author_key_digest, sizeof r->author_key_digest);
	hardware_print_hex(o, "reportId", r->report_id, sizeof r->report_id);
	hardware_print_hex(o, "chipId", r->chip_id, sizeof r->chip_id);
	jcs_set_string(o, "product", h->has_vcek ? snp_report_product_name(h->vcek.product) : NULL);
	jcs_set(o, "tcb", hardware_print_levels(h));
	return o;
}

/* The key it names, so that quote-check can be asked about its quotes. */
static struct jcs *
hardware_print_ak(const struct hardware *h, struct err *e)
{
	CLEANUP(buf_free) struct buf spki = BUF_INIT;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	unsigned char digest[HASH_SHA256_SIZE];
	struct jcs *o;

	if (h->ak == NULL)
		return jcs_new_null();
	if (key_spki(h->ak, &spki, e) != 0 || key_spki_digest(h->ak, digest, e) != 0)
		return NULL;
	base64_encode(&text, spki.data, spki.len);
	o = jcs_new_object();
	jcs_set_string(o, "spki", text.failed ? NULL : buf_str(&text));
	hardware_print_hex(o, "digest", digest, sizeof digest);
	return o;
}

static struct jcs *
hardware_print_parts(const struct hardware *h)
{
	struct jcs *parts = jcs_new_array();

	for (enum hardware_part p = 0; p < HARDWARE_PARTS; p++) {
		const struct hardware_finding *f = &h->parts[p];
		struct jcs *o = jcs_new_object();

		jcs_set_string(o, "name", hardware_part_name(p));
		jcs_set_string(o, "result", hardware_print_word(f->result));
		jcs_set_string(o, "expected", f->expected.len > 0 ? buf_str(&f->expected) : NULL);
		jcs_set_string(o, "found", f->found.len > 0 ? buf_str(&f->found) : NULL);
		jcs_append(parts, o);
	}
	return parts;
}

/* --- the verdict --- */

static int
hardware_print_check(const struct hardware *h, struct verdict *v, struct err *e)
{
	CLEANUP(buf_free) struct buf found = BUF_INIT;
	enum hardware_part part = HARDWARE_REPORT;

	v->partial = true;
	v->asked[CHECK_HARDWARE_REPORT] = true;
	if (hardware_result(h, &part) == HARDWARE_PASSED) {
		v->answer = ANSWER_PASS;
		return verdict_set(v, CHECK_HARDWARE_REPORT, VERDICT_PASS, NULL, NULL, e);
	}
	v->answer = ANSWER_FAIL;
	buf_addf(&found, "%s: %s", hardware_part_name(part), buf_str(&h->parts[part].found));
	if (buf_check(&found, e) != 0)
		return -1;
	return verdict_set(v, CHECK_HARDWARE_REPORT, VERDICT_FAIL, buf_str(&h->parts[part].expected),
	    buf_str(&found), e);
}

static int
hardware_print_notes(const struct hardware *h, struct verdict *v, struct err *e)
{
	if (h->parts[HARDWARE_AK].result == HARDWARE_SKIPPED && h->ak != NULL &&
	    verdict_note(v, e, "No attestation key was given: that the key of the report signed any"
	    " quote is not judged (--ak).") != 0)
		return -1;
	if (h->has_report && h->parts[HARDWARE_BINDING].result == HARDWARE_SKIPPED &&
	    verdict_note(v, e, "REPORT_DATA was compared with nothing: the report may be anybody's and"
	    " of any time (--report-data).") != 0)
		return -1;
	return verdict_note(v, e, "Not proved: when the report was made, and whether AMD has revoked a"
	    " key; nothing was fetched.");
}

static int
hardware_print_verdict(const struct hardware_print *p, struct verdict *v, struct err *e)
{
	v->time = p->time;
	v->subject = buf_strdup(p->subject, e);
	v->time_source = buf_strdup(p->time_source, e);
	if (v->subject == NULL || v->time_source == NULL)
		return -1;
	if (p->trust != NULL)
		v->trust_digest = p->trust->digest;
	if (hardware_print_check(p->h, v, e) != 0)
		return -1;
	return hardware_print_notes(p->h, v, e);
}

static int
hardware_print_json(const struct hardware_print *p, const struct verdict *v, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(jcs_freep) struct jcs *o = NULL;
	struct jcs *ak = hardware_print_ak(p->h, e);

	if (ak == NULL)
		return -1;
	if (verdict_to_json(v, &text, e) != 0 ||
	    jcs_decode(text.data, text.len, text.len, &o, e) != 0) {
		jcs_free(ak);
		return -1;
	}
	jcs_set(o, "parts", hardware_print_parts(p->h));
	jcs_set(o, "report", hardware_print_report(p->h));
	jcs_set(o, "ak", ak);
	return cmd_print_json(o, e);
}

static void
hardware_print_part(const struct hardware *h, enum hardware_part part)
{
	const struct hardware_finding *f = &h->parts[part];
	const char *word = hardware_print_word(f->result);

	printf("  %s  %s", f->result >= HARDWARE_UNPINNED ? "FAIL" : word, hardware_part_name(part));
	if (f->result <= HARDWARE_PASSED && f->found.len > 0) {
		fputs(" (", stdout);
		cmd_print_text(stdout, buf_str(&f->found));
		putchar(')');
	}
	putchar('\n');
	if (f->result <= HARDWARE_PASSED)
		return;
	fputs("        expected  ", stdout);
	cmd_print_text(stdout, buf_str(&f->expected));
	fputs("\n        found     ", stdout);
	cmd_print_text(stdout, buf_str(&f->found));
	putchar('\n');
}

static void
hardware_print_text(const struct hardware *h, const struct verdict *v)
{
	printf("%s  ", v->answer == ANSWER_PASS ? "PASS" : "FAIL");
	cmd_print_text(stdout, v->subject);
	putchar('\n');
	for (enum hardware_part p = 0; p < HARDWARE_PARTS; p++)
		hardware_print_part(h, p);
	for (size_t i = 0; i < v->note_count; i++)
		printf("  %s\n", v->notes[i]);
}

int
hardware_print(const struct hardware_print *p, bool json, struct err *e)
{
	struct verdict *v;
	int rc;

	if (verdict_new(&v, e) != 0)
		return -1;
	rc = hardware_print_verdict(p, v, e);
	if (rc == 0 && json)
		rc = hardware_print_json(p, v, e);
	else if (rc == 0)
		hardware_print_text(p->h, v);
	verdict_free(v);
	return rc;
}
