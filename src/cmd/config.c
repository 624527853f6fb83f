#include "cmd/cmd.h"
#include "cmd/commands.h"

#include "store/config.h"

static int
config_print(void *arg, const char *key, const char *value, bool user)
{
	const bool *user_only = arg;

	if (*user_only && !user)
		return 0;
	printf("%s\t%s=", user ? "user" : "store", key);
	cmd_print_text(stdout, value);
	putchar('\n');
	return 0;
}

static int
config_get_print(struct config *c, const char *key, struct err *e)
{
	CLEANUP(cleanup_free) char *value = NULL;

	if (config_get(c, key, &value, e) == 0) {
		puts(value);
		return 0;
	}
	return e->code == ERR_NOTFOUND ? 1 : -1;
}

int
config_command(int argc, char **argv, struct err *e)
{
	bool help = false, user = false, unset = false, list = false;
	const struct option table[] = {
		{OPTION_FLAG, 'u', "user", &user, NULL, "the user's file, not the store's"},
		{OPTION_FLAG, 'l', "list", &list, NULL, "every setting and where it is from"},
		{OPTION_FLAG, 0, "unset", &unset, NULL, "remove the setting"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(config_closep) struct config *c = NULL;
	int rc = cmd_parse("config", "[-u] [--unset] KEY [VALUE] | [-u] --list", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("config", argc, list ? 0 : 1, list ? 0 : unset ? 1 : 2, e) != 0)
		return -1;
	/* outside a store the user's file is all there is */
	if (cmd_store(0, &s, e) != 0 && (e->code != ERR_NOTFOUND || (argc == 2 && !user)))
		return -1;
	if (config_open(s, &c, e) != 0)
		return -1;
	if (list)
		return config_each(c, config_print, &user, e);
	if (unset)
		return config_unset(c, user, argv[0], e);
	return argc == 2 ? config_set(c, user, argv[0], argv[1], e) : config_get_print(c, argv[0], e);
}
