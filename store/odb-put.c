#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "crypto/hash.h"
#include "store/odb-file.h"
#include "store/odb-glance.h"
#include "store/odb-put.h"
#include "store/odb-small.h"
#include "store/odb-state.h"
#include "store/odb.h"
#include "store/steady.h"

#define ODB_PUT_CHUNK (256 * 1024)
#define ODB_PUT_MANY 16         /* puts in a batch, before names are not tried one by one */

static int
odb_put_large(struct store *s, const struct oid *id, const void *data, size_t len, struct err *e)
{
	struct odb_file f;

	if (odb_small_tick(s, e) != 0 || odb_file_create(s, &f, e) != 0)
		return -1;
	if (fd_write_all(f.fd, data, len, "a new object", e) == 0 && odb_file_commit(s, &f, id, e) == 0)
		return 0;
	odb_file_abort(s, &f);
	return -1;
}

/* true: there is no file of that name.  A batch of many looks once which directories there are;
 * what others put into a new one meanwhile is then in both places, which is allowed. */
static bool
odb_put_no_file(struct store *s, const struct oid *id)
{
	struct odb_state *o = odb_state(s);
	struct err ignored;

	if (o->batch == 0 || o->batch_puts++ < ODB_PUT_MANY)
		return false;
	if (o->batch_puts == ODB_PUT_MANY + 1 && odb_glance_dirs(s, o->dirs, &ignored) != 0)
		memset(o->dirs, 0xff, sizeof o->dirs);
	return (o->dirs[id->b[0] / 8] >> id->b[0] % 8 & 1) == 0;
}

int
odb_put_known(struct store *s, const struct oid *id, const void *data, size_t len, struct err *e)
{
	enum odb_file_found found;

	if (len <= ODB_SMALL_MAX && odb_put_no_file(s, id))
		return odb_small_put(s, id, data, len, e);
	if (odb_file_check(s, id, &found, e) != 0)
		return -1;
	if (found == ODB_FILE_INTACT)
		return store_read_only(s) ? 0 : odb_file_settle(s, id, e);
	/* a damaged file is put right as a file, however short */
	if (found == ODB_FILE_ABSENT && len <= ODB_SMALL_MAX)
		return odb_small_put(s, id, data, len, e);
	return odb_put_large(s, id, data, len, e);
}

int
odb_put(struct store *s, const void *data, size_t len, struct oid *ret, struct err *e)
{
	struct oid id;

	if (oid_from_data(&id, data, len, e) != 0 || odb_put_known(s, &id, data, len, e) != 0)
		return -1;
	*ret = id;
	return 0;
}

int
odb_put_all(struct store *s, const struct oid *ids, const struct buf *bytes, size_t count,
    struct err *e)
{
	struct oid id;
	int rc = 0;

	if (odb_batch_begin(s, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = ids != NULL ? odb_put_known(s, &ids[i], bytes[i].data, bytes[i].len, e) :
		    odb_put(s, bytes[i].data, bytes[i].len, &id, e);
	if (rc == 0)
		return odb_batch_end(s, e);
	odb_batch_abort(s);
	return -1;
}

/* What one odb_put_fd works with. */
struct odb_put {
	struct store *s;
	int fd;
	const char *what;
	const struct oid *expect;
	struct stat before;
	off_t start;
	unsigned char *chunk;
	struct oid id;
	uint64_t size;
};

static int
odb_put_accept(const struct odb_put *p, struct err *e)
{
	char hex[OID_HEX_SIZE], expected[OID_HEX_SIZE];

	if (S_ISREG(p->before.st_mode) && (uint64_t)p->start + p->size != (uint64_t)p->before.st_size)
		return steady_changed(p->what, e);
	if (steady_check(p->fd, p->what, &p->before, e) != 0)
		return -1;
	if (p->expect == NULL || oid_equal(p->expect, &p->id))
		return 0;
	oid_hex(&p->id, hex);
	oid_hex(p->expect, expected);
	return err_set(e, ERR_REFUSED, "%s: has digest %s, expected %s", p->what, hex, expected);
}

/* first: bytes in the chunk already; all that follows is read, hashed, written. */
static int
odb_put_copy(struct odb_put *p, int out, size_t first, struct err *e)
{
	CLEANUP(hash_freep) struct hash *h = NULL;
	size_t n = first;

	if (hash_new(HASH_SHA256, &h, e) != 0)
		return -1;
	while (n > 0) {
		if (hash_update(h, p->chunk, n, e) != 0 ||
		    fd_write_all(out, p->chunk, n, "a new object", e) != 0)
			return -1;
		p->size += n;
		if (fd_read_upto(p->fd, p->chunk, ODB_PUT_CHUNK, &n, p->what, e) != 0)
			return -1;
	}
	return hash_final(h, p->id.b, e);
}

static int
odb_put_fd_large(struct odb_put *p, size_t first, struct err *e)
{
	enum odb_file_found found = ODB_FILE_ABSENT;
	struct odb_file f;
	int rc;

	/* do not keep others waiting for the lock of the small ones */
	if (odb_small_flush(p->s, e) != 0 || odb_file_create(p->s, &f, e) != 0)
		return -1;
	rc = odb_put_copy(p, f.fd, first, e);
	if (rc == 0)
		rc = odb_put_accept(p, e);
	if (rc == 0)
		rc = odb_file_check(p->s, &p->id, &found, e);
	if (rc == 0 && found == ODB_FILE_INTACT) {
		odb_file_abort(p->s, &f);
		return odb_file_settle(p->s, &p->id, e);
	}
	if (rc == 0)
		rc = odb_file_commit(p->s, &f, &p->id, e);
	if (rc != 0)
		odb_file_abort(p->s, &f);
	return rc;
}

static int
odb_put_fd_run(struct odb_put *p, struct err *e)
{
	size_t n;

	if (steady_begin(p->fd, p->what, &p->before, e) != 0)
		return -1;
	if (S_ISREG(p->before.st_mode) && (p->start = lseek(p->fd, 0, SEEK_CUR)) < 0)
		return err_sys(e, "%s: cannot read", p->what);
	if (fd_read_upto(p->fd, p->chunk, ODB_PUT_CHUNK, &n, p->what, e) != 0)
		return -1;
	if (n > ODB_SMALL_MAX)
		return odb_put_fd_large(p, n, e);
	p->size = n;
	if (oid_from_data(&p->id, p->chunk, n, e) != 0 || odb_put_accept(p, e) != 0)
		return -1;
	return odb_put_known(p->s, &p->id, p->chunk, n, e);
}

int
odb_put_fd(struct store *s, int fd, const char *what, const struct oid *expect, struct oid *ret,
    uint64_t *ret_size, struct err *e)
{
	CLEANUP(cleanup_free) unsigned char *chunk = malloc(ODB_PUT_CHUNK);
	struct odb_put p = {.s = s, .fd = fd, .what = what, .expect = expect, .chunk = chunk};

	if (chunk == NULL)
		return err_nomem(e);
	if (odb_put_fd_run(&p, e) != 0)
		return -1;
	*ret = p.id;
	*ret_size = p.size;
	return 0;
}
