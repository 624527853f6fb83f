/* How strictly, and as of when: options that verify and reference share. */
#ifndef CMD_JUDGING_H
#define CMD_JUDGING_H

#include "base/options.h"
#include "evidence/ak-revoked.h"
#include "store/store.h"
#include "verify/verify.h"

/* --min-level, else the user's verify.minlevel, else vtpm. */
int judging_level(const char *option, struct store *s, enum verdict_level *ret,
    struct err *e) MUST_CHECK;
/* --at, else now, into rq. */
int judging_time(const char *at, struct verify_request *rq, struct err *e) MUST_CHECK;

/* --policy, else the user's policy.json; *ret_there: there is one.  What cannot be read is
 * an error, never no policy. */
int judging_policy(const char *option, struct policy *ret, bool *ret_there, struct err *e) MUST_CHECK;

/* --time-stamp, into rq; text holds it. */
int judging_time_stamp(const char *path, struct buf *text, struct verify_request *rq,
    struct err *e) MUST_CHECK;

/* Revocation lists as they were given. */
struct judging_crls {
	struct buf lists[AK_REVOKED_LISTS_MAX];
	size_t count;
};

/* --crl, each a file. */
int judging_crls(const struct option_list *files, struct judging_crls *ret, struct err *e) MUST_CHECK;
/* That each is a revocation list, else ERR_SPEC with the file's name: for who counts them only
 * where a chain is. */
int judging_crls_check(const struct option_list *files, const struct judging_crls *c,
    struct err *e) MUST_CHECK;
void judging_crls_free(struct judging_crls *c);

#endif
