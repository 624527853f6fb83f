#include "store/source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void
source_close(struct source *p)
{
	if (p->fd >= 0)
		close(p->fd);
	free(p->path);
	*p = (struct source)SOURCE_INIT;
}

bool
source_absent(const struct err *e)
{
	switch (e->code) {
	case ERR_NOTFOUND:
	case ERR_DENIED: /* through a link, or out of its directory */
		return true;
	case ERR_IO:
		return e->sys == ENOTDIR || e->sys == EACCES || e->sys == EPERM || e->sys == ENXIO ||
		    e->sys == ENAMETOOLONG;
	default:
		return false;
	}
}

int
source_take(int fd, struct source *ret, struct err *e, const char *path, ...)
{
	struct stat st;
	va_list ap;
	char *text;
	int n;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return 0;
	}
	va_start(ap, path);
	n = vasprintf(&text, path, ap);
	va_end(ap);
	if (n < 0) {
		close(fd);
		return err_nomem(e);
	}
	*ret = (struct source){fd, (uint64_t)st.st_size, true, text};
	return 1;
}
