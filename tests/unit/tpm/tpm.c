#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "base/fd.h"
#include "tpm/fixture.h"

START_TEST(tpm_embedded_has_both_banks)
{
	CLEANUP(tpm_closep) struct tpm *t = fixture_open("embedded");
	bool sha256 = false, sha384 = false;

	tpm_banks(t, &sha256, &sha384);
	ck_assert(sha256);
	ck_assert(sha384);
	ck_assert_int_eq(tpm_kind(t), EVENT_TPM_EMBEDDED);
	ck_assert(tpm_resettable(t));
}
END_TEST

START_TEST(tpm_refuses_unknown_kinds)
{
	static const char *const bad[] = {"", "none", "embeddedx", "embedde", "cmd:swtpm", "libtpms",
	    "swtpmx:", "Device:/dev/tpm0", "/tmp/tpm", "pcap"};
	struct tpm_open_options o = {0};
	struct tpm *t = NULL;
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		o.spec = bad[i];
		UNIT_FAILS(tpm_open(&o, &t, &e), &e, ERR_USAGE);
		ck_assert_ptr_null(t);
	}
	o.spec = "embedded:";
	UNIT_FAILS(tpm_open(&o, &t, &e), &e, ERR_USAGE);
}
END_TEST

START_TEST(tpm_absent_device_is_an_error)
{
	static const char *const absent[] = {"device:/dev/no-such-tpm", "/dev/no-such-tpm",
	    "swtpm:host=127.0.0.1,port=1", "mssim:host=127.0.0.1,port=1"};
	struct tpm_open_options o = {.spec = absent[_i]};
	struct tpm *t = NULL;
	struct err e;

	UNIT_FAILS(tpm_open(&o, &t, &e), &e, ERR_TPM);
	ck_assert_ptr_null(t);
}
END_TEST

START_TEST(tpm_is_one_a_process)
{
	CLEANUP(tpm_closep) struct tpm *t = fixture_open("embedded");
	struct tpm_open_options o = {.spec = "embedded"};
	struct tpm *second = NULL;
	struct err e;

	UNIT_FAILS(tpm_open(&o, &second, &e), &e, ERR_BUSY);
	tpm_close(t);
	t = NULL;
	UNIT_OK(tpm_open(&o, &second, &e), &e);
	tpm_close(second);
}
END_TEST

START_TEST(tpm_reset_zeroes_pcrs_and_keeps_the_key)
{
	CLEANUP(tpm_closep) struct tpm *t = fixture_open(_i == 0 ? "embedded" : fixture_spec("r"));
	CLEANUP(buf_free) struct buf before = BUF_INIT, after = BUF_INIT;
	static const struct certificate_pcrs zero;
	struct certificate_pcrs pcrs;
	uint64_t clock;
	uint32_t resets, restarts, first;
	struct err e;

	UNIT_OK(ak_load(t, &before, &e), &e);
	UNIT_OK(quote_clock(t, &clock, &first, &restarts, &e), &e);
	for (uint32_t n = 1; n <= 3; n++) {
		UNIT_OK(pcr_extend(t, 14, "x", 1, &e), &e);
		UNIT_OK(pcr_extend(t, 15, "y", 1, &e), &e);
		UNIT_OK(tpm_reset(t, &e), &e);
		UNIT_OK(pcr_read_all(t, &pcrs, &e), &e);
		ck_assert_mem_eq(pcrs.sha256[14], zero.sha256[14], 2 * 32);
		ck_assert_mem_eq(pcrs.sha384[14], zero.sha384[14], 2 * 48);
		UNIT_OK(quote_clock(t, &clock, &resets, &restarts, &e), &e);
		ck_assert_uint_eq(resets, first + n);
		buf_reset(&after);
		UNIT_OK(ak_load(t, &after, &e), &e);
		ck_assert_uint_eq(before.len, after.len);
		ck_assert_mem_eq(before.data, after.data, before.len);
	}
}
END_TEST

START_TEST(tpm_state_survives_closing)
{
	CLEANUP(buf_free) struct buf before = BUF_INIT, after = BUF_INIT, other = BUF_INIT;
	struct tpm *t = fixture_open(fixture_spec("kept/deep/er"));
	uint32_t first, resets, restarts;
	uint64_t clock;
	struct err e;

	UNIT_OK(ak_load(t, &before, &e), &e);
	UNIT_OK(quote_clock(t, &clock, &first, &restarts, &e), &e);
	tpm_close(t);
	t = fixture_open(fixture_spec("kept/deep/er"));
	UNIT_OK(ak_load(t, &after, &e), &e);
	UNIT_OK(quote_clock(t, &clock, &resets, &restarts, &e), &e);
	tpm_close(t);
	ck_assert_uint_eq(before.len, after.len);
	ck_assert_mem_eq(before.data, after.data, before.len);
	ck_assert_uint_eq(resets, first + 1);

	t = fixture_open(fixture_spec("another"));
	UNIT_OK(ak_load(t, &other, &e), &e);
	tpm_close(t);
	ck_assert(memcmp(before.data, other.data, before.len) != 0);
}
END_TEST

/* kill -9 in the middle: the state is whole, the key the same, nothing locked out. */
START_TEST(tpm_survives_being_killed)
{
	CLEANUP(buf_free) struct buf before = BUF_INIT, after = BUF_INIT;
	unsigned char extra[32] = {0};
	struct certificate_quote q = {0};
	struct tpm *t = fixture_open(fixture_spec("killed"));
	struct err e;

	UNIT_OK(ak_load(t, &before, &e), &e);
	tpm_close(t);
	for (int n = 0; n < 40; n++) {
		pid_t child = fork();
		int status;

		ck_assert_int_ge(child, 0);
		if (child == 0) {
			t = fixture_open(fixture_spec("killed"));
			if (pcr_extend(t, 14, "x", 1, &e) == 0)
				raise(SIGKILL);
			_exit(1);
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	t = fixture_open(fixture_spec("killed"));
	UNIT_OK(ak_load(t, &after, &e), &e);
	UNIT_OK(quote_make(t, extra, &q, &e), &e);
	tpm_close(t);
	ck_assert_mem_eq(before.data, after.data, before.len);
	buf_free(&q.attest);
	buf_free(&q.signature);
}
END_TEST

START_TEST(tpm_state_is_private)
{
	struct tpm_open_options o = {.spec = fixture_spec("private")};
	struct tpm *t = fixture_open(o.spec);
	char path[300];
	struct stat st;
	struct err e;

	tpm_close(t);
	snprintf(path, sizeof path, "%s/private", unit_dir());
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	snprintf(path, sizeof path, "%s/private/permall", unit_dir());
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);

	snprintf(path, sizeof path, "%s/private", unit_dir());
	ck_assert_int_eq(chmod(path, 0750), 0);
	UNIT_FAILS(tpm_open(&o, &t, &e), &e, ERR_DENIED);
	ck_assert_int_eq(chmod(path, 0700), 0);
	UNIT_OK(tpm_open(&o, &t, &e), &e);
	tpm_close(t);
}
END_TEST

/* Damaged state must never turn into a new TPM with another key. */
START_TEST(tpm_damaged_state_is_refused)
{
	struct tpm_open_options o = {.spec = fixture_spec("damaged")};
	struct tpm *t = fixture_open(o.spec);
	CLEANUP(buf_free) struct buf state = BUF_INIT;
	static const size_t keep[] = {0, 1, 16, 100};
	CLEANUP(cleanup_close) int dirfd = -1;
	CLEANUP(cleanup_close) int fd = -1;
	char path[300];
	struct err e;

	tpm_close(t);
	t = NULL;
	snprintf(path, sizeof path, "%s/damaged", unit_dir());
	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	UNIT_OK(fd_read_file(dirfd, "permall", 1 << 20, &state, &e), &e);
	fd = openat(dirfd, "permall", O_WRONLY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof keep / sizeof *keep; i++) {
		ck_assert_int_eq(ftruncate(fd, 0), 0);
		ck_assert_int_eq(pwrite(fd, state.data, keep[i], 0), (ssize_t)keep[i]);
		UNIT_FAILS(tpm_open(&o, &t, &e), &e, ERR_CORRUPT);
		ck_assert_ptr_null(t);
		ck_assert_ptr_nonnull(strstr(e.msg, path));
	}
	ck_assert_int_eq(pwrite(fd, state.data, state.len, 0), (ssize_t)state.len);
	UNIT_OK(tpm_open(&o, &t, &e), &e);
	tpm_close(t);
}
END_TEST

/* No room for the state: an error that says so, and the old state is still good. */
START_TEST(tpm_full_disk_is_said)
{
	CLEANUP(buf_free) struct buf before = BUF_INIT, after = BUF_INIT;
	struct tpm *t = fixture_open(fixture_spec("full"));
	struct rlimit none = {0}, old;
	struct err e;

	UNIT_OK(ak_load(t, &before, &e), &e);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	none.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	UNIT_FAILS(tpm_reset(t, &e), &e, ERR_IO);
	ck_assert_ptr_nonnull(strstr(e.msg, "the TPM's state cannot be kept"));
	/* sticky: what it says now would be lost */
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	UNIT_FAILS(pcr_extend(t, 14, "x", 1, &e), &e, ERR_IO);
	tpm_close(t);
	t = fixture_open(fixture_spec("full"));
	UNIT_OK(ak_load(t, &after, &e), &e);
	tpm_close(t);
	ck_assert_mem_eq(before.data, after.data, before.len);
}
END_TEST

static void
tpm_count_waits(void *arg, const char *message)
{
	int *count = arg;

	ck_assert_ptr_nonnull(strstr(message, "waiting for the TPM in "));
	(*count)++;
}

START_TEST(tpm_state_is_locked)
{
	const char *spec = fixture_spec("locked");
	int waits = 0, ready[2], release[2], status;
	struct tpm_open_options o = {.spec = spec, .wait_ms = 50, .on_wait = tpm_count_waits,
	    .arg = &waits};
	struct tpm *t = NULL;
	char byte, pid[32];
	pid_t child;
	struct err e;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(release, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		close(release[1]);
		t = fixture_open(spec);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		(void)!read(release[0], &byte, 1);
		tpm_close(t);
		_exit(0);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	snprintf(pid, sizeof pid, "%ld", (long)child);

	UNIT_FAILS(tpm_open(&o, &t, &e), &e, ERR_BUSY);
	ck_assert_int_eq(waits, 1);
	ck_assert_msg(strstr(e.msg, pid) != NULL, "does not name the holder: %s", e.msg);
	o.wait_ms = 0;
	UNIT_FAILS(tpm_open(&o, &t, &e), &e, ERR_BUSY);
	ck_assert_int_eq(waits, 1);

	close(release[1]);
	o.wait_ms = 20000;
	UNIT_OK(tpm_open(&o, &t, &e), &e);
	tpm_close(t);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	close(release[0]);
	close(ready[0]);
}
END_TEST

UNIT_SUITE(tpm)
{
	tcase_add_test(tc, tpm_embedded_has_both_banks);
	tcase_add_test(tc, tpm_refuses_unknown_kinds);
	tcase_add_loop_test(tc, tpm_absent_device_is_an_error, 0, 4);
	tcase_add_test(tc, tpm_is_one_a_process);
	tcase_add_loop_test(tc, tpm_reset_zeroes_pcrs_and_keeps_the_key, 0, 2);
	tcase_add_test(tc, tpm_state_survives_closing);
	tcase_add_test(tc, tpm_survives_being_killed);
	tcase_add_test(tc, tpm_state_is_private);
	tcase_add_test(tc, tpm_damaged_state_is_refused);
	tcase_add_test(tc, tpm_full_disk_is_said);
	tcase_add_test(tc, tpm_state_is_locked);
}
