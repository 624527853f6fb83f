#include "store/source.h"

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
