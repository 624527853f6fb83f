#include "serve/platform.h"

#include <fcntl.h>
#include <string.h>
#include "base/atomic-file.h"
#include "serve/channel.h"
#include "tpm/tpm.h"
#include "unit.h"

static struct tpm *
open_tpm(void)
{
	char spec[160];
	struct tpm_open_options o = {.spec = spec};
	struct tpm *t = NULL;
	struct err e;

	snprintf(spec, sizeof spec, "embedded:%s/platform-tpm", unit_dir());
	UNIT_OK(tpm_open(&o, &t, &e), &e);
	return t;
}

START_TEST(files_become_chain_and_log)
{
	char chain[160], log[160];
	struct platform_options o = {.ak_chain = chain, .boot_log = log};
	struct tpm *t = open_tpm();
	struct run_platform p;
	struct channel a, b;
	struct err e;

	UNIT_OK(channel_ephemeral("leaf", &a, &e), &e);
	UNIT_OK(channel_ephemeral("issuer", &b, &e), &e);
	buf_add(&a.certificate, b.certificate.data, b.certificate.len);
	snprintf(chain, sizeof chain, "%s/chain.pem", unit_dir());
	snprintf(log, sizeof log, "%s/boot.log", unit_dir());
	UNIT_OK(atomic_file_write(AT_FDCWD, chain, a.certificate.data, a.certificate.len, 0600, &e), &e);
	UNIT_FAILS(platform_read(t, &o, &p, &e), &e, ERR_NOTFOUND); /* it was asked for */
	UNIT_OK(atomic_file_write(AT_FDCWD, log, "events", 6, 0600, &e), &e);
	UNIT_OK(platform_read(t, &o, &p, &e), &e);
	ck_assert_uint_eq(p.ak_chain_count, 2);
	ck_assert_int_eq(p.ak_chain[0].data[0], 0x30);
	ck_assert_str_eq(buf_str(&p.boot_log), "events");
	platform_free(&p);
	ck_assert_uint_eq(p.ak_chain_count, 0);
	for (int i = 0; i < CERTIFICATE_CHAIN_MAX; i++)
		buf_add(&a.certificate, b.certificate.data, b.certificate.len);
	UNIT_OK(atomic_file_write(AT_FDCWD, chain, a.certificate.data, a.certificate.len, 0600, &e), &e);
	UNIT_FAILS(platform_read(t, &o, &p, &e), &e, ERR_LIMIT);
	UNIT_OK(atomic_file_write(AT_FDCWD, chain, "x", 1, 0600, &e), &e);
	ck_assert_int_ne(platform_read(t, &o, &p, &e), 0);
	channel_free(&a);
	channel_free(&b);
	tpm_close(t);
}
END_TEST

START_TEST(nothing_is_known_of_an_embedded_tpm)
{
	const struct platform_options o = {.ak_chain = NULL};
	struct tpm *t = open_tpm();
	struct run_platform p;
	struct err e;

	UNIT_OK(platform_read(t, &o, &p, &e), &e);
	ck_assert_uint_eq(p.ak_chain_count, 0);
	ck_assert_uint_eq(p.boot_log.len, 0);
	platform_free(&p);
	tpm_close(t);
}
END_TEST

UNIT_SUITE(serve_platform)
{
	tcase_add_test(tc, files_become_chain_and_log);
	tcase_add_test(tc, nothing_is_known_of_an_embedded_tpm);
}
