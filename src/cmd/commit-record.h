/* Writing a proven run into the history. */
#ifndef CMD_COMMIT_RECORD_H
#define CMD_COMMIT_RECORD_H

#include "cmd/commit-run.h"

struct commit_record {
	const char *author_name, *author_email;
	const char *message;
	const char *code_commit;        /* NULL: none */
};

/* Stores certificate and commit and moves HEAD's branch; when another commit came
 * in between, the new one goes on top of it.  */
int commit_record(struct store *s, const struct commit_run_result *r, const struct commit_record *m,
    struct oid *ret_commit, struct err *e) MUST_CHECK;
/* Keeps the certificate of a failed run under refs/failed/<id>. */
int commit_record_failed(struct store *s, const struct commit_run_result *r,
    const struct commit_record *m, struct err *e) MUST_CHECK;

#endif
