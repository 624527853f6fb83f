/* How strictly, and as of when: options that verify and reference share. */
#ifndef CMD_JUDGING_H
#define CMD_JUDGING_H

#include "store/store.h"
#include "verify/verify.h"

/* --min-level, else the user's verify.minlevel, else vtpm. */
int judging_level(const char *option, struct store *s, enum verdict_level *ret,
    struct err *e) MUST_CHECK;
/* --at, else now, into rq. */
int judging_time(const char *at, struct verify_request *rq, struct err *e) MUST_CHECK;

#endif
