#include "codec/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/path.h"

#define ARCHIVE_BLOCK 65536
#define ARCHIVE_DIR_ENTRIES_MAX 10000000

struct archive_job {
	struct archive *a;
	int destdirfd;
	const struct archive_limits *limits;
	bool whiteouts;
	uint64_t bytes, entries;
};

static int
archive_failed(const struct archive_job *j, const char *what, struct err *e)
{
	const char *why = archive_error_string(j->a);

	return err_set(e, ERR_FORMAT, "%s: %s", what, why != NULL ? why : "unreadable archive");
}

/* The name without "./" in front and '/' behind; refused unless every component
 * is an ordinary name.  "" is the top directory itself. */
static int
archive_clean(const char *raw, char **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *name = NULL;
	size_t len;

	if (raw == NULL)
		return err_set(e, ERR_FORMAT, "an entry without a usable name");
	while (raw[0] == '.' && raw[1] == '/')
		raw += 2 + strspn(raw + 2, "/");
	name = buf_strdup(strcmp(raw, ".") == 0 ? "" : raw, e);
	if (name == NULL)
		return -1;
	for (len = strlen(name); len > 1 && name[len - 1] == '/'; len--)
		name[len - 1] = '\0';
	for (const char *part = name; *name != '\0'; part++) {
		size_t n = strcspn(part, "/");

		if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && memcmp(part, "..", 2) == 0))
			return err_set(e, ERR_FORMAT, "%s: an absolute name or one with \"..\"", raw);
		part += n;
		if (*part == '\0')
			break;
	}
	*ret = name;
	name = NULL;
	return 0;
}

/* The directory that holds name, made when missing, without following symlinks. */
static int
archive_parent(int destdirfd, const char *name, int *ret_fd, struct err *e)
{
	const char *base = path_base(name);
	CLEANUP(cleanup_free) char *dir = base == name ? buf_strdup(".", e) :
	    buf_strfmt(e, "%.*s", (int)(base - name - 1), name);

	if (dir == NULL || (base != name && fd_mkdirs_beneath(destdirfd, dir, 0755, e) != 0))
		return -1;
	*ret_fd = fd_open_beneath(destdirfd, dir, O_RDONLY | O_DIRECTORY, 0, e);
	return *ret_fd < 0 ? -1 : 0;
}

/* A file counts as long as it will be read: holes are no way around the limit. */
static int
archive_count(struct archive_job *j, struct archive_entry *entry, const char *name, uint64_t *ret,
    struct err *e)
{
	la_int64_t size = archive_entry_size(entry);

	if (!archive_entry_size_is_set(entry) || size < 0)
		return err_set(e, ERR_FORMAT, "%s: a file without a size", name);
	if ((uint64_t)size > j->limits->bytes - j->bytes)
		return err_set(e, ERR_LIMIT, "%s: the archive unpacks to more than %llu bytes", name,
		    (unsigned long long)j->limits->bytes);
	j->bytes += (uint64_t)size;
	*ret = (uint64_t)size;
	return 0;
}

static int
archive_copy(struct archive_job *j, int fd, uint64_t size, const char *name, struct err *e)
{
	for (;;) {
		const void *block;
		la_int64_t offset;
		size_t len;
		int rc = archive_read_data_block(j->a, &block, &len, &offset);

		if (rc == ARCHIVE_EOF)
			return 0;
		if (rc != ARCHIVE_OK)
			return archive_failed(j, name, e);
		if (offset < 0 || len > size || (uint64_t)offset > size - len)
			return err_set(e, ERR_FORMAT, "%s: longer than its header says", name);
		if (lseek(fd, (off_t)offset, SEEK_SET) < 0) /* sparse files have holes */
			return err_sys(e, "%s: cannot seek", name);
		if (fd_write_all(fd, block, len, name, e) != 0)
			return -1;
	}
}

static int
archive_file(struct archive_job *j, struct archive_entry *entry, int dirfd, const char *name,
    struct err *e)
{
	mode_t mode = (archive_entry_perm(entry) & 0777) | 0600;
	CLEANUP(cleanup_close) int fd = -1;
	uint64_t size = 0;

	if (archive_count(j, entry, name, &size, e) != 0)
		return -1;
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "%s: cannot create", name);
	if (archive_copy(j, fd, size, name, e) != 0)
		return -1;
	if (ftruncate(fd, (off_t)size) != 0)
		return err_sys(e, "%s: cannot set the size", name);
	if (fchmod(fd, mode) != 0)
		return err_sys(e, "%s: cannot set the mode", name);
	return fd_close(&fd, name, e);
}

static int
archive_hardlink(struct archive_job *j, const char *raw, int dirfd, const char *name, struct err *e)
{
	CLEANUP(cleanup_free) char *target = NULL;
	CLEANUP(cleanup_close) int fd = -1;
	struct stat st;

	if (archive_clean(raw, &target, e) != 0 || archive_parent(j->destdirfd, target, &fd, e) != 0)
		return -1;
	if (fstatat(fd, path_base(target), &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_FORMAT, "%s: a hard link to what is no file of this archive", name);
	if (linkat(fd, path_base(target), dirfd, name, 0) != 0)
		return err_sys(e, "%s: cannot link", name);
	return 0;
}

static int
archive_directory(struct archive_entry *entry, int dirfd, const char *name, struct err *e)
{
	struct stat st;

	if (mkdirat(dirfd, name, 0755) != 0) {
		if (errno != EEXIST)
			return err_sys(e, "%s: cannot create the directory", name);
		if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode))
			return err_set(e, ERR_FORMAT, "%s: a directory where there is something else", name);
	}
	if (fchmodat(dirfd, name, (archive_entry_perm(entry) & 0777) | 0700, 0) != 0)
		return err_sys(e, "%s: cannot set the mode", name);
	return 0;
}

/* OCI image layers: ".wh.x" removes x, ".wh..wh..opq" empties the directory. */
static int
archive_whiteout(int dirfd, const char *name, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk w = DIR_WALK_INIT;

	if (strcmp(name, ".wh..wh..opq") != 0) {
		if (!path_name_ok(name + 4, strlen(name + 4)))
			return err_set(e, ERR_FORMAT, "%s: a whiteout of nothing", name);
		return fd_remove_tree(dirfd, name + 4, e);
	}
	if (dir_walk_list(dirfd, ".", ARCHIVE_DIR_ENTRIES_MAX, &w, e) != 0)
		return -1;
	for (size_t i = 0; i < w.count; i++)
		if (fd_remove_tree(dirfd, w.names[i], e) != 0)
			return -1;
	return 0;
}

static int
archive_special(const char *name, struct err *e)
{
	return err_set(e, ERR_FORMAT, "%s: a device, FIFO or socket: only files, directories and links"
	    " are unpacked", name);
}

static int
archive_entry_write(struct archive_job *j, struct archive_entry *entry, const char *path,
    struct err *e)
{
	CLEANUP(cleanup_close) int dirfd = -1;
	const char *name = path_base(path), *hardlink = archive_entry_hardlink(entry);
	mode_t type = archive_entry_filetype(entry);

	if (archive_parent(j->destdirfd, path, &dirfd, e) != 0)
		return -1;
	if (j->whiteouts && strncmp(name, ".wh.", 4) == 0)
		return archive_whiteout(dirfd, name, e);
	if (type == AE_IFDIR && hardlink == NULL)
		return archive_directory(entry, dirfd, name, e);
	/* a later entry, or a later layer, replaces an earlier one */
	if (fd_remove_tree(dirfd, name, e) != 0)
		return -1;
	if (hardlink != NULL)
		return archive_hardlink(j, hardlink, dirfd, name, e);
	if (type == AE_IFREG)
		return archive_file(j, entry, dirfd, name, e);
	if (type != AE_IFLNK)
		return archive_special(path, e);
	/* the text may lead anywhere: nothing here follows it */
	if (archive_entry_symlink(entry) == NULL)
		return err_set(e, ERR_FORMAT, "%s: a symbolic link without a target", path);
	if (symlinkat(archive_entry_symlink(entry), dirfd, name) != 0)
		return err_sys(e, "%s: cannot make the symbolic link", path);
	return 0;
}

static int
archive_extract_all(struct archive_job *j, struct err *e)
{
	for (;;) {
		struct archive_entry *entry;
		CLEANUP(cleanup_free) char *path = NULL;
		int rc = archive_read_next_header(j->a, &entry);

		if (rc == ARCHIVE_EOF)
			return 0;
		if (rc != ARCHIVE_OK)
			return archive_failed(j, "archive", e);
		if (++j->entries > j->limits->entries)
			return err_set(e, ERR_LIMIT, "the archive has more than %llu entries",
			    (unsigned long long)j->limits->entries);
		if (archive_clean(archive_entry_pathname(entry), &path, e) != 0)
			return -1;
		if (*path != '\0' && archive_entry_write(j, entry, path, e) != 0)
			return -1;
	}
}

static int
archive_read_fd(struct archive_job *j, int fd, struct err *e)
{
	if (archive_read_support_format_tar(j->a) != ARCHIVE_OK ||
	    archive_read_support_filter_gzip(j->a) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(j->a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(j->a) != ARCHIVE_OK ||
	    archive_read_open_fd(j->a, fd, ARCHIVE_BLOCK) != ARCHIVE_OK)
		return archive_failed(j, "archive", e);
	return archive_extract_all(j, e);
}

/*
 * Names in pax headers are UTF-8, and libarchive turns them into the character
 * set of the thread's locale: for as long as this takes that is UTF-8 too.
 */
int
archive_extract(int fd, int destdirfd, const struct archive_limits *limits, int whiteouts,
    struct err *e)
{
	struct archive_job j = {.destdirfd = destdirfd, .limits = limits, .whiteouts = whiteouts != 0};
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before;
	int rc;

	if (utf8 == (locale_t)0)
		return err_sys(e, "archive: no locale C.UTF-8");
	before = uselocale(utf8);
	j.a = archive_read_new();
	rc = j.a == NULL ? err_nomem(e) : archive_read_fd(&j, fd, e);
	archive_read_free(j.a);
	uselocale(before);
	freelocale(utf8);
	return rc;
}
