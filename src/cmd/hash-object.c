#include "cmd/cmd.h"
#include "cmd/commands.h"

static int
hash_object_one(struct store *s, const char *path, struct err *e)
{
	struct ingest_result r;
	char hex[OID_HEX_SIZE];

	if (cmd_hash(s, path, &r, e) != 0)
		return -1;
	oid_hex(&r.id, hex);
	printf("%s  ", hex);
	cmd_print_text(stdout, path);
	putchar('\n');
	return 0;
}

int
hash_object_command(int argc, char **argv, struct err *e)
{
	bool help = false, write = false, no_cache = false;
	const struct option table[] = {
		{OPTION_FLAG, 'w', NULL, &write, NULL, "put the objects into the store"},
		{OPTION_FLAG, 0, "no-cache", &no_cache, NULL, "read every byte (always so in this version)"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	int rc = cmd_parse("hash-object", "[-w] [--no-cache] PATH...", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("hash-object", argc, 1, 1 << 20, e) != 0)
		return -1;
	if (write && cmd_store(0, &s, e) != 0)
		return -1;
	for (int i = 0; i < argc; i++)
		if (hash_object_one(s, argv[i], e) != 0)
			return -1;
	return 0;
}
