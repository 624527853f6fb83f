#include "unit.h"

#include <fcntl.h>
#include "base/fd.h"

#define UNIT_SUITES_MAX 64

static struct {
	const char *name;
	unit_fill *fill;
} unit_suites[UNIT_SUITES_MAX];
static size_t unit_suite_count;
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

static void
unit_dir_remove(void)
{
	struct err e;

	if (unit_dir_owner == getpid() && fd_remove_tree(AT_FDCWD, unit_dir_path, &e) != 0)
		fprintf(stderr, "%s\n", e.msg);
}

const char *
unit_dir(void)
{
	if (unit_dir_owner == getpid())
		return unit_dir_path;
	snprintf(unit_dir_path, sizeof unit_dir_path, "/tmp/aicert-unit-XXXXXX");
	if (mkdtemp(unit_dir_path) == NULL)
		abort();
	unit_dir_owner = getpid();
	atexit(unit_dir_remove);
	return unit_dir_path;
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
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
