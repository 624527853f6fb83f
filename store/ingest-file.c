#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include "base/fd.h"
#include "store/alternates.h"
#include "store/filesystem.h"
#include "store/in-place.h"
#include "store/ingest-state.h"
#include "store/steady.h"

/* One large file. */
struct ingest_file {
	struct ingest_job job;  /* first */
	struct ingest_entry *x;
	struct odb_file out;
	bool present;           /* the store has it, and its bytes were compared */
	bool hash_first;        /* it may not have to be written: its id says */
	bool hashed;            /* and nothing else was done */
	char what[INGEST_NAME_SIZE];
};

/* Its name, as it was looked at: another kind of file there now is a change. */
static int
ingest_file_open(struct ingest_file *f, struct stat *ret_before, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(f->job.node->dirfd, f->x->name,
	    O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
	int opened;

	if (fd < 0)
		return e->code == ERR_NOTFOUND ? steady_changed(f->what, e) :
		    err_prefix(e, "%s", f->job.node->item != NULL ? f->what : f->job.node->path);
	if (f->job.in->o->cache != NULL || f->job.in->o->mode == INGEST_REFERENCE)
		steady_flush(fd);
	if (steady_begin(fd, f->what, ret_before, e) != 0)
		return -1;
	if (!S_ISREG(ret_before->st_mode) || ret_before->st_ino != f->x->inode)
		return steady_changed(f->what, e);
	opened = fd;
	fd = -1;
	return opened;
}

/* 1: the blocks of fd are shared by the new object, 0: the file system cannot. */
static int
ingest_file_clone(struct ingest_file *f, int fd, struct err *e)
{
	enum ingest_mode mode = f->job.in->o->mode;

	if (mode == INGEST_COPY)
		return 0;
	if (ioctl(f->out.fd, FICLONE, fd) == 0)
		return 1;
	if (errno == ENOSPC || errno == EDQUOT || errno == EIO)
		return err_sys(e, "%s: cannot share its blocks with the store", f->what);
	if (mode == INGEST_REFLINK)
		return err_set(e, ERR_UNSUPPORTED, "%s: its blocks cannot be shared with the store (%s);"
		    " set store.ingest to auto", f->what, strerror(errno));
	return 0;
}

/*
 * Which of the two to hash, the file or its clone: the same bytes, as long as the
 * file's times, which were older than the present tick, have not moved afterwards.
 * Cloning writes dirty pages back, and from then on a write through a mapping sets
 * the times as any other does.  The file's bytes are in memory, the clone's are not.
 * Where another machine sets the times, the clone itself is read.
 */
static int
ingest_file_cloned(const struct ingest_file *f, int fd, int *ret, struct err *e)
{
	struct filesystem fs;

	if (filesystem_look(fd, &fs, e) != 0)
		return -1;
	*ret = fs.network ? f->out.fd : fd;
	return 0;
}

/* What is stored is what is hashed: the clone, or the bytes as they are written. */
static int
ingest_file_store(struct ingest_file *f, int fd, struct ingest_pass *pass, struct err *e)
{
	enum odb_file_found found;
	int rc = 0;

	if (f->job.in->o->mode != INGEST_REFERENCE || !f->hash_first) {
		if (odb_file_create(f->job.in->s, &f->out, e) != 0)
			return -1;
		rc = ingest_file_clone(f, fd, e);
	}
	if (rc < 0)
		return -1;
	f->hashed = rc == 0 && f->hash_first;
	if (f->hashed) {
		odb_file_abort(f->job.in->s, &f->out);
		return ingest_pass(pass, e);
	}
	pass->from = fd;
	pass->to = rc == 1 ? -1 : f->out.fd;
	if (rc == 1 && ingest_file_cloned(f, fd, &pass->from, e) != 0)
		return -1;
	if (ingest_pass(pass, e) != 0)
		return -1;
	if (odb_file_check(f->job.in->s, &pass->id, &found, e) != 0)
		return -1;
	f->present = found == ODB_FILE_INTACT;
	return 0;
}

static void
ingest_file_note(struct ingest_entry *x, const struct ingest_pass *pass, const struct stat *st,
    const struct timespec *began)
{
	x->id = pass->id;
	x->size = pass->size;
	x->mode = st->st_mode;
	x->mtime_ns = stat_cache_ns(&st->st_mtim);
	x->ctime_ns = stat_cache_ns(&st->st_ctim);
	x->settled = stat_cache_settled(st, began);
}

static int
ingest_file_work(struct ingest_job *job, struct err *e)
{
	struct ingest_file *f = (struct ingest_file *)job;
	struct ingest_pass pass = {.in = job->in, .to = -1, .what = f->what};
	CLEANUP(cleanup_close) int fd = -1;
	struct timespec began;
	struct stat before = {0};

	fd = ingest_file_open(f, &before, e);
	if (fd < 0)
		return -1;
	clock_gettime(CLOCK_REALTIME, &began);
	pass.from = fd;
	if ((job->in->o->flags & INGEST_HASH_ONLY ? ingest_pass(&pass, e) :
	    ingest_file_store(f, fd, &pass, e)) != 0)
		return -1;
	if (pass.size != (uint64_t)before.st_size)
		return steady_changed(f->what, e);
	if (steady_check(fd, f->what, &before, e) != 0)
		return -1;
	ingest_file_note(f->x, &pass, &before, &began);
	return 0;
}

static int
ingest_file_sync(struct ingest_job *job, struct err *e)
{
	struct ingest_file *f = (struct ingest_file *)job;

	return odb_file_finish(job->in->s, &f->out, e);
}

static void
ingest_file_drop(struct ingest_job *job)
{
	struct ingest_file *f = (struct ingest_file *)job;

	if (job->in->s != NULL)
		odb_file_abort(job->in->s, &f->out);
	free(f);
}

static int
ingest_file_known(struct ingest_job *job, struct err *e)
{
	struct ingest_node *node = job->node;

	node->fresh = true;
	ingest_was_read(node, ((struct ingest_file *)job)->x);
	job->in->reading--;
	ingest_file_drop(job);
	return ingest_node_known(node, e);
}

static int
ingest_file_publish(struct ingest_job *job, struct err *e)
{
	struct ingest_file *f = (struct ingest_file *)job;
	struct store *s = job->in->s;

	if (odb_file_publish(s, store_tmp_fd(s), f->out.tmp, &f->x->id, e) != 0) {
		ingest_file_drop(job);
		return -1;
	}
	f->out.tmp[0] = '\0';
	return ingest_file_known(job, e);
}

/* A change after this would leave no trace in its times. */
static bool
ingest_file_traceless(const struct ingest_file *f, const struct stat *st)
{
	bool seconds = st->st_mtim.tv_nsec == 0 && st->st_ctim.tv_nsec == 0;

	return !f->job.node->fs.dates_files || (seconds && !f->x->settled);
}

/* 1: the file stays where it lies, and that is recorded; 0: it cannot, -1 */
static int
ingest_file_refer(struct ingest_file *f, struct err *e)
{
	struct store *s = f->job.in->s;
	struct err ignored;
	CLEANUP(cleanup_close) int fd = fd_open_beneath(store_worktree_fd(s), f->what,
	    O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &ignored);
	struct stat st;

	/* not beneath the work tree: what lies elsewhere is not ours to rely on */
	if (fd < 0 || fstat(fd, &st) != 0 || st.st_ino != f->x->inode)
		return 0;
	if (stat_cache_ns(&st.st_mtim) != f->x->mtime_ns || stat_cache_ns(&st.st_ctim) != f->x->ctime_ns)
		return steady_changed(f->what, e);
	if (ingest_file_traceless(f, &st))
		return 0;
	return in_place_add(s, &f->x->id, fd, f->what, e) == 0 ? 1 : -1;
}

/* 1: an alternate has it. Its bytes are compared when they are used. */
static int
ingest_file_alternate(struct ingest_file *f, struct err *e)
{
	CLEANUP(source_close) struct source found = SOURCE_INIT;
	struct store *s = f->job.in->s;
	unsigned nth = 0;
	int rc;

	if (odb_keep(s, &f->x->id, 1, e) != 0)
		return -1;
	if (odb_has_own(s, &f->x->id)) /* read, and put right if it has to be */
		return 0;
	rc = alternates_find(s, &f->x->id, &nth, &found, e);
	return rc == 1 && found.size != f->x->size ? 0 : rc;
}

/* Its id is known: is there something to be written at all? */
static int
ingest_file_decide(struct ingest_job *job, struct err *e)
{
	struct ingest_file *f = (struct ingest_file *)job;
	int rc = job->in->o->mode == INGEST_REFERENCE ? ingest_file_refer(f, e) :
	    ingest_file_alternate(f, e);

	if (rc == 1)
		return ingest_file_known(job, e);
	if (rc < 0) {
		ingest_file_drop(job);
		return -1;
	}
	f->hash_first = f->hashed = false;
	ingest_job_submit(job, WORKERS_COMPUTE);
	return 0;
}

static int
ingest_file_handle(struct ingest_job *job, struct err *e)
{
	struct ingest_file *f = (struct ingest_file *)job;

	if (job->in->o->flags & INGEST_HASH_ONLY)
		return ingest_file_known(job, e);
	if (f->hashed)
		return ingest_file_decide(job, e);
	if (f->present) {
		if (odb_file_settle(job->in->s, &f->x->id, e) == 0)
			return ingest_file_known(job, e);
		ingest_file_drop(job);
		return -1;
	}
	job->work = ingest_file_sync;
	job->handle = ingest_file_publish;
	ingest_job_submit(job, WORKERS_WAIT);
	return 0;
}

/* A second reading pays only when it is likely that nothing has to be written. */
static int
ingest_file_plan(struct ingest_file *f, struct err *e)
{
	const struct ingest *in = f->job.in;

	if (in->o->flags & INGEST_HASH_ONLY)
		return 0;
	if (in->o->mode == INGEST_AUTO)
		return alternates_size(in->s, f->x->size, &f->hash_first, e);
	f->hash_first = in->o->mode == INGEST_REFERENCE;
	return 0;
}

int
ingest_file(struct ingest_node *node, struct ingest_entry *x, struct err *e)
{
	struct ingest_file *f = calloc(1, sizeof *f);

	if (f == NULL)
		return err_nomem(e);
	f->job = (struct ingest_job){.in = node->job.in, .node = node, .work = ingest_file_work,
	    .handle = ingest_file_handle, .drop = ingest_file_drop};
	f->x = x;
	f->out.fd = -1;
	ingest_name(node, x, f->what);
	if (ingest_file_plan(f, e) != 0) {
		free(f);
		return -1;
	}
	node->job.in->reading++;
	ingest_job_submit(&f->job, WORKERS_COMPUTE);
	return 0;
}
