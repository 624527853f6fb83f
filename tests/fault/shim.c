/*
 * Preloaded into aicert and aicertd: makes the Nth call of a kind fail, or
 * kills the process there.  Every process of a command counts into one file,
 * AICERT_FAULT_COUNT, which also tells whether the fault happened.
 *
 *     AICERT_FAULT=KIND:N:ACTION
 *
 * KIND is open, create (an open that may make a file), write, fsync, rename,
 * link, unlink, mkdir, symlink, clone (FICLONE), thread or malloc; ACTION the
 * name of an errno ("ENOSPC"), "short" (a write of one byte less), "kill"
 * (before the call) or "die" (after it).  With a "+" after N the fault happens
 * from the Nth call on.  Allocations count when our own code or SQLite asks for
 * them, all else whoever calls.  (mmap is called within the C library, out of
 * reach from here: tests/fault/lib.sh uses strace for it.)
 *
 * AICERT_PRETEND_FS is the number of a file system (linux/magic.h) that all files
 * are said to lie on; no fault is needed for it.
 *
 * AICERT_FAULT_TRACE names a file to which the way to the fault is written.
 *
 * The file is two words of 8 bytes, the calls and the faults.  When it has room
 * for more, the word 1 + N is written at call N: the way to it, the same for all
 * calls that come along the same functions.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SITE_FRAMES 24
#define SITE_OURS 5        /* that tell calls apart */
#define SITE_OURS_MALLOC 3 /* there are thousands */

enum kind { OPEN, CREATE, WRITE, FSYNC, RENAME, LINK, UNLINK, MKDIR, SYMLINK, CLONE, THREAD, MALLOC,
	KINDS };
enum action { FAIL, SHORT, KILL, DIE };

static const char *const kind_names[KINDS] = {
	"open", "create", "write", "fsync", "rename", "link", "unlink", "mkdir", "symlink", "clone",
	"thread", "malloc",
};
static const struct {
	const char *name;
	int number;
} errnos[] = {
	{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EDQUOT", EDQUOT}, {"ENOMEM", ENOMEM},
	{"EINTR", EINTR}, {"EMFILE", EMFILE}, {"ENFILE", ENFILE}, {"EACCES", EACCES},
	{"EAGAIN", EAGAIN},
};

struct counter {
	uint64_t calls, fired, sites[];
};
struct range {
	uintptr_t start, end;
};

static struct plan {
	struct counter *counter; /* NULL: nothing is done */
	enum kind kind;
	enum action action;
	uint64_t nth;
	bool onwards;
	int number;
	struct range ours[2]; /* the program and SQLite */
	uint64_t sites;       /* that there is room for */
	const char *trace;
} plan;

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);

static int find_ranges(struct dl_phdr_info *info, size_t size, void *arg)
{
	size_t *count = arg;
	struct range *r;

	(void)size;
	if ((*count != 0 || info->dlpi_name[0] != '\0') && !strstr(info->dlpi_name, "libsqlite3"))
		return 0;
	r = &plan.ours[*count];
	for (int i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type != PT_LOAD || !(info->dlpi_phdr[i].p_flags & PF_X))
			continue;
		r->start = start;
		r->end = start + info->dlpi_phdr[i].p_memsz;
	}
	return ++*count == 2;
}

static bool read_plan(const char *text)
{
	const char *colon = strchr(text, ':');
	char *end;

	if (!colon)
		return false;
	for (plan.kind = OPEN; plan.kind < KINDS; plan.kind++)
		if (strncmp(text, kind_names[plan.kind], (size_t)(colon - text)) == 0 &&
		    kind_names[plan.kind][colon - text] == '\0')
			break;
	plan.nth = strtoull(colon + 1, &end, 10);
	if (*end == '+')
		plan.onwards = true, end++;
	if (plan.kind == KINDS || *end++ != ':')
		return false;
	plan.action = strcmp(end, "short") == 0 ? SHORT : strcmp(end, "kill") == 0 ? KILL :
	    strcmp(end, "die") == 0 ? DIE : FAIL;
	for (size_t i = 0; i < sizeof errnos / sizeof *errnos; i++)
		if (strcmp(end, errnos[i].name) == 0)
			plan.number = errnos[i].number;
	return plan.action != FAIL || plan.number != 0;
}

__attribute__((constructor)) static void start(void)
{
	const char *text = getenv("AICERT_FAULT"), *path = getenv("AICERT_FAULT_COUNT");
	void *p, *frames[SITE_FRAMES];
	size_t found = 0;
	struct stat st;
	int fd;

	if (!text || !path || strncmp(program_invocation_short_name, "aicert", 6) != 0)
		return;
	if (!read_plan(text))
		abort();
	dl_iterate_phdr(find_ranges, &found);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0 || (size_t)st.st_size < sizeof *plan.counter)
		abort();
	p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		abort();
	(void)close(fd);
	plan.sites = ((size_t)st.st_size - sizeof *plan.counter) / sizeof *plan.counter->sites;
	if (plan.sites > 0)
		(void)backtrace(frames, SITE_FRAMES); /* loads what it needs */
	plan.trace = getenv("AICERT_FAULT_TRACE");
	if (plan.trace)
		(void)backtrace(frames, SITE_FRAMES);
	plan.counter = p;
}

static void tell(void)
{
	void *frames[SITE_FRAMES];
	int fd = (int)syscall(SYS_openat, AT_FDCWD, plan.trace, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	backtrace_symbols_fd(frames, backtrace(frames, SITE_FRAMES), fd);
	(void)syscall(SYS_close, fd);
}

static bool ours(const void *caller)
{
	for (size_t i = 0; i < 2; i++)
		if ((uintptr_t)caller >= plan.ours[i].start && (uintptr_t)caller < plan.ours[i].end)
			return true;
	return false;
}

/* The way to a call: the return addresses that are ours, wherever they were loaded. */
static void record(uint64_t n)
{
	uint64_t site = 1469598103934665603U;
	void *frames[SITE_FRAMES];
	int count = backtrace(frames, SITE_FRAMES);
	int most = plan.kind == MALLOC ? SITE_OURS_MALLOC : SITE_OURS;

	for (int i = 0, found = 0; i < count && found < most; i++) {
		size_t k = (uintptr_t)frames[i] >= plan.ours[1].start &&
		    (uintptr_t)frames[i] < plan.ours[1].end;

		if (!ours(frames[i]))
			continue;
		site = (site ^ ((uintptr_t)frames[i] - plan.ours[k].start + k)) * 1099511628211U;
		found++;
	}
	for (const char *p = program_invocation_short_name; *p != '\0'; p++)
		site = (site ^ (unsigned char)*p) * 1099511628211U;
	plan.counter->sites[n - 1] = site;
}

/* Does the fault happen at this call? */
static bool hit(enum kind kind)
{
	uint64_t n;

	if (!plan.counter || plan.kind != kind)
		return false;
	n = __atomic_add_fetch(&plan.counter->calls, 1, __ATOMIC_SEQ_CST);
	if (n <= plan.sites)
		record(n);
	if (plan.onwards ? n < plan.nth : n != plan.nth)
		return false;
	__atomic_add_fetch(&plan.counter->fired, 1, __ATOMIC_SEQ_CST);
	if (plan.trace)
		tell();
	if (plan.action == KILL)
		(void)kill(getpid(), SIGKILL);
	if (plan.action == FAIL)
		errno = plan.number;
	return true;
}

/* After a call that was hit but made. */
static void made(void)
{
	if (plan.action == DIE)
		(void)kill(getpid(), SIGKILL);
}

int fstatfs(int fd, struct statfs *st)
{
	const char *magic = getenv("AICERT_PRETEND_FS");
	int rc = (int)syscall(SYS_fstatfs, fd, st);

	if (rc == 0 && magic)
		st->f_type = (__fsword_t)strtoul(magic, NULL, 0);
	return rc;
}
int fstatfs64(int fd, struct statfs64 *st) { return fstatfs(fd, (struct statfs *)st); }

static void *next(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		abort();
	return f;
}

/* A call that is made, made and then died of, or not made. */
#define CALL(kind, failed, call) CALL_IF(hit(kind), failed, call)
#define CALL_FILE(failed, call) CALL_IF(hit_file(fd), failed, call)
#define CALL_IF(condition, failed, call) \
	do { \
		bool hit_ = condition; \
		__typeof__(call) rc_; \
		if (hit_ && plan.action == FAIL) \
			return failed; \
		rc_ = (call); \
		if (hit_) \
			made(); \
		return rc_; \
	} while (0)

static mode_t mode_of(int flags, va_list ap)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, mode_t) : 0;
}

static enum kind opening(int flags)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE || flags & O_TRUNC ? CREATE : OPEN;
}

#define OPEN_FUNCTION(name) \
	int name(const char *path, int flags, ...); \
	int name(const char *path, int flags, ...) \
	{ \
		va_list ap; \
		mode_t mode; \
		va_start(ap, flags); \
		mode = mode_of(flags, ap); \
		va_end(ap); \
		CALL(opening(flags), -1, (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode)); \
	}
OPEN_FUNCTION(open)
OPEN_FUNCTION(open64)

#define OPENAT_FUNCTION(name) \
	int name(int fd, const char *path, int flags, ...); \
	int name(int fd, const char *path, int flags, ...) \
	{ \
		va_list ap; \
		mode_t mode; \
		va_start(ap, flags); \
		mode = mode_of(flags, ap); \
		va_end(ap); \
		CALL(opening(flags), -1, (int)syscall(SYS_openat, fd, path, flags, mode)); \
	}
OPENAT_FUNCTION(openat)
OPENAT_FUNCTION(openat64)

/* openat2 has no wrapper in the C library. */
long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[6];
	va_list ap;

	if (!real)
		real = (long (*)(long, ...))next("syscall");
	va_start(ap, number);
	for (size_t i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_openat2)
		CALL(opening((int)((const struct open_how *)a[2])->flags), -1, real(number, a[0], a[1], a[2], a[3], a[4], a[5]));
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Only files can be full: pipes and sockets are left alone. */
static bool hit_file(int fd)
{
	struct stat st;

	return plan.counter && plan.kind == WRITE && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    hit(WRITE);
}

/* A short write: one byte less than was asked for. */
static size_t shorter(bool hit_, size_t n)
{
	return hit_ && plan.action == SHORT && n > 1 ? n - 1 : n;
}

#define WRITE_FUNCTION(name, params, ...) \
	ssize_t name params; \
	ssize_t name params \
	{ \
		bool hit_ = hit_file(fd); \
		ssize_t rc; \
		if (hit_ && plan.action == FAIL) \
			return -1; \
		n = shorter(hit_, n); \
		rc = syscall(__VA_ARGS__); \
		if (hit_) \
			made(); \
		return rc; \
	}
WRITE_FUNCTION(write, (int fd, const void *p, size_t n), SYS_write, fd, p, n)
WRITE_FUNCTION(pwrite, (int fd, const void *p, size_t n, off_t at), SYS_pwrite64, fd, p, n, at)
WRITE_FUNCTION(pwrite64, (int fd, const void *p, size_t n, off_t at), SYS_pwrite64, fd, p, n, at)
WRITE_FUNCTION(copy_file_range, (int in, off_t *at_in, int fd, off_t *at, size_t n,
    unsigned flags), SYS_copy_file_range, in, at_in, fd, at, n, flags)
ssize_t writev(int fd, const struct iovec *iov, int count)
{
	CALL_FILE(-1, syscall(SYS_writev, fd, iov, count));
}
int ftruncate(int fd, off_t size) { CALL_FILE(-1, (int)syscall(SYS_ftruncate, fd, size)); }
int ftruncate64(int fd, off_t size) { CALL_FILE(-1, (int)syscall(SYS_ftruncate, fd, size)); }

int fsync(int fd) { CALL(FSYNC, -1, (int)syscall(SYS_fsync, fd)); }
int fdatasync(int fd) { CALL(FSYNC, -1, (int)syscall(SYS_fdatasync, fd)); }
int syncfs(int fd) { CALL(FSYNC, -1, (int)syscall(SYS_syncfs, fd)); }

int rename(const char *a, const char *b)
{
	CALL(RENAME, -1, (int)syscall(SYS_rename, a, b));
}
int renameat(int ad, const char *a, int bd, const char *b)
{
	CALL(RENAME, -1, (int)syscall(SYS_renameat2, ad, a, bd, b, 0));
}
int renameat2(int ad, const char *a, int bd, const char *b, unsigned flags)
{
	CALL(RENAME, -1, (int)syscall(SYS_renameat2, ad, a, bd, b, flags));
}
int link(const char *a, const char *b)
{
	CALL(LINK, -1, (int)syscall(SYS_linkat, AT_FDCWD, a, AT_FDCWD, b, 0));
}
int linkat(int ad, const char *a, int bd, const char *b, int flags)
{
	CALL(LINK, -1, (int)syscall(SYS_linkat, ad, a, bd, b, flags));
}
int unlink(const char *path)
{
	CALL(UNLINK, -1, (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}
int unlinkat(int fd, const char *path, int flags)
{
	CALL(UNLINK, -1, (int)syscall(SYS_unlinkat, fd, path, flags));
}
int mkdir(const char *path, mode_t mode)
{
	CALL(MKDIR, -1, (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}
int mkdirat(int fd, const char *path, mode_t mode)
{
	CALL(MKDIR, -1, (int)syscall(SYS_mkdirat, fd, path, mode));
}

int symlink(const char *target, const char *path)
{
	CALL(SYMLINK, -1, (int)syscall(SYS_symlinkat, target, AT_FDCWD, path));
}
int symlinkat(const char *target, int fd, const char *path)
{
	CALL(SYMLINK, -1, (int)syscall(SYS_symlinkat, target, fd, path));
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	long arg;

	va_start(ap, request);
	arg = va_arg(ap, long);
	va_end(ap);
	if (request == FICLONE)
		CALL(CLONE, -1, (int)syscall(SYS_ioctl, fd, request, arg));
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

/* Tells the error by its return value. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*f)(void *), void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
	    (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))next("pthread_create");

	CALL(THREAD, plan.number, real(thread, attr, f, arg));
}

#define ALLOCATION(call) \
	do { \
		if (!ours(__builtin_return_address(0))) \
			return call; \
		CALL(MALLOC, NULL, call); \
	} while (0)
void *malloc(size_t n) { ALLOCATION(__libc_malloc(n)); }
void *calloc(size_t n, size_t size) { ALLOCATION(__libc_calloc(n, size)); }
void *realloc(void *p, size_t n) { ALLOCATION(__libc_realloc(p, n)); }
void *reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	ALLOCATION(__libc_realloc(p, all));
}
char *strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	bool hit_ = ours(__builtin_return_address(0)) && hit(MALLOC);
	char *p = hit_ && plan.action == FAIL ? NULL : __libc_malloc(n);

	if (hit_)
		made();
	return p ? memcpy(p, s, n) : NULL;
}
