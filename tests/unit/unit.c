#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include "base/fd.h"

#define UNIT_SUITES_MAX 64

static struct {
	const char *name;
	unit_fill *fill;
} unit_suites[UNIT_SUITES_MAX];
static size_t unit_suite_count;
static char unit_dir_root[] = "/tmp/aicert-unit-XXXXXX";
static char unit_dir_path[64];
static pid_t unit_dir_owner;

void
unit_register(const char *name, unit_fill *fill)
{
	if (unit_suite_count == UNIT_SUITES_MAX)
		abort();
	unit_suites[unit_suite_count].name = name;
	unit_suites[unit_suite_count++].fill = fill;
}

const char *
unit_dir(void)
{
	if (unit_dir_owner == getpid())
		return unit_dir_path;
	/* not by its number, which a process before it may have had */
	snprintf(unit_dir_path, sizeof unit_dir_path, "%s/XXXXXX", unit_dir_root);
	if (mkdtemp(unit_dir_path) == NULL)
		abort();
	unit_dir_owner = getpid();
	return unit_dir_path;
}

/* Whatever happens to a test's processes, this one removes what they left. */
static int
unit_run(SRunner *runner)
{
	struct err e;

	if (mkdtemp(unit_dir_root) == NULL || chmod(unit_dir_root, 01777) != 0)
		abort();
	srunner_run_all(runner, CK_NORMAL);
	if (fd_remove_tree(AT_FDCWD, unit_dir_root, &e) != 0)
		fprintf(stderr, "%s\n", e.msg);
	return srunner_ntests_failed(runner);
}

int
main(void)
{
	Suite *suite = suite_create("aicert");
	SRunner *runner;
	int failed;

	/* As the mains do: refused bytes are what most tests are about. */
	setenv("TSS2_LOG", "all+none", 0);
	for (size_t i = 0; i < unit_suite_count; i++) {
		TCase *tc = tcase_create(unit_suites[i].name);

		tcase_set_timeout(tc, 120);
		unit_suites[i].fill(tc);
		suite_add_tcase(suite, tc);
	}
	runner = srunner_create(suite);
	failed = unit_run(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
