#include "store/sealed.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "unit.h"
#include "store/fixture.h"

START_TEST(sealed_round_trip)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT, got = BUF_INIT;
	struct fixture f;
	struct stat st;
	struct err e;

	fixture_open(&f);
	UNIT_OK(sealed_write(f.dirfd, "x", &text, 0600, &e), &e);
	UNIT_OK(sealed_read(f.dirfd, "x", 0, &got, &e), &e);
	ck_assert_uint_eq(got.len, 0);
	buf_adds(&text, "two\nlines\n");
	UNIT_OK(sealed_write(f.dirfd, "x", &text, 0600, &e), &e);
	ck_assert_int_eq(fstatat(f.dirfd, "x", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	UNIT_OK(sealed_read(f.dirfd, "x", text.len, &got, &e), &e);
	ck_assert_str_eq(buf_str(&got), "two\nlines\n");
	UNIT_FAILS(sealed_read(f.dirfd, "x", text.len - 1, &got, &e), &e, ERR_LIMIT);
	UNIT_FAILS(sealed_read(f.dirfd, "y", 10, &got, &e), &e, ERR_NOTFOUND);
	ck_assert_int_eq(symlinkat("x", f.dirfd, "link"), 0);
	UNIT_FAILS(sealed_read(f.dirfd, "link", 100, &got, &e), &e, ERR_DENIED);
	fixture_close(&f);
}
END_TEST

START_TEST(sealed_damage)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT, whole = BUF_INIT, got = BUF_INIT;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	buf_adds(&text, "{\"nonce\":\"00\"}");
	UNIT_OK(sealed_write(f.dirfd, "x", &text, 0600, &e), &e);
	fixture_read(f.dirfd, "x", &whole);
	for (size_t bit = 0; bit < whole.len * 8; bit++) {
		whole.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
		fixture_write(&f, "x", whole.data, whole.len);
		UNIT_FAILS(sealed_read(f.dirfd, "x", 100, &got, &e), &e, ERR_CORRUPT);
		whole.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	for (size_t len = 0; len < whole.len; len++) {
		fixture_write(&f, "x", whole.data, len);
		UNIT_FAILS(sealed_read(f.dirfd, "x", 100, &got, &e), &e, ERR_CORRUPT);
	}
	buf_addc(&whole, '\n');
	fixture_write(&f, "x", whole.data, whole.len);
	UNIT_FAILS(sealed_read(f.dirfd, "x", 100, &got, &e), &e, ERR_CORRUPT);
	ck_assert_uint_eq(got.len, 0);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(sealed)
{
	tcase_add_test(tc, sealed_round_trip);
	tcase_add_test(tc, sealed_damage);
}
