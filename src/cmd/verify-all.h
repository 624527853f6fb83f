/* Every certificate of the history, each judged by itself. */
#ifndef CMD_VERIFY_ALL_H
#define CMD_VERIFY_ALL_H

#include "store/store.h"
#include "verify/verify.h"

struct verify_all_options {
	bool json;                  /* a document a line */
	unsigned threads;           /* 0: one a processor */
};

/*
 * rq: trust, references, level and time; the rest is filled in here.  Prints a line
 * for each certificate that a ref reaches, failed runs aside, newest first.
 * Ancestors are in the list themselves, so none is judged twice.  Returns the exit
 * status: 1 when one fails, else 3 when one is undecided, else 0; -1: error.
 */
int verify_all(struct store *s, const struct verify_request *rq,
    const struct verify_all_options *o, struct err *e) MUST_CHECK;

#endif
