#include "serve/run-table.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include "base/hex.h"
#include "crypto/random.h"
#include "serve/live-log.h"

struct run_table_item {
	struct run_state *run;
	struct buf request;     /* while it waits */
	bool waiting;
};

struct run_table {
	struct run_table_options o;
	char *logs;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stopping;
	struct run_state *active;
	struct run_table_item items[RUN_TABLE_KEPT]; /* oldest first */
	size_t count;
};

static char *
run_table_log_path(const struct run_table *t, const char *id, struct err *e)
{
	return buf_strfmt(e, "%s/%s", t->logs, id);
}

static void
run_table_unlink_log(const struct run_table *t, const char *id)
{
	struct err ignored;
	CLEANUP(cleanup_free) char *path = t->o.ledger != NULL ? run_table_log_path(t, id, &ignored) :
	    NULL;

	if (path != NULL)
		unlink(path);
}

static void
run_table_recover_log(const char *path, struct ledger_run *row)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct live_log log = {.fd = fd, .half = LIVE_LOG_HALF};

	live_log_recover(&log);
	row->log = log.size;
	row->log_dropped = live_log_dropped(&log);
}

/* What a daemon before this one left in progress is interrupted. */
static int
run_table_restore(struct run_table *t, struct ledger_run *row, struct err *e)
{
	CLEANUP(cleanup_free) char *path = run_table_log_path(t, row->id, e);
	struct run_table_item *item = &t->items[t->count];
	bool waits = strcmp(row->state, RUN_STATE_QUEUED) == 0 && row->request.len > 0;

	if (path == NULL)
		return -1;
	if (waits) {
		struct run_state_options o = {.id = row->id, .owner = row->owner,
			.created = row->created, .log_path = path};

		o.log_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (o.log_fd < 0)
			return err_sys(e, "%s: cannot open", path);
		if (run_state_new(&o, &item->run, e) != 0)
			return -1;
		item->request = row->request;
		item->waiting = true;
		row->request = (struct buf)BUF_INIT;
		t->count++;
		return 0;
	}
	if (strcmp(row->state, RUN_STATE_MEASURING) == 0 || strcmp(row->state, RUN_STATE_RUNNING) == 0) {
		run_table_recover_log(path, row);
		row->finished = time(NULL);
		snprintf(row->state, sizeof row->state, RUN_STATE_INTERRUPTED);
		row->error = ERR_CANCELLED;
		snprintf(row->detail, sizeof row->detail, "the daemon ended during the run; what was sent"
		    " is still here: start it again");
		if (ledger_run_put(t->o.ledger, row, e) != 0)
			return -1;
	}
	if (run_state_from_row(row, path, &item->run, e) != 0)
		return -1;
	t->count++;
	return 0;
}

static int
run_table_load_rows(struct run_table *t, struct err *e)
{
	struct ledger_run *rows;
	size_t n = 0;
	int rc = 0;

	if (ledger_runs(t->o.ledger, RUN_TABLE_KEPT, &rows, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = run_table_restore(t, &rows[i], e);
	ledger_runs_free(rows, n);
	return rc;
}

int
run_table_open(const struct run_table_options *o, struct run_table **ret, struct err *e)
{
	struct run_table *t = calloc(1, sizeof *t);

	if (t == NULL)
		return err_nomem(e);
	t->o = *o;
	if (t->o.queue > RUN_TABLE_QUEUE_MAX)
		t->o.queue = RUN_TABLE_QUEUE_MAX;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->changed, NULL);
	if (o->ledger != NULL && ((t->logs = buf_strdup(o->logs, e)) == NULL ||
	    run_table_load_rows(t, e) != 0)) {
		run_table_free(t);
		return -1;
	}
	*ret = t;
	return 0;
}

void
run_table_free(struct run_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++) {
		run_state_unref(t->items[i].run);
		buf_free(&t->items[i].request);
	}
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	free(t->logs);
	free(t);
}

/* --- under the lock --- */

static unsigned
run_table_waiting(const struct run_table *t)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->count; i++)
		n += t->items[i].waiting;
	return n;
}

static unsigned
run_table_waiting_of(const struct run_table *t, const char *owner)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->count; i++)
		n += t->items[i].waiting && strcmp(run_state_owner(t->items[i].run), owner) == 0;
	return n;
}

static bool
run_table_over(const struct run_table *t, size_t i)
{
	struct run_state_view v;

	run_state_view(t->items[i].run, &v);
	return v.over;
}

/* The oldest that is over, of the principal that has most of them: nobody makes the others'
 * go by many of his own.  t->count: none is. */
static size_t
run_table_victim(const struct run_table *t)
{
	size_t victim = t->count, most = 0;

	for (size_t i = 0; i < t->count; i++) {
		const char *owner = run_state_owner(t->items[i].run);
		size_t n = 0;

		for (size_t k = i; k < t->count; k++)
			n += strcmp(run_state_owner(t->items[k].run), owner) == 0;
		if (n > most && run_table_over(t, i)) {
			most = n;
			victim = i;
		}
	}
	return victim;
}

/* Makes room for one more; something is over, as few can wait. */
static void
run_table_forget(struct run_table *t)
{
	struct err ignored;
	size_t i;

	if (t->count < RUN_TABLE_KEPT)
		return;
	i = run_table_victim(t);
	if (i == t->count)
		return;
	if (t->o.ledger != NULL &&
	    ledger_run_delete(t->o.ledger, run_state_id(t->items[i].run), &ignored) == 0)
		run_table_unlink_log(t, run_state_id(t->items[i].run));
	run_state_unref(t->items[i].run);
	memmove(&t->items[i], &t->items[i + 1], (t->count - i - 1) * sizeof t->items[0]);
	t->count--;
}

static struct run_state *
run_table_named(const struct run_table *t, const char *id)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(run_state_id(t->items[i].run), id) == 0)
			return t->items[i].run;
	return NULL;
}

/* *ret: a reference to the run that was asked for before; NULL: there is none. */
static int
run_table_check(const struct run_table *t, const struct run_table_request *rq,
    struct run_state **ret, struct err *e)
{
	unsigned waiting = run_table_waiting(t), own = run_table_waiting_of(t, rq->owner);
	struct run_state *same = rq->id != NULL ? run_table_named(t, rq->id) : NULL;

	if (same != NULL && strcmp(run_state_owner(same), rq->owner) != 0)
		return err_set(e, ERR_EXISTS, "a run of this name is another's");
	*ret = same != NULL ? run_state_ref(same) : NULL;
	if (same != NULL)
		return 0;
	if (t->stopping)
		return err_set(e, ERR_BUSY, "this runner is stopping");
	if (rq->single && (waiting > 0 || t->active != NULL))
		return err_set(e, ERR_CONFLICT, "another run uses PCR 14 and 15 of this boot: one run a"
		    " boot; restart the machine when it is over");
	if (t->o.queue_each > 0 && own >= t->o.queue_each)
		return err_set(e, ERR_BUSY, "%u runs of yours wait on this runner already; try again later",
		    own);
	if (waiting < t->o.queue || (waiting == 0 && t->active == NULL))
		return 0;
	return err_set(e, ERR_BUSY, t->o.queue == 0 ? "a run is in progress on this runner; try again"
	    " when it is over" : "%u runs wait on this runner already; try again later", waiting);
}

/* --- */

static int
run_table_log_file(struct run_table *t, struct store *s, const char *path, int *ret, struct err *e)
{
	int fd;

	if (t->o.ledger != NULL) {
		/* a file of that name is empty: of a run that never came to be written down */
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	} else {
		fd = openat(store_tmp_fd(s), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (fd < 0) /* not every file system has nameless files */
			fd = memfd_create("aicert-log", MFD_CLOEXEC);
	}
	if (fd < 0)
		return err_sys(e, "cannot make a file for the log");
	*ret = fd;
	return 0;
}

static int
run_table_make(struct run_table *t, struct store *s, const struct run_table_request *rq,
    struct run_state **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *path = NULL;
	struct run_state_options o = {.owner = rq->owner, .id = rq->id};
	unsigned char bytes[32];
	char id[RUN_STATE_ID_SIZE];

	if (o.id == NULL) {
		if (random_bytes(bytes, sizeof bytes, e) != 0)
			return -1;
		hex_encode(id, bytes, sizeof bytes);
		o.id = id;
	}
	if (t->o.ledger != NULL && (path = run_table_log_path(t, o.id, e)) == NULL)
		return -1;
	if (run_table_log_file(t, s, path, &o.log_fd, e) != 0)
		return -1;
	o.log_path = path;
	return run_state_new(&o, ret, e);
}

static int
run_table_write(struct run_table *t, struct run_state *r, const struct buf *request, struct err *e)
{
	struct ledger_run row = {.created = 0};

	if (t->o.ledger == NULL)
		return 0;
	run_state_to_row(r, &row);
	if (request != NULL)
		row.request = *request; /* lent */
	return ledger_run_put(t->o.ledger, &row, e);
}

int
run_table_keep(struct run_table *t, struct run_state *r, struct err *e)
{
	return run_table_write(t, r, NULL, e);
}

/* Under the lock: written down before it counts. */
static int
run_table_add(struct run_table *t, struct run_state *run, const struct buf *request, struct err *e)
{
	struct run_table_item *item;
	struct buf copy = BUF_INIT;

	buf_add(&copy, request->data, request->len);
	if (buf_check(&copy, e) != 0 || run_table_write(t, run, request, e) != 0) {
		buf_free(&copy);
		return -1;
	}
	run_table_forget(t);
	item = &t->items[t->count++];
	*item = (struct run_table_item){.run = run_state_ref(run), .request = copy, .waiting = true};
	pthread_cond_broadcast(&t->changed);
	return 0;
}

int
run_table_submit(struct run_table *t, struct store *s, const struct run_table_request *rq,
    struct run_state **ret, struct err *e)
{
	CLEANUP(run_state_unrefp) struct run_state *run = NULL;
	struct run_state *same;
	int rc;

	pthread_mutex_lock(&t->lock);
	rc = run_table_check(t, rq, &same, e);
	pthread_mutex_unlock(&t->lock);
	if (rc == 0 && same != NULL) {
		*ret = same;
		return 0;
	}
	if (rc != 0 || run_table_make(t, s, rq, &run, e) != 0)
		return -1;
	pthread_mutex_lock(&t->lock);
	rc = run_table_check(t, rq, &same, e);
	if (rc == 0 && same == NULL && (rc = run_table_add(t, run, rq->bytes, e)) == 0)
		same = run_state_ref(run);
	if (rc != 0 && run_table_named(t, run_state_id(run)) == NULL)
		run_table_unlink_log(t, run_state_id(run));
	pthread_mutex_unlock(&t->lock);
	if (rc == 0)
		*ret = same;
	return rc;
}

struct run_state *
run_table_next(struct run_table *t, struct buf *ret_request)
{
	struct run_table_item *item = NULL;
	struct run_state *run = NULL;

	pthread_mutex_lock(&t->lock);
	while (!t->stopping && item == NULL) {
		for (size_t i = 0; i < t->count && item == NULL; i++)
			if (t->items[i].waiting)
				item = &t->items[i];
		if (item == NULL)
			pthread_cond_wait(&t->changed, &t->lock);
	}
	if (item != NULL && !t->stopping) {
		item->waiting = false;
		buf_free(ret_request);
		*ret_request = item->request;
		item->request = (struct buf)BUF_INIT;
		t->active = item->run; /* what is not over is not forgotten */
		run = run_state_ref(item->run);
	}
	pthread_mutex_unlock(&t->lock);
	return run;
}

void
run_table_release(struct run_table *t)
{
	pthread_mutex_lock(&t->lock);
	t->active = NULL;
	pthread_mutex_unlock(&t->lock);
}

void
run_table_cancel(struct run_table *t, struct run_state *r)
{
	struct err gone, ignored;
	bool waited = false;

	err_set(&gone, ERR_CANCELLED, "cancelled before it began");
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->count; i++)
		if (t->items[i].run == r && t->items[i].waiting) {
			waited = true;
			t->items[i].waiting = false;
			buf_free(&t->items[i].request);
		}
	pthread_mutex_unlock(&t->lock);
	if (!waited) {
		run_state_cancel(r);
		return;
	}
	run_state_finish(r, RUN_STATE_CANCELLED, NULL, &gone);
	if (run_table_keep(t, r, &ignored) != 0)
		run_state_cancel(r); /* over for its client; the next daemon will try it again */
}

void
run_table_stop(struct run_table *t)
{
	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	if (t->active != NULL)
		run_state_cancel(t->active);
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

bool
run_table_stopping(struct run_table *t)
{
	bool stopping;

	pthread_mutex_lock(&t->lock);
	stopping = t->stopping;
	pthread_mutex_unlock(&t->lock);
	return stopping;
}

int
run_table_find(struct run_table *t, const char *id, const char *owner, struct run_state **ret,
    struct err *e)
{
	struct run_state *found;

	pthread_mutex_lock(&t->lock);
	found = run_table_named(t, id);
	if (found != NULL && owner != NULL && strcmp(run_state_owner(found), owner) != 0)
		found = NULL;
	if (found != NULL)
		run_state_ref(found);
	pthread_mutex_unlock(&t->lock);
	if (found == NULL)
		return err_set(e, ERR_NOTFOUND, "run %s: not known here", id);
	*ret = found;
	return 0;
}

size_t
run_table_list(struct run_table *t, const char *owner, struct run_state **ret)
{
	size_t n = 0;

	pthread_mutex_lock(&t->lock);
	for (size_t i = t->count; i > 0; i--)
		if (strcmp(run_state_owner(t->items[i - 1].run), owner) == 0)
			ret[n++] = run_state_ref(t->items[i - 1].run);
	pthread_mutex_unlock(&t->lock);
	return n;
}

int
run_table_position(struct run_table *t, const struct run_state *r)
{
	int n = 0, found = -1;

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->count; i++) {
		if (t->items[i].run == r && t->items[i].waiting)
			found = n;
		n += t->items[i].waiting;
	}
	if (found >= 0 && t->active != NULL)
		found++;
	pthread_mutex_unlock(&t->lock);
	return found;
}

void
run_table_load(struct run_table *t, unsigned *ret_waiting, bool *ret_active)
{
	pthread_mutex_lock(&t->lock);
	*ret_waiting = run_table_waiting(t);
	*ret_active = t->active != NULL;
	pthread_mutex_unlock(&t->lock);
}
