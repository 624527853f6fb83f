#include "store/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/lock-holder.h"
#include "crypto/random.h"
#include "store/odb-state.h"

#define LEASE_NAME_SIZE 32
#define LEASE_GATE_MS 60000
#define LEASE_RECENT 4096 /* ids remembered, so that they are not written again */
#define LEASE_COMPACT_MIN (16 * 1024 * 1024) /* a shorter one is left as it is */

struct lease {
	pthread_mutex_t lock;   /* around everything; also because threads share gate's flock */
	int dirfd, tmp_fd, gate;
	int fd;                 /* flocked */
	char name[LEASE_NAME_SIZE]; /* beneath tmp/ */
	off_t end;              /* of what is written */
	off_t compact_at;       /* end, when it is written anew, each id once */
	bool filled[LEASE_RECENT];
	struct oid recent[LEASE_RECENT];
};

int
lease_gate_open(int dirfd, int *ret_fd, struct err *e)
{
	int fd = openat(dirfd, LEASE_GATE, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	struct stat st;

	if (fd < 0)
		return err_sys(e, LEASE_GATE ": cannot open");
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(e, ERR_FORMAT, LEASE_GATE ": not a regular file");
	}
	*ret_fd = fd;
	return 0;
}

/* Polled and not waited for, so that Ctrl-C is heard and a stopped holder is told of. */
int
lease_gate_lock(int gate, int op, struct err *e)
{
	struct timespec pause = {.tv_nsec = 50000}; /* holders are quick */
	int64_t waited = 0;

	while (flock(gate, op | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(e, LEASE_GATE ": cannot lock");
		if (waited > (int64_t)LEASE_GATE_MS * 1000000)
			return err_set(e, ERR_BUSY, LEASE_GATE ": held for a minute: is a gc, or a"
			    " writer, of this store stopped? (gc.lock and tmp/" LEASE_PREFIX "* say who"
			    " they are)");
		if (interrupt_check(e) != 0)
			return -1;
		nanosleep(&pause, NULL);
		waited += pause.tv_nsec;
		if (pause.tv_nsec < 5000000)
			pause.tv_nsec += pause.tv_nsec / 2;
	}
	return 0;
}

void
lease_gate_unlock(int gate)
{
	flock(gate, LOCK_UN);
}

/* A new file, flocked, with the owner's line. On failure nothing is left of it. */
static int
lease_make_file(const struct lease *l, const char head[LEASE_HEAD_SIZE], char ret_name[LEASE_NAME_SIZE],
    int *ret_fd, struct err *e)
{
	uint64_t nonce;
	int fd;

	if (random_bytes(&nonce, sizeof nonce, e) != 0)
		return -1;
	snprintf(ret_name, LEASE_NAME_SIZE, LEASE_PREFIX "%016" PRIx64, nonce);
	fd = openat(l->tmp_fd, ret_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "tmp/%s: cannot create", ret_name);
	/* waits, but not long: others only try whether it is locked */
	if (flock(fd, LOCK_EX) != 0)
		err_sys(e, "tmp/%s: cannot lock", ret_name);
	else if (fd_write_all(fd, head, LEASE_HEAD_SIZE, ret_name, e) == 0) {
		*ret_fd = fd;
		return 0;
	}
	unlinkat(l->tmp_fd, ret_name, 0);
	close(fd);
	return -1;
}

/* Under the gate: no gc sees the file between its making and its lock. */
static int
lease_make(struct lease *l, struct err *e)
{
	char head[LEASE_HEAD_SIZE], self[LOCK_HOLDER_SIZE];
	size_t len;

	lock_holder_self(self);
	self[LEASE_HEAD_SIZE - 1] = '\0';
	len = strlen(self);
	memset(head, ' ', sizeof head);
	memcpy(head, self, len);
	head[sizeof head - 1] = '\n';
	l->end = LEASE_HEAD_SIZE;
	l->compact_at = LEASE_COMPACT_MIN;
	return lease_make_file(l, head, l->name, &l->fd, e);
}

static void
lease_free(struct lease *l)
{
	cleanup_close(&l->fd);
	cleanup_close(&l->gate);
	cleanup_close(&l->tmp_fd);
	cleanup_close(&l->dirfd);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static int
lease_dup(int fd, int *ret, struct err *e)
{
	*ret = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return *ret < 0 ? err_sys(e, "cannot duplicate a file descriptor") : 0;
}

int
lease_open(struct store *s, struct lease **ret, struct err *e)
{
	struct lease *l = calloc(1, sizeof *l);
	int rc = -1;

	if (l == NULL)
		return err_nomem(e);
	l->dirfd = l->tmp_fd = l->gate = l->fd = -1;
	pthread_mutex_init(&l->lock, NULL);
	if (lease_dup(store_dirfd(s), &l->dirfd, e) == 0 && lease_dup(store_tmp_fd(s), &l->tmp_fd, e) == 0 &&
	    lease_gate_open(l->dirfd, &l->gate, e) == 0 && lease_gate_lock(l->gate, LOCK_SH, e) == 0) {
		rc = lease_make(l, e);
		lease_gate_unlock(l->gate);
	}
	if (rc != 0) {
		err_prefix(e, "%s", store_path(s));
		lease_free(l);
		return -1;
	}
	*ret = l;
	return 0;
}

/* Asked under the gate. */
static bool
lease_gc_runs(const struct lease *l)
{
	CLEANUP(cleanup_close) int fd = openat(l->dirfd, LEASE_GC ".lock",
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno != ENOENT;
	return flock(fd, LOCK_SH | LOCK_NB) != 0;
}

/* A gc at work may not have seen yet what is in it: then it is gc's to remove. */
void
lease_close(struct lease *l)
{
	struct err ignored;

	if (l == NULL)
		return;
	if (lease_gate_lock(l->gate, LOCK_SH, &ignored) == 0) {
		if (!lease_gc_runs(l))
			unlinkat(l->tmp_fd, l->name, 0);
		lease_gate_unlock(l->gate);
	}
	lease_free(l);
}

void
lease_join(struct store *s, struct lease *l)
{
	struct odb_state *o = odb_state(s);

	if (o->lease != NULL && !o->lease_shared)
		lease_close(o->lease);
	o->lease = l;
	o->lease_shared = true;
}

int
lease_begin(struct store *s, struct err *e)
{
	struct odb_state *o = odb_state(s);

	return store_read_only(s) || o->lease != NULL ? 0 : lease_open(s, &o->lease, e);
}

/* True when the id was written a moment ago. */
static bool
lease_recent(struct lease *l, const struct oid *id, size_t *ret_slot)
{
	*ret_slot = ((size_t)id->b[0] << 8 | id->b[1]) % LEASE_RECENT;
	return l->filled[*ret_slot] && oid_equal(&l->recent[*ret_slot], id);
}

static int
lease_write(struct lease *l, const struct oid *ids, size_t count, struct err *e)
{
	if (count == 0)
		return 0;
	/* from the end of what is whole: a write that failed half way is written over */
	if (lseek(l->fd, l->end, SEEK_SET) != l->end)
		return err_sys(e, "tmp/%s: cannot write", l->name);
	if (fd_write_all(l->fd, ids, count * sizeof *ids, l->name, e) != 0)
		return -1;
	l->end += (off_t)(count * sizeof *ids);
	return 0;
}

/* In pieces, without what was written a moment ago. */
static int
lease_write_new(struct lease *l, const struct oid *ids, size_t count, struct err *e)
{
	struct oid piece[512] = {0};
	size_t n = 0, slot;

	for (size_t i = 0; i < count; i++) {
		if (!lease_recent(l, &ids[i], &slot))
			piece[n++] = ids[i];
		if (n == sizeof piece / sizeof *piece) {
			if (lease_write(l, piece, n, e) != 0)
				return -1;
			n = 0;
		}
	}
	if (lease_write(l, piece, n, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (lease_recent(l, &ids[i], &slot))
			continue;
		l->recent[slot] = ids[i];
		l->filled[slot] = true;
	}
	return 0;
}

static int
lease_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct oid));
}

/* The ids that are written, each once, ascending; malloc'd. */
static struct oid *
lease_read_ids(const struct lease *l, size_t *ret_n, struct err *e)
{
	size_t n = (size_t)(l->end - LEASE_HEAD_SIZE) / sizeof(struct oid), kept = 0, got = 0;
	struct oid *ids = calloc(n + 1, sizeof *ids);

	if (ids == NULL) {
		err_nomem(e);
		return NULL;
	}
	if (lseek(l->fd, LEASE_HEAD_SIZE, SEEK_SET) != LEASE_HEAD_SIZE ||
	    fd_read_upto(l->fd, ids, n * sizeof *ids, &got, l->name, e) != 0 || got != n * sizeof *ids) {
		err_set(e, ERR_IO, "tmp/%s: cannot read", l->name);
		free(ids);
		return NULL;
	}
	qsort(ids, n, sizeof *ids, lease_compare);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !oid_equal(&ids[kept - 1], &ids[i]))
			ids[kept++] = ids[i];
	*ret_n = kept;
	return ids;
}

static int
lease_write_anew(const struct lease *l, char ret_name[LEASE_NAME_SIZE], int *ret_fd, off_t *ret_end,
    struct err *e)
{
	CLEANUP(cleanup_free) struct oid *ids = NULL;
	char head[LEASE_HEAD_SIZE];
	size_t n = 0;
	int fd;

	/* with the same first line: what is in tmp/ is older or younger than that */
	if (pread(l->fd, head, sizeof head, 0) != (ssize_t)sizeof head)
		return err_sys(e, "tmp/%s: cannot read", l->name);
	ids = lease_read_ids(l, &n, e);
	if (ids == NULL || lease_make_file(l, head, ret_name, &fd, e) != 0)
		return -1;
	if (fd_write_all(fd, ids, n * sizeof *ids, ret_name, e) != 0) {
		unlinkat(l->tmp_fd, ret_name, 0);
		close(fd);
		return -1;
	}
	*ret_fd = fd;
	*ret_end = (off_t)(LEASE_HEAD_SIZE + n * sizeof *ids);
	return 0;
}

/* Under the gate. A daemon's lease lasts for months, and the same ids are relied on again and
 * again: it has them all, but each once. What fails is tried again much later. */
static void
lease_compact(struct lease *l)
{
	char name[LEASE_NAME_SIZE];
	struct err ignored;
	off_t end = 0;
	int fd = -1;

	if (l->end < l->compact_at)
		return;
	if (lease_write_anew(l, name, &fd, &end, &ignored) == 0) {
		unlinkat(l->tmp_fd, l->name, 0);
		close(l->fd);
		l->fd = fd;
		l->end = end;
		memcpy(l->name, name, sizeof name);
	}
	l->compact_at = 2 * l->end > LEASE_COMPACT_MIN ? 2 * l->end : LEASE_COMPACT_MIN;
}

static bool
lease_all_recent(struct lease *l, const struct oid *ids, size_t count)
{
	size_t slot, i;

	for (i = 0; i < count && lease_recent(l, &ids[i], &slot); i++)
		;
	return i == count;
}

static int
lease_add_locked(struct lease *l, const struct oid *ids, size_t count, struct err *e)
{
	int rc;

	if (lease_all_recent(l, ids, count))
		return 0;
	if (lease_gate_lock(l->gate, LOCK_SH, e) != 0)
		return -1;
	rc = lease_write_new(l, ids, count, e);
	if (rc == 0)
		lease_compact(l);
	lease_gate_unlock(l->gate);
	return rc;
}

int
lease_add(struct store *s, const struct oid *ids, size_t count, struct err *e)
{
	struct lease *l;
	int rc;

	if (store_read_only(s) || count == 0)
		return 0;
	if (lease_begin(s, e) != 0)
		return -1;
	l = odb_state(s)->lease;
	pthread_mutex_lock(&l->lock);
	rc = lease_add_locked(l, ids, count, e);
	pthread_mutex_unlock(&l->lock);
	return rc != 0 ? err_prefix(e, "%s", store_path(s)) : 0;
}

static int
lease_create_locked(struct lease *l, const char *name, int *ret_fd, struct err *e)
{
	int fd;

	if (lease_gate_lock(l->gate, LOCK_SH, e) != 0)
		return -1;
	fd = openat(l->tmp_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_sys(e, "tmp/%s: cannot create", name);
	} else if (flock(fd, LOCK_EX) != 0) {
		err_sys(e, "tmp/%s: cannot lock", name);
		unlinkat(l->tmp_fd, name, 0);
		close(fd);
		fd = -1;
	}
	lease_gate_unlock(l->gate);
	if (fd < 0)
		return -1;
	*ret_fd = fd;
	return 0;
}

int
lease_create(struct store *s, const char *name, int *ret_fd, struct err *e)
{
	struct lease *l;
	int rc;

	if (store_read_only(s))
		return err_set(e, ERR_DENIED, "%s: the store is read-only", store_path(s));
	if (lease_begin(s, e) != 0)
		return -1;
	l = odb_state(s)->lease;
	pthread_mutex_lock(&l->lock);
	rc = lease_create_locked(l, name, ret_fd, e);
	pthread_mutex_unlock(&l->lock);
	return rc != 0 ? err_prefix(e, "%s", store_path(s)) : 0;
}
