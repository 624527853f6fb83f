/* Which ref goes where: "[+]SRC[:DST]", each with at most one '*', at its end. */
#ifndef REMOTE_REFSPEC_H
#define REMOTE_REFSPEC_H

#include <stdbool.h>
#include "base/err.h"

#define REFSPEC_NAME_SIZE 1024

struct refspec {
	bool force;     /* '+': history may be lost */
	bool pattern;
	bool has_dst;
	char src[REFSPEC_NAME_SIZE], dst[REFSPEC_NAME_SIZE]; /* as written; "" where nothing is */
};

int refspec_parse(const char *text, struct refspec *ret, struct err *e) MUST_CHECK;
/* A short name in full: as it is beneath refs/, else beneath prefix.  ERR_USAGE: no name of a ref. */
int refspec_qualify(const char *name, const char *prefix, char ret[REFSPEC_NAME_SIZE],
    struct err *e) MUST_CHECK;
/* Where the full name goes by this refspec, whose sides are in full too; false: nowhere. */
bool refspec_map(const struct refspec *s, const char *name, char ret[REFSPEC_NAME_SIZE]);

#endif
