#include "git/config-file.h"

#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include "base/atomic-file.h"
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/path.h"
#include "git/repo-error.h"

#define CONFIG_FILE_BYTES_MAX (1024 * 1024)
#define CONFIG_FILE_LOCK_MS 5000
#define CONFIG_FILE_EDIT ".config-edit-"
#define CONFIG_FILE_NEIGHBOURS_MAX 100000

/*
 * libgit2 reads a copy in memory, so that it neither follows the file's
 * includes (refused beforehand) nor a symlink; a change is made in a scratch
 * copy and written durably under our own lock, because libgit2's lock outlives
 * a killed process and its write is not synced.
 */
struct config_file {
	char *path;
	char *dir;
	const char *base;  /* last component of path; borrowed */
	int fd;            /* the copy: libgit2 may look at its path again */
	git_config *git;
};

/* "[include" anywhere, whatever the case: stricter than the grammar, and so sure. */
static int
config_file_check_includes(const char *path, const struct buf *text, struct err *e)
{
	const char *p = buf_str(text);

	if (strlen(p) != text->len)
		return err_set(e, ERR_FORMAT, "%s: has a NUL byte", path);
	while ((p = strchr(p, '[')) != NULL) {
		p += 1 + strspn(p + 1, " \t");
		if (strncasecmp(p, "include", 7) == 0)
			return err_set(e, ERR_DENIED, "%s: includes are not allowed in this file", path);
	}
	return 0;
}

/* ENOENT is an empty text. */
static int
config_file_read(const char *path, struct buf *ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_sys(e, "%s: cannot open", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_FORMAT, "%s: not a regular file", path);
	if (fd_read_all(fd, CONFIG_FILE_BYTES_MAX, ret, path, e) != 0)
		return -1;
	return config_file_check_includes(path, ret, e);
}

static int
config_file_parse(const char *path, int fd, const struct buf *text, git_config **ret, struct err *e)
{
	CLEANUP(cleanup_close) int again = -1;
	char link[64];
	int rc;

	if (fd_write_all(fd, text->data, text->len, path, e) != 0)
		return -1;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	rc = git_config_open_ondisk(ret, link);
	if (rc == 0)
		return 0;
	again = open(link, O_RDONLY | O_CLOEXEC); /* libgit2 does not tell why it could not read */
	if (again < 0)
		return err_sys(e, "%s: cannot open its copy in memory", path);
	repo_error_set(e, rc, "%s", path);
	if (e != NULL && e->code != ERR_NOMEM && git_error_last() != NULL &&
	    git_error_last()->klass != GIT_ERROR_OS)
		e->code = ERR_FORMAT;
	return -1;
}

static int
config_file_load(struct config_file *f, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	git_config *fresh;
	int fd;

	if (config_file_read(f->path, &text, e) != 0)
		return -1;
	fd = memfd_create("aicert-config", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s: cannot create a file in memory", f->path);
	if (config_file_parse(f->path, fd, &text, &fresh, e) != 0) {
		close(fd);
		return -1;
	}
	git_config_free(f->git);
	if (f->fd >= 0)
		close(f->fd);
	f->git = fresh;
	f->fd = fd;
	return 0;
}

static int
config_file_set_path(struct config_file *f, const char *path, struct err *e)
{
	const char *base = path_base(path);

	f->path = buf_strdup(path, e);
	if (base - path > 1)
		f->dir = strndup(path, (size_t)(base - path - 1));
	else
		f->dir = strdup(base == path ? "." : "/");
	if (f->path == NULL || f->dir == NULL)
		return err_nomem(e);
	f->base = path_base(f->path);
	return 0;
}

int
config_file_open(const char *path, struct config_file **ret, struct err *e)
{
	struct config_file *f = calloc(1, sizeof *f);

	if (f == NULL)
		return err_nomem(e);
	f->fd = -1;
	if (repo_error_start(e) != 0) {
		free(f);
		return -1;
	}
	if (config_file_set_path(f, path, e) != 0 || config_file_load(f, e) != 0) {
		config_file_free(f);
		return -1;
	}
	*ret = f;
	return 0;
}

void
config_file_free(struct config_file *f)
{
	if (f == NULL)
		return;
	git_config_free(f->git);
	if (f->fd >= 0)
		close(f->fd);
	free(f->dir);
	free(f->path);
	free(f);
	repo_error_stop();
}

static int
config_file_key_error(const struct config_file *f, const char *key, int rc, struct err *e)
{
	if (rc == GIT_ENOTFOUND)
		return err_set(e, ERR_NOTFOUND, "%s: not set in %s", key, f->path);
	if (rc == GIT_EINVALIDSPEC)
		return err_set(e, ERR_USAGE, "%s: not a valid name: it is section.key or"
		    " section.subsection.key", key);
	return repo_error_set(e, rc, "%s: %s", f->path, key);
}

int
config_file_get(struct config_file *f, const char *key, char **ret, struct err *e)
{
	git_config_entry *entry;
	int rc = git_config_get_entry(&entry, f->git, key);
	char *copy;

	if (rc != 0)
		return config_file_key_error(f, key, rc, e);
	/* a key without "=" is true, as in git */
	copy = buf_strdup(entry->value != NULL ? entry->value : "true", e);
	git_config_entry_free(entry);
	if (copy == NULL)
		return -1;
	*ret = copy;
	return 0;
}

/* value NULL: unset */
static int
config_file_edit(struct config_file *f, const char *scratch, const char *key, const char *value,
    struct err *e)
{
	git_config *git;
	int rc = git_config_open_ondisk(&git, scratch);

	if (rc != 0)
		return repo_error_set(e, rc, "%s", f->path);
	rc = value != NULL ? git_config_set_string(git, key, value) : git_config_delete_entry(git, key);
	git_config_free(git);
	return rc == 0 ? 0 : config_file_key_error(f, key, rc, e);
}

/* The text after the edit, made by libgit2 in a private directory. */
static int
config_file_edited(struct config_file *f, const char *key, const char *value, struct buf *ret,
    struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(cleanup_free) char *dir = buf_strfmt(e, "%s/" CONFIG_FILE_EDIT "XXXXXX", f->dir);
	CLEANUP(cleanup_free) char *scratch = NULL;
	struct err ignored;
	int rc;

	if (dir == NULL || config_file_read(f->path, &text, e) != 0)
		return -1;
	if (mkdtemp(dir) == NULL)
		return err_sys(e, "%s: cannot create a directory", f->dir);
	scratch = buf_strfmt(e, "%s/config", dir);
	rc = scratch == NULL ? -1 : atomic_file_write(AT_FDCWD, scratch, text.data, text.len, 0600, e);
	if (rc == 0)
		rc = config_file_edit(f, scratch, key, value, e);
	if (rc == 0)
		rc = fd_read_file(AT_FDCWD, scratch, CONFIG_FILE_BYTES_MAX, ret, e);
	if (fd_remove_tree(AT_FDCWD, dir, &ignored) != 0 && rc == 0)
		rc = err_set(e, ERR_IO, "%s", ignored.msg);
	return rc;
}

/* Left by writers that died: whoever works in such a directory holds the lock. */
static void
config_file_sweep(int dirfd)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	struct err ignored;

	if (dir_walk_list(dirfd, ".", CONFIG_FILE_NEIGHBOURS_MAX, &names, &ignored) != 0)
		return;
	for (size_t i = 0; i < names.count; i++)
		if (strncmp(names.names[i], CONFIG_FILE_EDIT, strlen(CONFIG_FILE_EDIT)) == 0)
			(void)!fd_remove_tree(dirfd, names.names[i], &ignored);
}

static int
config_file_change(struct config_file *f, const char *key, const char *value, struct err *e)
{
	CLEANUP(atomic_file_unlock) struct atomic_file_lock lock = ATOMIC_FILE_LOCK_INIT;
	CLEANUP(cleanup_close) int dirfd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (dirfd < 0)
		return err_sys(e, "%s: cannot open", f->dir);
	if (atomic_file_lock(&lock, dirfd, f->base, CONFIG_FILE_LOCK_MS, e) != 0)
		return -1;
	config_file_sweep(dirfd);
	if (config_file_edited(f, key, value, &text, e) != 0 ||
	    config_file_check_includes(f->path, &text, e) != 0 ||
	    atomic_file_lock_commit(&lock, text.data, text.len, e) != 0)
		return -1;
	return config_file_load(f, e);
}

int
config_file_set(struct config_file *f, const char *key, const char *value, struct err *e)
{
	return config_file_change(f, key, value, e);
}

int
config_file_unset(struct config_file *f, const char *key, struct err *e)
{
	return config_file_change(f, key, NULL, e);
}

int
config_file_each(struct config_file *f, config_file_fn *fn, void *arg, struct err *e)
{
	git_config_iterator *it;
	git_config_entry *entry;
	int rc = git_config_iterator_new(&it, f->git);
	int stop = 0;

	if (rc != 0)
		return repo_error_set(e, rc, "%s", f->path);
	while (stop == 0 && (rc = git_config_next(&entry, it)) == 0)
		stop = fn(arg, entry->name, entry->value != NULL ? entry->value : "true");
	git_config_iterator_free(it);
	if (stop == 0 && rc != GIT_ITEROVER)
		return repo_error_set(e, rc, "%s", f->path);
	return 0;
}
