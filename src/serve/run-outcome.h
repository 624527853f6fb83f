/* What a run that ended leaves: its certificate as an object, and who owns what it made. */
#ifndef SERVE_RUN_OUTCOME_H
#define SERVE_RUN_OUTCOME_H

#include "serve/ledger.h"
#include "store/store.h"

struct run_outcome_options {
	struct store *store;
	struct ledger *ledger;  /* NULL: nothing is kept here but what the run stored */
	const char *owner;
	bool stopping;          /* the daemon's end, not the client, cancelled it */
};

/* Stores the certificate; outputs, log, boot log and certificate become the owner's. */
int run_outcome_keep(const struct run_outcome_options *o, const struct buf *certificate,
    struct err *e) MUST_CHECK;
/* RUN_STATE_*; certificate NULL: it has none, and error says why. */
const char *run_outcome_state(const struct run_outcome_options *o, const struct buf *certificate,
    const struct err *error);

#endif
