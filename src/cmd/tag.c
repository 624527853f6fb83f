#include "cmd/cmd.h"
#include "cmd/commands.h"

#include "cmd/named-refs.h"

int
tag_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	struct named_refs n = {.command = "tag", .prefix = "refs/tags/"};
	const struct option table[] = {
		{OPTION_FLAG, 'd', "delete", &n.remove, NULL, "delete the tag"},
		{OPTION_FLAG, 'f', "force", &n.force, NULL,
		    "move a tag that exists; delete the last one that has its commits"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("tag", "[-d|-f] [NAME [REV]]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return named_refs_run(&n, argc, argv, e);
}
