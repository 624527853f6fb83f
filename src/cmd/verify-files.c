#include "cmd/verify-files.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/path.h"
#include "object/tree.h"
#include "store/ingest.h"

#define VERIFY_FILES_LISTED 10
#define VERIFY_FILES_ENTRIES 10000000

void
verify_files_free(struct verify_files *v)
{
	buf_free(&v->extra);
	for (size_t i = 0; i < v->detail_count; i++)
		free(v->details[i]);
	free(v->details);
}

/* The first some names of a kind, and how many there are. */
struct verify_files_list {
	struct buf names;
	size_t count;
};

struct verify_files_diff {
	struct verify_files *v;
	struct verify_files_list extra, changed, missing;
};

static void
verify_files_diff_free(struct verify_files_diff *d)
{
	buf_free(&d->extra.names);
	buf_free(&d->changed.names);
	buf_free(&d->missing.names);
}

static void
verify_files_name(struct verify_files_list *l, const char *dir, const char *name)
{
	if (l->count++ < VERIFY_FILES_LISTED)
		buf_addf(&l->names, "%s%s/%s", l->count > 1 ? ", " : "", dir, name);
}

static void
verify_files_say(struct buf *b, const char *what, const struct verify_files_list *l)
{
	if (l->count == 0)
		return;
	buf_addf(b, "%s%s: %s", b->len > 0 ? "; " : "", what, buf_str(&l->names));
	if (l->count > VERIFY_FILES_LISTED)
		buf_addf(b, ", ... (%zu in all)", l->count);
}

static int
verify_files_tree(const struct verify_files *v, const struct oid *id, struct tree *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	return v->fetch(v->fetch_arg, id, TREE_BYTES_MAX, &text, e) != 0 ? -1 :
	    tree_decode(text.data, text.len, ret, e);
}

/* A directory that is open. */
struct verify_files_at {
	int fd;
	const char *path;           /* for people */
	int depth;
};

static int verify_files_dir(struct verify_files_diff *d, const struct verify_files_at *at,
    const struct oid *tree, struct tree_entry *ret, struct err *e);

static int
verify_files_link(int fd, const char *name, struct tree_entry *ret, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, name, target, sizeof target);

	if (n < 0)
		return err_sys(e, "%s: cannot read the link", name);
	ret->mode = TREE_LINK;
	ret->size = (uint64_t)n;
	return oid_from_data(&ret->id, target, (size_t)n, e);
}

/* What is there under the name of an entry of the tree. */
static int
verify_files_entry(struct verify_files_diff *d, const struct verify_files_at *at,
    const struct tree_entry *want, struct tree_entry *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/%s", at->path, want->name);
	CLEANUP(cleanup_close) int inner = -1;
	struct ingest_result now;
	struct stat st;

	if (path == NULL || interrupt_check(e) != 0)
		return -1;
	if (fstatat(at->fd, want->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(e, "%s: cannot look at it", path);
	if (S_ISLNK(st.st_mode))
		return verify_files_link(at->fd, want->name, ret, e);
	if (S_ISDIR(st.st_mode) && want->mode == TREE_DIR) {
		struct verify_files_at below = {.path = path, .depth = at->depth + 1};

		inner = fd_open_beneath(at->fd, want->name, O_RDONLY | O_DIRECTORY, 0, e);
		below.fd = inner;
		return inner < 0 ? -1 : verify_files_dir(d, &below, &want->id, ret, e);
	}
	if (ingest_path(NULL, at->fd, want->name, INGEST_DIRECTORIES | INGEST_HASH_ONLY, NULL, &now, e) != 0)
		return err_prefix(e, "%s", at->path);
	ret->mode = now.type == OBJECT_TREE ? TREE_DIR : (st.st_mode & 0100) != 0 ? TREE_EXEC : TREE_FILE;
	ret->size = now.size;
	ret->id = now.id;
	return 0;
}

static int
verify_files_add(struct verify_files_diff *d, struct tree_builder *b, const struct verify_files_at *at,
    const struct tree_entry *want, struct err *e)
{
	struct tree_entry now = {.name = want->name};
	size_t told = d->extra.count + d->changed.count + d->missing.count;

	if (verify_files_entry(d, at, want, &now, e) != 0)
		return -1;
	/* of a directory its entries were told */
	if ((now.mode != want->mode || now.size != want->size || !oid_equal(&now.id, &want->id)) &&
	    told == d->extra.count + d->changed.count + d->missing.count)
		verify_files_name(&d->changed, at->path, want->name);
	return tree_builder_add(b, now.mode, now.size, &now.id, now.name, e);
}

/* Both are in the order of their names. */
static int
verify_files_merge(struct verify_files_diff *d, struct tree_builder *b, const struct verify_files_at *at,
    const struct tree *t, const struct dir_walk *names, struct err *e)
{
	size_t i = 0, k = 0;

	while (i < t->count || k < names->count) {
		int order = i == t->count ? 1 : k == names->count ? -1 :
		    strcmp(t->entries[i].name, names->names[k]);

		if (order < 0)
			verify_files_name(&d->missing, at->path, t->entries[i].name);
		else if (order > 0)
			verify_files_name(&d->extra, at->path, names->names[k]);
		else if (verify_files_add(d, b, at, &t->entries[i], e) != 0)
			return -1;
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}

/* The directory as far as the tree has the names that are in it. */
static int
verify_files_dir(struct verify_files_diff *d, const struct verify_files_at *at, const struct oid *tree,
    struct tree_entry *ret, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	struct tree_builder *b;
	int rc;

	if (at->depth > TREE_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d directories deep", at->path, TREE_DEPTH_MAX);
	if (verify_files_tree(d->v, tree, &t, e) != 0 ||
	    dir_walk_list(at->fd, ".", VERIFY_FILES_ENTRIES, &names, e) != 0 || tree_builder_new(&b, e) != 0)
		return -1;
	rc = verify_files_merge(d, b, at, &t, &names, e);
	if (rc == 0)
		rc = tree_builder_finish(b, &text, &ret->size, e);
	tree_builder_free(b);
	ret->mode = TREE_DIR;
	return rc != 0 ? -1 : oid_from_data(&ret->id, text.data, text.len, e);
}

/* The tree that is to be at path: 1, 0: none, or nothing that can be read; -1 */
static int
verify_files_expected(const struct verify_files *v, const struct resource *r, const char *path,
    struct oid *ret, struct err *e)
{
	const char *rest = path + strlen(r->path);

	*ret = r->digests.sha256;
	while (*rest == '/') {
		CLEANUP(tree_free) struct tree t = TREE_INIT;
		CLEANUP(cleanup_free) char *name = NULL;
		const struct tree_entry *entry;

		rest++;
		name = buf_strfmt(e, "%.*s", (int)strcspn(rest, "/"), rest);
		if (name == NULL)
			return -1;
		if (verify_files_tree(v, ret, &t, e) != 0)
			return e->code == ERR_NOMEM ? -1 : 0;
		entry = tree_find(&t, name);
		if (entry == NULL || entry->mode != TREE_DIR)
			return 0;
		*ret = entry->id;
		rest += strlen(name);
	}
	return 1;
}

static int
verify_files_keep(struct verify_files *v, struct buf *text, const char **ret, struct err *e)
{
	char **details = reallocarray(v->details, v->detail_count + 1, sizeof *details);

	if (details == NULL)
		return err_nomem(e);
	v->details = details;
	details[v->detail_count] = buf_steal(text, e);
	if (details[v->detail_count] == NULL)
		return -1;
	*ret = details[v->detail_count++];
	return 0;
}

static int
verify_files_tell(struct verify_files *v, const struct verify_files_diff *d,
    const struct resource_ignored *left, struct verify_file *f, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (v->allow_extra) {
		if (d->extra.count > 0)
			verify_files_say(&v->extra, "not in the tree", &d->extra);
	} else {
		verify_files_say(&text, "not in the tree (--allow-extra lets them be)", &d->extra);
	}
	verify_files_say(&text, "changed", &d->changed);
	verify_files_say(&text, "missing", &d->missing);
	if (!v->allow_extra && d->extra.count > 0 && left != NULL && left->count > 0)
		buf_addf(&text, "; .aicertignore left %llu entries out when it was measured",
		    (unsigned long long)left->count);
	return text.len == 0 ? buf_check(&text, e) : verify_files_keep(v, &text, &f->detail, e);
}

static int
verify_files_compare(struct verify_files *v, const struct oid *tree, const struct resource_ignored *left,
    int dirfd, const char *path, struct verify_file *f, struct err *e)
{
	CLEANUP(verify_files_diff_free) struct verify_files_diff d = {.v = v};
	CLEANUP(cleanup_close) int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const struct verify_files_at at = {fd, f->path, 1};
	struct tree_entry found = {0};

	if (fd < 0)
		return err_sys(e, "%s: cannot open", path);
	if (verify_files_dir(&d, &at, tree, &found, e) != 0) /* a tree that is not here: compared as a whole */
		return e->code == ERR_NOTFOUND || e->code == ERR_CORRUPT || e->code == ERR_FORMAT ? 0 : -1;
	if (v->allow_extra) {
		f->id = found.id;
		f->size = found.size;
	}
	return verify_files_tell(v, &d, left, f, e);
}

int
verify_files_settle(struct verify_files *v, const struct certificate *c, bool input, int dirfd,
    const char *path, struct verify_file *f, struct err *e)
{
	const enum event_kind kind = input ? EVENT_INPUT_RESOURCE : EVENT_OUTPUT_RESOURCE;

	if (f->path == NULL || f->missing || f->type != OBJECT_TREE)
		return 0;
	for (size_t i = 0; i < c->event_count; i++) {
		const struct event *ev = &c->events[i];
		const struct resource *r = input ? &ev->u.input.thing : &ev->u.output.output;
		struct oid tree;
		int rc;

		if (ev->kind != kind || r->type != OBJECT_TREE || !path_covers(r->path, f->path))
			continue;
		rc = verify_files_expected(v, r, f->path, &tree, e);
		if (rc <= 0 || oid_equal(&tree, &f->id))
			return rc < 0 ? -1 : 0;
		return verify_files_compare(v, &tree, input ? &ev->u.input.ignored : NULL, dirfd, path, f, e);
	}
	return 0;
}
