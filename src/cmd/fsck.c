#include "cmd/cmd.h"
#include "cmd/commands.h"

#include "store/fsck.h"

static void
fsck_print(void *arg, enum fsck_severity severity, const char *message)
{
	(void)arg;
	fputs(severity == FSCK_DAMAGE ? "damage: " : "litter: ", stdout);
	cmd_print_text(stdout, message);
	putchar('\n');
}

int
fsck_command(int argc, char **argv, struct err *e)
{
	bool help = false, damage = false, full = false;
	const struct option table[] = {
		{OPTION_FLAG, 0, "full", &full, NULL, "also alternates and references (none in this version)"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	struct progress p;
	int rc = cmd_parse("fsck", "[--full]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("fsck", argc, 0, 0, e) != 0 || cmd_store(STORE_READ_ONLY, &s, e) != 0)
		return -1;
	progress_start(&p, stderr, "checking", 0);
	rc = fsck_run(s, fsck_print, NULL, &p, &damage, e);
	progress_end(&p);
	if (rc != 0)
		return -1;
	puts(damage ? "The store is damaged." : "The store is sound.");
	return damage ? 1 : 0;
}
