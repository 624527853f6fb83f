#include "verify/memo.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MEMO_SLOTS 256              /* one for each first byte of a key */

struct memo {
	pthread_mutex_t lock;
	struct memo_item *slots[MEMO_SLOTS];
};

int
memo_new(struct memo **ret, struct err *e)
{
	struct memo *m = calloc(1, sizeof *m);

	if (m == NULL)
		return err_nomem(e);
	if (pthread_mutex_init(&m->lock, NULL) != 0) {
		free(m);
		return err_nomem(e);
	}
	*ret = m;
	return 0;
}

/* Under the lock: one holder less. */
static void
memo_unref(struct memo_item *item)
{
	if (item == NULL || --item->refs > 0)
		return;
	item->drop(item->value);
	free(item);
}

void
memo_free(struct memo *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < MEMO_SLOTS; i++)
		memo_unref(m->slots[i]);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

struct memo_item *
memo_get(struct memo *m, const unsigned char key[HASH_SHA256_SIZE])
{
	struct memo_item *item;

	pthread_mutex_lock(&m->lock);
	item = m->slots[key[0]];
	if (item != NULL && memcmp(item->key, key, sizeof item->key) != 0)
		item = NULL;
	if (item != NULL)
		item->refs++;
	pthread_mutex_unlock(&m->lock);
	return item;
}

int
memo_put(struct memo *m, const unsigned char key[HASH_SHA256_SIZE], void *value, memo_drop *drop,
    struct memo_item **ret, struct err *e)
{
	struct memo_item *item = malloc(sizeof *item);

	if (item == NULL) {
		drop(value);
		return err_nomem(e);
	}
	*item = (struct memo_item){.refs = 2, .drop = drop, .value = value}; /* slot and caller */
	memcpy(item->key, key, sizeof item->key);
	pthread_mutex_lock(&m->lock);
	memo_unref(m->slots[key[0]]);
	m->slots[key[0]] = item;
	pthread_mutex_unlock(&m->lock);
	*ret = item;
	return 0;
}

void
memo_release(struct memo *m, struct memo_item *item)
{
	if (item == NULL)
		return;
	pthread_mutex_lock(&m->lock);
	memo_unref(item);
	pthread_mutex_unlock(&m->lock);
}
