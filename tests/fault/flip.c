/*
 * Damage to every stored form: each file of a store is cut at every length and
 * has every byte flipped.  What the store then answers must be what it answered
 * before, or fsck must call it damage; nothing may crash.
 *
 *     fault-flip WORKTREE POINTS JOB JOBS
 *
 * POINTS a file, evenly (0: every one); of these every one that is JOB modulo JOBS.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/atomic-file.h"
#include "base/dir-walk.h"
#include "base/fd.h"
#include "git/repo-error.h"
#include "store/fsck.h"
#include "store/history.h"
#include "store/in-place.h"
#include "store/odb.h"
#include "store/reflog.h"
#include "store/refs.h"
#include "store/sealed.h"

#define FILE_MAX (64u * 1024 * 1024)
#define REFERENCED "referenced.bin"
#define JUDGE_SECONDS 60 /* an endless loop is a failure too */

/* In memory that the process which judges shares with the one that waits for its end. */
struct flip {
	const char *store;
	size_t points, job, jobs;
	struct buf answers;     /* of the store as it was */
	size_t next;            /* damage to the file: two at each point */
	size_t tried, noticed, silent, crashed;
};

struct asked {
	struct store *s;
	struct buf *answers;
};

static int
ask_object(void *arg, const struct oid *id, uint64_t size)
{
	struct asked *a = arg;
	struct err e = {0};
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	buf_addf(a->answers, "%s %llu %d\n", hex, (unsigned long long)size,
	    odb_stream(a->s, id, NULL, NULL, &e));
	return 0;
}

static int
ask_ref(void *arg, const char *name, const struct object_ref *ref)
{
	struct asked *a = arg;
	char hex[OID_HEX_SIZE];

	oid_hex(&ref->id, hex);
	buf_addf(a->answers, "%s %s %s\n", name, oid_type_name(ref->type), hex);
	return 0;
}

/* What it says of ids: a message that reads differently is not found, and harms nothing. */
static int
ask_line(void *arg, const struct reflog_entry *entry)
{
	struct asked *a = arg;
	char old[OID_HEX_SIZE], new_[OID_HEX_SIZE];

	oid_hex(&entry->old, old);
	oid_hex(&entry->new_, new_);
	buf_addf(a->answers, "  %s %s\n", entry->has_old ? old : "none", entry->has_new ? new_ : "none");
	return 0;
}

static void
ask_logs(struct asked *a)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	struct err e = {0};
	size_t bad;

	if (refs_log_names(a->s, &names, &e) != 0)
		buf_addf(a->answers, "%s\n", e.msg);
	for (size_t i = 0; i < names.count; i++) {
		buf_addf(a->answers, "log of %s\n", names.names[i]);
		if (reflog_each(a->s, names.names[i], ask_line, a, &bad, &e) != 0)
			buf_addf(a->answers, "%s\n", e.msg);
	}
}

/* Who made each output of a commit's run? */
static int
ask_producers(void *arg, const struct oid *id, const struct commit *c)
{
	struct asked *a = arg;
	CLEANUP(certificate_free) struct certificate cert = {0};
	struct err e = {0};
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	buf_addf(a->answers, "commit %s\n", hex);
	if (c->kind != COMMIT_RUN || history_certificate(a->s, &c->subject.id, &cert, &e) != 0)
		return 0;
	for (size_t i = 0; i < cert.event_count; i++) {
		const struct event *ev = &cert.events[i];
		const struct resource *r = &ev->u.output.output;
		struct history_producer p = {0};

		if (ev->kind != EVENT_OUTPUT_RESOURCE || history_producer(a->s, r, 0, &p, &e) != 0)
			continue;
		oid_hex(&p.certificate, hex);
		buf_addf(a->answers, "%s made by %s\n", r->path, hex);
		history_producer_free(&p);
	}
	return 0;
}

static void
nothing(void *arg UNUSED, enum fsck_severity severity UNUSED, const char *message UNUSED)
{
}

/* What is still to be collected, and the files that are kept where they lie. */
static void
ask_runs(struct asked *a)
{
	CLEANUP(cleanup_close) int fd = openat(store_dirfd(a->s), "runs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	struct err e = {0};

	if (fd < 0 || dir_walk_list(fd, ".", 1000, &names, &e) != 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		buf_addf(a->answers, "run %s ", names.names[i]);
		if (sealed_read(fd, names.names[i], STORE_RUN_BYTES_MAX, a->answers, &e) != 0)
			buf_addf(a->answers, "%s", err_name(e.code));
		buf_addc(a->answers, '\n');
	}
}

/* 1: the store says that it is damaged; 0: *ret has its answers. */
static int
ask(const char *path, struct buf *ret)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct asked a = {.answers = ret};
	struct object_ref head;
	struct err e = {0};
	const struct fsck_options o = {.report = nothing};
	struct fsck_result r = {0};

	if (store_open(path, 0, &s, &e) != 0 || fsck_run(s, &o, &r, &e) != 0 || r.damage)
		return 1;
	a.s = s;
	if (refs_resolve(s, "HEAD", &head, &e) != 0)
		buf_addf(ret, "HEAD: %s\n", err_name(e.code));
	else
		ask_ref(&a, "HEAD", &head);
	if (refs_each(s, "refs/", ask_ref, &a, &e) != 0 || odb_each(s, ask_object, &a, &e) != 0 ||
	    history_walk(s, &head.id, 1, ask_producers, &a, &e) != 0)
		buf_addf(ret, "%s\n", e.msg);
	ask_logs(&a);
	ask_runs(&a);
	return 0;
}

static void
put_back(const char *path, const struct buf *was)
{
	struct err e = {0};
	int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || fd_write_all(fd, was->data, was->len, path, &e) != 0 || close(fd) != 0)
		abort();
}

/* The first bytes are where most is told: all of them. */
static size_t
point(const struct flip *f, const struct buf *was)
{
	size_t step = f->points != 0 && was->len > f->points ? was->len / f->points : 1, n = f->next / 2;

	return n < 64 ? n : 64 + (n - 64) * step;
}

static void
tell(const struct flip *f, const char *path, const struct buf *was, const char *what)
{
	printf("%s: %s %zu: %s\n", path, f->next % 2 == 0 ? "flipped byte" : "cut to", point(f, was), what);
}

static void
damage(struct flip *f, const char *path, const struct buf *was, size_t at)
{
	CLEANUP(buf_free) struct buf copy = BUF_INIT;
	CLEANUP(buf_free) struct buf now = BUF_INIT;

	buf_add(&copy, was->data, was->len);
	if (f->next % 2 == 0)
		((unsigned char *)copy.data)[at] ^= (unsigned char)(1u << at % 8);
	else
		copy.len = at;
	put_back(path, &copy);
	alarm(JUDGE_SECONDS);
	f->tried++;
	if (ask(f->store, &now) != 0) {
		f->noticed++;
	} else if (now.len != f->answers.len || memcmp(now.data, f->answers.data, now.len) != 0) {
		f->silent++;
		tell(f, path, was, "other answers, and no damage found");
	}
}

/* In a process of its own, so that a crash is seen: another goes on behind it. */
static bool
damage_on(struct flip *f, const char *path, const struct buf *was)
{
	pid_t pid = fork();
	int status = 0;
	size_t at;

	if (pid == 0) {
		for (; (at = point(f, was)) < was->len; f->next++)
			if (f->next / 2 % f->jobs == f->job)
				damage(f, path, was, at);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	put_back(path, was);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return false;
	f->crashed++;
	tell(f, path, was, "a crash, or no end");
	f->next++;
	return true;
}

static void
damage_file(struct flip *f, const char *path)
{
	CLEANUP(buf_free) struct buf was = BUF_INIT;
	struct err e = {0};

	if (fd_read_file(AT_FDCWD, path, FILE_MAX, &was, &e) != 0 || chmod(path, 0644) != 0) {
		fprintf(stderr, "%s: %s\n", path, e.msg);
		exit(99);
	}
	f->next = 0;
	while (damage_on(f, path, &was))
		;
}

static void
damage_tree(struct flip *f, const char *dir)
{
	struct dir_walk w = DIR_WALK_INIT;
	struct err e = {0};

	if (dir_walk_list(AT_FDCWD, dir, 1u << 20, &w, &e) != 0)
		exit(99);
	for (size_t i = 0; i < w.count; i++) {
		char path[4096];
		struct stat st;

		snprintf(path, sizeof path, "%s/%s", dir, w.names[i]);
		if (lstat(path, &st) != 0)
			continue; /* a journal, gone by now */
		if (S_ISDIR(st.st_mode))
			damage_tree(f, path);
		else
			damage_file(f, path);
	}
	dir_walk_free(&w);
}

static void
need(int rc, const struct err *e)
{
	if (rc == 0)
		return;
	fprintf(stderr, "%s\n", e->msg);
	exit(99);
}

/* What the commands before did not make: a large object that is kept where it lies and is
 * named by a tag, a run that is to be collected, and damaged bytes that were replaced. */
static void
furnish(const char *path)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(cleanup_close) int fd = -1;
	CLEANUP(cleanup_close) int runs = -1;
	CLEANUP(buf_free) struct buf data = BUF_INIT;
	struct object_ref ref = {.type = OBJECT_BLOB};
	struct refs_change change = {.name = "refs/tags/referenced", .new_ = &ref, .author = "T <t@e>",
	    .message = "in place"};
	struct err e = {0};
	char hex[OID_HEX_SIZE];

	for (unsigned i = 0; i < 33000; i++)
		buf_addc(&data, (int)(i * i >> 7 & 0xff));
	need(oid_from_data(&ref.id, data.data, data.len, &e), &e);
	put_back(REFERENCED, &data);
	need(store_open(path, 0, &s, &e), &e);
	fd = open(REFERENCED, O_RDONLY | O_CLOEXEC);
	need(in_place_add(s, &ref.id, fd, REFERENCED, &e), &e);
	need(refs_update(s, &change, &e), &e);
	need(store_make_dirs(s, "runs", &e), &e);
	need(store_make_dirs(s, "quarantine", &e), &e);
	runs = openat(store_dirfd(s), "runs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	oid_hex(&ref.id, hex);
	data.len = 0;
	buf_addf(&data, "{\"nonce\":\"%s\"}", hex);
	need(sealed_write(runs, hex, &data, 0600, &e), &e);
	need(atomic_file_write(store_dirfd(s), "quarantine/log-refs%heads%main", data.data, data.len, 0444,
	    &e), &e);
}

static struct flip *
flip_new(char **argv, const char *store)
{
	struct flip *f = mmap(NULL, sizeof *f, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (f == MAP_FAILED)
		abort();
	*f = (struct flip){.store = store, .answers = BUF_INIT, .points = strtoul(argv[2], NULL, 10),
	    .job = strtoul(argv[3], NULL, 10), .jobs = strtoul(argv[4], NULL, 10)};
	return f;
}

int
main(int argc, char **argv)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	CLEANUP(repo_error_stopp) bool git = repo_error_start(NULL) == 0; /* once, not for each damage */
	char store[4096];
	struct flip *f;

	if (!git || argc != 5 || chdir(argv[1]) != 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(store, sizeof store, "%s/.aicert", argv[1]);
	f = flip_new(argv, store);
	furnish(store);
	if (ask(store, &f->answers) != 0) {
		printf("%s is damaged before anything was done\n", store);
		return 1;
	}
	damage_tree(f, STORE_NAME);
	damage_file(f, REFERENCED);
	if (ask(store, &again) != 0 || again.len != f->answers.len ||
	    memcmp(again.data, f->answers.data, again.len) != 0) {
		printf("%s is not what it was\n", store);
		f->silent++;
	}
	printf("%zu damages: %zu found, %zu without effect, %zu silent, %zu crashes\n", f->tried,
	    f->noticed, f->tried - f->noticed - f->silent - f->crashed, f->silent, f->crashed);
	buf_free(&f->answers);
	return f->tried > 0 && f->silent == 0 && f->crashed == 0 ? 0 : 1;
}
