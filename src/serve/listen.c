#include "serve/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "base/buf.h"

#define LISTEN_BACKLOG 256

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

/* Splits "HOST:PORT" or "[HOST]:PORT" in place. */
static int
listen_split(char *text, const char **ret_host, const char **ret_port, struct err *e)
{
	char *colon = strrchr(text, ':'), *host = text;

	if (colon == NULL || colon == text || colon[1] == '\0' ||
	    colon[1 + strspn(colon + 1, "0123456789")] != '\0' || strlen(colon + 1) > 5 ||
	    strtol(colon + 1, NULL, 10) > 65535)
		return err_set(e, ERR_USAGE, "%s: not ADDRESS:PORT", text);
	*colon = '\0';
	if (*host == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		host++;
	} else if (strchr(host, ':') != NULL) {
		return err_set(e, ERR_USAGE, "%s: an IPv6 address is written in brackets", host);
	}
	*ret_host = host;
	*ret_port = colon + 1;
	return 0;
}

static int
listen_address(const struct addrinfo *a, const char *what, int *ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return err_sys(e, "cannot make a socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, LISTEN_BACKLOG) != 0)
		return err_sys(e, "%s: cannot listen", what);
	*ret = fd;
	fd = -1;
	return 0;
}

static int
listen_url(int fd, char **ret, struct err *e)
{
	struct sockaddr_storage addr = {0};
	socklen_t len = sizeof addr;
	char host[128], port[16];

	if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
		return err_sys(e, "cannot look at the socket");
	if (getnameinfo((struct sockaddr *)&addr, len, host, sizeof host, port, sizeof port,
	    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return err_set(e, ERR_IO, "cannot name the socket");
	*ret = buf_strfmt(e, addr.ss_family == AF_INET6 ? "https://[%s]:%s" : "https://%s:%s", host,
	    port);
	return *ret != NULL ? 0 : -1;
}

static int
listen_find(const char *address, struct addrinfo **ret, struct err *e)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	CLEANUP(cleanup_free) char *copy = buf_strdup(address, e);
	const char *host = NULL, *port = NULL;
	int rc;

	if (copy == NULL || listen_split(copy, &host, &port, e) != 0)
		return -1;
	rc = getaddrinfo(host, port, &hints, ret);
	return rc == 0 ? 0 : err_set(e, ERR_USAGE, "%s: %s", address, gai_strerror(rc));
}

int
listen_check(const char *address, struct err *e)
{
	struct addrinfo *found = NULL;

	if (listen_find(address, &found, e) != 0)
		return -1;
	freeaddrinfo(found);
	return 0;
}

int
listen_tcp(const char *address, int *ret_fd, char **ret_url, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct addrinfo *found = NULL;
	int rc;

	if (listen_find(address, &found, e) != 0)
		return -1;
	rc = listen_address(found, address, &fd, e);
	freeaddrinfo(found);
	if (rc != 0 || listen_url(fd, ret_url, e) != 0)
		return -1;
	*ret_fd = fd;
	fd = -1;
	return 0;
}
