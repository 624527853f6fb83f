#include "serve/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static int
listen_check_directory(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(cleanup_free) char *dir = NULL;
	struct stat st;

	if (slash == NULL)
		dir = strdup(".");
	else
		dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (dir == NULL)
		return err_nomem(e);
	if (stat(dir, &st) != 0)
		return err_sys(e, "%s: cannot look at the socket's directory", dir);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return err_set(e, ERR_DENIED, "%s: the socket's directory must be yours with mode"
		    " 0700", dir);
	return 0;
}

/* A socket file outlives a daemon that was killed. */
static int
listen_remove_stale(const struct sockaddr_un *addr, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct stat st;

	if (lstat(addr->sun_path, &st) != 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s: cannot look", addr->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_EXISTS, "%s: is there and is not a socket", addr->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "cannot make a socket");
	if (connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0)
		return err_set(e, ERR_BUSY, "%s: another daemon listens there", addr->sun_path);
	if (errno != ECONNREFUSED)
		return err_sys(e, "%s: cannot connect", addr->sun_path);
	if (unlink(addr->sun_path) != 0)
		return err_sys(e, "%s: cannot remove the old socket", addr->sun_path);
	return 0;
}

int
listen_unix(const char *path, int *ret_fd, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	CLEANUP(cleanup_close) int fd = -1;

	if (strlen(path) >= sizeof addr.sun_path)
		return err_set(e, ERR_USAGE, "%s: a socket's path has at most %zu bytes", path,
		    sizeof addr.sun_path - 1);
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
	if (listen_check_directory(path, e) != 0 || listen_remove_stale(&addr, e) != 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "cannot make a socket");
	/* Mode before bind: Linux gives the file the socket's, less the umask. */
	if (fchmod(fd, 0600) != 0 || bind(fd, (const struct sockaddr *)&addr, sizeof addr) != 0 ||
	    chmod(path, 0600) != 0 || listen(fd, 64) != 0)
		return err_sys(e, "%s: cannot listen", path);
	*ret_fd = fd;
	fd = -1;
	return 0;
}
