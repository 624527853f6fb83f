#include "store/sealed.h"

#include <fcntl.h>
#include <string.h>
#include "base/atomic-file.h"
#include "base/fd.h"
#include "object/oid.h"

#define SEALED_LOCK_MS 10000
#define SEALED_TAIL (OID_HEX_SIZE + 1) /* "\n<64 hex>\n" */

static int
sealed_tail(const void *text, size_t len, char ret[SEALED_TAIL + 1], struct err *e)
{
	char hex[OID_HEX_SIZE];
	struct oid id;

	if (oid_from_data(&id, text, len, e) != 0)
		return -1;
	oid_hex(&id, hex);
	snprintf(ret, SEALED_TAIL + 1, "\n%s\n", hex);
	return 0;
}

int
sealed_write(int dirfd, const char *name, const struct buf *text, mode_t mode, struct err *e)
{
	CLEANUP(atomic_file_unlock) struct atomic_file_lock lock = ATOMIC_FILE_LOCK_INIT;
	CLEANUP(buf_free) struct buf whole = BUF_INIT;
	char tail[SEALED_TAIL + 1];

	if (sealed_tail(text->data, text->len, tail, e) != 0)
		return -1;
	buf_add(&whole, text->data, text->len);
	buf_add(&whole, tail, SEALED_TAIL);
	if (buf_check(&whole, e) != 0 || atomic_file_lock(&lock, dirfd, name, SEALED_LOCK_MS, e) != 0)
		return -1;
	return atomic_file_write(dirfd, name, whole.data, whole.len, mode, e);
}

int
sealed_read(int dirfd, const char *name, size_t max, struct buf *ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
	CLEANUP(buf_free) struct buf whole = BUF_INIT;
	char tail[SEALED_TAIL + 1];
	size_t len;

	if (fd < 0 || fd_read_all(fd, max + SEALED_TAIL, &whole, name, e) != 0)
		return -1;
	len = whole.len < SEALED_TAIL ? 0 : whole.len - SEALED_TAIL;
	if (sealed_tail(whole.data, len, tail, e) != 0)
		return -1;
	if (whole.len < SEALED_TAIL || memcmp(whole.data + len, tail, SEALED_TAIL) != 0)
		return err_set(e, ERR_CORRUPT, "%s: damaged: its last line is not the digest of the rest", name);
	buf_add(ret, whole.data, len);
	return buf_check(ret, e);
}
