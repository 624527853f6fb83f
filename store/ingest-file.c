#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include "base/fd.h"
#include "store/ingest-state.h"
#include "store/steady.h"

/* One large file. */
struct ingest_file {
	struct ingest_job job;  /* first */
	struct ingest_entry *x;
	struct odb_file out;
	bool present;           /* the store has it, and its bytes were compared */
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
		    err_prefix(e, "%s", f->job.node->path);
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

/* What is stored is what is hashed: the clone, or the bytes as they are written. */
static int
ingest_file_store(struct ingest_file *f, int fd, struct ingest_pass *pass, struct err *e)
{
	enum odb_file_found found;
	int rc;

	if (odb_file_create(f->job.in->s, &f->out, e) != 0)
		return -1;
	rc = ingest_file_clone(f, fd, e);
	if (rc < 0)
		return -1;
	pass->from = rc == 1 ? f->out.fd : fd;
	pass->to = rc == 1 ? -1 : f->out.fd;
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
	struct stat before;

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

static int
ingest_file_handle(struct ingest_job *job, struct err *e)
{
	struct ingest_file *f = (struct ingest_file *)job;

	if (job->in->o->flags & INGEST_HASH_ONLY)
		return ingest_file_known(job, e);
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
	node->job.in->reading++;
	ingest_job_submit(&f->job, WORKERS_COMPUTE);
	return 0;
}
