#include "unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "codec/archive.h"

static const struct archive_limits archive_wide = {.bytes = 1 << 20, .entries = 100};

/* A header of POSIX ustar and its data, padded. */
static void
archive_add(struct buf *tar, char type, const char *name, const char *link, const char *data,
    unsigned mode)
{
	unsigned char header[512] = {0};
	size_t len = data != NULL ? strlen(data) : 0;
	unsigned sum = 0;

	snprintf((char *)header, 100, "%s", name);
	snprintf((char *)header + 100, 8, "%07o", mode);
	snprintf((char *)header + 108, 8, "%07o", 0u);
	snprintf((char *)header + 116, 8, "%07o", 0u);
	snprintf((char *)header + 124, 12, "%011o", (unsigned)len);
	snprintf((char *)header + 136, 12, "%011o", 0u);
	header[156] = (unsigned char)type;
	if (link != NULL)
		snprintf((char *)header + 157, 100, "%s", link);
	memcpy(header + 257, "ustar\00000", 8);
	memset(header + 148, ' ', 8);
	for (size_t i = 0; i < sizeof header; i++)
		sum += header[i];
	snprintf((char *)header + 148, 8, "%06o", sum);
	buf_add(tar, header, sizeof header);
	if (len > 0)
		buf_add(tar, data, len);
	while (tar->len % 512 != 0)
		buf_addc(tar, 0);
}

/* Two directories, "in" to unpack into and a secret beside it. */
static int
archive_place(void)
{
	static const char secret[] = "untouched";
	CLEANUP(cleanup_close) int top = open(unit_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(cleanup_close) int fd = -1;
	struct err e;
	int in;

	UNIT_OK(fd_remove_tree(top, "in", &e), &e);
	ck_assert_int_eq(mkdirat(top, "in", 0755), 0);
	fd = openat(top, "secret", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	UNIT_OK(fd_write_all(fd, secret, sizeof secret - 1, "secret", &e), &e);
	in = openat(top, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(in, 0);
	return in;
}

static int
archive_try(struct buf *tar, int in, const struct archive_limits *limits, int whiteouts, struct err *e)
{
	CLEANUP(cleanup_close) int fd = open(unit_dir(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	for (int i = 0; i < 1024; i++)
		buf_addc(tar, 0);
	ck_assert_int_ge(fd, 0);
	UNIT_OK(fd_write_all(fd, tar->data, tar->len, "tar", e), e);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return archive_extract(fd, in, limits, whiteouts, e);
}

static void
archive_check_text(int dirfd, const char *name, const char *expected)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;

	UNIT_OK(fd_read_file(dirfd, name, 1 << 20, &text, &e), &e);
	ck_assert_str_eq(buf_str(&text), expected);
}

START_TEST(archive_unpacks)
{
	CLEANUP(cleanup_close) int in = archive_place();
	CLEANUP(buf_free) struct buf tar = BUF_INIT;
	char link[64] = "";
	struct stat st, other;
	struct err e;

	archive_add(&tar, '5', "./", NULL, NULL, 0755);
	archive_add(&tar, '5', "./d/", NULL, NULL, 0500);
	archive_add(&tar, '0', "./d/file", NULL, "hello", 06755);
	archive_add(&tar, '0', "made/on/the/way", NULL, "x", 0644);
	archive_add(&tar, '2', "link", "/etc/passwd", NULL, 0777);
	archive_add(&tar, '1', "hard", "d/file", NULL, 0644);
	archive_add(&tar, '0', "twice", NULL, "first", 0644);
	archive_add(&tar, '0', "twice", NULL, "second", 0644);
	UNIT_OK(archive_try(&tar, in, &archive_wide, 0, &e), &e);
	archive_check_text(in, "d/file", "hello");
	archive_check_text(in, "made/on/the/way", "x");
	archive_check_text(in, "hard", "hello");
	archive_check_text(in, "twice", "second");
	ck_assert_int_eq(readlinkat(in, "link", link, sizeof link - 1), 11);
	ck_assert_int_eq(fstatat(in, "d/file", &st, 0), 0);
	ck_assert_int_eq(fstatat(in, "hard", &other, 0), 0);
	ck_assert_uint_eq(st.st_ino, other.st_ino);
	ck_assert_uint_eq(st.st_mode & 07777, 0755); /* no set-id */
}
END_TEST

/* A name in a pax header is UTF-8, whatever the locale. */
START_TEST(archive_utf8_names)
{
	CLEANUP(cleanup_close) int in = archive_place();
	CLEANUP(buf_free) struct buf tar = BUF_INIT;
	struct err e;

	archive_add(&tar, 'x', "PaxHeaders/a", NULL, "17 path=\xc5\x91\xc3\xba.txt\n", 0644);
	archive_add(&tar, '0', "a", NULL, "hello", 0644);
	archive_add(&tar, '0', "raw-\xff", NULL, "bytes", 0644);
	UNIT_OK(archive_try(&tar, in, &archive_wide, 0, &e), &e);
	archive_check_text(in, "\xc5\x91\xc3\xba.txt", "hello");
	archive_check_text(in, "raw-\xff", "bytes");
}
END_TEST

static void
archive_refuse(struct buf *tar, const struct archive_limits *limits, enum err_code code)
{
	CLEANUP(cleanup_close) int in = archive_place();
	CLEANUP(cleanup_close) int top = open(unit_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e;

	UNIT_FAILS(archive_try(tar, in, limits, 0, &e), &e, code);
	archive_check_text(top, "secret", "untouched");
	ck_assert_int_ne(faccessat(top, "outside", F_OK, 0), 0);
}

START_TEST(archive_refuses_names)
{
	static const char *const bad[] = {
		"../outside", "/outside", "a/../../outside", "a/..", "..", "a//b", "a/./b", "./../outside",
		"//outside",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CLEANUP(buf_free) struct buf tar = BUF_INIT;

		archive_add(&tar, '0', bad[i], NULL, "x", 0644);
		archive_refuse(&tar, &archive_wide, ERR_FORMAT);
	}
}
END_TEST

/* Nothing goes through a symbolic link that an earlier entry laid. */
START_TEST(archive_refuses_through_links)
{
	CLEANUP(buf_free) struct buf file = BUF_INIT;
	CLEANUP(buf_free) struct buf dir = BUF_INIT;
	CLEANUP(buf_free) struct buf hard = BUF_INIT;
	CLEANUP(buf_free) struct buf up = BUF_INIT;

	archive_add(&file, '2', "l", "..", NULL, 0777);
	archive_add(&file, '0', "l/outside", NULL, "x", 0644);
	archive_refuse(&file, &archive_wide, ERR_DENIED);
	archive_add(&dir, '2', "l", "..", NULL, 0777);
	archive_add(&dir, '5', "l/", NULL, NULL, 0755);
	archive_refuse(&dir, &archive_wide, ERR_FORMAT);
	archive_add(&hard, '2', "l", "..", NULL, 0777);
	archive_add(&hard, '1', "h", "l/secret", NULL, 0644);
	archive_refuse(&hard, &archive_wide, ERR_DENIED);
	archive_add(&up, '1', "h", "../secret", NULL, 0644);
	archive_refuse(&up, &archive_wide, ERR_FORMAT);
}
END_TEST

/* A link is replaced by a later file of its name, never written through. */
START_TEST(archive_replaces_links)
{
	CLEANUP(cleanup_close) int in = archive_place();
	CLEANUP(cleanup_close) int top = open(unit_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(buf_free) struct buf tar = BUF_INIT;
	struct err e;

	archive_add(&tar, '2', "l", "../secret", NULL, 0777);
	archive_add(&tar, '0', "l", NULL, "mine", 0644);
	UNIT_OK(archive_try(&tar, in, &archive_wide, 0, &e), &e);
	archive_check_text(in, "l", "mine");
	archive_check_text(top, "secret", "untouched");
}
END_TEST

START_TEST(archive_refuses_kinds)
{
	static const char kinds[] = "346";

	for (size_t i = 0; kinds[i] != '\0'; i++) {
		CLEANUP(buf_free) struct buf tar = BUF_INIT;

		archive_add(&tar, kinds[i], "special", NULL, NULL, 0644);
		archive_refuse(&tar, &archive_wide, ERR_FORMAT);
	}
}
END_TEST

START_TEST(archive_limits_hold)
{
	const struct archive_limits bytes = {.bytes = 9, .entries = 100}, two = {.bytes = 100, .entries = 2};
	CLEANUP(buf_free) struct buf large = BUF_INIT;
	CLEANUP(buf_free) struct buf many = BUF_INIT;
	CLEANUP(buf_free) struct buf exact = BUF_INIT;
	CLEANUP(cleanup_close) int in = -1;
	struct err e;

	archive_add(&large, '0', "a", NULL, "12345", 0644);
	archive_add(&large, '0', "b", NULL, "12345", 0644);
	archive_refuse(&large, &bytes, ERR_LIMIT);
	archive_add(&many, '0', "a", NULL, "", 0644);
	archive_add(&many, '0', "b", NULL, "", 0644);
	archive_add(&many, '0', "c", NULL, "", 0644);
	archive_refuse(&many, &two, ERR_LIMIT);
	archive_add(&exact, '0', "a", NULL, "12345", 0644);
	archive_add(&exact, '0', "b", NULL, "1234", 0644);
	in = archive_place();
	UNIT_OK(archive_try(&exact, in, &bytes, 0, &e), &e);
}
END_TEST

/* GNU sparse 1.0: a hole of a tebibyte counts as what it will be read as. */
START_TEST(archive_limits_holes)
{
	CLEANUP(buf_free) struct buf tar = BUF_INIT;
	static const char pax[] = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
	    "25 GNU.sparse.name=large\n37 GNU.sparse.realsize=1099511627776\n";
	char map[513];

	memset(map, ' ', sizeof map);
	map[512] = '\0';
	memcpy(map, "1\n1099511627776\n0\n", 18);
	archive_add(&tar, 'x', "PaxHeaders/large", NULL, pax, 0644);
	archive_add(&tar, '0', "GNUSparseFile.0/large", NULL, map, 0644);
	archive_refuse(&tar, &archive_wide, ERR_LIMIT);
}
END_TEST

START_TEST(archive_not_one)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(buf_free) struct buf cut = BUF_INIT;

	buf_adds(&text, "this is no archive, and zip, cpio or mtree would not do either");
	archive_refuse(&text, &archive_wide, ERR_FORMAT);
	archive_add(&cut, '0', "a", NULL, "12345", 0644);
	cut.data[130] = '7'; /* says that more follows than does */
	archive_refuse(&cut, &archive_wide, ERR_FORMAT);
}
END_TEST

START_TEST(archive_whiteouts)
{
	CLEANUP(cleanup_close) int in = archive_place();
	CLEANUP(buf_free) struct buf lower = BUF_INIT;
	CLEANUP(buf_free) struct buf upper = BUF_INIT;
	CLEANUP(buf_free) struct buf hostile = BUF_INIT;
	struct err e;

	archive_add(&lower, '0', "gone", NULL, "x", 0644);
	archive_add(&lower, '0', "kept", NULL, "x", 0644);
	archive_add(&lower, '0', "dir/old", NULL, "x", 0644);
	UNIT_OK(archive_try(&lower, in, &archive_wide, 1, &e), &e);
	archive_add(&upper, '0', ".wh.gone", NULL, "", 0644);
	archive_add(&upper, '0', "dir/.wh..wh..opq", NULL, "", 0644);
	archive_add(&upper, '0', "dir/new", NULL, "y", 0644);
	UNIT_OK(archive_try(&upper, in, &archive_wide, 1, &e), &e);
	ck_assert_int_ne(faccessat(in, "gone", F_OK, 0), 0);
	ck_assert_int_ne(faccessat(in, ".wh.gone", F_OK, 0), 0);
	ck_assert_int_ne(faccessat(in, "dir/old", F_OK, 0), 0);
	archive_check_text(in, "kept", "x");
	archive_check_text(in, "dir/new", "y");
	archive_add(&hostile, '0', ".wh...", NULL, "", 0644);
	UNIT_FAILS(archive_try(&hostile, in, &archive_wide, 1, &e), &e, ERR_FORMAT);
	archive_check_text(in, "kept", "x");
}
END_TEST

UNIT_SUITE(archive)
{
	tcase_add_test(tc, archive_unpacks);
	tcase_add_test(tc, archive_utf8_names);
	tcase_add_test(tc, archive_refuses_names);
	tcase_add_test(tc, archive_refuses_through_links);
	tcase_add_test(tc, archive_replaces_links);
	tcase_add_test(tc, archive_refuses_kinds);
	tcase_add_test(tc, archive_limits_hold);
	tcase_add_test(tc, archive_limits_holes);
	tcase_add_test(tc, archive_not_one);
	tcase_add_test(tc, archive_whiteouts);
}
