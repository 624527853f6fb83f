#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <fcntl.h>
#include <string.h>
#include "base/array.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/path.h"
#include "cmd/worktree.h"
#include "store/history.h"
#include "store/odb.h"
#include "store/refs.h"

#define CHECKOUT_ITEMS_MAX 10000000
#define CHECKOUT_SYNCS_MAX 64   /* more files than these are synced with their file system */
#define CHECKOUT_LISTED 10      /* changed files in the error message */

struct checkout_options {
	bool force, inputs, outputs, dry_run;
};

/* A file or link to write; a directory only when it is empty. */
struct checkout_item {
	struct worktree_thing thing;
	char *path;
	uint64_t size;
	struct worktree_found found;
};

struct checkout {
	struct store *s;
	const struct checkout_options *o;
	char **wanted;              /* relative to the work tree; none: all */
	bool *met;
	size_t wanted_count;
	struct checkout_item *items;
	size_t count, cap;
};

static void
checkout_free(struct checkout *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->items[i].path);
	free(c->items);
	for (size_t i = 0; i < c->wanted_count; i++)
		free(c->wanted[i]);
	free(c->wanted);
	free(c->met);
}

/* --- what is to be written --- */

enum checkout_want { CHECKOUT_NO, CHECKOUT_BELOW, CHECKOUT_ALL };

/* Below: something inside of it. */
static enum checkout_want
checkout_wants(struct checkout *c, const char *path)
{
	enum checkout_want want = c->wanted_count == 0 ? CHECKOUT_ALL : CHECKOUT_NO;

	for (size_t i = 0; i < c->wanted_count; i++) {
		if (c->wanted[i][0] == '\0' || path_covers(c->wanted[i], path)) {
			c->met[i] = true;
			want = CHECKOUT_ALL;
		} else if (want == CHECKOUT_NO && path_covers(path, c->wanted[i])) {
			want = CHECKOUT_BELOW;
		}
	}
	return want;
}

static int
checkout_add(struct checkout *c, const char *path, const struct worktree_thing *t, uint64_t size,
    struct err *e)
{
	struct checkout_item *item;

	if (c->count == CHECKOUT_ITEMS_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d files", path, CHECKOUT_ITEMS_MAX);
	if (ARRAY_ROOM(c->items, c->count, c->cap, e) != 0)
		return -1;
	item = &c->items[c->count];
	*item = (struct checkout_item){.thing = *t, .size = size, .path = buf_strdup(path, e)};
	if (item->path == NULL)
		return -1;
	item->thing.path = item->path;
	c->count++;
	return 0;
}

static int checkout_tree(struct checkout *c, const struct oid *id, const char *path, int depth,
    struct err *e);

static int
checkout_entry(struct checkout *c, const struct tree_entry *entry, const char *dir, int depth,
    struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/%s", dir, entry->name);
	const struct worktree_thing t = {.type = OBJECT_BLOB, .mode = entry->mode, .id = entry->id};
	enum checkout_want want;

	if (path == NULL || interrupt_check(e) != 0)
		return -1;
	want = checkout_wants(c, path);
	if (want == CHECKOUT_NO)
		return 0;
	if (entry->mode == TREE_DIR)
		return checkout_tree(c, &entry->id, path, depth + 1, e);
	return want == CHECKOUT_ALL ? checkout_add(c, path, &t, entry->size, e) : 0;
}

static int
checkout_tree(struct checkout *c, const struct oid *id, const char *path, int depth, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;

	if (depth > TREE_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d directories deep", path, TREE_DEPTH_MAX);
	if (odb_read(c->s, id, TREE_BYTES_MAX, &text, e) != 0 ||
	    tree_decode(text.data, text.len, &t, e) != 0)
		return err_prefix(e, "%s", path);
	buf_free(&text);
	if (t.count == 0 && checkout_wants(c, path) == CHECKOUT_ALL) {
		const struct worktree_thing empty = {.type = OBJECT_TREE, .mode = TREE_DIR, .id = *id};

		return checkout_add(c, path, &empty, 0, e);
	}
	for (size_t i = 0; i < t.count; i++)
		if (checkout_entry(c, &t.entries[i], path, depth, e) != 0)
			return -1;
	return 0;
}

static int
checkout_resource(struct checkout *c, const struct resource *r, struct err *e)
{
	const struct worktree_thing t = {.type = OBJECT_BLOB, .id = r->digests.sha256};
	enum checkout_want want = checkout_wants(c, r->path);

	if (want == CHECKOUT_NO || (want == CHECKOUT_BELOW && r->type != OBJECT_TREE))
		return 0;
	if (r->type == OBJECT_TREE)
		return checkout_tree(c, &r->digests.sha256, r->path, 1, e);
	return checkout_add(c, r->path, &t, r->size, e);
}

static int
checkout_certificate(struct checkout *c, const struct oid *id, struct err *e)
{
	CLEANUP(certificate_free) struct certificate cert = {0};

	if (history_certificate(c->s, id, &cert, e) != 0)
		return -1;
	for (size_t i = 0; i < cert.event_count; i++) {
		const struct event *ev = &cert.events[i];
		const struct resource *r = NULL;

		if (c->o->inputs && ev->kind == EVENT_INPUT_RESOURCE)
			r = &ev->u.input.thing;
		else if ((c->o->outputs || !c->o->inputs) && ev->kind == EVENT_OUTPUT_RESOURCE)
			r = &ev->u.output.output;
		if (r != NULL && checkout_resource(c, r, e) != 0)
			return -1;
	}
	return 0;
}

static int
checkout_revision(struct checkout *c, const char *rev, struct err *e)
{
	CLEANUP(commit_free) struct commit commit = {0};
	struct object_ref ref;

	if (refs_resolve(c->s, rev, &ref, e) != 0)
		return -1;
	if (ref.type == OBJECT_COMMIT) {
		if (history_commit(c->s, &ref.id, &commit, e) != 0)
			return -1;
		if (commit.resource != NULL)
			return checkout_resource(c, &commit.resource->thing, e);
		if (commit.has_subject)
			ref = commit.subject;
	}
	if (ref.type != OBJECT_CERTIFICATE)
		return cmd_no_run(c->s, "checkout", rev, &ref, e);
	return checkout_certificate(c, &ref.id, e);
}

static int
checkout_met(const struct checkout *c, const char *rev, struct err *e)
{
	for (size_t i = 0; i < c->wanted_count; i++)
		if (!c->met[i])
			return err_set(e, ERR_NOTFOUND, "%s: not among the %s of %s%s", c->wanted[i],
			    !c->o->inputs ? "outputs" : c->o->outputs ? "inputs and outputs" : "inputs", rev,
			    c->o->inputs ? "" : " (--inputs looks among its inputs)");
	return 0;
}

/* --- what is there --- */

static int
checkout_look_dir(struct checkout *c, struct checkout_item *item, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;

	if (worktree_check_parent(c->s, item->path, e) != 0)
		return -1;
	fd = fd_open_beneath(store_worktree_fd(c->s), item->path, O_PATH | O_DIRECTORY, 0, e);
	if (fd < 0 && e->code != ERR_NOTFOUND)
		return err_prefix(e, "%s: something is in the way of a directory", item->path);
	item->found.state = fd >= 0 ? WORKTREE_SAME : WORKTREE_ABSENT;
	return 0;
}

static int
checkout_look(struct checkout *c, struct checkout_item *item, struct err *e)
{
	uint64_t size;

	if (item->thing.type == OBJECT_TREE)
		return checkout_look_dir(c, item, e);
	if (worktree_look(c->s, &item->thing, &item->found, e) != 0)
		return -1;
	if (item->found.state == WORKTREE_SAME || item->found.state == WORKTREE_MODE)
		return 0;
	if (odb_size(c->s, &item->thing.id, &size, e) != 0)
		return err_prefix(e, "%s", item->path);
	if (size != item->size)
		return err_set(e, ERR_CORRUPT, "%s: %llu bytes are recorded, the object has %llu", item->path,
		    (unsigned long long)item->size, (unsigned long long)size);
	return 0;
}

static bool
checkout_refused(const struct checkout *c, const struct checkout_item *item)
{
	return item->found.state == WORKTREE_DIRECTORY ||
	    (item->found.state == WORKTREE_CHANGED && !c->o->force);
}

/* Everything is looked at before anything is written. */
static int
checkout_judge(struct checkout *c, struct err *e)
{
	CLEANUP(buf_free) struct buf list = BUF_INIT;
	size_t refused = 0, directories = 0;

	for (size_t i = 0; i < c->count; i++) {
		if (interrupt_check(e) != 0 || checkout_look(c, &c->items[i], e) != 0)
			return -1;
		if (!checkout_refused(c, &c->items[i]))
			continue;
		directories += c->items[i].found.state == WORKTREE_DIRECTORY;
		if (refused++ < CHECKOUT_LISTED)
			buf_addf(&list, "%s%s", refused > 1 ? ", " : "", c->items[i].path);
	}
	if (refused == 0 || c->o->dry_run)
		return 0;
	if (buf_check(&list, e) != 0)
		return -1;
	return err_set(e, ERR_EXISTS, "%s%s: %s; nothing was written", buf_str(&list),
	    refused > CHECKOUT_LISTED ? ", ..." : "", directories > 0 ?
	    "a directory is where a file is to be: move it away" :
	    "changed since it was recorded; -f replaces it");
}

/* --- writing --- */

/* Each directory once: what lies in one follows one another. */
static int
checkout_sweep(const struct checkout *c, struct err *e)
{
	const char *last = "";
	size_t last_len = 0;

	for (size_t i = 0; i < c->count; i++) {
		const char *path = c->items[i].path;
		size_t len = (size_t)(path_base(path) - path);

		if (i > 0 && len == last_len && memcmp(path, last, len) == 0)
			continue;
		last = path;
		last_len = len;
		if (interrupt_check(e) != 0 || worktree_sweep(c->s, path, e) != 0)
			return -1;
	}
	return 0;
}

static int
checkout_tell(const struct checkout *c)
{
	static const char *const words[] = {"write", "", "mode", "replace", "replace", "refuse"};
	bool refused = false;

	for (size_t i = 0; i < c->count; i++) {
		const struct checkout_item *item = &c->items[i];
		bool no = checkout_refused(c, item);

		refused = refused || no;
		if (item->found.state == WORKTREE_SAME)
			continue;
		printf("%-7s  ", no ? "refuse" : words[item->found.state]);
		cmd_print_text(stdout, item->path);
		putchar('\n');
	}
	return refused ? 3 : 0;
}

static int
checkout_write(struct checkout *c, unsigned flags, struct progress *p, struct err *e)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct checkout_item *item = &c->items[i];

		if (item->found.state == WORKTREE_SAME)
			continue;
		if (interrupt_check(e) != 0)
			return -1;
		if (item->thing.type != OBJECT_TREE) {
			if (worktree_put(c->s, &item->thing, &item->found, flags, p, e) != 0)
				return -1;
		} else if (fd_mkdirs_beneath(store_worktree_fd(c->s), item->path, 0777, e) != 0) {
			return err_prefix(e, "%s", item->path);
		}
	}
	return 0;
}

static int
checkout_do(struct checkout *c, struct err *e)
{
	struct progress p;
	uint64_t bytes = 0;
	size_t left = 0;
	bool many;
	int rc;

	for (size_t i = 0; i < c->count; i++) {
		left += c->items[i].found.state != WORKTREE_SAME;
		bytes += c->items[i].found.state != WORKTREE_SAME ? c->items[i].size : 0;
	}
	many = left > CHECKOUT_SYNCS_MAX;
	if (checkout_sweep(c, e) != 0)
		return -1;
	progress_start(&p, stderr, "writing", bytes);
	rc = checkout_write(c, many ? 0 : WORKTREE_SYNC, &p, e);
	progress_end(&p);
	if (rc != 0)
		return -1;
	if (many && syncfs(store_worktree_fd(c->s)) != 0)
		return err_sys(e, "%s: cannot sync its file system", store_worktree(c->s));
	printf("%zu written, %zu as they are to be\n", left, c->count - left);
	return 0;
}

static int
checkout_paths(struct checkout *c, int argc, char **argv, struct err *e)
{
	c->wanted = calloc((size_t)argc + 1, sizeof *c->wanted);
	c->met = calloc((size_t)argc + 1, sizeof *c->met);
	if (c->wanted == NULL || c->met == NULL)
		return err_nomem(e);
	for (int i = 0; i < argc; i++) {
		if (worktree_path(c->s, argv[i], &c->wanted[i], e) != 0)
			return -1;
		c->wanted_count++;
	}
	return 0;
}

int
checkout_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	struct checkout_options o = {.force = false};
	const struct option table[] = {
		{OPTION_FLAG, 'f', "force", &o.force, NULL, "replace changed files too"},
		{OPTION_FLAG, 0, "inputs", &o.inputs, NULL, "what the run used"},
		{OPTION_FLAG, 0, "outputs", &o.outputs, NULL, "what it made (without --inputs: so anyway)"},
		{OPTION_FLAG, 'n', "dry-run", &o.dry_run, NULL, "only print what would be done"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(checkout_free) struct checkout c = {.o = &o};
	int rc = cmd_parse("checkout", "[-f] [-n] [--inputs] [--outputs] REV [PATH...]", table, &argc, argv,
	    e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("checkout", argc, 1, 1000000, e) != 0 || cmd_store(STORE_READ_ONLY, &s, e) != 0)
		return -1;
	c.s = s;
	if (checkout_paths(&c, argc - 1, argv + 1, e) != 0 || checkout_revision(&c, argv[0], e) != 0 ||
	    checkout_met(&c, argv[0], e) != 0 || checkout_judge(&c, e) != 0)
		return -1;
	return o.dry_run ? checkout_tell(&c) : checkout_do(&c, e);
}
