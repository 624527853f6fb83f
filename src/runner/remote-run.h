/* A run as the runner tells of it, aicert-protocol(5) "Runs". */
#ifndef RUNNER_REMOTE_RUN_H
#define RUNNER_REMOTE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#define REMOTE_RUN_ID_LEN 64
#define REMOTE_RUN_DOCUMENT_MAX (1024u * 1024)
#define REMOTE_RUN_LIST_MAX 1024

enum remote_run_state {
	REMOTE_RUN_QUEUED, REMOTE_RUN_MEASURING, REMOTE_RUN_RUNNING, REMOTE_RUN_DONE,
	REMOTE_RUN_FAILED, REMOTE_RUN_CANCELLED, REMOTE_RUN_INTERRUPTED
};

struct remote_run {
	char id[REMOTE_RUN_ID_LEN + 1];
	enum remote_run_state state;
	bool has_certificate;
	int64_t log;                /* bytes */
	int64_t log_dropped;
	int64_t created;            /* seconds since 1970 by the runner's clock; -1: not told */
	int64_t position;           /* in the queue; -1: not in it */
	char *phase;                /* words of the runner; NULL: none */
	char *error;                /* why there is no certificate; NULL: none */
};

struct remote_run_list {
	struct remote_run *runs;
	size_t count;
};

bool remote_run_id_ok(const char *text);
const char *remote_run_state_name(enum remote_run_state s);
/* It will not change any more. */
bool remote_run_over(const struct remote_run *r);

/* The documents as they arrive; what is not as the protocol says is refused. */
int remote_run_decode(const void *data, size_t len, struct remote_run *ret, struct err *e) MUST_CHECK;
void remote_run_free(struct remote_run *r);
int remote_run_list_decode(const void *data, size_t len, struct remote_run_list *ret,
    struct err *e) MUST_CHECK;
void remote_run_list_free(struct remote_run_list *l);

#endif
