#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "base/hex.h"
#include "base/timestamp.h"
#include "cmd/hardware-print.h"
#include "crypto/pem.h"
#include "evidence/ak-public.h"

#define HARDWARE_CHECK_FILE_MAX (1024u * 1024)
#define HARDWARE_CHECK_CHAIN_MAX 3
#define HARDWARE_CHECK_ROOTS_MAX 16

struct hardware_check_options {
	const char *report, *format, *vcek, *chain, *ak, *report_data, *min_tcb, *at;
	struct option_list roots, launch;
	bool json;
};

/* The files and what was made of them, for as long as the request lives. */
struct hardware_check_job {
	struct buf report, chain[HARDWARE_CHECK_CHAIN_MAX];
	unsigned char report_data[64];
	struct key *ak;
	struct x509_cert *roots[HARDWARE_CHECK_ROOTS_MAX];
	size_t root_count;
	struct trust trust;
	struct hardware_launch *launch;
	size_t launch_count;
	bool has_minimum;
	struct snp_tcb minimum;
	struct hardware_pin *pins;
	const struct x509_cert **helpers;
	const char *time_source;
	struct hardware_request rq;
};

static void
hardware_check_options_free(struct hardware_check_options *o)
{
	options_list_free(&o->roots);
	options_list_free(&o->launch);
}

static void
hardware_check_job_free(struct hardware_check_job *j)
{
	buf_free(&j->report);
	for (size_t i = 0; i < HARDWARE_CHECK_CHAIN_MAX; i++)
		buf_free(&j->chain[i]);
	key_free(j->ak);
	for (size_t i = 0; i < j->root_count; i++)
		x509_free(j->roots[i]);
	trust_free(&j->trust);
	free(j->launch);
	free(j->pins);
	free(j->helpers);
}

static int
hardware_check_usage(const struct hardware_check_options *o, struct err *e)
{
	bool hcl = o->format != NULL && strcmp(o->format, "hcl") == 0;
	const char *wrong = NULL;

	if (o->report == NULL || o->format == NULL)
		wrong = "--report and --format are needed";
	else if (!hcl && strcmp(o->format, "snp") != 0)
		wrong = "--format is snp or hcl";
	else if (o->vcek == NULL && o->chain == NULL)
		wrong = "--vcek, --chain or both are needed";
	else if (o->ak != NULL && !hcl)
		wrong = "--ak goes with --format hcl: a bare report names no key";
	else if (o->report_data != NULL && hcl)
		wrong = "--report-data goes with --format snp";
	return wrong == NULL ? 0 :
	    err_set(e, ERR_USAGE, "hardware-check: %s (aicert hardware-check --help)", wrong);
}

static int
hardware_check_file(const char *path, struct buf *ret, struct err *e)
{
	return fd_read_named(path, HARDWARE_CHECK_FILE_MAX, ret, e);
}

/* --- keys and certificates --- */

static bool
hardware_check_is_pem(const struct buf *b)
{
	return b->len > 0 && b->data[0] != 0x30 && strstr(buf_str(b), "-----BEGIN ") != NULL;
}

/* PEM with any number of certificates, or DER of one; added to ret[*n..max-1]. */
static int
hardware_check_certs(const char *path, struct x509_cert **ret, size_t max, size_t *n, struct err *e)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	size_t got = 1;
	int rc;

	if (hardware_check_file(path, &bytes, e) != 0)
		return -1;
	if (*n == max)
		return err_set(e, ERR_USAGE, "%s: more than %zu certificates", path, max);
	rc = hardware_check_is_pem(&bytes) ?
	    x509_decode_pem(bytes.data, bytes.len, max - *n, ret + *n, &got, e) :
	    x509_decode(bytes.data, bytes.len, ret + *n, e);
	if (rc != 0)
		return err_prefix(e, "%s", path);
	*n += got;
	return 0;
}

/* The blocks of a PEM text as they are; false: they cannot be taken out of it. */
static bool
hardware_check_blocks(const struct buf *text, struct buf *ret, size_t max, size_t *n)
{
	size_t offset = 0;
	bool found = true;

	while (found) {
		CLEANUP(buf_free) struct buf der = BUF_INIT;
		char label[PEM_LABEL_SIZE];

		if (pem_next(text->data, text->len, &offset, label, &der, &found, NULL) != 0)
			return false;
		if (found && (strcmp(label, "CERTIFICATE") != 0 || *n == max))
			return false;
		if (found) {
			ret[(*n)++] = der;
			der = (struct buf)BUF_INIT;
		}
	}
	return *n > 0;
}

/*
 * Evidence: whatever is in the file is judged, and what is no certificate makes the chain
 * fail, as any other damage does.
 */
static int
hardware_check_evidence(const char *path, struct hardware_check_job *j, struct err *e)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	size_t first = j->rq.chain_count, *n = &j->rq.chain_count;

	if (path == NULL)
		return 0;
	if (hardware_check_file(path, &bytes, e) != 0)
		return -1;
	if (*n == HARDWARE_CHECK_CHAIN_MAX)
		return err_set(e, ERR_USAGE, "%s: more than %d certificates", path,
		    HARDWARE_CHECK_CHAIN_MAX);
	if (hardware_check_is_pem(&bytes) && hardware_check_blocks(&bytes, j->chain,
	    HARDWARE_CHECK_CHAIN_MAX, n))
		return 0;
	while (*n > first)
		buf_free(&j->chain[--*n]);
	j->chain[(*n)++] = bytes;
	bytes = (struct buf)BUF_INIT;
	return 0;
}

static int
hardware_check_chain(const struct hardware_check_options *o, struct hardware_check_job *j,
    struct err *e)
{
	j->rq.chain = j->chain;
	return hardware_check_evidence(o->vcek, j, e) != 0 ||
	    hardware_check_evidence(o->chain, j, e) != 0 ? -1 : 0;
}

static int
hardware_check_ak_cert(const struct buf *bytes, struct key **ret, struct err *e)
{
	struct x509_cert *c = NULL;
	size_t n;
	int rc;

	if (x509_decode_pem(bytes->data, bytes->len, 1, &c, &n, e) != 0)
		return -1;
	rc = x509_key(c, ret, e);
	x509_free(c);
	return rc;
}

/* PEM of the key or of its certificate, or a TPMT_PUBLIC. */
static int
hardware_check_ak(const char *path, struct hardware_check_job *j, struct err *e)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct ak_public public = {0};
	int rc;

	if (path == NULL)
		return 0;
	if (hardware_check_file(path, &bytes, e) != 0)
		return -1;
	if (!hardware_check_is_pem(&bytes)) {
		rc = ak_public_decode(bytes.data, bytes.len, &public, e);
		j->ak = public.key;
	} else if (strstr(buf_str(&bytes), "-----BEGIN CERTIFICATE-----") != NULL) {
		rc = hardware_check_ak_cert(&bytes, &j->ak, e);
	} else {
		rc = key_from_pem(bytes.data, bytes.len, &j->ak, e);
	}
	if (rc != 0)
		return err_prefix(e, "--ak %s", path);
	j->rq.ak = j->ak;
	return 0;
}

/* --- what is demanded --- */

static int
hardware_check_launch(const struct option_list *l, struct hardware_check_job *j, struct err *e)
{
	if (l->count == 0)
		return 0;
	j->launch = calloc(l->count, sizeof *j->launch);
	if (j->launch == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < l->count; i++) {
		if (hardware_launch_parse(l->items[i], &j->launch[i], e) != 0) {
			e->code = ERR_USAGE;
			return err_prefix(e, "--launch");
		}
	}
	j->launch_count = l->count;
	return 0;
}

/* "name=0..255" into the level of that name, which is none of those seen. */
static int
hardware_check_level(const char *item, struct snp_tcb *t, unsigned *seen)
{
	const struct { const char *name; uint8_t *level; } all[] = {
		{"bootloader=", &t->bootloader}, {"tee=", &t->tee}, {"snp=", &t->snp},
		{"microcode=", &t->microcode}, {"fmc=", &t->fmc},
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		const char *number = item + strlen(all[i].name);
		char *end;
		unsigned long v;

		if (strncmp(item, all[i].name, strlen(all[i].name)) != 0)
			continue;
		v = strtoul(number, &end, 10);
		if (*number < '0' || *number > '9' || *end != '\0' || v > UINT8_MAX || (*seen >> i & 1) != 0)
			return -1;
		*seen |= 1u << i;
		*all[i].level = (uint8_t)v;
		return 0;
	}
	return -1;
}

static int
hardware_check_minimum(const char *text, struct hardware_check_job *j, struct err *e)
{
	CLEANUP(cleanup_free) char *copy = NULL;
	char *save = NULL;
	unsigned seen = 0;

	if (text == NULL)
		return 0;
	copy = buf_strdup(text, e);
	if (copy == NULL)
		return -1;
	for (char *item = strtok_r(copy, ",", &save); item != NULL; item = strtok_r(NULL, ",", &save)) {
		if (hardware_check_level(item, &j->minimum, &seen) != 0)
			return err_set(e, ERR_USAGE, "--min-tcb: %s is not LEVEL=0..255 with a level of"
			    " bootloader, tee, snp, microcode, fmc, each once", item);
		j->has_minimum = true;
	}
	if (!j->has_minimum)
		return err_set(e, ERR_USAGE, "--min-tcb: no level");
	return 0;
}

static int
hardware_check_report_data(const char *text, struct hardware_check_job *j, struct err *e)
{
	if (text == NULL)
		return 0;
	if (hex_decode(j->report_data, sizeof j->report_data, text, e) != 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--report-data");
	}
	j->rq.report_data = j->report_data;
	return 0;
}

static int
hardware_check_time(const char *at, struct hardware_check_job *j, struct err *e)
{
	j->rq.time = timestamp_now();
	j->time_source = at != NULL ? "--at" : "now";
	if (at == NULL || timestamp_parse_loose(at, &j->rq.time, e) == 0)
		return 0;
	e->code = ERR_USAGE;
	return err_prefix(e, "--at");
}

/* --- whom to believe --- */

static void
hardware_check_pin(struct hardware_check_job *j, const struct x509_cert *ark,
    const struct trust_entry *t)
{
	struct hardware_pin *p = &j->pins[j->rq.pin_count++];

	*p = (struct hardware_pin){.ark = ark, .launch = j->launch, .launch_count = j->launch_count,
	    .has_minimum = j->has_minimum, .minimum = j->minimum};
	if (t != NULL && j->launch_count == 0) {
		p->launch = t->launch;
		p->launch_count = t->launch_count;
	}
	if (t != NULL && !j->has_minimum) {
		p->has_minimum = t->has_minimum_tcb;
		p->minimum = t->minimum_tcb;
	}
}

/* Roots that were named, else the trust entries for hardware reports valid at the time. */
static int
hardware_check_pins(const struct hardware_check_options *o, struct hardware_check_job *j,
    struct err *e)
{
	for (size_t i = 0; i < o->roots.count; i++) {
		if (hardware_check_certs(o->roots.items[i], j->roots, HARDWARE_CHECK_ROOTS_MAX,
		    &j->root_count, e) != 0)
			return err_prefix(e, "--root");
	}
	if (j->root_count == 0 && cmd_trust(&j->trust, e) != 0)
		return -1;
	j->pins = calloc(j->root_count + j->trust.count + 1, sizeof *j->pins);
	j->helpers = calloc(j->trust.count + 1, sizeof *j->helpers);
	if (j->pins == NULL || j->helpers == NULL)
		return err_nomem(e);
	j->rq.pins = j->pins;
	j->rq.helpers = j->helpers;
	for (size_t i = 0; i < j->root_count; i++) {
		if (!x509_signed_by(j->roots[i], j->roots[i]))
			return err_set(e, ERR_FORMAT, "--root: not a root, or damaged: it is not signed by"
			    " itself");
		hardware_check_pin(j, j->roots[i], NULL);
	}
	for (size_t i = 0; i < j->trust.count; i++) {
		const struct trust_entry *t = &j->trust.entries[i];

		if (j->rq.time < t->not_before || j->rq.time > t->not_after)
			continue;
		if (t->purpose == TRUST_SNP)
			hardware_check_pin(j, t->cert, t);
		if (t->purpose == TRUST_INTERMEDIATE)
			j->helpers[j->rq.helper_count++] = t->cert;
	}
	return 0;
}

/* --- the command --- */

static int
hardware_check_load(const struct hardware_check_options *o, struct hardware_check_job *j,
    struct err *e)
{
	j->rq.format = strcmp(o->format, "hcl") == 0 ? HARDWARE_HCL : HARDWARE_SNP;
	if (hardware_check_time(o->at, j, e) != 0 ||
	    hardware_check_launch(&o->launch, j, e) != 0 ||
	    hardware_check_minimum(o->min_tcb, j, e) != 0 ||
	    hardware_check_report_data(o->report_data, j, e) != 0 ||
	    hardware_check_file(o->report, &j->report, e) != 0 ||
	    hardware_check_chain(o, j, e) != 0 || hardware_check_ak(o->ak, j, e) != 0)
		return -1;
	j->rq.report = j->report.data;
	j->rq.len = j->report.len;
	return hardware_check_pins(o, j, e);
}

static int
hardware_check_run(const struct hardware_check_options *o, struct err *e)
{
	CLEANUP(hardware_check_job_free) struct hardware_check_job j = {0};
	CLEANUP(hardware_free) struct hardware h = {0};
	enum hardware_part part = HARDWARE_REPORT;

	if (hardware_check_usage(o, e) != 0 || hardware_check_load(o, &j, e) != 0 ||
	    hardware_judge(&j.rq, &h, e) != 0)
		return -1;
	if (hardware_print(&(struct hardware_print){.h = &h, .subject = o->report,
	    .time = j.rq.time, .time_source = j.time_source,
	    .trust = j.root_count == 0 ? &j.trust : NULL}, o->json, e) != 0)
		return -1;
	return hardware_result(&h, &part) == HARDWARE_PASSED ? 0 : 1;
}

int
hardware_check_command(int argc, char **argv, struct err *e)
{
	CLEANUP(hardware_check_options_free) struct hardware_check_options o = {0};
	bool help = false;
	const struct option table[] = {
		{OPTION_ONCE, 0, "report", &o.report, "FILE", "the report"},
		{OPTION_STRING, 0, "format", &o.format, "FORMAT", "snp (1184 bytes) or hcl (Azure's NV index)"},
		{OPTION_ONCE, 0, "vcek", &o.vcek, "FILE", "certificate of the chip's key, DER or PEM"},
		{OPTION_ONCE, 0, "chain", &o.chain, "FILE", "what signed it: ASK, perhaps the ARK"},
		{OPTION_STRINGS, 0, "root", &o.roots, "FILE", "an ARK to believe, instead of the trust entries"},
		{OPTION_ONCE, 0, "ak", &o.ak, "FILE", "hcl: the key that signs quotes, as PEM or TPMT_PUBLIC"},
		{OPTION_ONCE, 0, "report-data", &o.report_data, "HEX", "snp: what REPORT_DATA must be"},
		{OPTION_STRINGS, 0, "launch", &o.launch, "ID", "idkey:HEX or measurement:HEX that is believed"},
		{OPTION_ONCE, 0, "min-tcb", &o.min_tcb, "LIST", "bootloader=N,tee=N,snp=N,microcode=N,fmc=N"},
		{OPTION_STRING, 0, "at", &o.at, "TIME", "judge at this time, not now"},
		{OPTION_FLAG, 0, "json", &o.json, NULL, "the verdict as one JSON document"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("hardware-check", "--report FILE --format FORMAT [--vcek FILE] [--chain FILE]"
	    " [--root FILE ...] [--ak FILE] [--report-data HEX] [--launch ID ...] [--min-tcb LIST]"
	    " [--at TIME] [--json]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("hardware-check", argc, 0, 0, e) != 0)
		return -1;
	return hardware_check_run(&o, e);
}
