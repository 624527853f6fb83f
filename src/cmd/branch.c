#include "base/buf.h"
#include "cmd/cmd.h"
#include "cmd/commands.h"

#include "cmd/named-refs.h"
#include "store/refs.h"

/* Later commits go to the branch; the work tree is left as it is. */
static int
branch_switch(const char *name, struct err *e)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(cleanup_free) char *ref = buf_strfmt(e, "refs/heads/%s", name);
	struct object_ref tip;

	if (ref == NULL || cmd_store(0, &s, e) != 0)
		return -1;
	if (!refs_name_ok(ref))
		return err_set(e, ERR_USAGE, "branch: \"%s\" is not a valid name", name);
	if (refs_read(s, ref, &tip, e) != 0 || refs_set_head(s, ref, e) != 0)
		return -1;
	printf("On branch %s\n", name);
	return 0;
}

int
branch_command(int argc, char **argv, struct err *e)
{
	bool help = false, change = false;
	struct named_refs n = {.command = "branch", .prefix = "refs/heads/"};
	const struct option table[] = {
		{OPTION_FLAG, 'd', "delete", &n.remove, NULL, "delete the branch"},
		{OPTION_FLAG, 's', "switch", &change, NULL, "commit to this branch from now on"},
		{OPTION_FLAG, 'f', "force", &n.force, NULL,
		    "move a branch that exists; delete the last one that has its commits"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("branch", "[-d|-f|-s] [NAME [REV]]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (!change)
		return named_refs_run(&n, argc, argv, e);
	return cmd_count("branch", argc, 1, 1, e) != 0 ? -1 : branch_switch(argv[0], e);
}
