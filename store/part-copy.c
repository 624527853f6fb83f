#include <stdlib.h>
#include <unistd.h>
#include "base/fd.h"
#include "store/odb-small.h"
#include "store/odb.h"
#include "store/part.h"

#define PART_COPY_MIN (4u * 1024 * 1024)    /* less is copied anew sooner than it is hashed */
#define PART_COPY_BLOCK (256 * 1024)

/* In one go: what is short, or is in the hands of another process just now. */
static int
part_copy_whole(struct store *s, const struct oid *id, const struct part_source *from, struct err *e)
{
	struct oid got;
	uint64_t size;

	if (odb_put_fd(s, from->fd, from->what, id, &got, &size, e) != 0)
		return -1;
	if (from->progress != NULL)
		progress_add(from->progress, size);
	return 0;
}

static int
part_copy_rest(struct part *p, const struct part_source *from, unsigned char *block, struct err *e)
{
	size_t n = 1;

	if (lseek(from->fd, (off_t)part_length(p), SEEK_SET) < 0)
		return err_sys(e, "%s: cannot read", from->what);
	while (n > 0) {
		if (fd_read_upto(from->fd, block, PART_COPY_BLOCK, &n, from->what, e) != 0)
			return -1;
		if (n > 0 && part_append(p, block, n, e) != 0)
			return err_prefix(e, "%s", from->what);
		if (from->progress != NULL)
			progress_add(from->progress, n);
	}
	return 0;
}

static int
part_copy_run(struct part *p, const struct part_source *from, struct err *e)
{
	CLEANUP(cleanup_free) unsigned char *block = malloc(PART_COPY_BLOCK);
	enum part_found found = PART_AGAIN;

	if (block == NULL)
		return err_nomem(e);
	if (part_load(p, e) != 0)
		return err_prefix(e, "%s", from->what);
	if (from->progress != NULL)
		progress_add(from->progress, part_length(p));
	while (found == PART_AGAIN)
		if (part_copy_rest(p, from, block, e) != 0 || part_check(p, &found, e) != 0)
			return -1;
	if (found != PART_WHOLE)
		return err_set(e, ERR_REFUSED, "%s: its bytes have another digest", from->what);
	return part_store(p, e) == 0 ? 0 : err_prefix(e, "%s", from->what);
}

int
part_copy(struct store *s, const struct oid *id, const struct part_source *from, struct err *e)
{
	CLEANUP(part_closep) struct part *p = NULL;

	if (from->size < PART_COPY_MIN)
		return part_copy_whole(s, id, from, e);
	/* do not keep others waiting for the lock of the small ones */
	if (odb_small_flush(s, e) != 0)
		return -1;
	if (part_open(s, id, from->size, &p, e) == 0)
		return part_copy_run(p, from, e);
	return e->code == ERR_BUSY ? part_copy_whole(s, id, from, e) : -1;
}
