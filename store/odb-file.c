#include "store/odb-file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/hex.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "store/lease.h"
#include "store/odb-state.h"

#define ODB_FILE_CHUNK (256 * 1024)
#define ODB_FILE_NAMES_MAX 100000000 /* in one of the 256 directories */

void
odb_file_name(const struct oid *id, char ret[ODB_FILE_NAME_SIZE])
{
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	snprintf(ret, ODB_FILE_NAME_SIZE, "%.2s/%s", hex, hex + 2);
}

/* 1: open; a link on the way, which no store has by itself, is damage. */
static int
odb_file_open_as(struct store *s, const char *name, int flags, int *ret_fd, struct err *e)
{
	int fd = fd_open_beneath(odb_state(s)->fd, name, flags, 0, e);

	if (fd >= 0) {
		*ret_fd = fd;
		return 1;
	}
	if (e->code == ERR_NOTFOUND)
		return 0;
	if (e->code == ERR_DENIED)
		return err_set(e, ERR_CORRUPT, "%s/objects/%s: is, or passes through, a symbolic link",
		    store_path(s), name);
	return err_prefix(e, "%s/objects", store_path(s));
}

int
odb_file_open(struct store *s, const struct oid *id, int *ret_fd, uint64_t *ret_size, struct err *e)
{
	char name[ODB_FILE_NAME_SIZE];
	struct stat st;
	struct err local;
	int fd, rc;

	if (e == NULL)
		e = &local;
	odb_file_name(id, name);
	rc = odb_file_open_as(s, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd, e);
	if (rc != 1)
		return rc;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(e, ERR_CORRUPT, "%s/objects/%s: not a regular file", store_path(s), name);
	}
	*ret_fd = fd;
	*ret_size = (uint64_t)st.st_size;
	return 1;
}

int
odb_file_size(struct store *s, const struct oid *id, uint64_t *ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	char name[ODB_FILE_NAME_SIZE];
	struct stat st;
	struct err local;
	int rc;

	if (e == NULL)
		e = &local;
	odb_file_name(id, name);
	rc = odb_file_open_as(s, name, O_PATH, &fd, e);
	if (rc != 1)
		return rc;
	if (fstat(fd, &st) != 0)
		return err_sys(e, "%s/objects/%s: cannot look at it", store_path(s), name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_CORRUPT, "%s/objects/%s: not a regular file", store_path(s), name);
	*ret = (uint64_t)st.st_size;
	return 1;
}

int
odb_file_hash(int fd, const char *what, struct oid *ret, uint64_t *ret_size, struct err *e)
{
	CLEANUP(hash_freep) struct hash *h = NULL;
	CLEANUP(cleanup_free) unsigned char *chunk = malloc(ODB_FILE_CHUNK);
	uint64_t size = 0;
	size_t n;

	if (chunk == NULL)
		return err_nomem(e);
	if (hash_new(HASH_SHA256, &h, e) != 0)
		return -1;
	do {
		if (fd_read_upto(fd, chunk, ODB_FILE_CHUNK, &n, what, e) != 0 ||
		    hash_update(h, chunk, n, e) != 0)
			return -1;
		size += n;
	} while (n == ODB_FILE_CHUNK);
	*ret_size = size;
	return hash_final(h, ret->b, e);
}

int
odb_file_verify(struct store *s, const struct oid *id, int fd, struct err *e)
{
	struct oid found;
	uint64_t size;
	char name[ODB_FILE_NAME_SIZE];

	odb_file_name(id, name);
	if (odb_file_hash(fd, name, &found, &size, e) != 0)
		return -1;
	return oid_equal(&found, id) ? 0 : err_set(e, ERR_CORRUPT, "%s/objects/%s: its bytes do not"
	    " have this digest", store_path(s), name);
}

int
odb_file_check(struct store *s, const struct oid *id, enum odb_file_found *ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct err ignored;
	uint64_t size;
	int rc = odb_file_size(s, id, &size, &ignored);

	/* in the lease first: what is found after that stays */
	if (rc != 0) {
		if (lease_add(s, id, 1, e) != 0)
			return -1;
		rc = odb_file_open(s, id, &fd, &size, &ignored);
	}
	if (rc == 0)
		*ret = ODB_FILE_ABSENT;
	else if (rc == 1 && odb_file_verify(s, id, fd, &ignored) == 0)
		*ret = ODB_FILE_INTACT;
	else
		*ret = ODB_FILE_DAMAGED;
	return 0;
}

int
odb_file_create(struct store *s, struct odb_file *ret, struct err *e)
{
	struct odb_file f;
	uint64_t nonce;

	if (store_read_only(s))
		return err_set(e, ERR_DENIED, "%s: the store is read-only", store_path(s));
	if (random_bytes(&nonce, sizeof nonce, e) != 0)
		return -1;
	snprintf(f.tmp, sizeof f.tmp, "object-%016" PRIx64, nonce);
	if (lease_create(s, f.tmp, &f.fd, e) != 0)
		return -1;
	*ret = f;
	return 0;
}

void
odb_file_abort(struct store *s, struct odb_file *f)
{
	cleanup_close(&f->fd);
	f->fd = -1;
	if (f->tmp[0] != '\0')
		unlinkat(store_tmp_fd(s), f->tmp, 0);
	f->tmp[0] = '\0';
}

static int
odb_file_sync_dir(struct store *s, const char *name, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(odb_state(s)->fd, name,
	    O_RDONLY | O_DIRECTORY, 0, e);

	return fd < 0 ? -1 : fd_sync(fd, name, e);
}

/*
 * The name in objects/ab, and "ab" in objects: the latter always, because
 * another process may have made the directory and not yet synced it.
 */
int
odb_file_settle(struct store *s, const struct oid *id, struct err *e)
{
	struct odb_state *o = odb_state(s);
	char dir[3];

	if (o->batch > 0) {
		o->unsynced[id->b[0] / 8] |= (unsigned char)(1u << id->b[0] % 8);
		return 0;
	}
	hex_encode(dir, id->b, 1);
	if (odb_file_sync_dir(s, dir, e) != 0)
		return -1;
	return fd_sync(o->fd, "objects", e);
}

int
odb_file_sync(struct store *s, struct err *e)
{
	struct odb_state *o = odb_state(s);
	bool any = false;

	for (unsigned i = 0; i < 256; i++) {
		unsigned char byte = (unsigned char)i;
		char dir[3];

		if ((o->unsynced[i / 8] & 1u << i % 8) == 0)
			continue;
		any = true;
		hex_encode(dir, &byte, 1);
		if (odb_file_sync_dir(s, dir, e) != 0)
			return -1;
	}
	memset(o->unsynced, 0, sizeof o->unsynced);
	return any ? fd_sync(o->fd, "objects", e) : 0;
}

/* objects/ab, made when it is not there; never what a link in its place names. */
static int
odb_file_dir(struct store *s, const struct oid *id, int *ret_fd, struct err *e)
{
	struct odb_state *o = odb_state(s);
	char dir[3];
	int fd;

	hex_encode(dir, id->b, 1);
	if (mkdirat(o->fd, dir, 0777) != 0 && errno != EEXIST)
		return err_sys(e, "%s/objects/%s: cannot create", store_path(s), dir);
	fd = fd_open_beneath(o->fd, dir, O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0)
		return err_prefix(e, "%s/objects", store_path(s));
	*ret_fd = fd;
	return 0;
}

/* A finished file on its way under its id. */
struct odb_file_move {
	int dirfd;
	const char *name;
	int fd;             /* objects/ab */
	const char *base;   /* beneath it */
};

/* The name is taken.  Its length proves nothing: the good bytes are given up
 * only for bytes that were read and have the digest. */
static int
odb_file_present(struct store *s, const struct odb_file_move *m, const struct oid *id, struct err *e)
{
	enum odb_file_found found;

	if (odb_file_check(s, id, &found, e) != 0)
		return -1;
	if (found == ODB_FILE_INTACT) {
		if (unlinkat(m->dirfd, m->name, 0) != 0 && errno != ENOENT)
			return err_sys(e, "%s: cannot remove", m->name);
		return 0;
	}
	if (renameat(m->dirfd, m->name, m->fd, m->base) != 0)
		return err_sys(e, "%s/objects: cannot replace %s", store_path(s), m->base);
	return 0;
}

int
odb_file_publish(struct store *s, int dirfd, const char *name, const struct oid *id, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	char final[ODB_FILE_NAME_SIZE];
	struct odb_file_move m = {.dirfd = dirfd, .name = name, .base = final + 3};

	odb_file_name(id, final);
	if (lease_add(s, id, 1, e) != 0 || odb_file_dir(s, id, &fd, e) != 0)
		return -1;
	m.fd = fd;
	if (renameat2(dirfd, name, fd, m.base, RENAME_NOREPLACE) != 0) {
		if (errno == EXDEV)
			return 1;
		if (errno != EEXIST)
			return err_sys(e, "%s/objects/%s: cannot rename into place", store_path(s), final);
		if (odb_file_present(s, &m, id, e) != 0)
			return -1;
	}
	return odb_file_settle(s, id, e);
}

int
odb_file_delete(struct store *s, const struct oid *id, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	char name[ODB_FILE_NAME_SIZE];
	const char *base;

	odb_file_name(id, name);
	if (fd_open_parent(odb_state(s)->fd, name, &fd, &base, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : err_prefix(e, "%s/objects", store_path(s));
	if (unlinkat(fd, base, 0) != 0 && errno != ENOENT)
		return err_sys(e, "%s/objects/%s: cannot remove", store_path(s), name);
	return 0;
}

int
odb_file_finish(struct store *s, struct odb_file *f, struct err *e)
{
	if (fchmod(f->fd, 0444) != 0)
		return err_sys(e, "%s/tmp/%s: cannot make read-only", store_path(s), f->tmp);
	return fd_sync(f->fd, f->tmp, e);
}

int
odb_file_commit(struct store *s, struct odb_file *f, const struct oid *id, struct err *e)
{
	if (odb_file_finish(s, f, e) != 0)
		return -1;
	if (odb_file_publish(s, store_tmp_fd(s), f->tmp, id, e) != 0)
		return -1;
	f->tmp[0] = '\0';
	odb_file_abort(s, f);
	return 0;
}

struct odb_file_walk {
	struct store *s;
	const char *prefix;
	odb_file_each_fn *fn;
	odb_file_litter_fn *litter;
	void *arg;
	bool stop;
};

static void
odb_file_other(struct odb_file_walk *w, const char *dir, const char *name)
{
	char path[600];

	if (w->litter == NULL)
		return;
	snprintf(path, sizeof path, "objects/%s%s%s", dir, *dir != '\0' ? "/" : "", name);
	w->litter(w->arg, path);
}

static int
odb_file_each_name(struct odb_file_walk *w, const char *dir, int fd, const char *name,
    struct err *e)
{
	char hex[OID_HEX_SIZE];
	struct stat st;
	struct oid id;

	if (strlen(name) != 62 || !hex_is(name, 62)) {
		odb_file_other(w, dir, name);
		return 0;
	}
	snprintf(hex, sizeof hex, "%s%s", dir, name);
	if (strncmp(hex, w->prefix, strlen(w->prefix)) != 0)
		return 0;
	if (oid_from_hex(&id, hex, e) != 0)
		return -1;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno == ENOENT)
			return 0;
		return err_sys(e, "%s/objects/%s/%s: cannot look at it", store_path(w->s), dir, name);
	}
	w->stop = w->fn(w->arg, &id, S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0) != 0;
	return 0;
}

static int
odb_file_each_dir(struct odb_file_walk *w, const char *dir, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(cleanup_close) int fd = -1;
	size_t n = strlen(w->prefix) < 2 ? strlen(w->prefix) : 2;

	if (strlen(dir) != 2 || !hex_is(dir, 2)) {
		if (strcmp(dir, "small.db") != 0 && strcmp(dir, "small.db-journal") != 0)
			odb_file_other(w, "", dir);
		return 0;
	}
	if (strncmp(dir, w->prefix, n) != 0)
		return 0;
	fd = fd_open_beneath(odb_state(w->s)->fd, dir, O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0 && (e->code == ERR_DENIED || e->sys == ENOTDIR)) {
		odb_file_other(w, "", dir); /* a link or a file: nothing behind it is ours */
		return 0;
	}
	if (fd < 0 || dir_walk_list(fd, ".", ODB_FILE_NAMES_MAX, &names, e) != 0)
		return err_prefix(e, "%s/objects", store_path(w->s));
	for (size_t i = 0; i < names.count && !w->stop; i++)
		if (odb_file_each_name(w, dir, fd, names.names[i], e) != 0)
			return -1;
	return 0;
}

int
odb_file_each(struct store *s, const char *prefix, odb_file_each_fn *fn,
    odb_file_litter_fn *litter, void *arg, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk dirs = DIR_WALK_INIT;
	struct odb_file_walk w = {s, prefix, fn, litter, arg, false};

	if (dir_walk_list(odb_state(s)->fd, ".", 65536, &dirs, e) != 0)
		return err_prefix(e, "%s/objects", store_path(s));
	for (size_t i = 0; i < dirs.count && !w.stop; i++)
		if (odb_file_each_dir(&w, dirs.names[i], e) != 0)
			return -1;
	return 0;
}
