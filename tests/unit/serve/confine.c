#include "serve/confine.h"

#include <errno.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include "unit.h"

/* In a child: what is refused, and that the rest still works. */
static int
confined(bool hub)
{
	char *argv[] = {(char *)(uintptr_t)"true", NULL}, *env[] = {NULL};
	struct timespec now;
	struct err e;

	if (confine_self(hub, &e) != 0)
		return 10;
#ifndef __SANITIZE_ADDRESS__ /* leaks are looked for through it */
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 || errno != EPERM)
		return 11;
#endif
	clock_gettime(CLOCK_REALTIME, &now);
	if (clock_settime(CLOCK_REALTIME, &now) == 0 || errno != EPERM)
		return 12;
	if (hub && (unshare(0) == 0 || errno != EPERM))
		return 13;
	if (!hub && unshare(0) != 0)
		return 14;
	execve("/bin/true", argv, env);
	return hub && errno == EPERM ? 0 : 15;
}

START_TEST(calls_are_given_up)
{
	for (int hub = 0; hub < 2; hub++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			_exit(confined(hub == 1));
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "hub %d: %d", hub, status);
	}
}
END_TEST

UNIT_SUITE(serve_confine)
{
	tcase_add_test(tc, calls_are_given_up);
}
