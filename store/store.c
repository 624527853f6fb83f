#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "base/hex.h"
#include "base/path.h"
#include "crypto/random.h"
#include "git/config-file.h"
#include "git/repo-error.h"
#include "store/lease.h"
#include "store/odb-state.h"

struct store {
	char *path;
	char *worktree;
	int worktree_fd;
	int dirfd;
	int tmp_fd;
	bool read_only;
	bool partial;
	bool git;       /* libgit2 is started, and stays: each start reads the system's CA certificates */
	struct filesystem fs;
	struct odb_state odb;
};

struct odb_state *
odb_state(struct store *s)
{
	return &s->odb;
}

const char *
store_path(const struct store *s)
{
	return s->path;
}

const char *
store_worktree(const struct store *s)
{
	return s->worktree;
}

int
store_dirfd(const struct store *s)
{
	return s->dirfd;
}

int
store_worktree_fd(const struct store *s)
{
	return s->worktree_fd;
}

bool
store_read_only(const struct store *s)
{
	return s->read_only;
}

bool
store_partial(const struct store *s)
{
	return s->partial;
}

const struct filesystem *
store_filesystem(const struct store *s)
{
	return &s->fs;
}

int
store_tmp_fd(const struct store *s)
{
	return s->tmp_fd;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	odb_state_close(&s->odb);
	if (!s->odb.lease_shared)
		lease_close(s->odb.lease);
	cleanup_close(&s->odb.fd);
	cleanup_close(&s->tmp_fd);
	cleanup_close(&s->dirfd);
	cleanup_close(&s->worktree_fd);
	free(s->path);
	free(s->worktree);
	repo_error_stopp(&s->git);
	free(s);
}

/* As git's safe.directory: our own, or under sudo that of the user who called it. */
static bool
store_owner_ok(uid_t owner)
{
	const char *sudo = getenv("SUDO_UID");
	unsigned long uid;
	char *end;

	if (owner == geteuid())
		return true;
	if (geteuid() != 0 || sudo == NULL || *sudo < '0' || *sudo > '9')
		return false;
	errno = 0;
	uid = strtoul(sudo, &end, 10);
	return errno == 0 && *end == '\0' && uid <= UINT_MAX && owner == (uid_t)uid;
}

/* s->worktree, s->path and their descriptors; the last component is no symlink. */
static int
store_open_dirs(struct store *s, const char *path, struct err *e)
{
	CLEANUP(cleanup_free) char *copy = buf_strdup(path, e);
	const char *base;
	size_t len;

	if (copy == NULL)
		return -1;
	for (len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
		copy[len - 1] = '\0';
	base = path_base(copy);
	if (*base == '\0' || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
		return err_set(e, ERR_USAGE, "%s: not the name of a store", path);
	if (base == copy)
		s->worktree = realpath(".", NULL);
	else {
		CLEANUP(cleanup_free) char *parent = strndup(copy, (size_t)(base - copy));

		s->worktree = parent != NULL ? realpath(parent, NULL) : NULL;
	}
	if (s->worktree == NULL)
		return errno == ENOENT ? err_set(e, ERR_NOTFOUND, "%s: no such directory", path) :
		    err_sys(e, "%s: cannot open", path);
	s->path = buf_strfmt(e, "%s/%s", strcmp(s->worktree, "/") != 0 ? s->worktree : "", base);
	if (s->path == NULL)
		return -1;
	s->worktree_fd = open(s->worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->worktree_fd < 0)
		return err_sys(e, "%s: cannot open", s->worktree);
	s->dirfd = fd_open_beneath(s->worktree_fd, base, O_RDONLY | O_DIRECTORY, 0, e);
	return s->dirfd < 0 ? err_prefix(e, "%s", s->worktree) : 0;
}

static int
store_check_owner(const struct store *s, struct err *e)
{
	struct stat st;

	if (fstat(s->dirfd, &st) != 0)
		return err_sys(e, "%s: cannot look at it", s->path);
	if (store_owner_ok(st.st_uid))
		return 0;
	return err_set(e, ERR_DENIED, "%s: belongs to user %lu, not to you; a store can be hostile:"
	    " work as its owner, or copy it", s->path, (unsigned long)st.st_uid);
}

/* The last one counts; anything but "true" is no. */
static int
store_config_partial_fn(void *arg, const char *key, const char *value)
{
	bool *partial = arg;

	if (strcmp(key, "store.partial") == 0)
		*partial = strcmp(value, "true") == 0;
	return 0;
}

/* store.partial: not all contents were fetched.  Not asked for by name: that it is absent is
 * no error, for which libgit2 would keep memory in every thread that opens a store. */
static bool
store_config_partial(struct config_file *config)
{
	bool partial = false;

	return config_file_each(config, store_config_partial_fn, &partial, NULL) == 0 && partial;
}

static int
store_check_version(struct store *s, struct err *e)
{
	CLEANUP(cleanup_free) char *name = buf_strfmt(e, "%s/config", s->path);
	CLEANUP(cleanup_free) char *value = NULL;
	struct config_file *config;
	struct stat st;
	int rc;

	if (name == NULL)
		return -1;
	if (fstatat(s->dirfd, "config", &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_DENIED, "%s: not a regular file", name);
	if (config_file_open(name, &config, e) != 0)
		return -1;
	rc = config_file_get(config, "core.formatversion", &value, e);
	s->partial = store_config_partial(config);
	config_file_free(config);
	if (rc != 0 && e != NULL && e->code == ERR_NOTFOUND)
		return err_set(e, ERR_FORMAT, "%s: not a store: its config has no core.formatversion",
		    s->path);
	if (rc != 0)
		return -1;
	if (strcmp(value, "1") == 0)
		return 0;
	if (strlen(value) < 10 && strspn(value, "0123456789") == strlen(value) && value[0] > '0')
		return err_set(e, ERR_UNSUPPORTED, "%s: has format version %s, this program knows"
		    " version %d: use a newer aicert", s->path, value, STORE_VERSION);
	return err_set(e, ERR_FORMAT, "%s: core.formatversion is not a version number", s->path);
}

static int
store_open_parts(struct store *s, struct err *e)
{
	s->odb.fd = fd_open_beneath(s->dirfd, "objects", O_RDONLY | O_DIRECTORY, 0, e);
	if (s->odb.fd < 0 || filesystem_look(s->odb.fd, &s->fs, e) != 0)
		return err_prefix(e, "%s", s->path);
	if (!s->read_only && faccessat(s->dirfd, ".", W_OK, AT_EACCESS) != 0) {
		if (errno != EROFS && errno != EACCES)
			return err_sys(e, "%s: cannot look at it", s->path);
		s->read_only = true;
	}
	if (s->read_only)
		return 0;
	if (mkdirat(s->dirfd, "tmp", 0700) != 0 && errno != EEXIST)
		return err_sys(e, "%s/tmp: cannot create", s->path);
	s->tmp_fd = fd_open_beneath(s->dirfd, "tmp", O_RDONLY | O_DIRECTORY, 0, e);
	return s->tmp_fd < 0 ? err_prefix(e, "%s", s->path) : 0;
}

int
store_open(const char *path, unsigned flags, struct store **ret, struct err *e)
{
	struct store *s = calloc(1, sizeof *s);

	if (s == NULL)
		return err_nomem(e);
	s->worktree_fd = s->dirfd = s->tmp_fd = s->odb.fd = -1;
	s->read_only = flags & STORE_READ_ONLY;
	s->git = repo_error_start(e) == 0;
	if (!s->git || store_open_dirs(s, path, e) != 0 || store_check_owner(s, e) != 0 ||
	    store_check_version(s, e) != 0 || store_open_parts(s, e) != 0) {
		store_close(s);
		return -1;
	}
	*ret = s;
	return 0;
}

int
store_discover(const char *start, unsigned flags, struct store **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *dir = realpath(start, NULL);

	if (dir == NULL)
		return errno == ENOENT ? err_set(e, ERR_NOTFOUND, "%s: no such directory", start) :
		    err_sys(e, "%s: cannot open", start);
	for (;;) {
		bool root = strcmp(dir, "/") == 0;
		CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/" STORE_NAME, root ? "" : dir);
		struct stat st;

		if (path == NULL)
			return -1;
		if (lstat(path, &st) == 0)
			return store_open(path, flags, ret, e);
		if (root)
			return err_set(e, ERR_NOTFOUND, "%s: no " STORE_NAME " here or above;"
			    " aicert init makes one", start);
		*(strrchr(dir, '/') + (strrchr(dir, '/') == dir)) = '\0';
	}
}

static int
store_make_dir(struct store *s, const char *path, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	const char *base;

	if (fd_open_parent(s->dirfd, path, &fd, &base, e) != 0)
		return err_prefix(e, "%s", s->path);
	if (mkdirat(fd, base, 0777) == 0)
		return fd_sync(fd, path, e);
	return errno == EEXIST ? 0 : err_sys(e, "%s/%s: cannot create", s->path, path);
}

int
store_make_dirs(struct store *s, const char *path, struct err *e)
{
	CLEANUP(cleanup_free) char *prefix = buf_strdup(path, e);

	if (prefix == NULL)
		return -1;
	for (char *p = strchr(prefix, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (store_make_dir(s, prefix, e) != 0)
			return -1;
		*p = '/';
	}
	return store_make_dir(s, prefix, e);
}

static int
store_tmp_name(const char *prefix, char **ret, struct err *e)
{
	unsigned char nonce[8];
	char hex[2 * sizeof nonce + 1];
	char *name;

	if (random_bytes(nonce, sizeof nonce, e) != 0)
		return -1;
	hex_encode(hex, nonce, sizeof nonce);
	name = buf_strfmt(e, "%s-%s", prefix, hex);
	if (name == NULL)
		return -1;
	*ret = name;
	return 0;
}

int
store_tmp_dir(struct store *s, const char *prefix, char **ret_name, struct err *e)
{
	char *name;

	if (s->read_only)
		return err_set(e, ERR_DENIED, "%s: the store is read-only", s->path);
	if (lease_begin(s, e) != 0 || store_tmp_name(prefix, &name, e) != 0)
		return -1;
	if (mkdirat(s->tmp_fd, name, 0700) != 0) {
		err_sys(e, "%s/tmp/%s: cannot create", s->path, name);
		free(name);
		return -1;
	}
	*ret_name = name;
	return 0;
}
