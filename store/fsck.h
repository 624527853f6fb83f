/* Re-hashes every object, checks refs, reflogs, HEAD and what commits reach. */
#ifndef STORE_FSCK_H
#define STORE_FSCK_H

#include "base/progress.h"
#include "store/store.h"

enum fsck_severity { FSCK_LITTER, FSCK_DAMAGE };

typedef void fsck_report_fn(void *arg, enum fsck_severity severity, const char *message);
/* 0 also when damage was found: *ret_damage says so. -1: could not look. */
int fsck_run(struct store *s, fsck_report_fn *report, void *arg, struct progress *p,
    bool *ret_damage, struct err *e) MUST_CHECK;

#endif
