#include "cmd/cmd.h"
#include "cmd/commands.h"

#include "cmd/named-refs.h"

int
branch_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	struct named_refs n = {.command = "branch", .prefix = "refs/heads/"};
	const struct option table[] = {
		{OPTION_FLAG, 'd', "delete", &n.remove, NULL, "delete the branch"},
		{OPTION_FLAG, 'f', "force", &n.force, NULL, "move a branch that exists"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("branch", "[-d|-f] [NAME [REV]]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return named_refs_run(&n, argc, argv, e);
}
