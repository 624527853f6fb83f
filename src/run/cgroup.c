#include "run/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"

#define CGROUP_TEXT_MAX (1024u * 1024)
#define CGROUP_CPU_PERIOD 100000u    /* microseconds */
#define CGROUP_PROCESSES_MAX 32768u  /* nobody asks for it: keeps a fork bomb in the box */

static int
cgroup_put(const char *dir, const char *file, const char *text, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/%s", dir, file);
	CLEANUP(cleanup_close) int fd = -1;

	if (path == NULL)
		return -1;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s: cannot open", path);
	return fd_write_all(fd, text, strlen(text), path, e);
}

static int
cgroup_read(const char *dir, const char *file, struct buf *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/%s", dir, file);

	return path != NULL ? fd_read_file(AT_FDCWD, path, CGROUP_TEXT_MAX, ret, e) : -1;
}

/* The number after name in a file of "name value" lines, or the whole file (name NULL). */
static bool
cgroup_number(const char *dir, const char *file, const char *name, uint64_t *ret)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	const char *p;
	size_t n = name != NULL ? strlen(name) : 0;

	if (dir == NULL || cgroup_read(dir, file, &text, NULL) != 0)
		return false;
	for (p = buf_str(&text); p != NULL && *p != '\0';) {
		if (name == NULL || (strncmp(p, name, n) == 0 && p[n] == ' ')) {
			*ret = strtoull(p + n, NULL, 10);
			return true;
		}
		p = strchr(p, '\n');
		p = p != NULL ? p + 1 : NULL;
	}
	return false;
}

/* Removes groups of our form whose maker is gone. */
static void
cgroup_sweep(const char *parent)
{
	DIR *dir = opendir(parent);
	struct dirent *d;

	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL) {
		long pid;

		if (strncmp(d->d_name, CGROUP_PREFIX, strlen(CGROUP_PREFIX)) != 0)
			continue;
		pid = strtol(d->d_name + strlen(CGROUP_PREFIX), NULL, 10);
		if (pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH)
			(void)unlinkat(dirfd(dir), d->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
}

/* NULL without an error where the directory cannot be made. */
static int
cgroup_mkdir(const char *parent, const char *name, char **ret, struct err *e)
{
	char *path = buf_strfmt(e, "%s/%s", parent, name);

	*ret = NULL;
	if (path == NULL)
		return -1;
	cgroup_sweep(parent);
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		*ret = path;
	else
		free(path);
	return 0;
}

static bool
cgroup_has_word(const char *dir, const char *file, const char *word)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	size_t n = strlen(word);

	if (cgroup_read(dir, file, &text, NULL) != 0)
		return false;
	for (const char *p = buf_str(&text); (p = strstr(p, word)) != NULL; p += n)
		if ((p == buf_str(&text) || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\n' || p[n] == '\0'))
			return true;
	return false;
}

/* v2: a group gives controllers to its children only when told to, and only
 * where no process lives in it (the root excepted). */
static bool
cgroup_v2_gives(const char *dir)
{
	static const char *const words[] = {"cpu", "memory", "pids"};

	if (access(dir, W_OK) != 0)
		return false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		char text[16];

		if (cgroup_has_word(dir, "cgroup.subtree_control", words[i]))
			continue;
		snprintf(text, sizeof text, "+%s", words[i]);
		if (cgroup_put(dir, "cgroup.subtree_control", text, NULL) != 0)
			return false;
	}
	return true;
}

/* Walks up from our own group to the first that gives us what we need. */
static int
cgroup_create_v2(const struct cgroup *own, const char *name, struct cgroup *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *dir = buf_strdup(own->dirs[0], e);
	CLEANUP(cleanup_free) char *made = NULL;

	if (dir == NULL)
		return -1;
	while (made == NULL) {
		char *slash;

		if (!cgroup_has_word(dir, "cgroup.controllers", "memory"))
			break; /* no hierarchy of ours any more, or one without controllers */
		if (cgroup_v2_gives(dir) && cgroup_mkdir(dir, name, &made, e) != 0)
			return -1;
		slash = strrchr(dir, '/');
		if (slash == NULL)
			break;
		*slash = '\0';
	}
	for (int i = 0; made != NULL && i < CGROUP_KINDS; i++) {
		ret->dirs[i] = buf_strdup(made, e);
		if (ret->dirs[i] == NULL)
			return -1;
	}
	return 0;
}

int
cgroup_create(const char *name, struct cgroup *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf mounts = BUF_INIT;
	CLEANUP(buf_free) struct buf groups = BUF_INIT;
	CLEANUP(cgroup_free) struct cgroup own = CGROUP_INIT;
	struct cgroup made = CGROUP_INIT;
	int rc = 0;

	if (fd_read_file(AT_FDCWD, "/proc/self/mountinfo", CGROUP_TEXT_MAX, &mounts, e) != 0 ||
	    fd_read_file(AT_FDCWD, "/proc/self/cgroup", CGROUP_TEXT_MAX, &groups, e) != 0 ||
	    cgroup_locate(buf_str(&mounts), buf_str(&groups), &own, e) != 0)
		return -1;
	made.unified = own.unified;
	if (own.unified)
		rc = cgroup_create_v2(&own, name, &made, e);
	for (int i = 0; rc == 0 && !own.unified && i < CGROUP_KINDS; i++)
		if (own.dirs[i] != NULL)
			rc = cgroup_mkdir(own.dirs[i], name, &made.dirs[i], e);
	if (rc != 0) {
		cgroup_remove(&made);
		return -1;
	}
	*ret = made;
	return 0;
}

bool
cgroup_can_limit(const struct cgroup *c)
{
	return c->dirs[CGROUP_MEMORY] != NULL && c->dirs[CGROUP_CPU] != NULL;
}

static int
cgroup_refuse(const char *limit, const char *controller, struct err *e)
{
	return err_set(e, ERR_UNSUPPORTED, "limits: %s: cannot be enforced here: no control group with "
	    "the %s controller may be made; run as root, or have it delegated "
	    "(systemd: systemd-run --user --scope -p Delegate=yes ...), or remove the limit",
	    limit, controller);
}

static int
cgroup_limit_memory(const struct cgroup *c, uint64_t bytes, struct err *e)
{
	const char *dir = c->dirs[CGROUP_MEMORY];
	char text[32];

	if (dir == NULL)
		return cgroup_refuse("memory", "memory", e);
	snprintf(text, sizeof text, "%llu", (unsigned long long)bytes);
	if (cgroup_put(dir, c->unified ? "memory.max" : "memory.limit_in_bytes", text, e) != 0)
		return -1;
	/* swap does not count as memory: none (absent where the kernel does not account it) */
	if (c->unified)
		(void)cgroup_put(dir, "memory.swap.max", "0", NULL);
	else if (cgroup_put(dir, "memory.memsw.limit_in_bytes", text, NULL) != 0)
		(void)cgroup_put(dir, "memory.swappiness", "0", NULL);
	return 0;
}

static int
cgroup_limit_cpu(const struct cgroup *c, uint64_t millis, struct err *e)
{
	const char *dir = c->dirs[CGROUP_CPU];
	uint64_t quota = millis * (CGROUP_CPU_PERIOD / 1000);
	char text[64];

	if (dir == NULL)
		return cgroup_refuse("cpus", "cpu", e);
	if (quota < 1000)
		quota = 1000; /* the kernel's least */
	if (c->unified) {
		snprintf(text, sizeof text, "%llu %u", (unsigned long long)quota, CGROUP_CPU_PERIOD);
		return cgroup_put(dir, "cpu.max", text, e);
	}
	snprintf(text, sizeof text, "%u", CGROUP_CPU_PERIOD);
	if (cgroup_put(dir, "cpu.cfs_period_us", text, e) != 0)
		return -1;
	snprintf(text, sizeof text, "%llu", (unsigned long long)quota);
	return cgroup_put(dir, "cpu.cfs_quota_us", text, e);
}

int
cgroup_limit(const struct cgroup *c, const struct run_spec_limits *l, struct err *e)
{
	char text[16];

	if (l->memory_bytes != 0 && cgroup_limit_memory(c, l->memory_bytes, e) != 0)
		return -1;
	if (l->cpu_millis != 0 && cgroup_limit_cpu(c, l->cpu_millis, e) != 0)
		return -1;
	if (c->dirs[CGROUP_PIDS] != NULL) {
		snprintf(text, sizeof text, "%u", CGROUP_PROCESSES_MAX);
		(void)cgroup_put(c->dirs[CGROUP_PIDS], "pids.max", text, NULL);
	}
	return 0;
}

int
cgroup_open_procs(const struct cgroup *c, int ret_fds[CGROUP_KINDS], struct err *e)
{
	for (int i = 0; i < CGROUP_KINDS; i++) {
		CLEANUP(cleanup_free) char *path = NULL;

		ret_fds[i] = -1;
		if (c->dirs[i] == NULL || (c->unified && i > 0))
			continue;
		path = buf_strfmt(e, "%s/cgroup.procs", c->dirs[i]);
		if (path == NULL)
			goto fail;
		ret_fds[i] = open(path, O_WRONLY | O_CLOEXEC);
		if (ret_fds[i] < 0) {
			err_sys(e, "%s: cannot open", path);
			goto fail;
		}
		continue;
fail:
		while (--i >= 0)
			cleanup_close(&ret_fds[i]);
		return -1;
	}
	return 0;
}

void
cgroup_usage(const struct cgroup *c, struct cgroup_usage *ret)
{
	const char *memory = c->dirs[CGROUP_MEMORY];
	struct cgroup_usage u = {0};

	if (c->unified) {
		u.known = cgroup_number(c->dirs[CGROUP_CPU], "cpu.stat", "usage_usec", &u.cpu_micros) &&
		    cgroup_number(memory, "memory.peak", NULL, &u.peak_memory_bytes);
		(void)cgroup_number(memory, "memory.events", "oom_kill", &u.oom_kills);
	} else {
		u.known = cgroup_number(c->dirs[CGROUP_CPUACCT], "cpuacct.usage", NULL, &u.cpu_micros) &&
		    cgroup_number(memory, "memory.max_usage_in_bytes", NULL, &u.peak_memory_bytes);
		u.cpu_micros /= 1000; /* nanoseconds */
		(void)cgroup_number(memory, "memory.oom_control", "oom_kill", &u.oom_kills);
	}
	*ret = u;
}

void
cgroup_remove(struct cgroup *c)
{
	for (int i = 0; i < CGROUP_KINDS; i++)
		if (c->dirs[i] != NULL && !(c->unified && i > 0))
			(void)rmdir(c->dirs[i]);
	cgroup_free(c);
}
