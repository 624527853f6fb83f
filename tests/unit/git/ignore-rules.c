#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "git/ignore-rules.h"

static const struct {
	const char *rules, *path;
	bool directory;
	enum ignore_rules_answer answer;
} cases[] = {
	{"*.log\n", "x.log", false, IGNORE_RULES_LEAVE_OUT},
	{"*.log\n", "d/x.log", false, IGNORE_RULES_LEAVE_OUT},
	{"*.log\n", "x.logs", false, IGNORE_RULES_SILENT},
	{"*.log\n", "X.LOG", false, IGNORE_RULES_SILENT},
	{"*.log\n!keep.log\n", "keep.log", false, IGNORE_RULES_KEEP},
	{"!keep.log\n*.log\n", "keep.log", false, IGNORE_RULES_LEAVE_OUT},
	/* a rule that takes back what another file's rule left out */
	{"!keep.log\n", "keep.log", false, IGNORE_RULES_KEEP},
	{"build/\n", "build", true, IGNORE_RULES_LEAVE_OUT},
	{"build/\n", "build", false, IGNORE_RULES_SILENT},
	{"build/\n", "d/build", true, IGNORE_RULES_LEAVE_OUT},
	{"/top\n", "top", false, IGNORE_RULES_LEAVE_OUT},
	{"/top\n", "d/top", false, IGNORE_RULES_SILENT},
	{"a/b\n", "a/b", false, IGNORE_RULES_LEAVE_OUT},
	{"a/b\n", "c/a/b", false, IGNORE_RULES_SILENT},
	{"a/**/z\n", "a/z", false, IGNORE_RULES_LEAVE_OUT},
	{"a/**/z\n", "a/b/c/z", false, IGNORE_RULES_LEAVE_OUT},
	{"**/foo\n", "x/y/foo", false, IGNORE_RULES_LEAVE_OUT},
	{"# comment\n\n  \n", "# comment", false, IGNORE_RULES_SILENT},
	{"\\#x\n", "#x", false, IGNORE_RULES_LEAVE_OUT},
	{"\\!x\n", "!x", false, IGNORE_RULES_LEAVE_OUT},
	{"a b\n", "a b", false, IGNORE_RULES_LEAVE_OUT},
	{"[ab].txt\n", "b.txt", false, IGNORE_RULES_LEAVE_OUT},
	{"[!ab].txt\n", "b.txt", false, IGNORE_RULES_SILENT},
	{"x.txt\r\n", "x.txt", false, IGNORE_RULES_LEAVE_OUT},
	{".git\n", ".git", true, IGNORE_RULES_LEAVE_OUT},
	{"", ".git", true, IGNORE_RULES_SILENT},
	{"", "anything", false, IGNORE_RULES_SILENT},
	{"no newline at the end", "no newline at the end", false, IGNORE_RULES_LEAVE_OUT},
	{"*\n!*/\n!*.py\n", "data", true, IGNORE_RULES_KEEP},
	{"*\n!*/\n!*.py\n", "data/x.bin", false, IGNORE_RULES_LEAVE_OUT},
	{"*\n!*/\n!*.py\n", "data/x.py", false, IGNORE_RULES_KEEP},
};

START_TEST(rules_as_git_has_them)
{
	CLEANUP(ignore_rules_freep) struct ignore_rules *r = NULL;
	enum ignore_rules_answer answer;
	struct err e;

	UNIT_OK(ignore_rules_new(cases[_i].rules, &r, &e), &e);
	UNIT_OK(ignore_rules_match(r, cases[_i].path, cases[_i].directory, &answer, &e), &e);
	ck_assert_msg(answer == cases[_i].answer, "\"%s\" over %s: %d", cases[_i].rules, cases[_i].path,
	    answer);
}
END_TEST

/* The user's own ignore file for git is none of ours. */
START_TEST(rules_of_the_user_have_no_say)
{
	CLEANUP(ignore_rules_freep) struct ignore_rules *r = NULL;
	enum ignore_rules_answer answer;
	char path[256];
	struct err e;
	FILE *f;

	snprintf(path, sizeof path, "%s/git", unit_dir());
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/git/ignore", unit_dir());
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs("model.bin\n", f);
	fclose(f);
	setenv("XDG_CONFIG_HOME", unit_dir(), 1);
	UNIT_OK(ignore_rules_new("*.log\n", &r, &e), &e);
	UNIT_OK(ignore_rules_match(r, "model.bin", false, &answer, &e), &e);
	ck_assert_int_eq(answer, IGNORE_RULES_SILENT);
}
END_TEST

UNIT_SUITE(ignore_rules)
{
	tcase_add_loop_test(tc, rules_as_git_has_them, 0, (int)(sizeof cases / sizeof *cases));
	tcase_add_test(tc, rules_of_the_user_have_no_say);
}
