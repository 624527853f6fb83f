#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include "base/fd.h"
#include "base/interrupt.h"
#include "crypto/hash.h"
#include "remote/s3-internal.h"
#include "store/odb.h"

#define S3_GET_DIR "fetch"              /* beneath the store's tmp; what is in it goes on later */
#define S3_GET_BLOCK 131072
#define S3_GET_TRIES 6                  /* without a byte */
#define S3_GET_WAIT_MS 200

struct s3_get {
	struct s3 *s;
	struct remote *r;
	struct remote_item *items;
	size_t count, next;
	int dirfd;
};

/* An object in tmp/fetch/<hex> until it is whole. */
struct s3_get_job {
	struct s3_job job;          /* first */
	char name[OID_HEX_SIZE];
	int fd;
	struct hash *hash;          /* of what is in the file */
	uint64_t offset;            /* bytes in the file */
	bool resumed;               /* some of it was here before */
};

/* --- in a thread --- */

static int
s3_get_restart(struct s3_get_job *g, struct err *e)
{
	g->offset = 0;
	g->resumed = false;
	hash_free(g->hash);
	g->hash = NULL;
	if (ftruncate(g->fd, 0) != 0 || lseek(g->fd, 0, SEEK_SET) != 0)
		return err_sys(e, "tmp/" S3_GET_DIR "/%s: cannot empty", g->name);
	return hash_new(HASH_SHA256, &g->hash, e);
}

/* What came before is worth something only with its digest. */
static int
s3_get_rehash(struct s3_get_job *g, struct err *e)
{
	CLEANUP(cleanup_free) unsigned char *block = malloc(S3_GET_BLOCK);
	uint64_t done = 0;
	size_t n = 1;

	if (block == NULL)
		return err_nomem(e);
	while (n > 0) {
		if (fd_read_upto(g->fd, block, S3_GET_BLOCK, &n, g->name, e) != 0 ||
		    hash_update(g->hash, block, n, e) != 0)
			return -1;
		done += n;
	}
	g->offset = done;
	g->resumed = done > 0;
	s3_jobs_moved(&g->job, done);
	return done <= g->job.item->size ? 0 : s3_get_restart(g, e);
}

static int
s3_get_take(void *arg, const void *data, size_t len, struct err *e)
{
	struct s3_get_job *g = arg;

	if (len > g->job.item->size - g->offset)
		return err_set(e, ERR_REFUSED, "the bucket has more bytes of it than there can be");
	if (fd_write_all(g->fd, data, len, g->name, e) != 0 || hash_update(g->hash, data, len, e) != 0) {
		/* what the file holds and what was hashed must stay the same */
		(void)!ftruncate(g->fd, 0);
		return -1;
	}
	g->offset += len;
	s3_jobs_moved(&g->job, len);
	return 0;
}

static int
s3_get_once(struct s3_get_job *g, struct http *h, struct err *e)
{
	struct s3 *s = ((struct s3_get *)g->job.arg)->s;
	CLEANUP(http_response_free) struct http_response rs = {0};
	char key[BUCKET_KEY_MAX];
	const struct s3_call c = {
		.method = "GET", .key = key, .range_start = g->offset, .max = S3_ANSWER_MAX,
		.sink = s3_get_take, .sink_arg = g,
	};

	s3_jobs_key(&g->job.item->ref.id, key);
	if (s3_request(s, h, &c, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return s3_request_problem(s, &rs, key, e);
	if (g->job.item->exact && g->offset < g->job.item->size)
		return err_set(e, ERR_REFUSED, "the bucket has fewer bytes of it than the certificate says");
	return 0;
}

static int
s3_get_rest(struct s3_get_job *g, struct http *h, struct err *e)
{
	struct pollfd p = {.fd = interrupt_fd(), .events = POLLIN};

	for (unsigned try = 0; !g->job.item->exact || g->offset < g->job.item->size;) {
		uint64_t before = g->offset;

		if (s3_get_once(g, h, e) == 0)
			return 0;
		try = g->offset > before ? 0 : try + 1;
		/* one that does not go on where it is asked to sends it all again */
		if ((e->code == ERR_FORMAT || e->code == ERR_NETWORK) && before > 0 && g->offset == before &&
		    try > 1 && s3_get_restart(g, e) != 0)
			return -1;
		if ((e->code != ERR_NETWORK && e->code != ERR_FORMAT) || try == S3_GET_TRIES)
			return -1;
		(void)poll(&p, p.fd >= 0 ? 1 : 0, S3_GET_WAIT_MS << try);
		if (interrupt_check(e) != 0)
			return -1;
	}
	return 0;
}

static int
s3_get_run(struct s3_job *j, struct http *h, struct err *e)
{
	struct s3_get_job *g = (struct s3_get_job *)j;
	bool again = true;
	struct oid got;

	if (hash_new(HASH_SHA256, &g->hash, e) != 0 || s3_get_rehash(g, e) != 0)
		return -1;
	while (again) {
		if (s3_get_rest(g, h, e) != 0 || hash_final(g->hash, got.b, e) != 0)
			return -1;
		if (oid_equal(&got, &j->item->ref.id))
			return 0;
		again = g->resumed; /* it may be the old part that is bad: once more, whole */
		if (s3_get_restart(g, e) != 0)
			return -1;
	}
	return err_set(e, ERR_REFUSED, "the bucket has other bytes; nothing of them is kept");
}

/* --- in the caller's thread --- */

static void
s3_get_free(const struct s3_get *g, struct s3_get_job *j)
{
	struct stat st;

	if (j->fd >= 0 && fstat(j->fd, &st) == 0 && st.st_size == 0 && st.st_nlink == 1)
		unlinkat(g->dirfd, j->name, 0); /* nothing came */
	cleanup_close(&j->fd);
	hash_free(j->hash);
	free(j);
}

static int
s3_get_open(const struct s3_get *g, struct s3_get_job *j, struct err *e)
{
	struct stat st;

	oid_hex(&j->job.item->ref.id, j->name);
	j->fd = fd_open_beneath(g->dirfd, j->name, O_RDWR | O_CREAT | O_NONBLOCK, 0600, e);
	if (j->fd < 0)
		return -1;
	if (flock(j->fd, LOCK_EX | LOCK_NB) != 0 || fstat(j->fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_nlink != 1)
		return err_set(e, ERR_BUSY, "another process is fetching it");
	return 0;
}

static int
s3_get_next(void *arg, struct s3_job **ret, struct err *e)
{
	struct s3_get *g = arg;

	while (g->next < g->count) {
		struct remote_item *item = &g->items[g->next++];
		struct s3_get_job *j;

		if (odb_has_own(g->r->store, &item->ref.id)) {
			item->state = REMOTE_HAS;
			continue;
		}
		j = calloc(1, sizeof *j);
		if (j == NULL)
			return err_nomem(e);
		j->job = (struct s3_job){.run = s3_get_run, .arg = g, .item = item};
		j->fd = -1;
		if (s3_get_open(g, j, &j->job.error) == 0) {
			*ret = &j->job;
			return 1;
		}
		if (s3_jobs_outcome(g->r, &j->job, e) != 0) {
			s3_get_free(g, j);
			return -1;
		}
		s3_get_free(g, j);
	}
	return 0;
}

static int
s3_get_done(void *arg, struct s3_job *j, struct err *e)
{
	struct s3_get *g = arg;
	struct s3_get_job *job = (struct s3_get_job *)j;
	int rc = 0;

	if (j->rc == 0)
		j->rc = odb_adopt_known(g->r->store, g->dirfd, job->name, &j->item->ref.id, &j->error);
	if (j->rc == 0)
		j->item->state = REMOTE_HAS;
	else
		rc = s3_jobs_outcome(g->r, j, e);
	s3_get_free(g, job);
	return rc;
}

static int
s3_get_all(struct s3_get *g, struct err *e)
{
	struct s3_feed f = {
		.s = g->s, .r = g->r, .label = "fetching", .next = s3_get_next, .done = s3_get_done, .arg = g,
	};

	for (size_t i = 0; i < g->count; i++) {
		if (odb_keep(g->r->store, &g->items[i].ref.id, 1, e) != 0)
			return -1;
		f.total += g->items[i].exact ? g->items[i].size : 0;
	}
	return s3_jobs_run(&f, e);
}

int
s3_get(void *self, struct remote_item *items, size_t n, struct err *e)
{
	struct s3 *s = self;
	struct s3_get g = {.s = s, .r = s->bucket.remote, .items = items, .count = n};
	int tmp = store_tmp_fd(g.r->store), rc;

	if (n == 0)
		return 0;
	if (mkdirat(tmp, S3_GET_DIR, 0700) != 0 && errno != EEXIST)
		return err_sys(e, "tmp/" S3_GET_DIR ": cannot create the directory");
	g.dirfd = fd_open_beneath(tmp, S3_GET_DIR, O_RDONLY | O_DIRECTORY, 0, e);
	if (g.dirfd < 0)
		return -1;
	rc = s3_get_all(&g, e);
	close(g.dirfd);
	unlinkat(tmp, S3_GET_DIR, AT_REMOVEDIR); /* when it is empty */
	return rc;
}
