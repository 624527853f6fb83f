#include "cmd/fetch-contents.h"

#include <stdio.h>
#include <string.h>
#include "cmd/cmd.h"
#include "cmd/commands.h"
#include "cmd/subject.h"
#include "store/history.h"
#include "store/refs.h"

struct fetch_contents {
	struct store *s;
	struct config *c;
	char **paths;
	size_t path_count;
	struct sync_tip *tips;
	size_t tip_count;
	struct sync_tally got;      /* of all remotes */
	struct sync_tally last;     /* what the last one asked did not have is lacking */
	bool asked;
	struct err why;             /* of a remote that could not be asked */
	bool unasked;
	bool failed;
};

static void
fetch_contents_free(struct fetch_contents *f)
{
	for (size_t i = 0; i < f->path_count; i++)
		free(f->paths[i]);
	free(f->paths);
	free(f->tips);
}

static int
fetch_contents_tip(void *arg, const char *name, const struct object_ref *ref)
{
	struct fetch_contents *f = arg;
	struct sync_tip *grown;

	if (ref->type != OBJECT_COMMIT || strncmp(name, "refs/failed/", 12) == 0)
		return 0;
	grown = reallocarray(f->tips, f->tip_count + 1, sizeof *grown);
	f->failed = grown == NULL;
	if (f->failed)
		return 1;
	f->tips = grown;
	f->tips[f->tip_count++] = (struct sync_tip){.ref = *ref};
	return 0;
}

static int
fetch_contents_from(struct fetch_contents *f, const struct remotes_entry *entry, struct err *e)
{
	CLEANUP(remote_closep) struct remote *r = NULL;
	struct sync_contents contents = {
		.blobs = f->path_count > 0 ? SYNC_BLOBS_ALL : SYNC_BLOBS_OUTPUTS, .tips = f->tips,
		.tip_count = f->tip_count, .paths = (const char *const *)f->paths,
		.path_count = f->path_count,
	};

	if (remotes_open(f->s, f->c, entry, false, &r, e) != 0)
		return -1;
	contents.remote = r;
	if (sync_contents(&contents, &f->last, e) != 0)
		return -1;
	f->asked = true;
	f->got.objects += f->last.objects;
	f->got.bytes += f->last.bytes;
	f->got.commits += f->last.commits;
	f->got.certificates += f->last.certificates;
	return 0;
}

/* One that cannot be reached is passed over: another may have it. */
static int
fetch_contents_try(struct fetch_contents *f, const struct remotes_entry *entry, struct err *e)
{
	if (f->asked && f->last.absent + f->last.unfit + f->last.failed == 0)
		return 0;
	if (fetch_contents_from(f, entry, e) == 0)
		return 0;
	if (e->code == ERR_CANCELLED || e->code == ERR_NOMEM)
		return -1;
	f->unasked = true;
	f->why = *e;
	fprintf(stderr, "aicert: %s: ", entry->name);
	cmd_print_text(stderr, e->msg);
	fputc('\n', stderr);
	return 0;
}

static int
fetch_contents_all(struct fetch_contents *f, struct err *e)
{
	CLEANUP(remotes_entry_free) struct remotes_entry first = {0};
	struct remotes_entry *list;
	size_t n;
	int rc;

	if (remotes_choose(f->s, f->c, NULL, &first, e) != 0 || remotes_list(f->c, &list, &n, e) != 0)
		return -1;
	rc = fetch_contents_try(f, &first, e);
	for (size_t i = 0; i < n; i++) {
		if (rc == 0 && strcmp(list[i].name, first.name) != 0)
			rc = fetch_contents_try(f, &list[i], e);
		remotes_entry_free(&list[i]);
	}
	free(list);
	return rc;
}

/* It, or a directory that it lies in, is an output, or is in an input. */
static int
fetch_contents_named(struct store *s, const char *typed, const char *path, struct err *e)
{
	struct oid id;

	if (subject_producer(s, path, &id, e) == 0)
		return 0;
	if (e->code == ERR_NOTFOUND && history_user_of_path(s, path, &id, e) == 0)
		return 0;
	return e->code == ERR_NOTFOUND ? err_set(e, ERR_NOTFOUND, "%s: no certificate names it", typed) : -1;
}

static int
fetch_contents_paths(struct fetch_contents *f, int argc, char **argv, struct err *e)
{
	f->paths = calloc((size_t)argc + 1, sizeof *f->paths);
	if (f->paths == NULL)
		return err_nomem(e);
	for (int i = 0; i < argc; i++) {
		if (cmd_worktree_path(f->s, argv[i], &f->paths[f->path_count], e) != 0)
			return -1;
		f->path_count++;
	}
	return 0;
}

static int
fetch_contents_say(const struct fetch_contents *f, bool json, struct err *e)
{
	size_t lacking = f->last.absent + f->last.unfit + f->last.failed;
	CLEANUP(jcs_freep) struct jcs *v = NULL;

	if (json) {
		struct sync_tally all = f->got;

		v = jcs_new_object();
		all.absent = f->last.absent;
		all.failed = f->last.failed;
		all.unfit = f->last.unfit;
		remotes_tally_json(&all, v);
		if (cmd_print_json(v, e) != 0)
			return -1;
	} else if (f->got.objects > 0) {
		remotes_print_tally(&f->got, "Got", "fetched");
	} else if (lacking == 0 && f->asked) {
		puts("Everything is here already.");
	}
	if (!f->asked) {
		if (e != NULL)
			*e = f->why;
		return -1;
	}
	return lacking == 0 ? 0 : err_set(e, ERR_NOTFOUND, "%zu file%s that certificates name %s at no"
	    " remote that could be asked", lacking, lacking == 1 ? "" : "s", lacking == 1 ? "is" : "are");
}

int
fetch_contents_run(struct store *s, struct config *c, int argc, char **argv, bool json,
    struct err *e)
{
	CLEANUP(fetch_contents_free) struct fetch_contents f = {.s = s, .c = c};

	if (fetch_contents_paths(&f, argc, argv, e) != 0 ||
	    refs_each(s, "refs/", fetch_contents_tip, &f, e) != 0)
		return -1;
	if (f.failed)
		return err_nomem(e);
	if (f.tip_count == 0)
		return err_set(e, ERR_NOTFOUND, "there is no history here that names files: fetch it first");
	for (size_t i = 0; i < f.path_count; i++)
		if (fetch_contents_named(s, argv[i], f.paths[i], e) != 0)
			return -1;
	return fetch_contents_all(&f, e) != 0 ? -1 : fetch_contents_say(&f, json, e);
}
