#include "serve/metrics.h"

#include <pthread.h>
#include <string.h>
#include "serve/run-state.h"

static const char *const metrics_states[] = {
	RUN_STATE_DONE, RUN_STATE_FAILED, RUN_STATE_CANCELLED, RUN_STATE_INTERRUPTED,
};
#define METRICS_STATES 4
#define METRICS_CLASSES 6   /* 1xx to 5xx, 0: none was sent */

struct metrics {
	pthread_mutex_t lock;
	uint64_t requests[METRICS_CLASSES];
	uint64_t in, out, micros;
	uint64_t runs[METRICS_STATES];
};

int
metrics_new(struct metrics **ret, struct err *e)
{
	struct metrics *m = calloc(1, sizeof *m);

	if (m == NULL)
		return err_nomem(e);
	pthread_mutex_init(&m->lock, NULL);
	*ret = m;
	return 0;
}

void
metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void
metrics_request(struct metrics *m, const struct http_done *d)
{
	pthread_mutex_lock(&m->lock);
	m->requests[d->status / 100 < METRICS_CLASSES ? d->status / 100 : 0]++;
	m->in += d->in;
	if (d->status != 0)
		m->out += d->out;
	m->micros += d->micros;
	pthread_mutex_unlock(&m->lock);
}

void
metrics_run(struct metrics *m, const char *state)
{
	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < METRICS_STATES; i++)
		if (strcmp(metrics_states[i], state) == 0)
			m->runs[i]++;
	pthread_mutex_unlock(&m->lock);
}

static void
metrics_head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_addf(b, "# HELP aicertd_%s %s\n# TYPE aicertd_%s %s\n", name, help, name, type);
}

static void
metrics_value(struct buf *b, const char *name, const char *type, const char *help, uint64_t n)
{
	metrics_head(b, name, type, help);
	buf_addf(b, "aicertd_%s %llu\n", name, (unsigned long long)n);
}

int
metrics_text(struct metrics *m, const struct metrics_gauges *g, struct buf *ret, struct err *e)
{
	pthread_mutex_lock(&m->lock);
	metrics_head(ret, "requests_total", "counter", "Requests by class of status; 0: not answered.");
	for (size_t i = 0; i < METRICS_CLASSES; i++)
		buf_addf(ret, "aicertd_requests_total{class=\"%zu\"} %llu\n", i * 100,
		    (unsigned long long)m->requests[i]);
	metrics_head(ret, "runs_total", "counter", "Runs that ended, by state.");
	for (size_t i = 0; i < METRICS_STATES; i++)
		buf_addf(ret, "aicertd_runs_total{state=\"%s\"} %llu\n", metrics_states[i],
		    (unsigned long long)m->runs[i]);
	metrics_value(ret, "received_bytes_total", "counter", "Bytes of request bodies.", m->in);
	metrics_value(ret, "sent_bytes_total", "counter", "Bytes of answers.", m->out);
	metrics_value(ret, "request_microseconds_total", "counter", "Time in requests.", m->micros);
	pthread_mutex_unlock(&m->lock);
	metrics_value(ret, "connections", "gauge", "Open connections.", g->connections);
	metrics_value(ret, "runs_queued", "gauge", "Runs that wait.", g->queued);
	metrics_value(ret, "runs_active", "gauge", "Runs in progress.", g->running);
	metrics_value(ret, "credentials_refused_total", "counter", "Wrong credentials.",
	    g->failed_credentials);
	return buf_check(ret, e);
}
