#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "base/atomic-file.h"
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/path.h"
#include "crypto/random.h"
#include "store/store.h"

static const char *const store_init_dirs[] = {
	"refs", "refs/heads", "refs/tags", "refs/failed", "refs/remotes", "logs", "objects", "tmp"
};

static const struct {
	const char *name, *text;
} store_init_files[] = {
	{".gitignore", "*\n"},
	{"config", "[core]\n\tformatversion = 1\n"},
	{"HEAD", "ref: refs/heads/main\n"},
};

/* Everything in the new directory, synced; the caller syncs what holds it. */
static int
store_init_fill(int dirfd, struct err *e)
{
	for (size_t i = 0; i < sizeof store_init_dirs / sizeof *store_init_dirs; i++) {
		const char *name = store_init_dirs[i];

		if (mkdirat(dirfd, name, strcmp(name, "tmp") == 0 ? 0700 : 0777) != 0)
			return err_sys(e, "%s: cannot create", name);
	}
	for (size_t i = 0; i < sizeof store_init_dirs / sizeof *store_init_dirs; i++) {
		CLEANUP(cleanup_close) int fd = fd_open_beneath(dirfd, store_init_dirs[i],
		    O_RDONLY | O_DIRECTORY, 0, e);

		if (fd < 0 || fd_sync(fd, store_init_dirs[i], e) != 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof store_init_files / sizeof *store_init_files; i++)
		if (atomic_file_write(dirfd, store_init_files[i].name, store_init_files[i].text,
		    strlen(store_init_files[i].text), 0666, e) != 0)
			return -1;
	return 0;
}

/* name: what it is to be called beneath parent; an empty directory gives way. */
static int
store_init_make(int parent, const char *tmp, const char *name, bool *ret_created, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;

	if (mkdirat(parent, tmp, 0777) != 0)
		return err_sys(e, "%s: cannot create", tmp);
	fd = fd_open_beneath(parent, tmp, O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0 || store_init_fill(fd, e) != 0)
		return -1;
	if (renameat(parent, tmp, parent, name) != 0) {
		if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR)
			return err_sys(e, "%s: cannot rename into place", name);
		*ret_created = false; /* another init was first */
		return fd_remove_tree(parent, tmp, e);
	}
	*ret_created = true;
	return fd_sync(parent, name, e);
}

static int
store_init_again(const char *worktree, bool *ret_created, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/" STORE_NAME, worktree);
	struct store *s;

	if (path == NULL || store_open(path, STORE_READ_ONLY, &s, e) != 0)
		return -1;
	store_close(s);
	*ret_created = false;
	return 0;
}

#define STORE_INIT_TMP STORE_NAME ".tmp-"
#define STORE_INIT_ENTRIES_MAX (1u << 20)

/* What inits that were killed left: nobody is making one now, we hold the lock. */
static int
store_init_sweep(int parent, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;

	if (dir_walk_list(parent, ".", STORE_INIT_ENTRIES_MAX, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.names[i];

		if (strncmp(name, STORE_INIT_TMP, strlen(STORE_INIT_TMP)) == 0 &&
		    strspn(name + strlen(STORE_INIT_TMP), "0123456789abcdef") == 16 &&
		    strlen(name) == strlen(STORE_INIT_TMP) + 16 && fd_remove_tree(parent, name, e) != 0)
			return -1;
	}
	return 0;
}

/* Made under another name and renamed in one step: a crash leaves no half store. */
static int
store_init_at(int parent, const char *name, const char *where, bool *ret_created, struct err *e)
{
	char tmp[48];
	struct err ignored;
	uint64_t nonce;

	if (flock(parent, LOCK_EX) != 0)
		return err_sys(e, "%s: cannot lock", where);
	if (store_init_sweep(parent, e) != 0 || random_bytes(&nonce, sizeof nonce, e) != 0)
		return -1;
	snprintf(tmp, sizeof tmp, STORE_INIT_TMP "%016" PRIx64, nonce);
	if (store_init_make(parent, tmp, name, ret_created, e) == 0)
		return 0;
	if (fd_remove_tree(parent, tmp, &ignored) != 0)
		err_prefix(e, "%s left behind", tmp);
	return err_prefix(e, "%s", where);
}

int
store_init(const char *worktree, bool *ret_created, struct err *e)
{
	CLEANUP(cleanup_close) int parent = open(worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (parent < 0)
		return err_sys(e, "%s: cannot open", worktree);
	if (fstatat(parent, STORE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return store_init_again(worktree, ret_created, e);
	return store_init_at(parent, STORE_NAME, worktree, ret_created, e);
}

int
store_init_bare(const char *path, bool *ret_created, struct err *e)
{
	CLEANUP(cleanup_close) int parent = -1;
	CLEANUP(cleanup_free) char *copy = buf_strdup(path, e);
	const char *base;

	if (copy == NULL)
		return -1;
	for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
		copy[len - 1] = '\0';
	base = path_base(copy);
	if (*base == '\0' || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
		return err_set(e, ERR_USAGE, "%s: not a name that a store can have", path);
	if (base == copy)
		parent = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	else {
		CLEANUP(cleanup_free) char *dir = strndup(copy, (size_t)(base - copy));

		parent = dir != NULL ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	}
	if (parent < 0)
		return err_sys(e, "%s: cannot open its directory", path);
	return store_init_at(parent, base, path, ret_created, e);
}
