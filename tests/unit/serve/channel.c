#include "serve/channel.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/atomic-file.h"
#include "crypto/x509.h"
#include "serve/place.h"
#include "unit.h"

static void
write_file(char path[160], const char *name, const struct buf *text, mode_t mode)
{
	struct err e;

	snprintf(path, 160, "%s/%s", unit_dir(), name);
	UNIT_OK(atomic_file_write(AT_FDCWD, path, text->data, text->len, mode, &e), &e);
}

START_TEST(an_ephemeral_key_and_its_certificate)
{
	struct channel a, b;
	struct x509_cert *cert[2];
	struct x509_profile profile;
	unsigned char digest[32];
	struct key *key;
	struct err e;
	size_t n;

	UNIT_OK(channel_ephemeral("aicertd", &a, &e), &e);
	UNIT_OK(channel_ephemeral("aicertd", &b, &e), &e);
	ck_assert(!oid_equal(&a.spki_digest, &b.spki_digest));
	UNIT_OK(x509_decode_pem(a.certificate.data, a.certificate.len, 2, cert, &n, &e), &e);
	ck_assert_uint_eq(n, 1);
	UNIT_OK(x509_profile(cert[0], &profile, &e), &e);
	ck_assert(!profile.ca && profile.digital_signature && !profile.key_cert_sign);
	UNIT_OK(x509_key(cert[0], &key, &e), &e);
	ck_assert_int_eq((int)key_kind(key), KEY_P256);
	UNIT_OK(key_spki_digest(key, digest, &e), &e);
	ck_assert_mem_eq(digest, a.spki_digest.b, 32);
	ck_assert(x509_signed_by(cert[0], cert[0]));
	ck_assert_ptr_nonnull(strstr(buf_str(&a.key), "PRIVATE KEY"));
	channel_wipe(&a);
	ck_assert_uint_eq(a.key.len, 0);
	key_free(key);
	x509_free(cert[0]);
	channel_free(&a);
	channel_free(&b);
}
END_TEST

START_TEST(files_are_judged)
{
	char cert[160], key[160];
	struct buf nothing = BUF_INIT;
	struct channel made, c;
	struct err e;

	UNIT_OK(channel_ephemeral("hub", &made, &e), &e);
	write_file(cert, "cert.pem", &made.certificate, 0644);
	write_file(key, "key.pem", &made.key, 0600);
	UNIT_OK(channel_load(cert, key, &c, &e), &e);
	ck_assert(oid_equal(&c.spki_digest, &made.spki_digest));
	UNIT_OK(channel_load_client_ca(cert, &c, &e), &e);
	channel_free(&c);
	UNIT_OK(channel_set_client_ca(buf_str(&made.certificate), "document", &c, &e), &e);
	ck_assert_uint_eq(c.client_ca.len, made.certificate.len);
	channel_free(&c);
	ck_assert_int_ne(channel_set_client_ca("no certificate", "document", &c, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "document"));
	channel_free(&c);
	ck_assert_int_eq(chmod(key, 0604), 0);
	UNIT_FAILS(channel_load(cert, key, &c, &e), &e, ERR_DENIED);
	ck_assert_int_eq(chmod(key, 0640), 0);
	UNIT_OK(channel_load(cert, key, &c, &e), &e);
	channel_free(&c);
	ck_assert_int_ne(channel_load("/nonexistent", key, &c, &e), 0);
	ck_assert_int_ne(channel_load(cert, "/nonexistent", &c, &e), 0);
	ck_assert_int_ne(channel_load(key, key, &c, &e), 0); /* no certificate in it */
	write_file(cert, "cert.pem", &nothing, 0644);
	ck_assert_int_ne(channel_load(cert, key, &c, &e), 0);
	channel_free(&made);
}
END_TEST

START_TEST(directories_are_made)
{
	char dir[160], inner[200];
	struct place a, b;
	struct stat st;
	struct err e;

	snprintf(dir, sizeof dir, "%s/deep/er/place", unit_dir());
	UNIT_OK(place_prepare(dir, &a, &e), &e);
	ck_assert_int_eq(stat(dir, &st), 0);
	ck_assert_int_eq(st.st_mode & 077, 0);
	ck_assert_int_eq(stat(a.logs, &st), 0);
	ck_assert_int_eq(st.st_mode & 077, 0);
	snprintf(inner, sizeof inner, "%s/.aicert", dir);
	UNIT_OK(place_prepare(inner, &b, &e), &e); /* the same, by its own name */
	ck_assert_str_eq(a.store, b.store);
	place_free(&b);
	place_free(&a);
	snprintf(inner, sizeof inner, "%s/.aicert/config/x", dir);
	ck_assert_int_ne(place_prepare(inner, &b, &e), 0);
	UNIT_FAILS(place_prepare("", &b, &e), &e, ERR_USAGE);
}
END_TEST

UNIT_SUITE(serve_channel)
{
	tcase_add_test(tc, an_ephemeral_key_and_its_certificate);
	tcase_add_test(tc, files_are_judged);
	tcase_add_test(tc, directories_are_made);
}
