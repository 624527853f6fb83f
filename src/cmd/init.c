#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

int
init_command(int argc, char **argv, struct err *e)
{
	bool help = false, quiet = false, created;
	const struct option table[] = {
		{OPTION_FLAG, 'q', "quiet", &quiet, NULL, "say nothing on success"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	char full[PATH_MAX];
	const char *dir;
	int rc = cmd_parse("init", "[-q] [DIR]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("init", argc, 0, 1, e) != 0)
		return -1;
	dir = argc == 1 ? argv[0] : ".";
	if (mkdir(dir, 0777) != 0 && errno != EEXIST)
		return err_sys(e, "%s: cannot create the directory", dir);
	if (realpath(dir, full) == NULL)
		return err_sys(e, "%s", dir);
	if (store_init(full, &created, e) != 0)
		return -1;
	if (quiet)
		return 0;
	if (created)
		printf("Initialized an empty AICert store in %s/.aicert\n", full);
	else
		printf("There is a store in %s/.aicert already; nothing was changed\n", full);
	return 0;
}
