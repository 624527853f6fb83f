#include "serve/principal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/atomic-file.h"
#include "unit.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int
parse(const char *text, struct principal_list *ret, struct err *e)
{
	return principal_parse(text, strlen(text), ret, e);
}

START_TEST(lines_are_read)
{
	struct principal_list l;
	unsigned char digest[32];
	const struct principal *p;
	struct err e;

	UNIT_OK(parse("# people\n\nada sha256:" A " run,read\n \t \nbob\tspki:" B "   force\n"
	    "ada spki:" A " run,read", &l, &e), &e);
	ck_assert_uint_eq(l.count, 3);
	memset(digest, 0xaa, sizeof digest);
	p = principal_find(&l, false, digest);
	ck_assert_ptr_nonnull(p);
	ck_assert_str_eq(p->name, "ada");
	ck_assert_uint_eq(p->rights, PRINCIPAL_RUN | PRINCIPAL_READ);
	ck_assert_str_eq(principal_find(&l, true, digest)->name, "ada");
	memset(digest, 0xbb, sizeof digest);
	ck_assert_ptr_null(principal_find(&l, false, digest)); /* a key is no token */
	ck_assert_str_eq(principal_find(&l, true, digest)->name, "bob");
	memset(digest, 0, sizeof digest);
	ck_assert_ptr_null(principal_find(&l, true, digest));
	principal_list_free(&l);
	UNIT_OK(parse("", &l, &e), &e);
	ck_assert_uint_eq(l.count, 0);
	principal_list_free(&l);
}
END_TEST

START_TEST(other_lines_are_refused)
{
	static const char *const bad[] = {
		"ada", "ada sha256:" A, "ada sha256:" A " run more", "ada " A " run", "ada sha1:" A " run",
		"ada sha256:" A "a run", "ada sha256:aaaa run", "ada SHA256:" A " run",
		"ada sha256:AAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa run",
		"Ada sha256:" A " run", "-a sha256:" A " run", "a/b sha256:" A " run",
		"a23456789012345678901234567890123 sha256:" A " run", "ada sha256:" A " ,",
		"ada sha256:" A " run,", "ada sha256:" A " run,run", "ada sha256:" A " all", "ada sha256:" A " Run",
		"ada sha256:" A " run\nbob sha256:" A " run", "ada sha256:" A " run\nada sha256:" B " read",
		"ada sha256:" A " run\r", NULL,
	};

	for (size_t i = 0; bad[i] != NULL; i++) {
		struct principal_list l;
		struct err e;

		ck_assert_msg(parse(bad[i], &l, &e) != 0, "%s", bad[i]);
		ck_assert_int_eq(e.code, ERR_FORMAT);
		ck_assert_ptr_nonnull(strstr(e.msg, "line "));
	}
}
END_TEST

START_TEST(the_file_must_be_closed)
{
	struct principal_list l;
	char path[160];
	struct err e;

	snprintf(path, sizeof path, "%s/tokens", unit_dir());
	UNIT_FAILS(principal_load(path, &l, &e), &e, ERR_IO);
	UNIT_OK(atomic_file_write(AT_FDCWD, path, "ada sha256:" A " run\n", 80, 0600, &e), &e);
	UNIT_OK(principal_load(path, &l, &e), &e);
	principal_list_free(&l);
	ck_assert_int_eq(chmod(path, 0640), 0);
	UNIT_FAILS(principal_load(path, &l, &e), &e, ERR_DENIED);
	ck_assert_int_eq(chmod(path, 0604), 0);
	UNIT_FAILS(principal_load(path, &l, &e), &e, ERR_DENIED);
	UNIT_FAILS(principal_load("/dev/null", &l, &e), &e, ERR_DENIED);
	UNIT_FAILS(principal_load(unit_dir(), &l, &e), &e, ERR_DENIED);
}
END_TEST

START_TEST(bearer_tokens)
{
	static const char *const bad[] = {
		"", "Bearer", "Bearer ", "Basic abc", "Bearerabc", "Bearer a b", "Bearer a,b", "Bearer =",
		"Bearer a=b", "Bearer a\t", "Bearer \"a\"", NULL,
	};
	const char *token;
	char longest[PRINCIPAL_TOKEN_MAX + 16];
	size_t len;

	ck_assert(principal_bearer("Bearer abc", &token, &len));
	ck_assert(len == 3 && memcmp(token, "abc", 3) == 0);
	ck_assert(principal_bearer("bearer  aZ0-._~+/==", &token, &len));
	ck_assert_uint_eq(len, 11);
	for (size_t i = 0; bad[i] != NULL; i++)
		ck_assert_msg(!principal_bearer(bad[i], &token, &len), "%s", bad[i]);
	memset(longest, 'x', sizeof longest);
	memcpy(longest, "Bearer ", 7);
	longest[7 + PRINCIPAL_TOKEN_MAX] = '\0';
	ck_assert(principal_bearer(longest, &token, &len));
	longest[7 + PRINCIPAL_TOKEN_MAX] = 'x';
	longest[8 + PRINCIPAL_TOKEN_MAX] = '\0';
	ck_assert(!principal_bearer(longest, &token, &len));
}
END_TEST

UNIT_SUITE(serve_principal)
{
	tcase_add_test(tc, lines_are_read);
	tcase_add_test(tc, other_lines_are_refused);
	tcase_add_test(tc, the_file_must_be_closed);
	tcase_add_test(tc, bearer_tokens);
}
