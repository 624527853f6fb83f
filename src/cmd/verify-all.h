/* Every certificate of the history, each judged by itself. */
#ifndef CMD_VERIFY_ALL_H
#define CMD_VERIFY_ALL_H

#include "store/store.h"
#include "verify/verify.h"

/* In the order of the list, in the caller's thread, which may use the store. -1 ends it. */
typedef int verify_all_fn(void *arg, const struct verdict *v, struct err *e);

struct verify_all_options {
	bool json;                  /* a document a line */
	unsigned threads;           /* 0: one a processor */
	const struct oid *ids;      /* these certificates instead; NULL: those that refs reach */
	size_t id_count;
	verify_all_fn *report;      /* told instead of printed; NULL: printed */
	void *report_arg;
};

/*
 * rq: trust, references, level and time; the rest is filled in here.  Prints a line
 * for each certificate that a ref reaches, failed runs aside, newest first, then for
 * ancestors that no commit names: each is in the list once, and must have made what its
 * descendants took.  Returns the exit
 * status: 1 when one fails, else 3 when one is undecided, else 0; -1: error.
 */
int verify_all(struct store *s, const struct verify_request *rq,
    const struct verify_all_options *o, struct err *e) MUST_CHECK;

#endif
