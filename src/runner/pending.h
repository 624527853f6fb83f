/*
 * A run that was started on a remote runner and whose certificate has not come
 * back yet: .aicert/runs/<id>, see store/FORMAT.md.  It holds what is needed to
 * judge the certificate and to commit it, so that any later process can.
 */
#ifndef RUNNER_PENDING_H
#define RUNNER_PENDING_H

#include "object/run-spec.h"
#include "store/store.h"

#define PENDING_LIST_MAX 4096

struct pending {
	char *run;                  /* 64 hex digits */
	char *runner;               /* its registered name */
	char *ak_name;              /* of the AK that the run was given to */
	unsigned char nonce[32];
	struct run_spec spec;
	char *author_name, *author_email;
	char *message;
	char *code_commit;          /* NULL: none */
	int64_t started;            /* seconds since 1970, by this machine's clock */
};

void pending_free(struct pending *p);
int pending_encode(const struct pending *p, struct buf *ret, struct err *e) MUST_CHECK;
int pending_decode(const void *data, size_t len, struct pending *ret, struct err *e) MUST_CHECK;

/* Durable when it returns. */
int pending_write(struct store *s, const struct pending *p, struct err *e) MUST_CHECK;
/* id: 64 hex digits, or the first 7 or more of one that is there; ERR_NOTFOUND,
 * ERR_CONFLICT when several begin so. */
int pending_read(struct store *s, const char *id, struct pending *ret, struct err *e) MUST_CHECK;
/* Missing is success. */
int pending_remove(struct store *s, const char *run, struct err *e) MUST_CHECK;
/* All of them, oldest first; *ret is an array of *ret_n that the caller frees.  One that
 * cannot be read is left out. */
int pending_list(struct store *s, struct pending **ret, size_t *ret_n, struct err *e) MUST_CHECK;

#endif
