/* Starts aicertd for one store on a Unix socket in a fresh 0700 directory, and stops it. */
#ifndef PROVIDER_LOCAL_H
#define PROVIDER_LOCAL_H

#include "base/notice.h"
#include "store/store.h"

struct local;

/* tpm: TCTI string for the daemon. Waits until it is ready. */
int local_start(struct store *s, const char *tpm, struct local **ret, struct err *e) MUST_CHECK;
/* The same, with a notice when the daemon has to wait, and for what (the TPM's state is in
 * use by another run). */
struct local_options {
	struct store *store;
	const char *tpm;
	struct notice notice;
};
int local_start_with(const struct local_options *o, struct local **ret, struct err *e) MUST_CHECK;
const char *local_socket(const struct local *l);
pid_t local_pid(const struct local *l);
/* Asks it to end (its control pipe closes), reaps it, removes the directory. */
void local_stop(struct local *l);
static inline void local_stopp(struct local **l) { local_stop(*l); }

#endif
