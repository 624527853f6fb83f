#include "cmd/cmd.h"
#include "cmd/commands.h"

#include "cmd/fetch-contents.h"
#include "cmd/fetch-refs.h"

struct fetch_command {
	struct fetch_options o;
	bool contents, all, json, quiet, none, outputs;
};

static int
fetch_one(const struct fetch_command *fc, struct fetch *f, struct err *e)
{
	if (fetch_refs_run(f, &fc->o, e) != 0)
		return -1;
	if (fc->json) {
		if (fetch_refs_print_json(f, fc->o.dry_run, e) != 0)
			return -1;
	} else if (!fc->quiet) {
		fetch_refs_print(f, fc->o.dry_run);
	}
	return fetch_refs_status(f, e);
}

static int
fetch_named(const struct fetch_command *fc, struct fetch *f, const char *typed, struct err *e)
{
	int rc = remotes_choose(f->s, f->c, typed, &f->entry, e) == 0 ? fetch_one(fc, f, e) : -1;

	fetch_refs_free(f);
	return rc;
}

/* Every remote, also when one of them fails; the first failure is the end's. */
static int
fetch_all(const struct fetch_command *fc, struct fetch *f, struct err *e)
{
	struct remotes_entry *list;
	struct err why = {0};
	size_t n;
	int rc = 0;

	if (remotes_list(f->c, &list, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct err one = {0};

		if (fetch_named(fc, f, list[i].name, &one) != 0 && rc == 0) {
			rc = -1;
			why = one;
		}
		remotes_entry_free(&list[i]);
	}
	free(list);
	if (rc != 0 && e != NULL)
		*e = why;
	return rc;
}

static int
fetch_dispatch(struct fetch_command *fc, int argc, char **argv, struct err *e)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(config_closep) struct config *c = NULL;
	struct fetch f = {0};

	if (cmd_store(0, &s, e) != 0 || config_open(s, &c, e) != 0)
		return -1;
	f.s = s;
	f.c = c;
	if (fc->contents)
		return fetch_contents_run(s, c, argc, argv, fc->json, e);
	if (fc->none && fc->outputs)
		return err_set(e, ERR_USAGE, "fetch: --no-blobs and --with-blobs exclude each other");
	fc->o.blobs = fc->none ? "none" : fc->outputs ? "outputs" : NULL;
	if (fc->all)
		return argc > 0 ? err_set(e, ERR_USAGE, "fetch --all: it names all remotes already") :
		    fetch_all(fc, &f, e);
	fc->o.argc = argc > 1 ? argc - 1 : 0;
	fc->o.argv = argv + 1;
	return fetch_named(fc, &f, argc > 0 ? argv[0] : NULL, e);
}

int
fetch_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	struct fetch_command fc = {.all = false};
	const struct option table[] = {
		{OPTION_FLAG, 0, "all", &fc.all, NULL, "from every remote"},
		{OPTION_FLAG, 'p', "prune", &fc.o.prune, NULL, "remove what is known of branches that are gone"},
		{OPTION_FLAG, 0, "no-tags", &fc.o.no_tags, NULL, "leave the tags alone"},
		{OPTION_FLAG, 0, "no-blobs", &fc.none, NULL, "history and proofs, no files"},
		{OPTION_FLAG, 0, "with-blobs", &fc.outputs, NULL, "outputs too, whatever fetch.blobs says"},
		{OPTION_FLAG, 0, "blobs", &fc.contents, NULL, "only files that are missing here, of PATHs or all"},
		{OPTION_FLAG, 'n', "dry-run", &fc.o.dry_run, NULL, "only say what there is"},
		{OPTION_FLAG, 'q', "quiet", &fc.quiet, NULL, "say nothing on success"},
		{OPTION_FLAG, 0, "json", &fc.json, NULL, "one JSON document a remote"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("fetch", "[--all] [-p] [--no-tags] [--no-blobs | --with-blobs] [-n] [-q] [--json]"
	    " [REMOTE [REFSPEC...]] | --blobs [--json] [PATH...]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return fetch_dispatch(&fc, argc, argv, e);
}
