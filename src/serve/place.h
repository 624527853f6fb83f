/* The directories of a daemon on an address: a store, made when missing, with serve/ in it. */
#ifndef SERVE_PLACE_H
#define SERVE_PLACE_H

#include "base/err.h"

struct place {
	char *store;    /* absolute path of .aicert */
	char *ledger;   /* .aicert/serve/ledger.db */
	char *logs;     /* .aicert/serve/logs */
};

/* dir: an .aicert, or the directory that holds it or is to hold it.  Parts of uploads that
 * nobody continued are swept. */
int place_prepare(const char *dir, struct place *ret, struct err *e) MUST_CHECK;
void place_free(struct place *p);

#endif
