#include "base/lock-holder.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "unit.h"

START_TEST(lock_holder_of_this_process)
{
	char line[LOCK_HOLDER_SIZE], said[512], pid[32];

	lock_holder_self(line);
	snprintf(pid, sizeof pid, "%ld ", (long)getpid());
	ck_assert(strncmp(line, pid, strlen(pid)) == 0);
	ck_assert_ptr_null(strchr(line, '\n'));
	ck_assert(lock_holder_here(line));
	lock_holder_say(line, said, sizeof said);
	snprintf(pid, sizeof pid, "process %ld on ", (long)getpid());
	ck_assert_msg(strncmp(said, pid, strlen(pid)) == 0, "%s", said);
	ck_assert_msg(strstr(said, "(unit-base") != NULL, "%s", said);
	ck_assert_ptr_nonnull(strstr(said, "since 2"));
}
END_TEST

START_TEST(lock_holder_of_others)
{
	char said[512];

	lock_holder_say("12 box 2026-11-23T19:00:00Z aicert commit\n", said, sizeof said);
	ck_assert_str_eq(said, "process 12 on box (aicert commit) since 2026-11-23T19:00:00Z");
	ck_assert(!lock_holder_here("12 no-such-box 2026-11-23T19:00:00Z aicert commit"));
	/* what is no such line is said as it is, to the end of its line */
	lock_holder_say("12 box\nmore", said, sizeof said);
	ck_assert_str_eq(said, "process 12 box");
	lock_holder_say("", said, sizeof said);
	ck_assert_str_eq(said, "process ");
	ck_assert(!lock_holder_here("12 box"));
	lock_holder_say("x box 2026 y", said, sizeof said);
	ck_assert_str_eq(said, "process x box 2026 y");
	/* a long one is cut, not overrun */
	{
		char line[1000];

		memset(line, 'a', sizeof line - 1);
		line[sizeof line - 1] = '\0';
		lock_holder_say(line, said, sizeof said);
		ck_assert_uint_lt(strlen(said), sizeof said);
		ck_assert(!lock_holder_here(line));
	}
}
END_TEST

UNIT_SUITE(lock_holder)
{
	tcase_add_test(tc, lock_holder_of_this_process);
	tcase_add_test(tc, lock_holder_of_others);
}
