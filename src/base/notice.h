/* Something that people should be told while they wait; it is no error. */
#ifndef BASE_NOTICE_H
#define BASE_NOTICE_H

#include "base/cleanup.h"

struct notice {
	void (*tell)(void *arg, const char *message); /* NULL: nobody is told */
	void *arg;
};

void notice_say(const struct notice *n, const char *fmt, ...) PRINTF(2, 3);

#endif
