#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include "base/progress.h"

static const struct {
	uint64_t bytes;
	const char *text;
} progress_sizes[] = {
	{0, "0 bytes"},
	{1, "1 byte"},
	{2, "2 bytes"},
	{1023, "1023 bytes"},
	{1024, "1.0 KiB"},
	{1536, "1.5 KiB"},
	{10240, "10.0 KiB"},
	{1048575, "1023.9 KiB"},
	{1048576, "1.0 MiB"},
	{UINT64_C(1610612736), "1.5 GiB"},
	{UINT64_C(1) << 40, "1.0 TiB"},
	{UINT64_C(5) << 50, "5.0 PiB"},
	{UINT64_C(1) << 63, "8192.0 PiB"},
	{UINT64_MAX, "16383.9 PiB"},
};

START_TEST(test_progress_size)
{
	char text[32];

	progress_size(text, sizeof text, progress_sizes[_i].bytes);
	ck_assert_str_eq(text, progress_sizes[_i].text);
}
END_TEST

START_TEST(test_progress_size_bounded)
{
	char text[5] = {0};

	progress_size(text, sizeof text, 1023);
	ck_assert_str_eq(text, "1023");
}
END_TEST

START_TEST(test_progress_silent)
{
	struct progress p;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	progress_start(&p, out, "copy", 10); /* no terminal */
	p.started_ms -= 10000;
	progress_add(&p, 5);
	progress_add(&p, 5);
	ck_assert_uint_eq(p.done, 10);
	progress_end(&p);
	fclose(out);
	ck_assert_uint_eq(len, 0);
	free(text);
	progress_start(&p, NULL, "copy", 0);
	progress_add(&p, 1);
	progress_end(&p);
}
END_TEST

/* A terminal's two ends: what is written to *ret comes out of the result. */
static int
progress_terminal(FILE **ret)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	const char *name;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	name = ptsname(master);
	ck_assert_ptr_nonnull(name);
	*ret = fopen(name, "r+e");
	ck_assert_ptr_nonnull(*ret);
	return master;
}

static size_t
progress_drawn(int master, char *text, size_t cap)
{
	struct pollfd p = {.fd = master, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, 0) <= 0)
		return 0;
	n = read(master, text, cap - 1);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return (size_t)n;
}

START_TEST(test_progress_terminal)
{
	struct progress p;
	char text[512];
	FILE *out;
	int master = progress_terminal(&out);

	progress_start(&p, out, "copy", 4096);
	progress_add(&p, 1024); /* short work draws nothing */
	ck_assert_uint_eq(progress_drawn(master, text, sizeof text), 0);
	p.started_ms -= 2000;
	p.drawn_ms -= 2000;
	progress_add(&p, 1024);
	ck_assert_uint_gt(progress_drawn(master, text, sizeof text), 0);
	ck_assert_msg(strstr(text, "copy:  50 %, 2.0 KiB, ") != NULL, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, " left"));
	progress_add(&p, 1); /* not more often than ten times a second */
	ck_assert_uint_eq(progress_drawn(master, text, sizeof text), 0);
	progress_end(&p);
	ck_assert_uint_gt(progress_drawn(master, text, sizeof text), 0);
	ck_assert_str_eq(text, "\r\033[K");
	progress_end(&p); /* again: nothing */
	ck_assert_uint_eq(progress_drawn(master, text, sizeof text), 0);
	fclose(out);
	close(master);
}
END_TEST

START_TEST(test_progress_unknown_total)
{
	struct progress p;
	char text[512];
	FILE *out;
	int master = progress_terminal(&out);

	progress_start(&p, out, "fetch", 0);
	p.started_ms -= 2000;
	p.drawn_ms -= 2000;
	progress_add(&p, 2048);
	ck_assert_uint_gt(progress_drawn(master, text, sizeof text), 0);
	ck_assert_msg(strstr(text, "fetch: 2.0 KiB, ") != NULL, "%s", text);
	ck_assert_ptr_null(strchr(text, '%'));
	progress_end(&p);
	fclose(out);
	close(master);
}
END_TEST

START_TEST(test_progress_note)
{
	struct progress p;
	char text[512];
	FILE *out;
	int master = progress_terminal(&out);

	progress_start(&p, out, "boot", 0);
	progress_note(&p, "firmware"); /* short work draws nothing */
	ck_assert_uint_eq(progress_drawn(master, text, sizeof text), 0);
	p.started_ms -= 2000;
	p.drawn_ms -= 2000;
	progress_note(&p, "firmware");
	ck_assert_uint_gt(progress_drawn(master, text, sizeof text), 0);
	ck_assert_str_eq(text, "\r\033[Kboot: 2 s, firmware");
	progress_note(&p, "kernel"); /* not more often than ten times a second */
	ck_assert_uint_eq(progress_drawn(master, text, sizeof text), 0);
	progress_end(&p);
	ck_assert_uint_gt(progress_drawn(master, text, sizeof text), 0);
	progress_note(&p, "after the end");
	ck_assert_uint_eq(progress_drawn(master, text, sizeof text), 0);
	fclose(out);
	close(master);
}
END_TEST

UNIT_SUITE(progress)
{
	tcase_add_loop_test(tc, test_progress_size, 0,
	    sizeof progress_sizes / sizeof progress_sizes[0]);
	tcase_add_test(tc, test_progress_size_bounded);
	tcase_add_test(tc, test_progress_note);
	tcase_add_test(tc, test_progress_silent);
	tcase_add_test(tc, test_progress_terminal);
	tcase_add_test(tc, test_progress_unknown_total);
}
