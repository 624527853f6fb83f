/*
 * Re-hashes every object, checks refs, reflogs, HEAD and that what commits reach
 * is there, in the store or elsewhere; says what is lost and what it touches;
 * puts right what it finds good bytes for.
 */
#ifndef STORE_FSCK_H
#define STORE_FSCK_H

#include <stdint.h>
#include <stdio.h>
#include "object/oid.h"
#include "store/store.h"

#define FSCK_QUARANTINE "quarantine"     /* damaged bytes that were replaced */
#define FSCK_QUARANTINE_LOG "log-"       /* there: reflogs */

enum fsck_severity {
	FSCK_LITTER,    /* harms nothing */
	FSCK_DAMAGE,    /* lost, as far as is known here */
	FSCK_REPAIRED,  /* was damage */
	FSCK_TOUCHED    /* what the damage before it is a part of */
};

typedef void fsck_report_fn(void *arg, enum fsck_severity severity, const char *message);
/* The bytes of an object from somewhere else, say a remote, into the file fd, which is
 * empty; their digest is compared by the caller.  ERR_NOTFOUND: nobody has them. */
typedef int fsck_fetch_fn(void *arg, const struct oid *id, int fd, struct err *e);

#define FSCK_FULL 1u    /* re-hashes alternates and references too, of what refs reach */
#define FSCK_REPAIR 2u  /* from copies, references, alternates and fetch; s is writable */

struct fsck_options {
	unsigned flags;
	unsigned threads;       /* that hash; 0: one a processor */
	fsck_report_fn *report;
	fsck_fetch_fn *fetch;   /* NULL: none */
	void *arg;              /* of report and fetch */
	FILE *progress;         /* NULL: silent */
};

struct fsck_result {
	bool damage;            /* that is left */
	uint64_t objects, bytes;
	uint64_t repaired;
};

/* 0 also when damage was found.  -1: could not look. */
int fsck_run(struct store *s, const struct fsck_options *o, struct fsck_result *ret,
    struct err *e) MUST_CHECK;

#endif
