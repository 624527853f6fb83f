#include "provider/machine-dir.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "base/buf.h"
#include "provider/provider.h"
#include "unit.h"

static void
at(const char *name)
{
	char dir[256];

	snprintf(dir, sizeof dir, "%s/%s", unit_dir(), name);
	setenv("XDG_DATA_HOME", dir, 1);
}

struct seen {
	size_t free, used;
	char tag[64], holder[256];
};

static int
see(void *arg, const char *tag, const char *holder, bool in_use, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	*(in_use ? &s->used : &s->free) += 1;
	snprintf(s->tag, sizeof s->tag, "%s", tag);
	snprintf(s->holder, sizeof s->holder, "%s", holder);
	return 0;
}

static struct seen
seen(void)
{
	struct seen s = {0};
	struct err e;

	UNIT_OK(machine_dir_each("qemu", see, &s, &e), &e);
	return s;
}

START_TEST(lives)
{
	struct machine_dir d = MACHINE_DIR_INIT;
	struct seen s;
	struct stat st;
	struct err e;
	char self[32];

	at("lives");
	s = seen();
	ck_assert_uint_eq(s.free + s.used, 0);
	UNIT_OK(machine_dir_make("qemu", &d, &e), &e);
	ck_assert_int_eq(stat(d.path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert_uint_eq(strlen(d.tag), 21);
	s = seen();
	ck_assert_uint_eq(s.used, 1);
	ck_assert_uint_eq(s.free, 0);
	ck_assert_str_eq(s.tag, d.tag);
	snprintf(self, sizeof self, "process %ld", (long)getpid());
	ck_assert_ptr_nonnull(strstr(s.holder, self));
	UNIT_FAILS(machine_dir_reap(d.tag, &e), &e, ERR_BUSY);
	machine_dir_remove(&d);
	ck_assert_ptr_null(d.path);
	machine_dir_remove(&d);
	s = seen();
	ck_assert_uint_eq(s.free + s.used, 0);
}
END_TEST

/* Its maker ended without a word: another may destroy it. */
START_TEST(left)
{
	struct seen s;
	pid_t pid;
	struct err e;

	at("left");
	pid = fork();
	if (pid == 0) {
		struct machine_dir d = MACHINE_DIR_INIT;

		_exit(machine_dir_make("qemu", &d, &e) != 0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	s = seen();
	ck_assert_uint_eq(s.free, 1);
	UNIT_OK(machine_dir_reap(s.tag, &e), &e);
	s = seen();
	ck_assert_uint_eq(s.free + s.used, 0);
}
END_TEST

/* What has another name is not ours. */
START_TEST(others)
{
	static const char *const names[] = {"qemu-", "qemu-0123", "qemu-0123456789abcdeF", "other-0123456789abcdef",
	    "notes", "qemu-0123456789abcdef0"};
	CLEANUP(cleanup_free) char *base = NULL;
	struct machine_dir d = MACHINE_DIR_INIT;
	struct seen s;
	struct err e;

	at("others");
	UNIT_OK(machine_dir_make("qemu", &d, &e), &e);
	base = strdup(d.path);
	*strrchr(base, '/') = '\0';
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[512];

		snprintf(path, sizeof path, "%s/%s", base, names[i]);
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
	s = seen();
	ck_assert_uint_eq(s.free + s.used, 1);
	machine_dir_remove(&d);
	UNIT_OK(provider_reap(see, &s, &e), &e);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[512];

		snprintf(path, sizeof path, "%s/%s", base, names[i]);
		ck_assert_int_eq(access(path, F_OK), 0);
	}
}
END_TEST

/* One whose lock was not made yet, or was removed, belongs to nobody. */
START_TEST(without_lock)
{
	struct machine_dir d = MACHINE_DIR_INIT;
	struct seen s;
	char path[512];
	struct err e;

	at("without");
	UNIT_OK(machine_dir_make("qemu", &d, &e), &e);
	snprintf(path, sizeof path, "%s/lock", d.path);
	ck_assert_int_eq(unlink(path), 0);
	s = seen();
	ck_assert_uint_eq(s.free, 1);
	ck_assert_str_eq(s.holder, "nobody");
	s = (struct seen){0};
	UNIT_OK(provider_reap(see, &s, &e), &e);
	ck_assert_uint_eq(s.free, 1);
	ck_assert_int_ne(access(d.path, F_OK), 0);
	machine_dir_remove(&d);
}
END_TEST

UNIT_SUITE(machine_dir)
{
	tcase_add_test(tc, lives);
	tcase_add_test(tc, left);
	tcase_add_test(tc, others);
	tcase_add_test(tc, without_lock);
}
