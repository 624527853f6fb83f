#include "cmd/cmd.h"
#include "cmd/commands.h"

#include "store/refs.h"

int
rev_parse_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	const struct option table[] = {
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	int rc = cmd_parse("rev-parse", "REV...", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("rev-parse", argc, 1, 1 << 20, e) != 0 ||
	    cmd_store(STORE_READ_ONLY, &s, e) != 0)
		return -1;
	for (int i = 0; i < argc; i++) {
		struct object_ref ref;
		char hex[OID_HEX_SIZE];

		if (refs_resolve(s, argv[i], &ref, e) != 0)
			return -1;
		oid_hex(&ref.id, hex);
		puts(hex);
	}
	return 0;
}
