#include "evidence/replay.h"

#include <string.h>

void
replay_start(struct replay *r)
{
	memset(r, 0, sizeof *r);
}

static int
replay_extend_bank(enum hash_alg alg, unsigned char *value, const void *data, size_t len,
    struct err *e)
{
	unsigned char joined[2 * HASH_SIZE_MAX];
	size_t size = hash_size(alg);

	memcpy(joined, value, size);
	if (hash_once(alg, data, len, joined + size, e) != 0)
		return -1;
	return hash_once(alg, joined, 2 * size, value, e);
}

int
replay_extend(struct replay *r, const void *data, size_t len, struct err *e)
{
	struct replay next = *r;

	if (replay_extend_bank(HASH_SHA256, next.sha256, data, len, e) != 0 ||
	    replay_extend_bank(HASH_SHA384, next.sha384, data, len, e) != 0)
		return -1;
	*r = next;
	return 0;
}
