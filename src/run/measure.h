/* The events of a run, measured as they happen: text, extend, remember. */
#ifndef RUN_MEASURE_H
#define RUN_MEASURE_H

#include "object/event.h"
#include "tpm/tpm.h"

struct measure {
	struct tpm *tpm;        /* borrowed */
	unsigned char run[32];
	struct event *events;
	size_t count, cap;
};

/* Draws the run's id. */
int measure_start(struct measure *m, struct tpm *tpm, struct err *e) MUST_CHECK;
/*
 * Completes ev (run, seq, pcr), writes its text, extends PCR 14 or 15 and keeps a
 * decoded copy: what ev points to stays the caller's.  ev->kind and ev->u are given.
 */
int measure_event(struct measure *m, struct event *ev, struct err *e) MUST_CHECK;
void measure_free(struct measure *m);

#endif
