#include "serve/idle.h"

#include <pthread.h>
#include <stdlib.h>

struct idle {
	pthread_mutex_t lock;
	int64_t idle_s, last;
	unsigned requests;      /* in progress */
	bool fetched;
};

int
idle_new(int64_t idle_s, int64_t now, struct idle **ret, struct err *e)
{
	struct idle *i = calloc(1, sizeof *i);

	if (i == NULL)
		return err_nomem(e);
	pthread_mutex_init(&i->lock, NULL);
	i->idle_s = idle_s;
	i->last = now;
	*ret = i;
	return 0;
}

void
idle_free(struct idle *i)
{
	if (i == NULL)
		return;
	pthread_mutex_destroy(&i->lock);
	free(i);
}

void
idle_begin(struct idle *i, int64_t now)
{
	pthread_mutex_lock(&i->lock);
	i->requests++;
	i->last = now;
	pthread_mutex_unlock(&i->lock);
}

void
idle_end(struct idle *i, bool fetched, int64_t now)
{
	pthread_mutex_lock(&i->lock);
	i->requests--;
	i->fetched = i->fetched || fetched;
	i->last = now;
	pthread_mutex_unlock(&i->lock);
}

bool
idle_due(struct idle *i, bool busy, int64_t now)
{
	int64_t most;
	bool due;

	pthread_mutex_lock(&i->lock);
	if (busy) {
		i->last = now;
		i->fetched = false;
	}
	most = i->fetched && i->idle_s > IDLE_FETCHED_S ? IDLE_FETCHED_S : i->idle_s;
	due = i->requests == 0 && now - i->last >= most;
	pthread_mutex_unlock(&i->lock);
	return due;
}
