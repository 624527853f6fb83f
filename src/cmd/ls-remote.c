#include "cmd/cmd.h"
#include "cmd/commands.h"

#include "cmd/remotes.h"

static int
ls_remote_print(const struct remote_refs *l, bool json, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct jcs *array;
	char hex[OID_HEX_SIZE];

	for (size_t i = 0; i < l->count && !json; i++) {
		oid_hex(&l->items[i].target.id, hex);
		printf("%s\t%s\t%s\n", hex, oid_type_name(l->items[i].target.type), l->items[i].name);
	}
	if (!json)
		return 0;
	v = jcs_new_object();
	array = jcs_new_array();
	for (size_t i = 0; i < l->count; i++) {
		struct jcs *one = jcs_new_object();

		jcs_set_string(one, "name", l->items[i].name);
		jcs_set(one, "object", oid_ref_to_jcs(&l->items[i].target));
		jcs_append(array, one);
	}
	jcs_set_string(v, "head", l->head);
	jcs_set(v, "refs", array);
	return cmd_print_json(v, e);
}

int
ls_remote_command(int argc, char **argv, struct err *e)
{
	bool help = false, json = false;
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(config_closep) struct config *c = NULL;
	CLEANUP(remotes_entry_free) struct remotes_entry entry = {0};
	CLEANUP(remote_closep) struct remote *r = NULL;
	CLEANUP(remote_refs_free) struct remote_refs refs = {0};
	const struct option table[] = {
		{OPTION_FLAG, 0, "json", &json, NULL, "one JSON document"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("ls-remote", "[--json] [REMOTE]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("ls-remote", argc, 0, 1, e) != 0 || cmd_store(0, &s, e) != 0 ||
	    config_open(s, &c, e) != 0 ||
	    remotes_choose(s, c, argc > 0 ? argv[0] : NULL, &entry, e) != 0 ||
	    remotes_open(s, c, &entry, false, &r, e) != 0 || r->ops->refs(r, &refs, e) != 0)
		return -1;
	return ls_remote_print(&refs, json, e);
}
