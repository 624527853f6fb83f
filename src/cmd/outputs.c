#include "cmd/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "base/path.h"
#include "object/tree.h"
#include "store/history.h"
#include "store/ingest.h"

#define OUTPUTS_ORIG_MAX 1000

enum outputs_state { OUTPUTS_ABSENT, OUTPUTS_SAME, OUTPUTS_COVERED, OUTPUTS_FOREIGN };

/* What lies at an output's path now. */
struct outputs_found {
	enum outputs_state state;
	struct oid id;          /* OUTPUTS_COVERED: its content */
};

/* The store has every byte of it, undamaged. */
static bool
outputs_stored(struct store *s, enum object_type type, const struct oid *id, int depth)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	bool all = true;

	if (type == OBJECT_BLOB)
		return odb_stream(s, id, NULL, NULL, NULL) == 0;
	if (depth > TREE_DEPTH_MAX || odb_read(s, id, TREE_BYTES_MAX, &text, NULL) != 0 ||
	    tree_decode(text.data, text.len, &t, NULL) != 0)
		return false;
	for (size_t i = 0; all && i < t.count; i++)
		all = outputs_stored(s, t.entries[i].mode == TREE_DIR ? OBJECT_TREE : OBJECT_BLOB,
		    &t.entries[i].id, depth + 1);
	return all;
}

/* The directory of path beneath the work tree, made when it is missing. */
static int
outputs_parent(struct store *s, const char *path, int *ret_fd, struct err *e)
{
	const char *base = path_base(path);
	CLEANUP(cleanup_free) char *dir = base == path ? buf_strdup(".", e) :
	    buf_strfmt(e, "%.*s", (int)(base - path - 1), path);

	if (dir == NULL)
		return -1;
	if (base != path && fd_mkdirs_beneath(store_worktree_fd(s), dir, 0777, e) != 0)
		return -1;
	*ret_fd = fd_open_beneath(store_worktree_fd(s), dir, O_RDONLY | O_DIRECTORY, 0, e);
	return *ret_fd < 0 ? -1 : 0;
}

static int
outputs_look(struct store *s, const struct resource *r, struct outputs_found *ret, struct err *e)
{
	CLEANUP(history_producer_free) struct history_producer p = {0};
	struct ingest_result now;
	struct resource content = *r;
	struct stat st;

	if (fstatat(store_worktree_fd(s), r->path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return err_sys(e, "%s", r->path);
		ret->state = OUTPUTS_ABSENT;
		return 0;
	}
	ret->state = OUTPUTS_FOREIGN;
	if (ingest_path(s, store_worktree_fd(s), r->path, INGEST_DIRECTORIES | INGEST_HASH_ONLY, NULL,
	    &now, e) != 0)
		return e->code == ERR_NOMEM ? -1 : 0; /* a symlink, a socket: not ours */
	if (now.type == r->type && oid_equal(&now.id, &r->digests.sha256)) {
		ret->state = OUTPUTS_SAME;
		return 0;
	}
	content.type = now.type;
	content.size = now.size;
	content.digests = (struct resource_digests){.sha256 = now.id};
	if (history_producer(s, &content, HISTORY_INSIDE | HISTORY_QUICK, &p, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	if (outputs_stored(s, now.type, &now.id, 0)) {
		ret->state = OUTPUTS_COVERED;
		ret->id = now.id;
	}
	return 0;
}

/* rename(2) that never replaces.  Not every file system can promise that; there
 * it is looked at first. */
static int
outputs_move(int dirfd, const char *from, const char *to)
{
	struct stat st;

	if (renameat2(dirfd, from, dirfd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (fstatat(dirfd, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(dirfd, from, dirfd, to);
}

/* Renames dirfd/from to the first free name.orig, name.orig.1, ... */
static int
outputs_keep(int dirfd, const char *from, const char *name, struct err *e)
{
	for (int i = 0; i < OUTPUTS_ORIG_MAX; i++) {
		char suffix[16] = "";
		CLEANUP(cleanup_free) char *kept = NULL;

		if (i > 0)
			snprintf(suffix, sizeof suffix, ".%d", i);
		kept = buf_strfmt(e, "%s.orig%s", name, suffix);
		if (kept == NULL)
			return -1;
		if (outputs_move(dirfd, from, kept) == 0) {
			fprintf(stderr, "aicert: %s was not made by a recorded run: kept as %s\n", name, kept);
			return 0;
		}
		if (errno != EEXIST)
			return err_sys(e, "%s: cannot rename to %s", name, kept);
	}
	return err_set(e, ERR_EXISTS, "%s: too many .orig files beside it", name);
}

/* tmp and name change places, at once where the file system can. */
static int
outputs_exchange(int dirfd, const char *tmp, const char *name, struct err *e)
{
	CLEANUP(cleanup_free) char *old = buf_strfmt(e, "%s-old", tmp);

	if (old == NULL)
		return -1;
	if (renameat2(dirfd, tmp, dirfd, name, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return err_sys(e, "%s: cannot replace", name);
	if (outputs_move(dirfd, name, old) != 0)
		return err_sys(e, "%s: cannot move aside", name);
	if (outputs_move(dirfd, tmp, name) != 0 || outputs_move(dirfd, old, tmp) != 0)
		return err_sys(e, "%s: cannot replace; what was there is %s", name, old);
	return 0;
}

/* Puts dirfd/tmp in the place of dirfd/name, whose content is covered by
 * expected.  What was written to it since it was looked at is kept. */
static int
outputs_swap(int dirfd, const char *tmp, const char *name, const struct oid *expected, struct err *e)
{
	struct ingest_result was;

	if (outputs_exchange(dirfd, tmp, name, e) != 0)
		return -1;
	if (ingest_path(NULL, dirfd, tmp, INGEST_DIRECTORIES | INGEST_HASH_ONLY, NULL, &was, e) == 0 &&
	    oid_equal(&was.id, expected))
		return fd_remove_tree(dirfd, tmp, e);
	return outputs_keep(dirfd, tmp, name, e);
}

/* Puts dirfd/tmp where there is nothing. */
static int
outputs_rename(int dirfd, const char *tmp, const char *name, struct err *e)
{
	if (outputs_move(dirfd, tmp, name) != 0)
		return err_sys(e, "%s: cannot rename into place", name);
	return 0;
}

static int
outputs_put(int dirfd, const char *tmp, const char *name, const struct outputs_found *found,
    struct err *e)
{
	if (found->state == OUTPUTS_COVERED)
		return outputs_swap(dirfd, tmp, name, &found->id, e);
	if (found->state == OUTPUTS_FOREIGN && outputs_keep(dirfd, name, name, e) != 0)
		return -1;
	return outputs_rename(dirfd, tmp, name, e);
}

static int
outputs_place(struct store *s, const struct resource *r, const struct outputs_found *found,
    struct err *e)
{
	CLEANUP(cleanup_close) int dirfd = -1;
	CLEANUP(cleanup_free) char *tmp = NULL;
	const char *name = path_base(r->path);

	if (outputs_parent(s, r->path, &dirfd, e) != 0)
		return -1;
	tmp = buf_strfmt(e, ".%.200s.aicert-%ld", name, (long)getpid());
	if (tmp == NULL || fd_remove_tree(dirfd, tmp, e) != 0)
		return -1;
	if (ingest_checkout(s, r->type, &r->digests.sha256, dirfd, tmp, e) != 0 ||
	    outputs_put(dirfd, tmp, name, found, e) != 0) {
		if (fd_remove_tree(dirfd, tmp, NULL) != 0)
			return err_prefix(e, "%s is left behind", tmp);
		return -1;
	}
	return 0;
}

/* The nearest directory above path that exists can be entered without a symlink. */
static int
outputs_check_parent(struct store *s, const char *path, struct err *e)
{
	CLEANUP(cleanup_free) char *dir = buf_strdup(path, e);
	char *slash;

	if (dir == NULL)
		return -1;
	while ((slash = strrchr(dir, '/')) != NULL) {
		CLEANUP(cleanup_close) int fd = -1;

		*slash = '\0';
		fd = fd_open_beneath(store_worktree_fd(s), dir, O_PATH | O_DIRECTORY, 0, e);
		if (fd >= 0)
			return 0;
		if (e->code != ERR_NOTFOUND)
			return err_prefix(e, "output %s", path);
	}
	return 0;
}

int
outputs_check(struct store *s, const struct run_spec *spec, struct err *e)
{
	for (size_t i = 0; i < spec->output_count; i++)
		if (outputs_check_parent(s, spec->outputs[i].path, e) != 0)
			return -1;
	return 0;
}

int
outputs_write(struct store *s, const struct certificate *c, const char *only_kind, struct err *e)
{
	for (size_t i = 0; i < c->event_count; i++) {
		const struct event *ev = &c->events[i];
		struct outputs_found found = {.state = OUTPUTS_ABSENT};

		if (ev->kind != EVENT_OUTPUT_RESOURCE ||
		    (only_kind != NULL && strcmp(ev->u.output.output.kind, only_kind) != 0))
			continue;
		if (outputs_look(s, &ev->u.output.output, &found, e) != 0)
			return -1;
		if (found.state != OUTPUTS_SAME && outputs_place(s, &ev->u.output.output, &found, e) != 0)
			return -1;
	}
	return 0;
}
