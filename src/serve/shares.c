#include "serve/shares.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"

struct shares_entry {
	char name[SHARES_NAME_SIZE];
	uint64_t has;
};

struct shares {
	pthread_mutex_t lock;
	uint64_t total, has;
	struct shares_entry *entries;   /* of those that have any */
	size_t count, cap;
};

int
shares_new(uint64_t total, struct shares **ret, struct err *e)
{
	struct shares *s = calloc(1, sizeof *s);

	if (s == NULL)
		return err_nomem(e);
	pthread_mutex_init(&s->lock, NULL);
	s->total = total;
	*ret = s;
	return 0;
}

void
shares_free(struct shares *s)
{
	if (s == NULL)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s->entries);
	free(s);
}

static struct shares_entry *
shares_find(const struct shares *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strncmp(s->entries[i].name, name, SHARES_NAME_SIZE - 1) == 0)
			return &s->entries[i];
	return NULL;
}

static struct shares_entry *
shares_add(struct shares *s, const char *name)
{
	struct shares_entry *entry;

	if (ARRAY_ROOM(s->entries, s->count, s->cap, NULL) != 0)
		return NULL;
	entry = &s->entries[s->count++];
	snprintf(entry->name, sizeof entry->name, "%s", name);
	entry->has = 0;
	return entry;
}

bool
shares_take(struct shares *s, const char *name, uint64_t n, uint64_t each)
{
	struct shares_entry *entry;
	bool taken;

	pthread_mutex_lock(&s->lock);
	entry = shares_find(s, name);
	taken = n <= each && n <= s->total - s->has && (entry == NULL || entry->has <= each - n);
	if (taken && n > 0 && entry == NULL)
		taken = (entry = shares_add(s, name)) != NULL;
	if (taken && n > 0) {
		entry->has += n;
		s->has += n;
	}
	pthread_mutex_unlock(&s->lock);
	return taken;
}

uint64_t
shares_has(struct shares *s, const char *name)
{
	const struct shares_entry *entry;
	uint64_t has;

	pthread_mutex_lock(&s->lock);
	entry = shares_find(s, name);
	has = entry != NULL ? entry->has : 0;
	pthread_mutex_unlock(&s->lock);
	return has;
}

void
shares_give(struct shares *s, const char *name, uint64_t n)
{
	struct shares_entry *entry;

	pthread_mutex_lock(&s->lock);
	entry = shares_find(s, name);
	if (entry != NULL && entry->has >= n) {
		entry->has -= n;
		s->has -= n;
		if (entry->has == 0)
			*entry = s->entries[--s->count];
	}
	pthread_mutex_unlock(&s->lock);
}
