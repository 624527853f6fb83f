#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include "base/path.h"
#include "cmd/fetch-refs.h"
#include "cmd/named-refs.h"
#include "store/refs.h"

struct clone {
	struct fetch_options fetch;
	const char *branch;
	bool no_blobs, json, quiet;
	struct remotes_credentials shown;
	char *url;              /* as it will be configured */
	char *dir;
};

static void
clone_free(struct clone *c)
{
	free(c->url);
	free(c->dir);
}

/* The last part of the url without what says how it is stored. */
static int
clone_dir(const char *url, char **ret, struct err *e)
{
	static const char *const endings[] = {"/", "/.aicert", ".git", ".aicert"};
	CLEANUP(cleanup_free) char *copy = buf_strdup(url, e);
	const char *base;

	if (copy == NULL)
		return -1;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		size_t len = strlen(copy), cut = strlen(endings[i]);

		if (len > cut && strcmp(copy + len - cut, endings[i]) == 0)
			copy[len - cut] = '\0';
	}
	base = copy + strlen(copy);
	while (base > copy && base[-1] != '/' && base[-1] != ':')
		base--;
	if (!path_name_ok(base, strlen(base)))
		return err_set(e, ERR_USAGE, "%s: say into which directory", url);
	*ret = buf_strdup(base, e);
	return *ret != NULL ? 0 : -1;
}

static int
clone_any_ref(void *arg, const char *name UNUSED, const struct object_ref *ref UNUSED)
{
	*(bool *)arg = true;
	return 1;
}

/* A new store, or one that an earlier clone left: of the same url, or without anything. */
static int
clone_store(struct clone *c, struct store **ret_s, struct config **ret_c, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/" STORE_NAME, c->dir);
	CLEANUP(cleanup_free) char *url = NULL;
	struct object_ref head;
	bool created, any = false;

	if (path == NULL)
		return -1;
	if (mkdir(c->dir, 0777) != 0 && errno != EEXIST)
		return err_sys(e, "%s: cannot create the directory", c->dir);
	if (store_init(c->dir, &created, e) != 0 || store_open(path, 0, ret_s, e) != 0 ||
	    config_open(*ret_s, ret_c, e) != 0)
		return -1;
	if (created)
		return 0;
	if (config_get(*ret_c, "remote." REMOTES_DEFAULT ".url", &url, e) != 0 && e->code != ERR_NOTFOUND)
		return -1;
	if (refs_each(*ret_s, "refs/", clone_any_ref, &any, e) != 0)
		return -1;
	if (refs_read(*ret_s, "HEAD", &head, e) == 0 || (any && url != NULL && strcmp(url, c->url) != 0))
		return err_set(e, ERR_EXISTS, "%s: there is a store already", c->dir);
	return 0; /* empty, or an earlier clone's that was stopped: it goes on */
}

static int
clone_configure(const struct clone *c, struct config *config, struct err *e)
{
	if (config_set(config, false, "remote." REMOTES_DEFAULT ".url", c->url, e) != 0 ||
	    config_set(config, false, "remote." REMOTES_DEFAULT ".fetch",
	    "+refs/heads/*:refs/remotes/" REMOTES_DEFAULT "/*", e) != 0)
		return -1;
	return !c->no_blobs ? 0 : config_set(config, false, "fetch.blobs", "none", e);
}

/* The branch to work on: asked for, the remote's current one, main, or the only one. */
static const struct remote_ref *
clone_branch(const struct clone *c, const struct remote_refs *there, struct err *e)
{
	const struct remote_ref *found = NULL, *only = NULL;
	CLEANUP(cleanup_free) char *name = NULL;
	size_t heads = 0;

	if (c->branch != NULL) {
		name = buf_strfmt(e, "refs/heads/%s", c->branch);
		found = name != NULL ? remote_refs_find(there, name) : NULL;
		if (found == NULL && name != NULL)
			err_set(e, ERR_NOTFOUND, "%s: the remote has no such branch", c->branch);
		return found;
	}
	found = there->head != NULL ? remote_refs_find(there, there->head) : NULL;
	if (found == NULL)
		found = remote_refs_find(there, "refs/heads/main");
	for (size_t i = 0; i < there->count; i++)
		if (strncmp(there->items[i].name, "refs/heads/", 11) == 0) {
			only = &there->items[i];
			heads++;
		}
	return found != NULL ? found : heads >= 1 ? only : NULL;
}

static int
clone_head(const struct clone *c, struct fetch *f, struct err *e)
{
	const struct remote_ref *branch = clone_branch(c, &f->there, e);
	CLEANUP(cleanup_free) char *author = named_refs_author(f->s, e);
	CLEANUP(cleanup_free) char *remote = NULL;
	CLEANUP(cleanup_free) char *merge = NULL;
	struct refs_change change = {.author = author, .message = "clone"};

	if (author == NULL || (branch == NULL && c->branch != NULL))
		return -1;
	if (branch == NULL)
		return 0; /* nothing there */
	change.name = branch->name;
	change.new_ = &branch->target;
	remote = buf_strfmt(e, "branch.%s.remote", branch->name + 11);
	merge = buf_strfmt(e, "branch.%s.merge", branch->name + 11);
	if (remote == NULL || merge == NULL || config_set(f->c, false, remote, REMOTES_DEFAULT, e) != 0 ||
	    config_set(f->c, false, merge, branch->name, e) != 0 || refs_update(f->s, &change, e) != 0)
		return -1;
	return refs_set_head(f->s, branch->name, e);
}

static bool
clone_has_failed(const struct fetch *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->refs[i].result == FETCH_FAILED)
			return true;
	return false;
}

static int
clone_fetch(struct clone *c, struct fetch *f, struct err *e)
{
	c->fetch.blobs = c->no_blobs ? "none" : "outputs";
	if (clone_configure(c, f->c, e) != 0 ||
	    remotes_credentials_set(f->c, c->url, &c->shown, e) != 0 ||
	    remotes_choose(f->s, f->c, REMOTES_DEFAULT, &f->entry, e) != 0)
		return -1;
	if (fetch_refs_run(f, &c->fetch, e) != 0)
		return err_prefix(e, "%s (the same command goes on from here)", c->dir);
	if (!clone_has_failed(f) && clone_head(c, f, e) != 0)
		return -1;
	if (c->json) {
		if (fetch_refs_print_json(f, false, e) != 0)
			return -1;
	} else if (!c->quiet) {
		fetch_refs_print(f, false);
		if (f->there.count == 0)
			puts("There is nothing at the remote yet.");
	}
	return fetch_refs_status(f, e);
}

static int
clone_run(struct clone *c, int argc, char **argv, struct err *e)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(config_closep) struct config *config = NULL;
	struct fetch f = {0};
	int rc;

	if (remotes_url(argv[0], true, &c->url, e) != 0)
		return -1;
	if (argc == 2)
		c->dir = buf_strdup(argv[1], e);
	else if (clone_dir(c->url, &c->dir, e) != 0)
		return -1;
	if (c->dir == NULL || clone_store(c, &s, &config, e) != 0)
		return -1;
	f.s = s;
	f.c = config;
	rc = clone_fetch(c, &f, e);
	fetch_refs_free(&f);
	return rc;
}

int
clone_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	CLEANUP(clone_free) struct clone c = {.json = false};
	const struct option table[] = {
		{OPTION_STRING, 'b', "branch", &c.branch, "NAME", "the branch to work on"},
		{OPTION_FLAG, 0, "no-blobs", &c.no_blobs, NULL, "history and proofs, no files"},
		REMOTES_CREDENTIALS_OPTIONS(&c.shown),
		{OPTION_FLAG, 'q', "quiet", &c.quiet, NULL, "say nothing on success"},
		{OPTION_FLAG, 0, "json", &c.json, NULL, "one JSON document"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("clone", "[-b NAME] [--no-blobs] [" REMOTES_CREDENTIALS_SYNOPSIS "] [-q] [--json]"
	    " URL [DIR]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return cmd_count("clone", argc, 1, 2, e) != 0 ? -1 : clone_run(&c, argc, argv, e);
}
