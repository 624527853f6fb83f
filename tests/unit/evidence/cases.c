/*
 * Quotes of real machines with the answers of two other judges: each case names
 * its files and the checks that must pass or must fail.
 */
#include "unit.h"

#include <fcntl.h>
#include <string.h>
#include "base/dir-walk.h"
#include "base/timestamp.h"
#include "codec/base64.h"
#include "corpus.h"
#include "evidence/ak-chain.h"
#include "evidence/fixture.h"
#include "evidence/tpm-alg.h"

static const char *const dirs[] = {
	"a1-aicert-sample", "b3-azure-in-guest-ak", "c1-gce-nonce-sha1", "c1-gce-nonce-sha256",
	"c1-gce-nonce-sha384", "c3-gce-tdx-p256", "c5-gce-amd-p256", "d1-azure-cvm-v0",
	"d1-azure-cvm-v1", "e1-keylime", "f1-msref-ecdsa-sha384", "f1-msref-rsassa-sha256",
	"g1-dell-bootctrs", "g1-dell-notebook",
};
#define DIRS ((int)(sizeof dirs / sizeof *dirs))
#define CASES_MAX 40
#define ROOTS_MAX 4

struct loaded {
	const char *dir;
	const struct jcs *args;
	struct buf attest, signature;
	struct ak_public ak;            /* key, and scheme as the signature states it */
	struct buf chain[AK_CHAIN_MAX];
	size_t chain_len;
	struct x509_cert *roots[ROOTS_MAX];
	size_t root_count;
	struct attest decoded;
	bool has_attest;
};

static void
loaded_free(struct loaded *l)
{
	buf_free(&l->attest);
	buf_free(&l->signature);
	ak_public_free(&l->ak);
	for (size_t i = 0; i < AK_CHAIN_MAX; i++)
		buf_free(&l->chain[i]);
	while (l->root_count > 0)
		x509_free(l->roots[--l->root_count]);
}

/* The value after the nth time name is given, or NULL. */
static const char *
case_arg_nth(const struct jcs *args, const char *name, size_t nth)
{
	for (size_t i = 0; i + 1 < jcs_length(args); i++) {
		if (strcmp(jcs_string(jcs_at(args, i)), name) == 0 && nth-- == 0)
			return jcs_string(jcs_at(args, i + 1));
	}
	return NULL;
}

static const char *
case_arg(const struct jcs *args, const char *name)
{
	return case_arg_nth(args, name, 0);
}

static bool
case_file_nth(const struct loaded *l, const char *name, size_t nth, struct buf *ret)
{
	const char *file = case_arg_nth(l->args, name, nth);
	char path[256];

	if (file == NULL)
		return false;
	snprintf(path, sizeof path, "quotes/%s/%s", l->dir, file);
	corpus_read(path, ret);
	return true;
}

static bool
case_file(const struct loaded *l, const char *name, struct buf *ret)
{
	return case_file_nth(l, name, 0, ret);
}

/* The base64 between the first pair of PEM lines. */
static void
case_unpem(const struct buf *pem, struct buf *ret)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	const char *p = strchr(buf_str(pem), '\n');
	struct err e;

	for (p++; *p != '-'; p++) {
		if (*p != '\n' && *p != '\r')
			buf_addc(&text, *p);
	}
	UNIT_OK(base64_decode(ret, buf_str(&text), text.len, &e), &e);
}

static void
case_load_roots(struct loaded *l)
{
	for (size_t i = 0; i < ROOTS_MAX; i++) {
		CLEANUP(buf_free) struct buf pem = BUF_INIT;
		size_t n;
		struct err e;

		if (!case_file_nth(l, "--root", i, &pem))
			break;
		UNIT_OK(x509_decode_pem(pem.data, pem.len, 1, &l->roots[i], &n, &e), &e);
		l->root_count++;
	}
}

static void
case_load_chain(struct loaded *l)
{
	CLEANUP(buf_free) struct buf pem = BUF_INIT;
	struct x509_cert *certs[AK_CHAIN_MAX];
	struct err e;

	if (!case_file(l, "--chain", &pem))
		return;
	UNIT_OK(x509_decode_pem(pem.data, pem.len, AK_CHAIN_MAX, certs, &l->chain_len, &e), &e);
	for (size_t i = 0; i < l->chain_len; i++)
		UNIT_OK(x509_der(certs[i], &l->chain[i], &e), &e);
	if (case_arg(l->args, "--key") == NULL)
		UNIT_OK(x509_key(certs[0], &l->ak.key, &e), &e);
	for (size_t i = 0; i < l->chain_len; i++)
		x509_free(certs[i]);
	case_load_roots(l);
}

static void
case_load_key(struct loaded *l)
{
	CLEANUP(buf_free) struct buf pem = BUF_INIT, der = BUF_INIT;
	struct err e;

	if (!case_file(l, "--key", &pem))
		return;
	case_unpem(&pem, &der);
	UNIT_OK(key_from_spki(der.data, der.len, &l->ak.key, &e), &e);
}

/* Bare signatures are wrapped as TPMT_SIGNATURE of the stated format. */
static void
case_load_signature(struct loaded *l)
{
	const char *format = case_arg(l->args, "--signature-format");
	CLEANUP(buf_free) struct buf raw = BUF_INIT;

	ck_assert(case_file(l, "--signature", &raw));
	if (strncmp(format, "rsa", 3) == 0) {
		fixture_u16(&l->signature, strncmp(format, "rsassa", 6) == 0 ? 0x0014 : 0x0016);
		fixture_u16(&l->signature, strstr(format, "384") != NULL ? 0x000c : 0x000b);
		fixture_u16(&l->signature, (unsigned)raw.len);
	}
	buf_add(&l->signature, raw.data, raw.len);
	l->ak.scheme = KEY_ECDSA;
	l->ak.scheme_hash = HASH_SHA256;
	if (strcmp(format, "ecdsa-sha256-der") != 0 && l->signature.len >= 4) {
		const unsigned char *p = l->signature.data;

		(void)tpm_alg_to_scheme((uint16_t)(p[0] << 8 | p[1]), &l->ak.scheme);
		(void)tpm_alg_to_hash((uint16_t)(p[2] << 8 | p[3]), &l->ak.scheme_hash);
	}
}

static bool
case_signature(const struct loaded *l)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	bool ok = false;
	struct err e;

	if (strcmp(case_arg(l->args, "--signature-format"), "ecdsa-sha256-der") == 0)
		UNIT_OK(key_verify(l->ak.key, KEY_ECDSA, HASH_SHA256, false, l->attest.data,
		    l->attest.len, l->signature.data, l->signature.len, &ok, &e), &e);
	else
		UNIT_OK(quote_check_signature(&l->ak, l->attest.data, l->attest.len,
		    l->signature.data, l->signature.len, &ok, &reason, &e), &e);
	return ok;
}

static bool
case_chain(const struct loaded *l)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	CLEANUP(ak_chain_path_free) struct ak_chain_path path = {0};
	enum ak_chain_result result;
	const char *text = case_arg(l->args, "--at");
	int64_t at = timestamp_now();
	struct err e;

	if (text != NULL)
		UNIT_OK(timestamp_parse_loose(text, &at, &e), &e);
	UNIT_OK(ak_chain_judge(&(struct ak_chain_request){.chain = l->chain, .n = l->chain_len,
	    .anchors = (const struct x509_cert *const *)l->roots, .anchor_count = l->root_count,
	    .time = at}, &result, &path, &reason, &e), &e);
	return result == AK_CHAIN_GOOD;
}

static bool
case_leaf(const struct loaded *l)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	bool ok;
	struct err e;

	UNIT_OK(ak_chain_leaf_ok(&l->chain[0], l->ak.key, &ok, &reason, &e), &e);
	return ok;
}

/* BANK:PCR,... */
static bool
case_selects(const struct loaded *l, const char *require)
{
	const char *p = strchr(require, ':');
	char bank[16] = "";
	enum hash_alg alg;
	struct err e;

	memcpy(bank, require, (size_t)(p - require));
	UNIT_OK(hash_from_name(bank, &alg, &e), &e);
	for (; p != NULL; p = strchr(p + 1, ',')) {
		if (alg == HASH_SHA1 || !attest_selects(&l->decoded, alg, (unsigned)atoi(p + 1)))
			return false;
	}
	return true;
}

static bool
case_structure(const struct loaded *l)
{
	const char *require;

	if (!l->has_attest || l->decoded.selection[0].bank == HASH_SHA1)
		return false;
	for (size_t i = 0; (require = case_arg_nth(l->args, "--require", i)) != NULL; i++) {
		if (!case_selects(l, require))
			return false;
	}
	return true;
}

static bool
case_binding(const struct loaded *l)
{
	const char *nonce = case_arg(l->args, "--nonce");
	CLEANUP(buf_free) struct buf want = BUF_INIT;

	if (!l->has_attest)
		return false;
	if (nonce == NULL)
		return true;
	corpus_hex(nonce, &want);
	return want.len == l->decoded.extra_len &&
	    memcmp(want.data, l->decoded.extra, want.len) == 0;
}

static bool
case_values(const struct jcs *bank, unsigned char *ret, size_t size)
{
	if (bank == NULL)
		return false;
	for (unsigned pcr = 0; pcr < ATTEST_PCRS; pcr++) {
		CLEANUP(buf_free) struct buf value = BUF_INIT;
		char name[8];

		snprintf(name, sizeof name, "%u", pcr);
		if (jcs_get_string(bank, name) == NULL)
			continue;
		corpus_hex(jcs_get_string(bank, name), &value);
		ck_assert_uint_eq(value.len, size);
		memcpy(ret + pcr * size, value.data, size);
	}
	return true;
}

static bool
case_pcrs(const struct loaded *l)
{
	static unsigned char sha256[ATTEST_PCRS][32], sha384[ATTEST_PCRS][48];
	struct quote_check_pcrs pcrs = {.sha256 = (const unsigned char (*)[32])sha256,
	    .sha384 = (const unsigned char (*)[48])sha384};
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	char path[256];
	bool ok;
	struct err e;

	if (!l->has_attest || case_arg(l->args, "--pcrs") == NULL)
		return false;
	snprintf(path, sizeof path, "quotes/%s/%s", l->dir, case_arg(l->args, "--pcrs"));
	v = corpus_json(path);
	memset(sha256, 0, sizeof sha256);
	memset(sha384, 0, sizeof sha384);
	pcrs.has_sha256 = case_values(jcs_get(v, "sha256"), sha256[0], 32);
	pcrs.has_sha384 = case_values(jcs_get(v, "sha384"), sha384[0], 48);
	UNIT_OK(quote_check_digest(&l->decoded, &pcrs, l->ak.scheme_hash, &ok, &e), &e);
	return ok;
}

static const struct {
	const char *name;
	bool (*check)(const struct loaded *l);
} checks[] = {
	{"ak.chain", case_chain}, {"ak.key", case_leaf}, {"quote.structure", case_structure},
	{"quote.signature", case_signature}, {"quote.binding", case_binding},
	{"quote.pcrs", case_pcrs},
};

/* Every check of the list that is ours has this result; how many there were. */
static size_t
case_expect(const struct loaded *l, const struct jcs *c, const char *list, bool expected)
{
	const struct jcs *names = jcs_get(c, list);
	size_t done = 0;

	for (size_t i = 0; i < jcs_length(names); i++) {
		for (size_t k = 0; k < sizeof checks / sizeof *checks; k++) {
			if (strcmp(checks[k].name, jcs_string(jcs_at(names, i))) != 0)
				continue;
			ck_assert_msg(checks[k].check(l) == expected, "%s (%s): %s",
			    jcs_get_string(c, "id"), jcs_get_string(c, "what"), checks[k].name);
			done++;
		}
	}
	return done;
}

static size_t
case_run(const char *dir, const struct jcs *c)
{
	CLEANUP(loaded_free) struct loaded l = {.dir = dir, .args = jcs_get(c, "args")};
	struct err e;

	ck_assert(case_file(&l, "--attest", &l.attest));
	case_load_signature(&l);
	case_load_chain(&l);
	case_load_key(&l);
	l.has_attest = attest_decode(l.attest.data, l.attest.len, &l.decoded, &e) == 0;
	return case_expect(&l, c, "pass", true) + case_expect(&l, c, "fail", false);
}

START_TEST(cases_of_real_machines)
{
	size_t judged = 0;
	char path[256];

	snprintf(path, sizeof path, "quotes/%s/case-01.json", dirs[_i]);
	if (!corpus_has(path))
		return;
	for (int n = 1; n < CASES_MAX; n++) {
		CLEANUP(jcs_freep) struct jcs *c = NULL;

		snprintf(path, sizeof path, "quotes/%s/case-%02d.json", dirs[_i], n);
		if (!corpus_there(path))
			break;
		c = corpus_json(path);
		judged += case_run(dirs[_i], c);
	}
	ck_assert_uint_gt(judged, 2);
}
END_TEST

UNIT_SUITE(cases)
{
	tcase_add_loop_test(tc, cases_of_real_machines, 0, DIRS);
}
