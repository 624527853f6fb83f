#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include "base/fd.h"
#include "store/ingest-state.h"
#include "store/odb-put.h"
#include "store/odb-small.h"
#include "store/steady.h"

#define LOOK_ENTRIES 128                /* given to a job at once */
#define LOOK_BYTES (1024 * 1024)        /* that a job reads before it comes back */
#define LOOK_HASH_MAX (256 * 1024)      /* larger files are hashed in jobs of their own */

/* Some entries of a node, looked at one after the other. */
struct ingest_look {
	struct ingest_job job;  /* first */
	size_t at, end;         /* of the node's entries: looked at from first to at */
	size_t first;
	struct buf bytes;       /* of files and links, one after the other */
};

static void
look_note(struct ingest_entry *x, const struct stat *st)
{
	x->size = (uint64_t)st->st_size;
	x->inode = st->st_ino;
	x->mode = st->st_mode;
	x->mtime_ns = stat_cache_ns(&st->st_mtim);
	x->ctime_ns = stat_cache_ns(&st->st_ctim);
}

static int
look_link(struct ingest_look *l, struct ingest_entry *x, struct err *e)
{
	char target[PATH_MAX], what[INGEST_NAME_SIZE];
	ssize_t n = readlinkat(l->job.node->dirfd, x->name, target, sizeof target);

	if (n < 0 || (size_t)n == sizeof target) {
		ingest_name(l->job.node, x, what);
		return n < 0 ? err_sys(e, "%s: cannot read the symbolic link", what) :
		    err_set(e, ERR_LIMIT, "%s: the target of the symbolic link is too long", what);
	}
	x->size = (size_t)n;
	x->state = INGEST_BYTES;
	buf_add(&l->bytes, target, (size_t)n);
	return buf_check(&l->bytes, e) != 0 ? -1 : oid_from_data(&x->id, target, (size_t)n, e);
}

/* The whole file, which is st->st_size bytes, behind the bytes that are there. */
static int
look_read(struct ingest_look *l, struct ingest_entry *x, int fd, const struct stat *st,
    const char *what, struct err *e)
{
	size_t want = (size_t)st->st_size, got;
	unsigned char *data;

	if (buf_reserve(&l->bytes, want + 1, e) != 0)
		return -1;
	data = l->bytes.data + l->bytes.len;
	if (fd_read_upto(fd, data, want + 1, &got, what, e) != 0)
		return -1;
	if (got != want)
		return steady_changed(what, e);
	if (oid_from_data(&x->id, data, want, e) != 0 || steady_check(fd, what, st, e) != 0)
		return -1;
	l->bytes.len += want;
	return 0;
}

static int
look_small(struct ingest_look *l, struct ingest_entry *x, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	char what[INGEST_NAME_SIZE];
	struct timespec began;
	struct stat before;

	ingest_name(l->job.node, x, what);
	fd = fd_open_beneath(l->job.node->dirfd, x->name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
	if (fd < 0)
		return e->code == ERR_NOTFOUND ? steady_changed(what, e) :
		    err_prefix(e, "%s", l->job.node->item != NULL ? what : l->job.node->path);
	if (l->job.in->o->cache != NULL)
		steady_flush(fd);
	if (steady_begin(fd, what, &before, e) != 0)
		return -1;
	if (!S_ISREG(before.st_mode) || before.st_ino != x->inode || (uint64_t)before.st_size != x->size)
		return steady_changed(what, e);
	clock_gettime(CLOCK_REALTIME, &began);
	if (look_read(l, x, fd, &before, what, e) != 0)
		return -1;
	look_note(x, &before);
	x->settled = stat_cache_settled(&before, &began);
	x->state = INGEST_BYTES;
	ingest_count(l->job.in, x->size);
	return 0;
}

static int
look_regular(struct ingest_look *l, struct ingest_entry *x, const struct stat *st, struct err *e)
{
	unsigned flags = l->job.in->o->flags;
	uint64_t max = flags & INGEST_HASH_ONLY ? LOOK_HASH_MAX : ODB_SMALL_MAX;

	look_note(x, st);
	if (x->cached != NULL && st->st_dev == l->job.node->before.st_dev &&
	    stat_cache_same(x->cached, st)) {
		x->id = x->cached->id;
		x->settled = true;
		x->state = INGEST_KNOWN;
		return 0;
	}
	if (flags & INGEST_ADOPT || x->size > max) {
		x->state = INGEST_FILE;
		return 0;
	}
	return look_small(l, x, e);
}

static int
look_entry(struct ingest_look *l, struct ingest_entry *x, struct err *e)
{
	const struct ingest_node *node = l->job.node;
	char what[INGEST_NAME_SIZE];
	struct stat st;

	if (fstatat(node->dirfd, x->name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		ingest_name(node, x, what);
		if (errno != ENOENT)
			return err_sys(e, "%s: cannot look at it", what);
		return node->item == NULL ? steady_changed(what, e) :
		    err_set(e, ERR_NOTFOUND, "%s: no such file", what);
	}
	if (S_ISREG(st.st_mode))
		return look_regular(l, x, &st, e);
	if (S_ISLNK(st.st_mode) && node->item == NULL) {
		x->mode = S_IFLNK;
		return look_link(l, x, e);
	}
	if (S_ISDIR(st.st_mode)) {
		x->mode = S_IFDIR;
		x->state = INGEST_DIR;
		return 0;
	}
	ingest_name(node, x, what);
	return ingest_refuse(what, st.st_mode, e);
}

static int
look_work(struct ingest_job *job, struct err *e)
{
	struct ingest_look *l = (struct ingest_look *)job;

	for (; l->at < l->end && l->bytes.len < LOOK_BYTES; l->at++) {
		if (look_entry(l, &job->node->entries[l->at], e) != 0)
			return -1;
		if (job->in->o->flags & INGEST_HASH_ONLY)
			l->bytes.len = 0;
		if (l->at % 16 == 0 && workers_check(job->in->workers, e) != 0)
			return -1;
	}
	return 0;
}

static void
look_drop(struct ingest_job *job)
{
	struct ingest_look *l = (struct ingest_look *)job;

	buf_free(&l->bytes);
	free(l);
}

static int
look_adopt(struct ingest_node *node, struct ingest_entry *x, struct err *e)
{
	char what[INGEST_NAME_SIZE];

	if (odb_adopt(node->job.in->s, node->dirfd, x->name, &x->id, &x->size, e) != 0) {
		ingest_name(node, x, what);
		return err_prefix(e, "%s", what);
	}
	ingest_count(node->job.in, x->size);
	return ingest_node_known(node, e);
}

/* offset: of the entry's bytes, moved behind them. */
static int
look_handle_entry(struct ingest_look *l, struct ingest_entry *x, size_t *offset, struct err *e)
{
	struct ingest_node *node = l->job.node;
	unsigned flags = l->job.in->o->flags;

	switch ((enum ingest_state)x->state) {
	case INGEST_KNOWN:
		ingest_count(l->job.in, x->size);
		return ingest_node_known(node, e);
	case INGEST_BYTES:
		if (S_ISREG(x->mode)) {
			node->fresh = true;
			ingest_was_read(node, x);
		}
		if ((flags & INGEST_HASH_ONLY) == 0 && odb_put_known(l->job.in->s, &x->id,
		    x->size > 0 ? (const void *)(l->bytes.data + *offset) : "", x->size, e) != 0)
			return -1;
		*offset += x->size;
		return ingest_node_known(node, e);
	case INGEST_FILE:
		return flags & INGEST_ADOPT ? look_adopt(node, x, e) : ingest_file(node, x, e);
	case INGEST_DIR:
		if (flags & INGEST_DIRECTORIES) {
			node->dirs++;
			return 0;
		}
		return err_set(e, ERR_DENIED, "%s: a directory, where a file is expected",
		    node->item != NULL ? ingest_shown(node->item) : node->path);
	case INGEST_UNSEEN:
		break;
	}
	return err_set(e, ERR_INTERNAL, "%s: not looked at", x->name);
}

static int
look_handle(struct ingest_job *job, struct err *e)
{
	struct ingest_look *l = (struct ingest_look *)job;
	struct ingest_node *node = job->node;
	size_t offset = 0;
	int rc = 0;

	job->in->looking--;
	/* the node may be gone with its last entry */
	node->waiting++;
	for (size_t i = l->first; i < l->at && rc == 0; i++)
		rc = look_handle_entry(l, &node->entries[i], &offset, e);
	if (rc != 0 || l->at == l->end) {
		look_drop(job);
		node->looking--;
		return rc != 0 ? -1 : ingest_node_known(node, e);
	}
	node->waiting--;
	l->first = l->at;
	l->bytes.len = 0;
	job->in->looking++;
	ingest_job_submit(job, WORKERS_COMPUTE);
	return 0;
}

int
ingest_look(struct ingest_node *node, struct err *e)
{
	struct ingest_look *l = calloc(1, sizeof *l);

	if (l == NULL)
		return err_nomem(e);
	l->job = (struct ingest_job){.base = {.brief = true}, .in = node->job.in, .node = node,
	    .work = look_work, .handle = look_handle, .drop = look_drop};
	l->first = l->at = node->seen;
	l->end = node->count - node->seen > LOOK_ENTRIES ? node->seen + LOOK_ENTRIES : node->count;
	node->seen = l->end;
	node->looking++;
	node->job.in->looking++;
	ingest_job_submit(&l->job, WORKERS_COMPUTE);
	return 0;
}
