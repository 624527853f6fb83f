#include "run/cgroup.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "unit.h"

#define CGROUP_LINE(point, type, super) \
	"30 25 0:26 / " point " rw,relatime shared:9 - " type " cgroup " super "\n"

static void
cgroup_try(const char *mounts, const char *own, struct cgroup *ret)
{
	struct err e;

	UNIT_OK(cgroup_locate(mounts, own, ret, &e), &e);
}

START_TEST(test_cgroup_locate_v1)
{
	CLEANUP(cgroup_free) struct cgroup c = CGROUP_INIT;

	cgroup_try("25 1 254:0 / / rw - ext4 /dev/vda rw\n"
	    CGROUP_LINE("/sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct")
	    CGROUP_LINE("/sys/fs/cgroup/memory", "cgroup", "rw,memory")
	    CGROUP_LINE("/sys/fs/cgroup/unified", "cgroup2", "rw"),
	    "4:memory:/user/a\n3:cpu,cpuacct:/\n0::/user\n", &c);
	ck_assert(!c.unified);
	ck_assert_str_eq(c.dirs[CGROUP_MEMORY], "/sys/fs/cgroup/memory/user/a");
	ck_assert_str_eq(c.dirs[CGROUP_CPU], "/sys/fs/cgroup/cpu,cpuacct");
	ck_assert_str_eq(c.dirs[CGROUP_CPUACCT], "/sys/fs/cgroup/cpu,cpuacct");
	ck_assert_ptr_null(c.dirs[CGROUP_PIDS]);
	ck_assert(cgroup_can_limit(&c));
}
END_TEST

START_TEST(test_cgroup_locate_v2)
{
	CLEANUP(cgroup_free) struct cgroup c = CGROUP_INIT;

	cgroup_try(CGROUP_LINE("/sys/fs/cgroup", "cgroup2", "rw,nsdelegate"),
	    "0::/user.slice/user-1000.slice/session-1.scope\n", &c);
	ck_assert(c.unified);
	for (int i = 0; i < CGROUP_KINDS; i++)
		ck_assert_str_eq(c.dirs[i], "/sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope");
}
END_TEST

/* A part of the hierarchy is mounted, as in a container. */
START_TEST(test_cgroup_locate_part)
{
	CLEANUP(cgroup_free) struct cgroup c = CGROUP_INIT;
	CLEANUP(cgroup_free) struct cgroup d = CGROUP_INIT;
	static const char mounts[] = "30 25 0:26 /docker/abc /cg rw - cgroup cgroup rw,memory\n";

	cgroup_try(mounts, "4:memory:/docker/abc/sub\n", &c);
	ck_assert_str_eq(c.dirs[CGROUP_MEMORY], "/cg/sub");
	cgroup_try(mounts, "4:memory:/elsewhere\n", &d);
	ck_assert_str_eq(d.dirs[CGROUP_MEMORY], "/cg");
}
END_TEST

/* Texts that are no such texts: nothing found, nothing read past the end. */
START_TEST(test_cgroup_locate_nothing)
{
	static const char *const mounts[] = {"", "\n\n", "30", "30 25 0:26 / ", "a b c d e - cgroup",
	    "a b c d e f - cgroup x memory", " - cgroup x memory", "a b c / /p rw - cgroup x xmemory,memoryx\n"};

	for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
		CLEANUP(cgroup_free) struct cgroup c = CGROUP_INIT;

		cgroup_try(mounts[i], "4:cpu:/x\n:\n4\nmemory:/\n", &c);
		ck_assert(!cgroup_can_limit(&c));
		ck_assert_ptr_null(c.dirs[CGROUP_MEMORY]);
	}
}
END_TEST

START_TEST(test_cgroup_cannot_limit)
{
	const struct cgroup c = CGROUP_INIT;
	const struct run_spec_limits none = {.time_seconds = 5, .shm_bytes = 5};
	const struct run_spec_limits memory = {.memory_bytes = 5}, cpu = {.cpu_millis = 5};
	struct err e;

	UNIT_OK(cgroup_limit(&c, &none, &e), &e);
	UNIT_FAILS(cgroup_limit(&c, &memory, &e), &e, ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(e.msg, "limits: memory: cannot be enforced"));
	ck_assert_ptr_nonnull(strstr(e.msg, "Delegate=yes"));
	UNIT_FAILS(cgroup_limit(&c, &cpu, &e), &e, ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(e.msg, "limits: cpus: cannot be enforced"));
}
END_TEST

START_TEST(test_cgroup_life)
{
	struct cgroup c;
	struct cgroup_usage u;
	struct err e;
	char name[64], *dir;

	snprintf(name, sizeof name, CGROUP_PREFIX "%d-life", (int)getpid());
	UNIT_OK(cgroup_create(name, &c, &e), &e);
	cgroup_usage(&c, &u);
	ck_assert_int_eq(u.known, c.dirs[CGROUP_MEMORY] != NULL && c.dirs[CGROUP_CPUACCT] != NULL);
	ck_assert_uint_eq(u.oom_kills, 0);
	dir = c.dirs[CGROUP_MEMORY] != NULL ? strdup(c.dirs[CGROUP_MEMORY]) : NULL;
	ck_assert(dir == NULL || access(dir, F_OK) == 0);
	cgroup_remove(&c);
	ck_assert(dir == NULL || access(dir, F_OK) != 0);
	ck_assert_ptr_null(c.dirs[CGROUP_MEMORY]);
	free(dir);
}
END_TEST

/* The next group to be made removes those of dead processes, and no others. */
START_TEST(test_cgroup_sweep)
{
	struct cgroup mine, next;
	struct err e;
	char name[64], dead[300], *slash;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	snprintf(name, sizeof name, CGROUP_PREFIX "%d-mine", (int)getpid());
	UNIT_OK(cgroup_create(name, &mine, &e), &e);
	if (mine.dirs[CGROUP_MEMORY] != NULL) {
		snprintf(dead, sizeof dead, "%s", mine.dirs[CGROUP_MEMORY]);
		slash = strrchr(dead, '/');
		snprintf(slash, sizeof dead - (size_t)(slash - dead), "/" CGROUP_PREFIX "%d-dead", (int)pid);
		ck_assert_int_eq(mkdir(dead, 0755), 0);
		snprintf(name, sizeof name, CGROUP_PREFIX "%d-next", (int)getpid());
		UNIT_OK(cgroup_create(name, &next, &e), &e);
		ck_assert_int_ne(access(dead, F_OK), 0);
		ck_assert_int_eq(access(mine.dirs[CGROUP_MEMORY], F_OK), 0);
		cgroup_remove(&next);
	}
	cgroup_remove(&mine);
}
END_TEST

UNIT_SUITE(run_cgroup)
{
	tcase_add_test(tc, test_cgroup_locate_v1);
	tcase_add_test(tc, test_cgroup_locate_v2);
	tcase_add_test(tc, test_cgroup_locate_part);
	tcase_add_test(tc, test_cgroup_locate_nothing);
	tcase_add_test(tc, test_cgroup_cannot_limit);
	tcase_add_test(tc, test_cgroup_life);
	tcase_add_test(tc, test_cgroup_sweep);
}
