#include "store/refs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/atomic-file.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "store/odb-state.h"
#include "store/odb.h"
#include "store/reflog.h"

#define REFS_NAME_MAX 1024
#define REFS_PART_MAX 230 /* room for ".lock.tmp-<16 hex>" in a file name */
#define REFS_FILE_MAX 2048
#define REFS_LOCK_MS 10000
#define REFS_RETRIES 10

static const char *const refs_spaces[] = {
	"refs/heads/", "refs/tags/", "refs/failed/", "refs/remotes/", "refs/imports/",
};

/* One component, by git-check-ref-format(1). */
static bool
refs_part_ok(const char *part, size_t len)
{
	if (len == 0 || len > REFS_PART_MAX || part[0] == '.' || part[len - 1] == '.')
		return false;
	if (len >= 5 && memcmp(part + len - 5, ".lock", 5) == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)part[i] <= 0x20 || strchr("\x7f~^:?*[\\", part[i]) != NULL)
			return false;
		if (i > 0 && ((part[i - 1] == '.' && part[i] == '.') ||
		    (part[i - 1] == '@' && part[i] == '{')))
			return false;
	}
	return memmem(part, len, ".tmp-", 5) == NULL; /* left by a writer that died */
}

bool
refs_name_ok(const char *name)
{
	size_t len = strnlen(name, REFS_NAME_MAX + 1), space = 0;
	const char *part;

	for (size_t i = 0; i < sizeof refs_spaces / sizeof *refs_spaces; i++)
		if (strncmp(name, refs_spaces[i], strlen(refs_spaces[i])) == 0)
			space = strlen(refs_spaces[i]);
	if (space == 0 || len > REFS_NAME_MAX || !path_utf8_ok(name, len) ||
	    strcmp(name, "refs/heads/HEAD") == 0)
		return false;
	for (part = name + space;; part++) {
		size_t n = strcspn(part, "/");

		if (!refs_part_ok(part, n))
			return false;
		part += n;
		if (*part == '\0')
			return true;
	}
}

static void
refs_format(const struct object_ref *ref, struct buf *ret)
{
	char text[OID_TEXT_SIZE];

	oid_text(&ref->id, text);
	buf_addf(ret, "%s %s\n", oid_type_name(ref->type), text);
}

/* Strict: what would be written again is what is there. */
static int
refs_parse(const struct buf *text, struct object_ref *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *copy = buf_strdup(buf_str(text), e);
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct object_ref ref;
	char *space;

	if (copy == NULL)
		return -1;
	space = strchr(copy, ' ');
	if (space == NULL)
		return err_set(e, ERR_FORMAT, "not \"<type> sha256:<hex>\"");
	*space++ = '\0';
	space[strcspn(space, "\n")] = '\0';
	if (oid_type_parse(copy, &ref.type, e) != 0 || oid_from_text(&ref.id, space, e) != 0)
		return -1;
	refs_format(&ref, &again);
	if (buf_check(&again, e) != 0)
		return -1;
	if (again.len != text->len || memcmp(again.data, text->data, text->len) != 0)
		return err_set(e, ERR_FORMAT, "not \"<type> sha256:<hex>\" and a newline");
	*ret = ref;
	return 0;
}

/* name beneath .aicert */
static int
refs_load(struct store *s, const char *name, struct buf *ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(store_dirfd(s), name,
	    O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
	struct stat st;

	if (fd < 0 && (e->code == ERR_NOTFOUND || e->sys == ENOTDIR))
		return err_set(e, ERR_NOTFOUND, "%s: no such ref", name);
	if (fd < 0)
		return err_prefix(e, "%s", store_path(s));
	if (fstat(fd, &st) != 0)
		return err_sys(e, "%s: cannot look at it", name);
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_NOTFOUND, "%s: no such ref", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_FORMAT, "%s/%s: not a regular file", store_path(s), name);
	return fd_read_all(fd, REFS_FILE_MAX, ret, name, e);
}

static int
refs_read_file(struct store *s, const char *name, struct object_ref *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (refs_load(s, name, &text, e) != 0)
		return -1;
	return refs_parse(&text, ret, e) == 0 ? 0 : err_prefix(e, "%s/%s", store_path(s), name);
}

int
refs_head(struct store *s, char **ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(cleanup_free) char *branch = NULL;
	struct object_ref detached;
	struct err local;

	if (e == NULL)
		e = &local;
	if (refs_load(s, "HEAD", &text, e) != 0)
		return -1;
	if (strncmp(buf_str(&text), "ref: ", 5) != 0) {
		if (refs_parse(&text, &detached, e) != 0)
			return err_prefix(e, "%s/HEAD", store_path(s));
		*ret = NULL;
		return 0;
	}
	branch = buf_strfmt(e, "%.*s", (int)strcspn(buf_str(&text) + 5, "\n"), buf_str(&text) + 5);
	if (branch == NULL)
		return -1;
	if (strlen(branch) + 6 != text.len || text.data[text.len - 1] != '\n' ||
	    strncmp(branch, "refs/heads/", 11) != 0 || !refs_name_ok(branch))
		return err_set(e, ERR_FORMAT, "%s/HEAD: not \"ref: refs/heads/<name>\"", store_path(s));
	*ret = branch;
	branch = NULL;
	return 0;
}

int
refs_read(struct store *s, const char *name, struct object_ref *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *branch = NULL;
	struct err local;

	if (e == NULL)
		e = &local;
	if (strcmp(name, "HEAD") == 0) {
		if (refs_head(s, &branch, e) != 0)
			return -1;
		if (branch == NULL)
			return refs_read_file(s, "HEAD", ret, e);
		if (refs_read_file(s, branch, ret, e) == 0)
			return 0;
		return e->code != ERR_NOTFOUND ? -1 : err_set(e, ERR_NOTFOUND,
		    "no commits yet on branch %s", branch + strlen("refs/heads/"));
	}
	if (!refs_name_ok(name))
		return err_set(e, ERR_USAGE, "%s: not the name of a ref", name);
	return refs_read_file(s, name, ret, e);
}

int
refs_set_head(struct store *s, const char *branch, struct err *e)
{
	CLEANUP(atomic_file_unlock) struct atomic_file_lock lock = ATOMIC_FILE_LOCK_INIT;
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (strncmp(branch, "refs/heads/", 11) != 0 || !refs_name_ok(branch))
		return err_set(e, ERR_USAGE, "%s: not the full name of a branch", branch);
	if (store_read_only(s))
		return err_set(e, ERR_DENIED, "%s: the store is read-only", store_path(s));
	buf_addf(&text, "ref: %s\n", branch);
	if (buf_check(&text, e) != 0 ||
	    atomic_file_lock(&lock, store_dirfd(s), "HEAD", REFS_LOCK_MS, e) != 0)
		return -1;
	return atomic_file_lock_commit(&lock, text.data, text.len, e);
}

/* One update while the lock is held. */
struct refs_work {
	struct store *s;
	const struct refs_change *change;
	const char *name;       /* full, or "HEAD" when detached */
	int dirfd;              /* of its directory */
	const char *base;
	bool has_old;
	struct object_ref old;
	struct atomic_file_lock lock;
};

static void
refs_work_done(struct refs_work *w)
{
	atomic_file_unlock(&w->lock);
	cleanup_close(&w->dirfd);
}

static int
refs_compare(struct refs_work *w, struct err *e)
{
	const struct refs_change *c = w->change;
	char hex[OID_HEX_SIZE];

	w->has_old = refs_read_file(w->s, w->name, &w->old, e) == 0;
	if (!w->has_old && e->code != ERR_NOTFOUND)
		return -1;
	if (!w->has_old && c->new_ == NULL)
		return err_set(e, ERR_NOTFOUND, "%s: no such ref", w->name);
	if (c->any_old)
		return 0;
	if (!w->has_old)
		return c->old == NULL ? 0 :
		    err_set(e, ERR_CONFLICT, "%s: was deleted meanwhile; try again", w->name);
	oid_hex(&w->old.id, hex);
	if (c->old == NULL)
		return err_set(e, ERR_CONFLICT, "%s: exists already, at %.16s", w->name, hex);
	if (c->old->type == w->old.type && oid_equal(&c->old->id, &w->old.id))
		return 0;
	return err_set(e, ERR_CONFLICT, "%s: was changed meanwhile, to %.16s; try again", w->name, hex);
}

static int
refs_check_type(const char *name, enum object_type type, struct err *e)
{
	if (type != OBJECT_COMMIT && (strncmp(name, "refs/heads/", 11) == 0 ||
	    strncmp(name, "refs/remotes/", 13) == 0 || strncmp(name, "refs/imports/", 13) == 0 ||
	    strcmp(name, "HEAD") == 0))
		return err_set(e, ERR_USAGE, "%s: a branch names a commit, not a %s", name,
		    oid_type_name(type));
	return 0;
}

static int
refs_check_above(struct store *s, const char *name, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strdup(name, e);
	struct stat st;

	if (path == NULL)
		return -1;
	for (char *slash = path; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
		CLEANUP(cleanup_close) int fd = -1;
		const char *base;

		*slash = '\0';
		if (fd_open_parent(store_dirfd(s), path, &fd, &base, e) != 0)
			return e->code == ERR_NOTFOUND ? 0 : -1;
		if (fstatat(fd, base, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return errno == ENOENT ? 0 : err_sys(e, "%s: cannot look at it", path);
		if (!S_ISDIR(st.st_mode))
			return err_set(e, ERR_EXISTS, "%s: a ref above it exists", name);
	}
	return 0;
}

int
refs_check_name(struct store *s, const char *name, enum object_type type, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk beneath = DIR_WALK_INIT;
	CLEANUP(cleanup_free) char *prefix = buf_strfmt(e, "%s/", name);

	if (prefix == NULL)
		return -1;
	if (!refs_name_ok(name))
		return err_set(e, ERR_USAGE, "%s: not the name of a ref", name);
	if (refs_check_type(name, type, e) != 0 || refs_check_above(s, name, e) != 0 ||
	    refs_names(s, prefix, &beneath, e) != 0)
		return -1;
	return beneath.count == 0 ? 0 : err_set(e, ERR_EXISTS, "%s: a ref beneath it exists", name);
}

static int
refs_check_new(struct store *s, const char *name, const struct object_ref *ref, struct err *e)
{
	char hex[OID_HEX_SIZE];
	bool there;

	oid_hex(&ref->id, hex);
	if (refs_check_type(name, ref->type, e) != 0)
		return -1;
	if (odb_keep(s, &ref->id, 1, e) != 0 || odb_find(s, &ref->id, &there, e) != 0)
		return -1;
	if (!there)
		return err_set(e, ERR_NOTFOUND, "%s: object %s is not in %s", name, hex, store_path(s));
	return 0;
}

/* Opens the ref's directory and takes its lock; the directory may be pruned by
 * another process in between, then again. */
static int
refs_lock(struct refs_work *w, struct err *e)
{
	CLEANUP(cleanup_free) char *dir = NULL;

	w->base = path_base(w->name);
	if (w->base == w->name)
		dir = buf_strdup(".", e);
	else
		dir = buf_strfmt(e, "%.*s", (int)(w->base - w->name - 1), w->name);
	if (dir == NULL)
		return -1;
	for (int i = 0;; i++) {
		cleanup_close(&w->dirfd);
		w->dirfd = -1;
		if (w->change->new_ != NULL && w->base != w->name &&
		    store_make_dirs(w->s, dir, e) != 0) {
			if (e->sys == ENOTDIR)
				return err_set(e, ERR_EXISTS, "%s: a ref above it exists", w->name);
			if (e->code != ERR_NOTFOUND || i == REFS_RETRIES)
				return -1;
			continue;
		}
		w->dirfd = fd_open_beneath(store_dirfd(w->s), dir, O_RDONLY | O_DIRECTORY, 0, e);
		if (w->dirfd < 0 && w->change->new_ == NULL)
			return err_set(e, ERR_NOTFOUND, "%s: no such ref", w->name);
		if (w->dirfd < 0 && e->sys == ENOTDIR)
			return err_set(e, ERR_EXISTS, "%s: a ref above it exists", w->name);
		if (w->dirfd >= 0 &&
		    atomic_file_lock(&w->lock, w->dirfd, w->base, REFS_LOCK_MS, e) == 0)
			return 0;
		if ((e->sys != ENOENT && e->code != ERR_NOTFOUND) || i == REFS_RETRIES)
			return err_prefix(e, "%s", w->name);
	}
}

static int
refs_log(struct refs_work *w, struct err *e)
{
	const struct refs_change *c = w->change;
	struct reflog_entry entry = {
		.has_old = w->has_old,
		.has_new = c->new_ != NULL,
		.author = c->author != NULL ? c->author : "",
		.message = c->message != NULL ? c->message : "",
		.time = timestamp_now(),
	};

	if (strcmp(w->name, "HEAD") == 0)
		return 0;
	if (w->has_old)
		entry.old = w->old.id;
	if (c->new_ != NULL)
		entry.new_ = c->new_->id;
	return reflog_append(w->s, w->name, &entry, e);
}

/* path beneath .aicert, no symlink followed on the way; best effort. */
static int
refs_unlink(struct store *s, const char *path, int flags)
{
	CLEANUP(cleanup_close) int fd = -1;
	const char *base;
	struct err ignored;

	if (fd_open_parent(store_dirfd(s), path, &fd, &base, &ignored) != 0)
		return -1;
	return unlinkat(fd, base, flags);
}

/* Directories above that are empty now, up to refs/heads; whoever is not empty stays. */
static void
refs_prune(struct store *s, const char *root, const char *name)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(NULL, "%s%s", root, name);
	size_t keep = strlen(root) + strlen("refs/");
	char *slash;

	if (path == NULL)
		return;
	keep += strcspn(path + keep, "/");
	while ((slash = strrchr(path, '/')) != NULL && slash > path + keep) {
		*slash = '\0';
		if (refs_unlink(s, path, AT_REMOVEDIR) != 0)
			return;
	}
}

static int
refs_delete(struct refs_work *w, struct err *e)
{
	CLEANUP(cleanup_free) char *log = buf_strfmt(e, "logs/%s", w->name);
	struct err ignored;

	if (log == NULL)
		return -1;
	/* for fsck, should the log outlive the ref; where it cannot be written it is removed */
	(void)refs_log(w, &ignored);
	if (unlinkat(w->dirfd, w->base, 0) != 0)
		return err_sys(e, "%s: cannot delete", w->name);
	if (fd_sync(w->dirfd, w->name, e) != 0)
		return -1;
	(void)refs_unlink(w->s, log, 0); /* its name may become a directory's */
	atomic_file_unlock(&w->lock);
	refs_prune(w->s, "", w->name);
	refs_prune(w->s, "logs/", w->name);
	return 0;
}

static int
refs_write(struct refs_work *w, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct stat st;

	if (fstatat(w->dirfd, w->base, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
	    unlinkat(w->dirfd, w->base, AT_REMOVEDIR) != 0)
		return err_set(e, ERR_EXISTS, "%s: a ref beneath it exists", w->name);
	refs_format(w->change->new_, &text);
	if (buf_check(&text, e) != 0 || refs_log(w, e) != 0)
		return -1;
	return atomic_file_lock_commit(&w->lock, text.data, text.len, e);
}

static int
refs_update_named(struct store *s, const struct refs_change *c, const char *name, struct err *e)
{
	CLEANUP(refs_work_done) struct refs_work w = {.s = s, .change = c, .name = name, .dirfd = -1,
	    .lock = ATOMIC_FILE_LOCK_INIT};

	if (c->new_ != NULL && refs_check_new(s, name, c->new_, e) != 0)
		return -1;
	if (refs_lock(&w, e) != 0 || refs_compare(&w, e) != 0)
		return -1;
	return c->new_ != NULL ? refs_write(&w, e) : refs_delete(&w, e);
}

int
refs_update(struct store *s, const struct refs_change *c, struct err *e)
{
	CLEANUP(cleanup_free) char *branch = NULL;
	const char *name = c->name;
	struct err local;

	if (e == NULL)
		e = &local;
	if (store_read_only(s))
		return err_set(e, ERR_DENIED, "%s: the store is read-only", store_path(s));
	if (odb_state(s)->batch > 0)
		return err_set(e, ERR_INTERNAL, "%s: a batch of objects is open", name);
	if (strcmp(name, "HEAD") == 0) {
		if (refs_head(s, &branch, e) != 0)
			return -1;
		if (branch != NULL)
			name = branch;
		else if (c->new_ == NULL)
			return err_set(e, ERR_USAGE, "HEAD cannot be deleted");
	} else if (!refs_name_ok(name)) {
		return err_set(e, ERR_USAGE, "%s: not the name of a ref", name);
	}
	return refs_update_named(s, c, name, e);
}
