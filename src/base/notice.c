#include "base/notice.h"

#include <stdarg.h>
#include <stdio.h>

void
notice_say(const struct notice *n, const char *fmt, ...)
{
	CLEANUP(cleanup_free) char *text = NULL;
	va_list ap;

	if (n->tell == NULL)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text != NULL)
		n->tell(n->arg, text);
}
