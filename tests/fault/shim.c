/*
 * Preloaded into aicert and aicertd: makes the Nth call of a kind fail, or
 * kills the process there.  Every process of a command counts into one file,
 * AICERT_FAULT_COUNT, which also tells whether the fault happened.
 *
 *     AICERT_FAULT=KIND:N:ACTION
 *
 * KIND is open, write, fsync, rename, link, unlink, mkdir, mmap or malloc;
 * ACTION the name of an errno ("ENOSPC"), "short" (a write of one byte less),
 * "kill" (before the call) or "die" (after it).  With a "+" after N the fault
 * happens from the Nth call on.  Allocations count when our own code or SQLite
 * asks for them, all else whoever calls.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OPEN, WRITE, FSYNC, RENAME, LINK, UNLINK, MKDIR, MMAP, MALLOC, KINDS };
enum action { FAIL, SHORT, KILL, DIE };

static const char *const kind_names[KINDS] = {
	"open", "write", "fsync", "rename", "link", "unlink", "mkdir", "mmap", "malloc",
};
static const struct {
	const char *name;
	int number;
} errnos[] = {
	{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EDQUOT", EDQUOT}, {"ENOMEM", ENOMEM},
	{"EINTR", EINTR}, {"EMFILE", EMFILE}, {"EACCES", EACCES},
};

struct counter {
	uint64_t calls, fired;
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
	size_t found = 0;
	void *p;
	int fd;

	if (!text || !path || strncmp(program_invocation_short_name, "aicert", 6) != 0)
		return;
	if (!read_plan(text))
		abort();
	dl_iterate_phdr(find_ranges, &found);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort();
	p = mmap(NULL, sizeof *plan.counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		abort();
	(void)close(fd);
	plan.counter = p;
}

/* Does the fault happen at this call? */
static bool hit(enum kind kind)
{
	uint64_t n;

	if (!plan.counter || plan.kind != kind)
		return false;
	n = __atomic_add_fetch(&plan.counter->calls, 1, __ATOMIC_SEQ_CST);
	if (plan.onwards ? n < plan.nth : n != plan.nth)
		return false;
	__atomic_add_fetch(&plan.counter->fired, 1, __ATOMIC_SEQ_CST);
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

static void *next(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		abort();
	return f;
}

static bool ours(const void *caller)
{
	for (size_t i = 0; i < 2; i++)
		if ((uintptr_t)caller >= plan.ours[i].start && (uintptr_t)caller < plan.ours[i].end)
			return true;
	return false;
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
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
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
		CALL(OPEN, -1, (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode)); \
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
		CALL(OPEN, -1, (int)syscall(SYS_openat, fd, path, flags, mode)); \
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
		CALL(OPEN, -1, real(number, a[0], a[1], a[2], a[3], a[4], a[5]));
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

static void *map(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
	return (void *)syscall(SYS_mmap, at, n, prot, flags, fd, offset); /* NOLINT */
}
void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
	if (!ours(__builtin_return_address(0)))
		return map(at, n, prot, flags, fd, offset);
	CALL(MMAP, MAP_FAILED, map(at, n, prot, flags, fd, offset));
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
