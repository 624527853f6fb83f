#include "store/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fd.h"
#include "crypto/hash-beside.h"
#include "store/odb.h"

#define PART_DIR "fetch"                    /* beneath the store's tmp */
#define PART_BLOCK 131072
#define PART_OPENS 5
#define PART_BESIDE (4u * 1024 * 1024)      /* for less a thread does not pay */
#define PART_WRITE_BACK (8u * 1024 * 1024)  /* the disk is given work early: the last sync is short */

struct part {
	struct store *store;
	struct oid id;
	char name[OID_HEX_SIZE];
	uint64_t max;
	int dirfd, fd;
	bool locked;
	bool resumed;               /* some of it was here before */
	struct hash *hash;          /* of what is in the file */
	struct hash_beside *beside; /* has hash while bytes come; NULL: none */
	uint64_t length;            /* bytes in the file */
	uint64_t written_back;      /* of them */
};

void
part_close(struct part *p)
{
	if (p == NULL)
		return;
	hash_beside_stop(p->beside);
	hash_free(p->hash);
	if (p->locked && p->length == 0)
		unlinkat(p->dirfd, p->name, 0); /* nothing came */
	if (p->fd >= 0)
		close(p->fd);
	if (p->dirfd >= 0) {
		close(p->dirfd);
		unlinkat(store_tmp_fd(p->store), PART_DIR, AT_REMOVEDIR); /* when it is empty */
	}
	free(p);
}

/* Appending: after a failed write the next one is where the file ends. */
static int
part_open_once(struct part *p, struct err *e)
{
	int tmp = store_tmp_fd(p->store);

	if (mkdirat(tmp, PART_DIR, 0700) != 0 && errno != EEXIST)
		return err_sys(e, "tmp/" PART_DIR ": cannot create the directory");
	p->dirfd = fd_open_beneath(tmp, PART_DIR, O_RDONLY | O_DIRECTORY, 0, e);
	if (p->dirfd < 0)
		return -1;
	p->fd = fd_open_beneath(p->dirfd, p->name, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK, 0600, e);
	if (p->fd >= 0)
		return 0;
	close(p->dirfd);
	p->dirfd = -1;
	return -1;
}

/* The directory goes with its last file: another may remove it meanwhile. */
static int
part_open_file(struct part *p, struct err *e)
{
	struct stat st;
	int rc = -1;

	for (int i = 0; i < PART_OPENS && rc != 0; i++) {
		rc = part_open_once(p, e);
		if (rc != 0 && e->code != ERR_NOTFOUND)
			return -1;
	}
	if (rc != 0)
		return -1;
	if (flock(p->fd, LOCK_EX | LOCK_NB) != 0)
		return err_set(e, ERR_BUSY, "another process is fetching it");
	if (fstat(p->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		return err_set(e, ERR_BUSY, "another process has just fetched it");
	p->locked = true;
	p->length = (uint64_t)st.st_size;
	return 0;
}

int
part_open(struct store *s, const struct oid *id, uint64_t max, struct part **ret, struct err *e)
{
	CLEANUP(part_closep) struct part *p = calloc(1, sizeof *p);

	if (p == NULL)
		return err_nomem(e);
	*p = (struct part){.store = s, .id = *id, .max = max, .dirfd = -1, .fd = -1};
	oid_hex(id, p->name);
	if (part_open_file(p, e) != 0 || hash_new(HASH_SHA256, &p->hash, e) != 0)
		return -1;
	*ret = p;
	p = NULL;
	return 0;
}

int
part_load(struct part *p, struct err *e)
{
	CLEANUP(cleanup_free) unsigned char *block = malloc(PART_BLOCK);
	uint64_t done = 0;
	size_t n = 1;

	if (p->length > p->max)
		return part_restart(p, e);
	if (block == NULL)
		return err_nomem(e);
	while (n > 0 && done < p->length) {
		if (fd_read_upto(p->fd, block, PART_BLOCK, &n, "tmp/" PART_DIR, e) != 0 ||
		    hash_update(p->hash, block, n, e) != 0)
			return -1;
		done += n;
	}
	if (done != p->length)
		return err_set(e, ERR_CONFLICT, "the part here changed");
	p->resumed = done > 0;
	return 0;
}

uint64_t
part_length(const struct part *p)
{
	return p->length;
}

/* Advice alone: the sync at the end is what counts. */
static void
part_write_back(struct part *p)
{
	if (p->length - p->written_back < PART_WRITE_BACK)
		return;
	(void)(sync_file_range(p->fd, (off_t)p->written_back, (off_t)(p->length - p->written_back),
	    SYNC_FILE_RANGE_WRITE) != 0);
	p->written_back = p->length;
}

static int
part_hash(struct part *p, const void *data, size_t len, struct err *e)
{
	if (p->beside == NULL && p->length > PART_BESIDE &&
	    hash_beside_start(p->hash, &p->beside, e) != 0)
		return -1;
	if (p->beside == NULL)
		return hash_update(p->hash, data, len, e);
	hash_beside_update(p->beside, data, len);
	return 0;
}

int
part_append(struct part *p, const void *data, size_t len, struct err *e)
{
	if (len > p->max - p->length)
		return err_set(e, ERR_REFUSED, "the other side sends more bytes than it has");
	if (fd_write_all(p->fd, data, len, "tmp/" PART_DIR, e) != 0 || part_hash(p, data, len, e) != 0) {
		/* what the file holds and what was hashed must stay the same */
		if (ftruncate(p->fd, (off_t)p->length) != 0)
			unlinkat(p->dirfd, p->name, 0);
		return -1;
	}
	p->length += len;
	part_write_back(p);
	return 0;
}

int
part_restart(struct part *p, struct err *e)
{
	p->length = p->written_back = 0;
	p->resumed = false;
	hash_beside_stop(p->beside);
	p->beside = NULL;
	hash_free(p->hash);
	p->hash = NULL;
	if (ftruncate(p->fd, 0) != 0)
		return err_sys(e, "tmp/" PART_DIR "/%s: cannot empty", p->name);
	return hash_new(HASH_SHA256, &p->hash, e);
}

int
part_check(struct part *p, enum part_found *ret, struct err *e)
{
	bool resumed = p->resumed;
	struct oid got;

	if ((p->beside != NULL && hash_beside_settle(p->beside, e) != 0) ||
	    hash_final(p->hash, got.b, e) != 0)
		return -1;
	if (!oid_equal(&got, &p->id) && part_restart(p, e) != 0)
		return -1;
	*ret = oid_equal(&got, &p->id) ? PART_WHOLE : resumed ? PART_AGAIN : PART_WRONG;
	return 0;
}

/* It was hashed as it was written, or read; the lock kept others away. */
int
part_store(struct part *p, struct err *e)
{
	struct stat st;

	if (fstat(p->fd, &st) != 0 || (uint64_t)st.st_size != p->length)
		return err_set(e, ERR_CORRUPT, "changed while it was fetched");
	if (odb_adopt_known(p->store, p->dirfd, p->name, &p->id, e) != 0)
		return -1;
	p->locked = false; /* the name is gone */
	return 0;
}
