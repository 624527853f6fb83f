/*
 * forge-hardware DIR [turin]: a processor of our own making and its reports, as
 * files.  The id key's digest is 1d repeated, the measurement 4d repeated.
 */
#include <string.h>
#include "codec/base64.h"
#include "evidence/snp-forge.h"
#include "unit.h"

static const char *dir;
static bool turin;

static void
put(const char *name, const void *data, size_t len)
{
	char path[4096];
	FILE *out;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	out = fopen(path, "wb");
	if (out == NULL || fwrite(data, 1, len, out) != len || fclose(out) != 0) {
		perror(path);
		exit(1);
	}
}

static void
put_pem(const char *name, const char *label, const struct buf *der)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(buf_free) struct buf pem = BUF_INIT;

	base64_encode(&text, der->data, der->len);
	buf_addf(&pem, "-----BEGIN %s-----\n", label);
	for (size_t i = 0; i < text.len; i += 64)
		buf_addf(&pem, "%.64s\n", buf_str(&text) + i);
	buf_addf(&pem, "-----END %s-----\n", label);
	put(name, pem.data, pem.len);
}

static void
put_key(const char *name, const struct key *k)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	struct err e;

	UNIT_OK(key_spki(k, &der, &e), &e);
	put_pem(name, "PUBLIC KEY", &der);
}

static void
put_all(const struct snp_forge *f)
{
	put("report.bin", f->report, sizeof f->report);
	put("hcl.bin", f->hcl.data, f->hcl.len);
	put("vcek.der", f->chain[0].data, f->chain[0].len);
	put_pem("vcek.pem", "CERTIFICATE", &f->chain[0]);
	put_pem("ask.pem", "CERTIFICATE", &f->chain[1]);
	put_pem("ark.pem", "CERTIFICATE", &f->chain[2]);
	put_key("ak.pem", f->ak_key);
}

/* A test, since Check's assertions want to be in one. */
START_TEST(forge_all)
{
	static struct snp_forge f;

	snp_forge_new(&f, turin);
	put_all(&f);
	snp_forge_u32(f.report + 0x8, 0xb001f);
	snp_forge_bind(&f);
	put("debug.bin", f.hcl.data, f.hcl.len);
	f.hcl_type = 4;
	snp_forge_wrap(&f);
	put("tdx.bin", f.hcl.data, f.hcl.len);
	snp_forge_free(&f);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("forge");
	TCase *tc = tcase_create("forge");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (argc < 2 || argc > 3)
		return 2;
	dir = argv[1];
	turin = argc == 3 && strcmp(argv[2], "turin") == 0;
	tcase_add_test(tc, forge_all);
	suite_add_tcase(suite, tc);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
