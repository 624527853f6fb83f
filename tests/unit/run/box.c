#include "box.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/fd.h"

void
box_open(struct box *b)
{
	char name[64];
	struct err e;

	*b = (struct box){.cancel_fd = -1, .started_fd = -1, .ready_fd = -1};
	snprintf(b->path, sizeof b->path, "%s/box-XXXXXX", unit_dir());
	ck_assert(mkdtemp(b->path) != NULL);
	b->dirfd = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(b->dirfd, 0);
	ck_assert_int_eq(mkdirat(b->dirfd, "inputs", 0755), 0);
	ck_assert_int_eq(mkdirat(b->dirfd, "scratch", 0755), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(fchownat(b->dirfd, "scratch", 65534, 65534, 0), 0);
	b->spec.inputs = b->inputs;
	b->spec.command = b->args;
	UNIT_OK(sandbox_probe(&b->enforce, &e), &e);
	snprintf(name, sizeof name, CGROUP_PREFIX "%d-unit", (int)getpid());
	UNIT_OK(cgroup_create(name, &b->cgroup, &e), &e);
}

static void
box_touch(struct box *b, const char *path, const char *text)
{
	struct err e;
	int fd = openat(b->dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

	ck_assert_int_ge(fd, 0);
	UNIT_OK(fd_write_all(fd, text, strlen(text), path, &e), &e);
	close(fd);
}

void
box_input(struct box *b, const char *path, const char *text)
{
	char place[300];

	snprintf(place, sizeof place, "inputs/%zu", b->spec.input_count);
	box_touch(b, place, text);
	snprintf(place, sizeof place, "scratch/%s", path);
	box_touch(b, place, "");
	b->inputs[b->spec.input_count].thing.path = strdup(path);
	b->spec.input_count++;
}

static int
box_log(void *arg, const void *data, size_t len, struct err *e)
{
	struct box *b = arg;

	if (b->ready_fd >= 0 && b->output.len == 0)
		ck_assert_int_eq(write(b->ready_fd, "", 1), 1);
	buf_add(&b->output, data, len);
	return buf_check(&b->output, e);
}

static void
box_started(void *arg)
{
	const struct box *b = arg;

	if (b->started_fd >= 0)
		ck_assert_int_eq(write(b->started_fd, "", 1), 1);
}

static void
box_start(struct box *b)
{
	struct sandbox s = {
		.run_dirfd = b->dirfd,
		.spec = &b->spec,
		.rootfs = &b->rootfs,
		.enforce = &b->enforce,
		.cgroup = &b->cgroup,
		.cancel_fd = b->cancel_fd,
		.started = box_started,
		.log = box_log,
		.arg = b,
	};
	struct err e;

	UNIT_OK(rootfs_prepare(NULL, &b->spec, b->dirfd, &b->rootfs, &e), &e);
	UNIT_OK(cgroup_limit(&b->cgroup, &b->spec.limits, &e), &e);
	sandbox_run(&s, &b->end);
}

void
box_run(struct box *b, ...)
{
	va_list ap;

	va_start(ap, b);
	for (b->spec.command_count = 0; b->spec.command_count < BOX_ARGS_MAX; b->spec.command_count++) {
		b->args[b->spec.command_count] = va_arg(ap, char *);
		if (b->args[b->spec.command_count] == NULL)
			break;
	}
	va_end(ap);
	box_start(b);
}

void
box_python(struct box *b, const char *program)
{
	box_run(b, "/usr/bin/python3", "-c", program, NULL);
}

void
box_close(struct box *b)
{
	struct err e;

	cgroup_remove(&b->cgroup);
	rootfs_free(&b->rootfs);
	sandbox_probe_free(&b->enforce);
	buf_free(&b->output);
	for (size_t i = 0; i < b->spec.input_count; i++)
		free(b->inputs[i].thing.path);
	close(b->dirfd);
	UNIT_OK(fd_remove_tree(AT_FDCWD, b->path, &e), &e);
}

void
box_as_user(void (*fn)(void))
{
	int status;
	pid_t pid;

	if (geteuid() != 0) {
		fn();
		return;
	}
	ck_assert_int_eq(chmod(unit_dir(), 0777), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (setgroups(0, NULL) != 0 || setresgid(BOX_USER, BOX_USER, BOX_USER) != 0 ||
		    setresuid(BOX_USER, BOX_USER, BOX_USER) != 0)
			_exit(2);
		fn();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static bool
box_has_word(const char *pid, const char *word)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char path[300];

	snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
	return fd_read_file(AT_FDCWD, path, 1024 * 1024, &text, NULL) == 0 && text.len > 0 &&
	    memmem(text.data, text.len, word, strlen(word)) != NULL;
}

int
box_find_process(const char *word)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;
	int fd = -1;

	ck_assert_ptr_nonnull(dir);
	while (fd < 0 && (d = readdir(dir)) != NULL)
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9' && box_has_word(d->d_name, word))
			fd = (int)syscall(SYS_pidfd_open, atoi(d->d_name), 0);
	closedir(dir);
	return fd;
}
