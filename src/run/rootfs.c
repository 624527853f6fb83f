#include "run/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "run/rootfs-image.h"

/* Every run has these places, mounted over. */
static const char *const rootfs_places[] = {"dev", "etc", "proc", "tmp", "workspace"};

/* The runner's own programs and libraries, as directories or merged-usr symlinks. */
static const char *const rootfs_system[] = {
	"usr", "opt", "bin", "sbin", "lib", "lib32", "lib64", "libx32"
};

/* What programs in /usr cannot do without and what says nothing about the
 * machine: aicert.yaml(5) lists them.  The rest of /etc is ours, below. */
static const char *const rootfs_etc[] = {
	"/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
	"/etc/mime.types", "/etc/protocols", "/etc/services"
};

static const struct {
	const char *path, *text;
} rootfs_files[] = {
	{"etc/passwd", "root:x:0:0:root:/:/usr/sbin/nologin\n"
	    "nobody:x:65534:65534:nobody:/tmp/home:/bin/sh\n"},
	{"etc/group", "root:x:0:\nnogroup:x:65534:\n"},
	{"etc/hosts", "127.0.0.1 localhost aicert\n::1 localhost aicert\n"},
	{"etc/hostname", "aicert\n"},
	{"etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"
	    "protocols: files\nservices: files\n"},
};

#define ROOTFS_COUNT(a) (sizeof(a) / sizeof *(a))

static int
rootfs_bind(struct rootfs *r, const char *path, bool directory, struct err *e)
{
	struct rootfs_bind *binds = reallocarray(r->binds, r->count + 1, sizeof *binds);

	if (binds == NULL)
		return err_nomem(e);
	r->binds = binds;
	r->binds[r->count] = (struct rootfs_bind){.directory = directory, .path = buf_strdup(path, e)};
	if (r->binds[r->count].path == NULL)
		return -1;
	r->count++;
	return 0;
}

static int
rootfs_write(int fd, const char *path, const char *text, struct err *e)
{
	CLEANUP(cleanup_close) int file = fd_open_beneath(fd, path, O_WRONLY | O_CREAT | O_EXCL, 0644, e);

	if (file < 0 || fd_write_all(file, text, strlen(text), path, e) != 0)
		return -1;
	return fd_close(&file, path, e);
}

static int
rootfs_places_make(int fd, struct err *e)
{
	for (size_t i = 0; i < ROOTFS_COUNT(rootfs_places); i++) {
		if (mkdirat(fd, rootfs_places[i], 0755) == 0 || errno == EEXIST) {
			if (fd_mkdirs_beneath(fd, rootfs_places[i], 0755, e) == 0)
				continue;
			return err_prefix(e, "the image's root file system");
		}
		return err_sys(e, "rootfs/%s: cannot create the directory", rootfs_places[i]);
	}
	return 0;
}

/* A place in the frame for one thing of the host, if the host has it. */
static int
rootfs_host_one(struct rootfs *r, int fd, const char *path, struct err *e)
{
	char target[256];
	struct stat st;
	ssize_t n;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s: cannot look at", path);
	if (S_ISLNK(st.st_mode)) {
		n = readlink(path, target, sizeof target - 1);
		if (n <= 0 || (size_t)n == sizeof target - 1)
			return err_sys(e, "%s: cannot read the link", path);
		target[n] = '\0';
		if (symlinkat(target, fd, path + 1) != 0)
			return err_sys(e, "rootfs%s: cannot create the link", path);
		return 0;
	}
	if (S_ISDIR(st.st_mode)) {
		if (mkdirat(fd, path + 1, 0755) != 0)
			return err_sys(e, "rootfs%s: cannot create the directory", path);
	} else if (rootfs_write(fd, path + 1, "", e) != 0) {
		return -1;
	}
	return rootfs_bind(r, path, S_ISDIR(st.st_mode), e);
}

static bool
rootfs_shows(const struct rootfs *r, const char *path)
{
	for (size_t i = 0; i < r->count; i++) {
		size_t len = strlen(r->binds[i].path);

		if (strncmp(path, r->binds[i].path, len) == 0 && (path[len] == '/' || path[len] == '\0'))
			return true;
	}
	return false;
}

static int
rootfs_hide(struct rootfs *r, const char *path, struct err *e)
{
	CLEANUP(cleanup_free) char *real = realpath(path, NULL);

	if (real == NULL)
		return err_sys(e, "%s: cannot look at", path);
	if (!rootfs_shows(r, real))
		return 0;
	if (rootfs_bind(r, real, true, e) != 0)
		return -1;
	r->binds[r->count - 1].hidden = true;
	return 0;
}

/* What a run reads is declared: a work tree in /opt, say, is not seen beside its inputs, nor is a
 * store with what others sent. */
static int
rootfs_hide_store(struct rootfs *r, struct store *s, struct err *e)
{
	const char *path = store_path(s), *name = strrchr(path, '/');

	if (rootfs_hide(r, path, e) != 0)
		return -1;
	return name == NULL || strcmp(name + 1, STORE_NAME) != 0 ? 0 : rootfs_hide(r, store_worktree(s), e);
}

static int
rootfs_host(struct rootfs *r, struct store *s, int fd, struct err *e)
{
	for (size_t i = 0; i < ROOTFS_COUNT(rootfs_system); i++) {
		char path[32];

		snprintf(path, sizeof path, "/%s", rootfs_system[i]);
		if (rootfs_host_one(r, fd, path, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < ROOTFS_COUNT(rootfs_etc); i++)
		if (rootfs_host_one(r, fd, rootfs_etc[i], e) != 0)
			return -1;
	for (size_t i = 0; i < ROOTFS_COUNT(rootfs_files); i++)
		if (rootfs_write(fd, rootfs_files[i].path, rootfs_files[i].text, e) != 0)
			return -1;
	return s != NULL ? rootfs_hide_store(r, s, e) : 0;
}

int
rootfs_prepare(struct store *s, const struct run_spec *spec, int run_dirfd, struct rootfs *ret,
    struct err *e)
{
	CLEANUP(rootfs_free) struct rootfs r = ROOTFS_INIT;
	CLEANUP(cleanup_close) int fd = -1;

	if (fd_mkdirs_beneath(run_dirfd, "rootfs", 0755, e) != 0)
		return -1;
	/* whoever started us may have a narrow umask; the run's user must get in */
	fd = fd_open_beneath(run_dirfd, "rootfs", O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0)
		return -1;
	if (fchmod(fd, 0755) != 0)
		return err_sys(e, "rootfs: cannot change the mode");
	if (spec->image != RUN_SPEC_HOST && rootfs_image_unpack(s, spec, run_dirfd, fd, e) != 0)
		return -1;
	if (rootfs_places_make(fd, e) != 0)
		return -1;
	if (spec->image == RUN_SPEC_HOST && rootfs_host(&r, s, fd, e) != 0)
		return -1;
	*ret = r;
	r = (struct rootfs)ROOTFS_INIT;
	return 0;
}

void
rootfs_free(struct rootfs *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->binds[i].path);
	free(r->binds);
	*r = (struct rootfs)ROOTFS_INIT;
}
