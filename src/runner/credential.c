#include "runner/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/fd.h"

#define CREDENTIAL_TOKEN_MAX 4096

static int
credential_open(const char *file, struct err *e)
{
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		err_sys(e, "%s: cannot open", file);
		return -1;
	}
	if (fstat(fd, &st) != 0)
		err_sys(e, "%s: cannot look at it", file);
	else if (!S_ISREG(st.st_mode))
		err_set(e, ERR_DENIED, "%s: not a regular file", file);
	else if (st.st_uid != geteuid() && st.st_uid != 0)
		err_set(e, ERR_DENIED, "%s: holds a secret, and belongs to another user", file);
	else if ((st.st_mode & 077) != 0)
		err_set(e, ERR_DENIED, "%s: holds a secret, and others may read it (chmod 600 it)", file);
	else
		return fd;
	close(fd);
	return -1;
}

int
credential_check_file(const char *file, struct err *e)
{
	int fd = credential_open(file, e);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

/* A line, and nothing after it. */
static int
credential_one_line(struct buf *text, const char *what, struct err *e)
{
	while (text->len > 0 && strchr("\r\n", text->data[text->len - 1]) != NULL)
		text->data[--text->len] = '\0';
	if (text->len == 0)
		return err_set(e, ERR_USAGE, "%s: no token in it", what);
	if (strlen(buf_str(text)) != text->len)
		return err_set(e, ERR_USAGE, "%s: not a token", what);
	return 0;
}

static int
credential_read(const char *file, struct buf *ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = credential_open(file, e);
	size_t n;

	if (fd < 0)
		return -1;
	/* at once: a buffer that grows leaves pieces of the secret behind */
	if (buf_reserve(ret, CREDENTIAL_TOKEN_MAX + 1, e) != 0 ||
	    fd_read_upto(fd, ret->data, CREDENTIAL_TOKEN_MAX + 1, &n, file, e) != 0)
		return -1;
	ret->len = n;
	if (n > CREDENTIAL_TOKEN_MAX)
		return err_set(e, ERR_LIMIT, "%s: longer than %d bytes", file, CREDENTIAL_TOKEN_MAX);
	ret->data[n] = '\0';
	return credential_one_line(ret, file, e);
}

int
credential_file(const char *file, struct buf *ret, struct err *e)
{
	int rc = credential_read(file, ret, e);

	if (rc != 0)
		buf_wipe(ret);
	return rc;
}

/* A runner's own token comes first: the variable's must not reach a runner that has one. */
int
credential_token(const char *file, struct buf *ret, struct err *e)
{
	const char *env = getenv(CREDENTIAL_VARIABLE);

	if (file != NULL)
		return credential_file(file, ret, e);
	if (env != NULL)
		buf_adds(ret, env);
	return buf_check(ret, e);
}
