/* One audit: what it looks at, and what it found.  For audit*.c. */
#ifndef CMD_AUDIT_STATE_H
#define CMD_AUDIT_STATE_H

#include "cmd/audit-names.h"
#include "cmd/fetch-refs.h"
#include "object/oid-list.h"
#include "store/oid-map.h"
#include "verify/verify.h"

struct audit {
	struct store *s;
	bool json;
	const struct verify_request *rq;
	const char *since;          /* as typed; NULL: everything */
	struct oid since_id;
	struct fetch fetch;         /* of the remote that was asked for */
	bool fetched;
	struct oid_list tips;       /* commits whose history is looked at */
	struct oid_list todo;       /* certificates to be judged */
	struct oid_map before;      /* commits that --since reaches */
	struct oid_map known;       /* certificates of the history, and those judged besides */
	struct audit_names names;   /* of outputs */
	struct oid_map origins;     /* inputs told already */
	/* what was found */
	size_t certificates, pass, fail, undecided;
	size_t lost;                /* history that was there and is not */
	size_t uncovered, lineage, missing, origin_count, failed_runs, revoked;
	struct err *e;
	int rc;
};

void audit_state_free(struct audit *a);

/*
 * One finding: kind is the word it begins with ("origin") in text and in JSON, sentence
 * is for people, object (may be NULL, is taken over) holds its members for programs.
 */
int audit_state_tell(const struct audit *a, const char *kind, struct jcs *object, struct err *e,
    const char *sentence, ...) PRINTF(5, 6) MUST_CHECK;

/* audit-history.c: the reflogs of tracking refs, and where --since is. */
int audit_history(struct audit *a, struct err *e) MUST_CHECK;
/* audit-certificates.c: which, then each. */
int audit_certificates_list(struct audit *a, struct err *e) MUST_CHECK;
int audit_certificates_judge(struct audit *a, struct err *e) MUST_CHECK;
/* audit-files.c: what git has under the names of outputs; runs that failed. */
int audit_files(struct audit *a, struct err *e) MUST_CHECK;

#endif
