#include "crypto/hash-beside.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/workers.h"

#define BESIDE_BLOCK (256u * 1024)
#define BESIDE_RING 4

struct hash_beside {
	struct hash *hash;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t given, hashed;   /* blocks, ever */
	bool stopping;
	int rc;
	struct err why;
	size_t filled;          /* bytes of the block that is being filled: the caller's */
	size_t len[BESIDE_RING];
	unsigned char block[BESIDE_RING][BESIDE_BLOCK];
};

static void *
hash_beside_main(void *arg)
{
	struct hash_beside *b = arg;

	pthread_mutex_lock(&b->lock);
	for (;;) {
		size_t at = b->hashed % BESIDE_RING;
		struct err why;
		int rc;

		while (b->given == b->hashed && !b->stopping)
			pthread_cond_wait(&b->changed, &b->lock);
		if (b->given == b->hashed)
			break;
		pthread_mutex_unlock(&b->lock);
		rc = hash_update(b->hash, b->block[at], b->len[at], &why);
		pthread_mutex_lock(&b->lock);
		if (rc != 0) {
			b->rc = rc;
			b->why = why;
		}
		b->hashed++;
		pthread_cond_broadcast(&b->changed);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

int
hash_beside_start(struct hash *h, struct hash_beside **ret, struct err *e)
{
	struct hash_beside *b = malloc(sizeof *b);

	if (b == NULL)
		return err_nomem(e);
	memset(b, 0, offsetof(struct hash_beside, block));
	b->hash = h;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
	if (workers_thread(&b->thread, hash_beside_main, b) == 0) {
		*ret = b;
		return 0;
	}
	pthread_cond_destroy(&b->changed);
	pthread_mutex_destroy(&b->lock);
	free(b);
	return err_set(e, ERR_IO, "cannot start a thread");
}

/* The block that was filled; waits until there is room for the next. */
static void
hash_beside_give(struct hash_beside *b)
{
	pthread_mutex_lock(&b->lock);
	b->len[b->given % BESIDE_RING] = b->filled;
	b->given++;
	b->filled = 0;
	pthread_cond_broadcast(&b->changed);
	while (b->given - b->hashed == BESIDE_RING)
		pthread_cond_wait(&b->changed, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

void
hash_beside_update(struct hash_beside *b, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len > 0) {
		size_t room = BESIDE_BLOCK - b->filled, n = len < room ? len : room;

		memcpy(b->block[b->given % BESIDE_RING] + b->filled, p, n);
		b->filled += n;
		p += n;
		len -= n;
		if (b->filled == BESIDE_BLOCK)
			hash_beside_give(b);
	}
}

int
hash_beside_settle(struct hash_beside *b, struct err *e)
{
	int rc;

	if (b->filled > 0)
		hash_beside_give(b);
	pthread_mutex_lock(&b->lock);
	while (b->given != b->hashed)
		pthread_cond_wait(&b->changed, &b->lock);
	rc = b->rc;
	if (rc != 0 && e != NULL)
		*e = b->why;
	pthread_mutex_unlock(&b->lock);
	return rc;
}

void
hash_beside_stop(struct hash_beside *b)
{
	if (b == NULL)
		return;
	pthread_mutex_lock(&b->lock);
	b->stopping = true;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	pthread_join(b->thread, NULL);
	pthread_cond_destroy(&b->changed);
	pthread_mutex_destroy(&b->lock);
	free(b);
}
