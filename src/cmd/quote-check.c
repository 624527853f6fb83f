#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "base/hex.h"
#include "base/timestamp.h"
#include "cmd/aia.h"
#include "cmd/judging.h"
#include "verify/quote-verdict.h"

#define QUOTE_CHECK_FILE_MAX (1024u * 1024)
#define QUOTE_CHECK_LOG_MAX (64u * 1024 * 1024)
#define QUOTE_CHECK_LIST_MAX 16

struct quote_check_options {
	const char *attest, *signature, *format, *key, *chain, *pcrs, *nonce, *at;
	struct option_list roots, require, crls, event_logs;
	bool any_nonce, fetch_aia, json;
};

/* The files and what was made of them, for as long as the request lives. */
struct quote_check_job {
	struct buf attest, signature, key, chain, pcrs, nonce;
	struct judging_crls crls;
	struct x509_cert *roots[QUOTE_CHECK_LIST_MAX];
	struct trust trust;
	struct aia fetched;
	struct quote_verdict_request rq;
};

static void
quote_check_options_free(struct quote_check_options *o)
{
	options_list_free(&o->roots);
	options_list_free(&o->require);
	options_list_free(&o->crls);
	options_list_free(&o->event_logs);
}

static void
quote_check_job_free(struct quote_check_job *j)
{
	buf_free(&j->attest);
	buf_free(&j->signature);
	buf_free(&j->key);
	buf_free(&j->chain);
	buf_free(&j->pcrs);
	buf_free(&j->nonce);
	judging_crls_free(&j->crls);
	for (size_t i = 0; i < QUOTE_CHECK_LIST_MAX; i++)
		x509_free(j->roots[i]);
	trust_free(&j->trust);
	aia_free(&j->fetched);
}

static int
quote_check_usage(const struct quote_check_options *o, struct err *e)
{
	const char *wrong = NULL;

	if (o->attest == NULL || o->signature == NULL)
		wrong = "--attest and --signature are needed";
	else if ((o->key == NULL) == (o->chain == NULL))
		wrong = "one of --key and --chain is needed";
	else if (o->chain == NULL && (o->roots.count > 0 || o->crls.count > 0 || o->fetch_aia))
		wrong = "--root, --crl and --fetch-aia go with --chain";
	else if (o->nonce != NULL && o->any_nonce)
		wrong = "--nonce or --any-nonce, not both";
	else if (o->roots.count > QUOTE_CHECK_LIST_MAX)
		wrong = "too many --root";
	return wrong == NULL ? 0 :
	    err_set(e, ERR_USAGE, "quote-check: %s (aicert quote-check --help)", wrong);
}

/* *ret_rq is set to the buffer when there is a file to read. */
static int
quote_check_read(const char *path, size_t max, struct buf *b, const struct buf **ret_rq,
    struct err *e)
{
	if (path == NULL)
		return 0;
	if (fd_read_named(path, max, b, e) != 0)
		return -1;
	*ret_rq = b;
	return 0;
}

/* Hex of any even length in either case: people copy it from everywhere. */
static int
quote_check_nonce(const char *text, struct quote_check_job *j, struct err *e)
{
	size_t len = text != NULL ? strlen(text) : 0;

	if (text == NULL)
		return 0;
	if (buf_reserve(&j->nonce, len / 2, e) != 0)
		return -1;
	if (len == 0 || len % 2 != 0 || hex_decode_any(j->nonce.data, len / 2, text, NULL) != 0)
		return err_set(e, ERR_USAGE, "--nonce: an even number of hexadecimal digits is needed");
	j->nonce.len = len / 2;
	j->rq.nonce = &j->nonce;
	return 0;
}

static int
quote_check_time(const char *at, struct quote_check_job *j, struct err *e)
{
	j->rq.time = timestamp_now();
	j->rq.time_source = "now";
	if (at == NULL)
		return 0;
	j->rq.time_source = "--at";
	if (timestamp_parse_loose(at, &j->rq.time, e) == 0)
		return 0;
	e->code = ERR_USAGE;
	return err_prefix(e, "--at");
}

/* A file may hold several roots. */
static int
quote_check_roots(const struct quote_check_options *o, struct quote_check_job *j, struct err *e)
{
	for (size_t i = 0; i < o->roots.count; i++) {
		CLEANUP(buf_free) struct buf pem = BUF_INIT;
		size_t n = 0;

		if (fd_read_named(o->roots.items[i], QUOTE_CHECK_FILE_MAX, &pem, e) != 0)
			return -1;
		if (x509_decode_pem(pem.data, pem.len, QUOTE_CHECK_LIST_MAX - j->rq.root_count,
		    j->roots + j->rq.root_count, &n, e) != 0)
			return err_prefix(e, "--root %s", o->roots.items[i]);
		for (size_t k = 0; k < n; k++) {
			if (!x509_signed_by(j->roots[j->rq.root_count], j->roots[j->rq.root_count]))
				return err_set(e, ERR_FORMAT, "--root %s: not a root, or damaged: it is not"
				    " signed by itself", o->roots.items[i]);
			j->rq.root_count++;
		}
	}
	j->rq.roots = j->roots;
	return 0;
}

static int
quote_check_lists(const struct quote_check_options *o, struct quote_check_job *j, struct err *e)
{
	for (size_t i = 0; i < o->require.count; i++) {
		if (quote_any_require(o->require.items[i], j->rq.require, e) != 0)
			return err_prefix(e, "--require");
	}
	if (judging_crls(&o->crls, &j->crls, e) != 0)
		return -1;
	j->rq.crls = j->crls.lists;
	j->rq.crl_count = j->crls.count;
	return quote_check_roots(o, j, e);
}

static int
quote_check_load(const struct quote_check_options *o, struct quote_check_job *j, struct err *e)
{
	struct quote_verdict_request *rq = &j->rq;

	rq->subject = o->attest;
	rq->any_nonce = o->any_nonce;
	if (tpm_signature_format(o->format != NULL ? o->format : "tpmt", &rq->format, e) != 0)
		return err_prefix(e, "--signature-format");
	if (quote_check_time(o->at, j, e) != 0 || quote_check_nonce(o->nonce, j, e) != 0 ||
	    quote_check_read(o->attest, QUOTE_CHECK_FILE_MAX, &j->attest, &rq->attest, e) != 0 ||
	    quote_check_read(o->signature, QUOTE_CHECK_FILE_MAX, &j->signature, &rq->signature,
	    e) != 0 ||
	    quote_check_read(o->key, QUOTE_CHECK_FILE_MAX, &j->key, &rq->key_pem, e) != 0 ||
	    quote_check_read(o->chain, QUOTE_CHECK_FILE_MAX, &j->chain, &rq->chain_pem, e) != 0 ||
	    quote_check_read(o->pcrs, QUOTE_CHECK_FILE_MAX, &j->pcrs, &rq->pcrs, e) != 0 ||
	    quote_check_lists(o, j, e) != 0)
		return -1;
	if (o->chain == NULL || rq->root_count > 0)
		return 0;
	if (cmd_trust(&j->trust, e) != 0)
		return -1;
	rq->trust = &j->trust;
	return 0;
}

static void
quote_check_line(const struct verdict *v, enum verdict_check c)
{
	static const char *const words[] = {[VERDICT_SKIP] = "skip", [VERDICT_PASS] = "pass",
	    [VERDICT_FAIL] = "FAIL"};
	const struct verdict_item *item = &v->checks[c];

	printf("  %s  %s", words[item->result], verdict_check_name(c));
	if (item->result == VERDICT_SKIP && item->found != NULL)
		printf(" (%s)", item->found);
	putchar('\n');
	if (item->result != VERDICT_FAIL)
		return;
	if (item->expected != NULL)
		printf("        expected  %s\n", item->expected);
	if (item->found != NULL)
		printf("        found     %s\n", item->found);
}

static int
quote_check_print(const struct verdict *v, bool json, struct err *e)
{
	static const char *const heads[] = {[ANSWER_FAIL] = "FAIL", [ANSWER_UNDECIDED] = "UNDECIDED",
	    [ANSWER_PASS] = "PASS"};
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (json) {
		if (verdict_to_json(v, &text, e) != 0)
			return -1;
		puts(buf_str(&text));
		return 0;
	}
	printf("%s  ", heads[v->answer]);
	cmd_print_text(stdout, v->subject);
	putchar('\n');
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		if (v->asked[c])
			quote_check_line(v, c);
	}
	for (size_t i = 0; i < v->note_count; i++)
		printf("  %s\n", v->notes[i]);
	return 0;
}

static int
quote_check_with_log(const char *path, struct quote_check_job *j, struct verdict **ret,
    struct err *e)
{
	CLEANUP(buf_free) struct buf log = BUF_INIT;
	struct quote_verdict_request rq = j->rq;

	if (quote_check_read(path, QUOTE_CHECK_LOG_MAX, &log, &rq.event_log, e) != 0)
		return -1;
	return quote_verdict(&rq, ret, e);
}

/* Of several logs the one of this boot; when none is, what is wrong with the first. */
static int
quote_check_judge(const struct quote_check_options *o, struct quote_check_job *j,
    struct verdict **ret, struct err *e)
{
	size_t n = o->event_logs.count;
	struct verdict *first, *other;

	if (quote_check_with_log(n > 0 ? o->event_logs.items[0] : NULL, j, &first, e) != 0)
		return -1;
	*ret = first;
	for (size_t i = 1; i < n && (*ret)->checks[CHECK_BOOT_LOG].result != VERDICT_PASS; i++) {
		if (quote_check_with_log(o->event_logs.items[i], j, &other, e) != 0) {
			verdict_free(first);
			return -1;
		}
		if (other->checks[CHECK_BOOT_LOG].result == VERDICT_PASS)
			*ret = other;
		else
			verdict_free(other);
	}
	if (*ret != first)
		verdict_free(first);
	return 0;
}

static int
quote_check_run(const struct quote_check_options *o, struct err *e)
{
	CLEANUP(quote_check_job_free) struct quote_check_job j = {0};
	struct verdict *v;
	int rc;

	if (quote_check_usage(o, e) != 0 || quote_check_load(o, &j, e) != 0 ||
	    (o->fetch_aia && aia_fetch(&j.rq, &j.fetched, e) != 0))
		return -1;
	j.rq.fetched = j.fetched.certs;
	j.rq.fetched_count = j.fetched.count;
	if (quote_check_judge(o, &j, &v, e) != 0)
		return -1;
	rc = quote_check_print(v, o->json, e);
	if (rc == 0)
		rc = v->answer == ANSWER_PASS ? 0 : v->answer == ANSWER_FAIL ? 1 : 3;
	verdict_free(v);
	return rc;
}

int
quote_check_command(int argc, char **argv, struct err *e)
{
	CLEANUP(quote_check_options_free) struct quote_check_options o = {0};
	bool help = false;
	const struct option table[] = {
		{OPTION_ONCE, 0, "attest", &o.attest, "FILE", "the TPMS_ATTEST"},
		{OPTION_ONCE, 0, "signature", &o.signature, "FILE", "its signature"},
		{OPTION_STRING, 0, "signature-format", &o.format, "FORMAT",
		    "tpmt (the default), rsassa-HASH, rsapss-HASH or ecdsa-HASH-der"},
		{OPTION_ONCE, 0, "key", &o.key, "PEM", "the attestation key"},
		{OPTION_ONCE, 0, "chain", &o.chain, "PEM", "its certificates, leaf first"},
		{OPTION_STRINGS, 0, "root", &o.roots, "PEM", "a root to end at, instead of trust entries"},
		{OPTION_STRINGS, 0, "crl", &o.crls, "FILE", "a revocation list, DER or PEM"},
		{OPTION_FLAG, 0, "fetch-aia", &o.fetch_aia, NULL,
		    "fetch intermediates that the chain lacks"},
		{OPTION_ONCE, 0, "pcrs", &o.pcrs, "FILE", "PCR values by bank, as JSON"},
		{OPTION_ONCE, 0, "nonce", &o.nonce, "HEX", "what extraData has to be"},
		{OPTION_FLAG, 0, "any-nonce", &o.any_nonce, NULL, "do not ask for a nonce"},
		{OPTION_STRINGS, 0, "require", &o.require, "BANK:LIST", "PCRs the quote has to cover"},
		{OPTION_STRINGS, 0, "event-log", &o.event_logs, "FILE",
		    "a boot log to replay; of several, one has to fit"},
		{OPTION_STRING, 0, "at", &o.at, "TIME", "judge the chain at this time, not now"},
		{OPTION_FLAG, 0, "json", &o.json, NULL, "the verdict as one JSON document"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("quote-check", "--attest FILE --signature FILE"
	    " [--signature-format FORMAT] --key PEM|--chain PEM [--root PEM ...] [--crl FILE ...]"
	    " [--fetch-aia] [--pcrs FILE] [--nonce HEX | --any-nonce] [--require BANK:LIST ...]"
	    " [--event-log FILE ...] [--at TIME] [--json]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("quote-check", argc, 0, 0, e) != 0)
		return -1;
	return quote_check_run(&o, e);
}
