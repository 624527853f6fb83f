#include "serve/limiter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct limiter_entry {
	unsigned char key[17];  /* family, address; zero: free */
	int64_t since;          /* of the window */
	unsigned failures;
};

struct limiter {
	pthread_mutex_t lock;
	struct limiter_entry entries[LIMITER_ADDRESSES];
};

int
limiter_new(struct limiter **ret, struct err *e)
{
	struct limiter *l = calloc(1, sizeof *l);

	if (l == NULL)
		return err_nomem(e);
	pthread_mutex_init(&l->lock, NULL);
	*ret = l;
	return 0;
}

void
limiter_free(struct limiter *l)
{
	if (l == NULL)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static void
limiter_key(const char *address, unsigned char ret[17])
{
	memset(ret, 0, 17);
	if (inet_pton(AF_INET, address, ret + 1) == 1) {
		ret[0] = 4;
	} else if (inet_pton(AF_INET6, address, ret + 1) == 1) {
		ret[0] = 6;
		memset(ret + 9, 0, 8); /* one site can have all of a /64 */
	} else {
		ret[0] = 1;
	}
}

void
limiter_site(const char *address, char ret[LIMITER_SITE_SIZE])
{
	unsigned char key[17];

	limiter_key(address, key);
	if (key[0] != 6 || inet_ntop(AF_INET6, key + 1, ret, LIMITER_SITE_SIZE) == NULL)
		snprintf(ret, LIMITER_SITE_SIZE, "%s", address);
}

/* The address's entry, or where a new one goes: a free or expired one, else the oldest. */
static struct limiter_entry *
limiter_entry(struct limiter *l, const unsigned char key[17], int64_t now)
{
	struct limiter_entry *best = &l->entries[0];

	for (size_t i = 0; i < LIMITER_ADDRESSES; i++) {
		struct limiter_entry *x = &l->entries[i];

		if (memcmp(x->key, key, sizeof x->key) == 0) {
			best = x;
			break;
		}
		if (best->key[0] != 0 && (x->key[0] == 0 || x->since < best->since))
			best = x;
	}
	if (memcmp(best->key, key, sizeof best->key) != 0 || now - best->since >= LIMITER_WINDOW_S) {
		memcpy(best->key, key, sizeof best->key);
		best->since = now;
		best->failures = 0;
	}
	return best;
}

unsigned
limiter_wait(struct limiter *l, const char *address, int64_t now)
{
	unsigned char key[17];
	unsigned wait = 0;

	limiter_key(address, key);
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < LIMITER_ADDRESSES; i++) {
		const struct limiter_entry *x = &l->entries[i];

		if (memcmp(x->key, key, sizeof x->key) == 0 && x->failures >= LIMITER_FAILURES &&
		    now - x->since < LIMITER_WINDOW_S)
			wait = (unsigned)(LIMITER_WINDOW_S - (now - x->since));
	}
	pthread_mutex_unlock(&l->lock);
	return wait;
}

void
limiter_failed(struct limiter *l, const char *address, int64_t now)
{
	unsigned char key[17];

	limiter_key(address, key);
	pthread_mutex_lock(&l->lock);
	limiter_entry(l, key, now)->failures++;
	pthread_mutex_unlock(&l->lock);
}
