#include "cmd/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "base/path.h"
#include "store/history.h"
#include "store/ingest.h"

#define OUTPUTS_ORIG_MAX 1000

/* What lies at an output's path now. */
enum outputs_found { OUTPUTS_ABSENT, OUTPUTS_SAME, OUTPUTS_COVERED, OUTPUTS_FOREIGN };

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
outputs_look(struct store *s, const struct resource *r, enum outputs_found *ret, struct err *e)
{
	CLEANUP(history_producer_free) struct history_producer p = {0};
	struct ingest_result now;
	struct resource content = *r;
	struct stat st;

	if (fstatat(store_worktree_fd(s), r->path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return err_sys(e, "%s", r->path);
		*ret = OUTPUTS_ABSENT;
		return 0;
	}
	*ret = OUTPUTS_FOREIGN;
	if (ingest_path(s, store_worktree_fd(s), r->path, INGEST_DIRECTORIES | INGEST_HASH_ONLY, NULL,
	    &now, e) != 0)
		return e->code == ERR_NOMEM ? -1 : 0; /* a symlink, a socket: not ours */
	if (now.type == r->type && oid_equal(&now.id, &r->digests.sha256)) {
		*ret = OUTPUTS_SAME;
		return 0;
	}
	content.type = now.type;
	content.size = now.size;
	content.digests = (struct resource_digests){.sha256 = now.id};
	if (history_producer(s, &content, HISTORY_INSIDE, &p, e) == 0)
		*ret = OUTPUTS_COVERED;
	else if (e->code != ERR_NOTFOUND)
		return -1;
	return 0;
}

/* Renames dirfd/name to the first free name.orig, name.orig.1, ... */
static int
outputs_keep(int dirfd, const char *name, const char *path, struct err *e)
{
	for (int i = 0; i < OUTPUTS_ORIG_MAX; i++) {
		char suffix[16] = "";
		CLEANUP(cleanup_free) char *kept = NULL;

		if (i > 0)
			snprintf(suffix, sizeof suffix, ".%d", i);
		kept = buf_strfmt(e, "%s.orig%s", name, suffix);
		if (kept == NULL)
			return -1;
		if (renameat2(dirfd, name, dirfd, kept, RENAME_NOREPLACE) == 0) {
			fprintf(stderr, "aicert: %s was not made by a recorded run: kept as %s\n", path, kept);
			return 0;
		}
		if (errno != EEXIST)
			return err_sys(e, "%s: cannot rename to %s", path, kept);
	}
	return err_set(e, ERR_EXISTS, "%s: too many .orig files beside it", path);
}

/* Puts dirfd/tmp in the place of dirfd/name; what was there ends up at tmp. */
static int
outputs_swap(int dirfd, const char *tmp, const char *name, const char *path, struct err *e)
{
	if (renameat2(dirfd, tmp, dirfd, name, RENAME_EXCHANGE) == 0)
		return fd_remove_tree(dirfd, tmp, e);
	if (errno != ENOENT && errno != EINVAL)
		return err_sys(e, "%s: cannot replace", path);
	if (errno == EINVAL && fd_remove_tree(dirfd, name, e) != 0)
		return -1;
	if (renameat(dirfd, tmp, dirfd, name) != 0)
		return err_sys(e, "%s: cannot rename into place", path);
	return 0;
}

static int
outputs_place(struct store *s, const struct resource *r, enum outputs_found found, struct err *e)
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
	    (found == OUTPUTS_FOREIGN && outputs_keep(dirfd, name, r->path, e) != 0) ||
	    outputs_swap(dirfd, tmp, name, r->path, e) != 0) {
		if (fd_remove_tree(dirfd, tmp, NULL) != 0)
			return err_prefix(e, "%s is left behind", tmp);
		return -1;
	}
	return 0;
}

int
outputs_write(struct store *s, const struct certificate *c, const char *only_kind, struct err *e)
{
	for (size_t i = 0; i < c->event_count; i++) {
		const struct event *ev = &c->events[i];
		enum outputs_found found;

		if (ev->kind != EVENT_OUTPUT_RESOURCE ||
		    (only_kind != NULL && strcmp(ev->u.output.output.kind, only_kind) != 0))
			continue;
		if (outputs_look(s, &ev->u.output.output, &found, e) != 0)
			return -1;
		if (found != OUTPUTS_SAME && outputs_place(s, &ev->u.output.output, found, e) != 0)
			return -1;
	}
	return 0;
}
