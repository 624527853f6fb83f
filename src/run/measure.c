#include "run/measure.h"

#include <string.h>
#include "base/array.h"
#include "crypto/random.h"

int
measure_start(struct measure *m, struct tpm *tpm, struct err *e)
{
	*m = (struct measure){.tpm = tpm};
	return random_bytes(m->run, sizeof m->run, e);
}

static int
measure_room(struct measure *m, struct err *e)
{
	if (m->count == EVENT_COUNT_MAX)
		return err_set(e, ERR_LIMIT, "a run has at most %d events", EVENT_COUNT_MAX);
	return ARRAY_ROOM(m->events, m->count, m->cap, e);
}

int
measure_event(struct measure *m, struct event *ev, struct err *e)
{
	struct event copy;
	int rc;

	if (measure_room(m, e) != 0)
		return -1;
	memcpy(ev->run, m->run, sizeof ev->run);
	ev->seq = m->count;
	ev->pcr = ev->kind < EVENT_RUN_STARTED ? 14 : 15;
	if (event_encode(ev, e) != 0)
		return -1;
	/* before it is measured: a text that we ourselves refuse must never be */
	rc = event_decode(ev->text, ev->len, &copy, e);
	if (rc == 0) {
		rc = pcr_extend(m->tpm, (unsigned)ev->pcr, ev->text, ev->len, e);
		if (rc == 0)
			m->events[m->count++] = copy;
		else
			event_free(&copy);
	}
	free(ev->text);
	ev->text = NULL;
	return rc;
}

void
measure_free(struct measure *m)
{
	for (size_t i = 0; i < m->count; i++)
		event_free(&m->events[i]);
	free(m->events);
	*m = (struct measure){0};
}
