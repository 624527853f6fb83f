#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <string.h>
#include "base/path.h"
#include "cmd/named-refs.h"
#include "cmd/remotes.h"
#include "store/refs.h"

struct remote_command {
	bool json;
	struct remotes_credentials shown;
	struct store *s;
	struct config *c;
};

static int
remote_set(const struct remote_command *o, const char *name, const char *key, const char *value,
    struct err *e)
{
	CLEANUP(cleanup_free) char *full = buf_strfmt(e, "remote.%s.%s", name, key);

	return full == NULL ? -1 : config_set(o->c, false, full, value, e);
}

/* --- the list --- */

static int
remote_exists(const struct remote_command *o, const char *name, bool want, struct err *e)
{
	CLEANUP(cleanup_free) char *key = buf_strfmt(e, "remote.%s.url", name);
	CLEANUP(cleanup_free) char *value = NULL;
	bool there;

	if (key == NULL || remotes_name_check(name, e) != 0)
		return -1;
	there = config_get(o->c, key, &value, e) == 0;
	if (!there && e->code != ERR_NOTFOUND)
		return -1;
	if (there && !want)
		return err_set(e, ERR_EXISTS, "remote %s is there already, at %s (aicert remote set-url"
		    " changes that)", name, value);
	if (!there && want)
		return err_set(e, ERR_USAGE, "%s: no such remote (aicert remote list)", name);
	return 0;
}

static int
remote_add(const struct remote_command *o, char **argv, struct err *e)
{
	CLEANUP(cleanup_free) char *url = NULL;
	CLEANUP(cleanup_free) char *fetch = buf_strfmt(e, "+refs/heads/*:refs/remotes/%s/*", argv[0]);

	if (fetch == NULL || remote_exists(o, argv[0], false, e) != 0 ||
	    remotes_url(argv[1], false, &url, e) != 0 || remotes_credentials_set(o->c, url, &o->shown, e) != 0 ||
	    remote_set(o, argv[0], "url", url, e) != 0)
		return -1;
	return remote_set(o, argv[0], "fetch", fetch, e);
}

static int
remote_set_url(const struct remote_command *o, char **argv, struct err *e)
{
	CLEANUP(cleanup_free) char *url = NULL;

	if (remote_exists(o, argv[0], true, e) != 0 || remotes_url(argv[1], false, &url, e) != 0 ||
	    remotes_credentials_set(o->c, url, &o->shown, e) != 0)
		return -1;
	return remote_set(o, argv[0], "url", url, e);
}

static int
remote_forget_key(const struct remote_command *o, const char *name, const char *key, struct err *e)
{
	CLEANUP(cleanup_free) char *full = buf_strfmt(e, "remote.%s.%s", name, key);

	if (full == NULL)
		return -1;
	return config_unset(o->c, false, full, e) == 0 || e->code == ERR_NOTFOUND ? 0 : -1;
}

struct remote_branches {
	const struct remote_command *o;
	const char *name, *to;  /* to NULL: the branch follows nobody any more */
	char *keys[256];
	size_t count;
};

static int
remote_branch_one(void *arg, const char *key, const char *value, bool user)
{
	struct remote_branches *b = arg;
	size_t len = strlen(key);

	if (user || strncmp(key, "branch.", 7) != 0 || len < 15 || strcmp(key + len - 7, ".remote") != 0 ||
	    strcmp(value, b->name) != 0 || b->count == sizeof b->keys / sizeof *b->keys)
		return 0;
	b->keys[b->count] = strdup(key);
	b->count += b->keys[b->count] != NULL;
	return 0;
}

/* Branches that follow the remote follow its new name, or none. */
static int
remote_branches(const struct remote_command *o, const char *name, const char *to, struct err *e)
{
	struct remote_branches b = {.o = o, .name = name, .to = to};
	int rc = config_each(o->c, remote_branch_one, &b, e);

	for (size_t i = 0; i < b.count; i++) {
		if (rc == 0)
			rc = to != NULL ? config_set(o->c, false, b.keys[i], to, e) :
			    config_unset(o->c, false, b.keys[i], e);
		free(b.keys[i]);
	}
	return rc;
}

struct remote_refs_move {
	const struct remote_command *o;
	const char *from, *to;  /* prefixes; to NULL: removed */
	char *author;
	struct err *e;
	int rc;
};

static int
remote_move_ref(struct remote_refs_move *m, const char *name, struct err *e)
{
	CLEANUP(cleanup_free) char *new_name = m->to == NULL ? NULL :
	    buf_strfmt(e, "%s%s", m->to, name + strlen(m->from));
	struct object_ref ref;
	struct refs_change c = {.name = new_name, .new_ = &ref, .author = m->author,
	    .message = "remote renamed", .any_old = true};

	if (refs_read(m->o->s, name, &ref, e) != 0)
		return -1;
	if (new_name != NULL && refs_update(m->o->s, &c, e) != 0)
		return -1;
	c = (struct refs_change){.name = name, .old = &ref, .author = m->author,
	    .message = "remote removed"};
	return refs_update(m->o->s, &c, e);
}

static int
remote_move_refs(const struct remote_command *o, const char *name, const char *to, struct err *e)
{
	CLEANUP(cleanup_free) char *from = buf_strfmt(e, "refs/remotes/%s/", name);
	CLEANUP(cleanup_free) char *there = to == NULL ? NULL : buf_strfmt(e, "refs/remotes/%s/", to);
	CLEANUP(cleanup_free) char *author = named_refs_author(o->s, e);
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	struct remote_refs_move m = {.o = o, .from = from, .to = there, .author = author};

	if (from == NULL || author == NULL || (to != NULL && there == NULL) ||
	    refs_names(o->s, from, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (remote_move_ref(&m, names.names[i], e) != 0)
			return -1;
	return 0;
}

static int
remote_remove(const struct remote_command *o, const char *name, struct err *e)
{
	if (remote_exists(o, name, true, e) != 0 || remote_move_refs(o, name, NULL, e) != 0 ||
	    remote_branches(o, name, NULL, e) != 0 || remote_forget_key(o, name, "fetch", e) != 0)
		return -1;
	return remote_forget_key(o, name, "url", e);
}

static int
remote_rename(const struct remote_command *o, char **argv, struct err *e)
{
	CLEANUP(cleanup_free) char *key = buf_strfmt(e, "remote.%s.url", argv[0]);
	CLEANUP(cleanup_free) char *url = NULL;
	char *add[] = {argv[1], NULL};

	if (key == NULL || remote_exists(o, argv[0], true, e) != 0 ||
	    remote_exists(o, argv[1], false, e) != 0 || config_get(o->c, key, &url, e) != 0)
		return -1;
	add[1] = url;
	if (remote_add(o, add, e) != 0 || remote_move_refs(o, argv[0], argv[1], e) != 0 ||
	    remote_branches(o, argv[0], argv[1], e) != 0 ||
	    remote_forget_key(o, argv[0], "fetch", e) != 0)
		return -1;
	return remote_forget_key(o, argv[0], "url", e);
}

static void
remote_print_line(const struct remotes_entry *r)
{
	printf("%s\t", r->name);
	cmd_print_text(stdout, r->url);
	puts(r->git ? "\t(the git repository's)" : "");
}

static struct jcs *
remote_to_jcs(const struct remotes_entry *r)
{
	struct jcs *v = jcs_new_object();

	jcs_set_bool(v, "git", r->git);
	jcs_set_string(v, "name", r->name);
	jcs_set_string(v, "url", r->url);
	return v;
}

/* {"remotes":[...]} of the array, which is used up. */
static int
remote_print_json(struct jcs *remotes, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();

	jcs_set(v, "remotes", remotes);
	return cmd_print_json(v, e);
}

static int
remote_print(const struct remotes_entry *list, size_t n, bool json, struct err *e)
{
	struct jcs *array;

	for (size_t i = 0; !json && i < n; i++)
		remote_print_line(&list[i]);
	if (!json)
		return 0;
	array = jcs_new_array();
	for (size_t i = 0; i < n; i++)
		jcs_append(array, remote_to_jcs(&list[i]));
	return remote_print_json(array, e);
}

/* Without any of its own a store has git's. */
static int
remote_list(const struct remote_command *o, struct err *e)
{
	struct remotes_entry *list, fallback = {0};
	size_t n;
	int rc;

	if (remotes_list(o->c, &list, &n, e) != 0)
		return -1;
	if (n == 0 && remotes_choose(o->s, o->c, NULL, &fallback, e) == 0)
		rc = remote_print(&fallback, 1, o->json, e);
	else
		rc = remote_print(list, n, o->json, e);
	remotes_entry_free(&fallback);
	for (size_t i = 0; i < n; i++)
		remotes_entry_free(&list[i]);
	free(list);
	return rc;
}

struct remote_show {
	const char *prefix;         /* refs/remotes/NAME/ */
	struct jcs *branches;       /* NULL: they are printed */
};

static int
remote_show_ref(void *arg, const char *name, const struct object_ref *ref)
{
	const struct remote_show *show = arg;
	char short_id[CMD_SHORT_SIZE], id[OID_TEXT_SIZE];
	struct jcs *one;

	if (show->branches == NULL) {
		cmd_short(&ref->id, short_id);
		printf("  %s  ", short_id);
		cmd_print_text(stdout, name + strlen(show->prefix));
		putchar('\n');
		return 0;
	}
	oid_text(&ref->id, id);
	one = jcs_new_object();
	jcs_set_string(one, "id", id);
	jcs_set_string(one, "name", name + strlen(show->prefix));
	jcs_append(show->branches, one);
	return 0;
}

static int
remote_show_json(const struct remote_command *o, const struct remotes_entry *r, const char *prefix,
    struct err *e)
{
	struct remote_show show = {.prefix = prefix, .branches = jcs_new_array()};
	struct jcs *one = remote_to_jcs(r), *array = jcs_new_array();
	int rc = refs_each(o->s, prefix, remote_show_ref, &show, e);

	jcs_set(one, "branches", show.branches);
	jcs_append(array, one);
	if (rc == 0)
		return remote_print_json(array, e);
	jcs_free(array);
	return -1;
}

/* What is known here: nobody is asked. */
static int
remote_show(const struct remote_command *o, const char *name, struct err *e)
{
	CLEANUP(remotes_entry_free) struct remotes_entry r = {0};
	CLEANUP(cleanup_free) char *prefix = buf_strfmt(e, "refs/remotes/%s/", name);
	struct remote_show show = {.prefix = prefix};

	if (prefix == NULL || remotes_choose(o->s, o->c, name, &r, e) != 0)
		return -1;
	if (o->json)
		return remote_show_json(o, &r, prefix, e);
	remote_print_line(&r);
	return refs_each(o->s, prefix, remote_show_ref, &show, e);
}

static int
remote_dispatch(const struct remote_command *o, int argc, char **argv, struct err *e)
{
	static const char name[] = "remote";
	const char *what = argc > 0 ? argv[0] : "list";
	bool credentials = remotes_credentials_given(&o->shown);

	if (credentials && strcmp(what, "add") != 0 && strcmp(what, "set-url") != 0)
		return err_set(e, ERR_USAGE, "remote %s: credentials are of remote add and set-url", what);
	if (strcmp(what, "add") == 0)
		return cmd_count(name, argc, 3, 3, e) != 0 ? -1 : remote_add(o, argv + 1, e);
	if (strcmp(what, "set-url") == 0)
		return cmd_count(name, argc, 3, 3, e) != 0 ? -1 : remote_set_url(o, argv + 1, e);
	if (strcmp(what, "rename") == 0)
		return cmd_count(name, argc, 3, 3, e) != 0 ? -1 : remote_rename(o, argv + 1, e);
	if (strcmp(what, "remove") == 0)
		return cmd_count(name, argc, 2, 2, e) != 0 ? -1 : remote_remove(o, argv[1], e);
	if (strcmp(what, "show") == 0)
		return cmd_count(name, argc, 2, 2, e) != 0 ? -1 : remote_show(o, argv[1], e);
	if (strcmp(what, "list") == 0)
		return cmd_count(name, argc, 0, 1, e) != 0 ? -1 : remote_list(o, e);
	return cmd_no_verb(name, what, "add, set-url, rename, remove, show, list", e);
}

int
remote_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(config_closep) struct config *c = NULL;
	struct remote_command o = {0};
	const struct option table[] = {
		REMOTES_CREDENTIALS_OPTIONS(&o.shown),
		{OPTION_FLAG, 0, "json", &o.json, NULL, "one JSON document (list, show)"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("remote", "add [" REMOTES_CREDENTIALS_SYNOPSIS "] NAME URL |"
	    " set-url [" REMOTES_CREDENTIALS_SYNOPSIS "] NAME URL |"
	    " rename OLD NEW | remove NAME | show [--json] NAME | [list] [--json]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_store(0, &s, e) != 0 || config_open(s, &c, e) != 0)
		return -1;
	o.s = s;
	o.c = c;
	return remote_dispatch(&o, argc, argv, e);
}
