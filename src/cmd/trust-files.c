#include "cmd/trust-files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/atomic-file.h"
#include "base/dir-walk.h"
#include "base/fd.h"
#include "store/config.h"

#define TRUST_FILES_SIZE_MAX (256u * 1024)
#define TRUST_FILES_MAX 1024
#define TRUST_FILES_NAME_MAX 64

bool
trust_files_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > TRUST_FILES_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (!plain && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return false;
	}
	return true;
}

int
trust_files_user(char **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *user = NULL;

	if (config_dir_user(&user, e) != 0)
		return -1;
	*ret = buf_strfmt(e, "%s/trust", user);
	return *ret != NULL ? 0 : -1;
}

static char *
trust_files_path(const char *dir, const char *name, const char *suffix, struct err *e)
{
	return buf_strfmt(e, "%s/%s%s", dir, name, suffix);
}

bool
trust_files_disabled(const char *user_dir, const char *name)
{
	CLEANUP(cleanup_free) char *path = trust_files_path(user_dir, name, ".disabled", NULL);
	struct stat st;

	return path != NULL && lstat(path, &st) == 0;
}

/* "x.json" without its suffix is the name that .disabled goes by. */
static int
trust_files_add(struct trust *t, int fd, const char *file, const char *disabled_by, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(cleanup_free) char *name = buf_strdup(file, e);
	size_t len = strlen(file);

	if (name == NULL)
		return -1;
	if (len < 5 || strcmp(file + len - 5, ".json") != 0)
		return 0;
	name[len - 5] = '\0';
	if (disabled_by != NULL && trust_files_disabled(disabled_by, name))
		return 0;
	return fd_read_file(fd, file, TRUST_FILES_SIZE_MAX, &text, e) != 0 ||
	    trust_add(t, text.data, text.len, e) != 0 ? -1 : 0;
}

int
trust_files_load(struct trust *t, const char *dir, const char *disabled_by, struct err *e)
{
	CLEANUP(cleanup_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(dir_walk_free) struct dir_walk w = DIR_WALK_INIT;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(e, "%s: cannot read the trust entries", dir);
	if (dir_walk_list(fd, ".", TRUST_FILES_MAX, &w, e) != 0)
		return -1;
	for (size_t i = 0; i < w.count; i++) {
		if (trust_files_add(t, fd, w.names[i], disabled_by, e) != 0)
			return err_prefix(e, "trust entry %s/%s", dir, w.names[i]);
	}
	return 0;
}

/* As mkdir -p -m 0700 for the components that are missing. */
static int
trust_files_mkdirs(const char *dir, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strdup(dir, e);

	if (path == NULL)
		return -1;
	for (char *p = path + 1; ; p++) {
		char end = *p;

		if (end != '/' && end != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return err_sys(e, "%s: cannot make the directory", path);
		*p = end;
		if (end == '\0')
			return 0;
	}
}

/* The user's directory, made where it is missing. */
static int
trust_files_open(const char *dir, int *ret, struct err *e)
{
	if (trust_files_mkdirs(dir, e) != 0)
		return -1;
	*ret = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret >= 0 ? 0 : err_sys(e, "%s: cannot open the directory", dir);
}

int
trust_files_write(const char *user_dir, const char *name, const char *suffix,
    const struct buf *data, struct err *e)
{
	CLEANUP(cleanup_free) char *file = buf_strfmt(e, "%s%s", name, suffix);
	CLEANUP(cleanup_close) int fd = -1;
	struct stat st;

	if (file == NULL || trust_files_open(user_dir, &fd, e) != 0)
		return -1;
	if (fstatat(fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_EXISTS, "%s/%s exists", user_dir, file);
	return atomic_file_write(fd, file, data->data, data->len, 0600, e);
}

int
trust_files_remove(const char *user_dir, const char *name, const char *suffix, struct err *e)
{
	CLEANUP(cleanup_free) char *path = trust_files_path(user_dir, name, suffix, e);

	if (path == NULL)
		return -1;
	if (unlink(path) == 0)
		return 0;
	if (errno == ENOENT)
		return err_set(e, ERR_NOTFOUND, "no such trust entry: %s", name);
	return err_sys(e, "%s", path);
}
