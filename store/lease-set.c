#include "store/lease-set.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/lock-holder.h"
#include "base/timestamp.h"
#include "store/lease.h"

#define LEASE_SET_MAX 100000            /* leases */
#define LEASE_SET_CHUNK 4096            /* ids read at once */
#define LEASE_SET_FOREIGN_S (14 * 86400) /* another machine's is believed so long */

struct lease_set_entry {
	char *name;
	off_t read;         /* how far */
	bool alive;
	int64_t since;
	char holder[LOCK_HOLDER_SIZE];
};

void
lease_set_free(struct lease_set *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->entries[i].name);
	free(l->entries);
	l->entries = NULL;
	l->count = 0;
}

static int
lease_set_add(struct lease_set *l, const char *name, struct lease_set_entry **ret, struct err *e)
{
	struct lease_set_entry *entries;
	char *copy;

	if (l->count == LEASE_SET_MAX)
		return err_set(e, ERR_LIMIT, "%s/tmp: more than %d leases", store_path(l->s), LEASE_SET_MAX);
	entries = reallocarray(l->entries, l->count + 1, sizeof *entries);
	if (entries == NULL)
		return err_nomem(e);
	l->entries = entries;
	copy = buf_strdup(name, e);
	if (copy == NULL)
		return -1;
	l->entries[l->count] = (struct lease_set_entry){.name = copy, .read = LEASE_HEAD_SIZE};
	*ret = &l->entries[l->count++];
	return 0;
}

static struct lease_set_entry *
lease_set_find(const struct lease_set *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->entries[i].name, name) == 0)
			return &l->entries[i];
	return NULL;
}

/* 1: open; 0: it is gone, or no lease: nothing can be relied on through it. */
static int
lease_set_open(const struct lease_set *l, const char *name, int *ret_fd, struct err *e)
{
	int fd = fd_open_beneath(store_tmp_fd(l->s), name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
	struct stat st;

	if (fd < 0)
		return e->code == ERR_NOTFOUND || e->code == ERR_DENIED ? 0 : -1;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return 0;
	}
	*ret_fd = fd;
	return 1;
}

/* The owner's line, once. */
static void
lease_set_head(struct lease_set_entry *entry, int fd)
{
	const char *since;
	struct stat st;
	ssize_t n;

	if (entry->holder[0] != '\0')
		return;
	n = pread(fd, entry->holder, LEASE_HEAD_SIZE - 1, 0);
	entry->holder[n > 0 ? n : 0] = '\0';
	entry->holder[strcspn(entry->holder, "\n")] = '\0';
	for (size_t len = strlen(entry->holder); len > 0 && entry->holder[len - 1] == ' '; len--)
		entry->holder[len - 1] = '\0';
	since = strchr(entry->holder, ' ');
	since = since != NULL ? strchr(since + 1, ' ') : NULL;
	if (since != NULL) {
		char text[TIMESTAMP_SIZE];

		snprintf(text, sizeof text, "%.*s", TIMESTAMP_SIZE - 1, since + 1);
		if (timestamp_parse(text, &entry->since, NULL) == 0)
			return;
	}
	entry->since = fstat(fd, &st) == 0 ? st.st_mtim.tv_sec : 0;
}

/* Its owner lives: he flocks it; or he is where locks are not seen from here. */
static bool
lease_set_alive(const struct lease_set *l, struct lease_set_entry *entry, int fd)
{
	struct stat st;

	lease_set_head(entry, fd);
	if (flock(fd, LOCK_SH | LOCK_NB) != 0)
		return true;
	flock(fd, LOCK_UN);
	if (store_filesystem(l->s)->locks_seen || lock_holder_here(entry->holder))
		return false;
	return fstat(fd, &st) == 0 && timestamp_now() - st.st_mtim.tv_sec < LEASE_SET_FOREIGN_S;
}

static int
lease_set_names(const struct lease_set *l, struct dir_walk *ret, struct err *e)
{
	return dir_walk_list(store_tmp_fd(l->s), ".", 10 * LEASE_SET_MAX, ret, e) != 0 ?
	    err_prefix(e, "%s/tmp", store_path(l->s)) : 0;
}

static bool
lease_set_is_name(const char *name)
{
	return strncmp(name, LEASE_PREFIX, strlen(LEASE_PREFIX)) == 0;
}

/* Removes it when its owner is gone. */
static int
lease_set_look(struct lease_set *l, const char *name, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct lease_set_entry *entry;
	int rc = lease_set_open(l, name, &fd, e);

	if (rc < 0 || lease_set_add(l, name, &entry, e) != 0)
		return -1;
	entry->alive = rc == 1 && lease_set_alive(l, entry, fd);
	if (entry->alive)
		return 0;
	if (rc == 1 && !l->look_only && unlinkat(store_tmp_fd(l->s), name, 0) != 0 && errno != ENOENT)
		return err_sys(e, "%s/tmp/%s: cannot remove", store_path(l->s), name);
	free(entry->name);
	l->count--;
	return 0;
}

int
lease_set_begin(struct lease_set *l, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;

	if (lease_set_names(l, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (lease_set_is_name(names.names[i]) && lease_set_look(l, names.names[i], e) != 0)
			return -1;
	return 0;
}

/* Whole records from where it was read last; a torn one is not relied on yet. */
static int
lease_set_read_fd(struct lease_set *l, size_t i, int fd, lease_set_fn *fn, void *arg, struct err *e)
{
	CLEANUP(cleanup_free) struct oid *ids = calloc(LEASE_SET_CHUNK, sizeof *ids);

	if (ids == NULL)
		return err_nomem(e);
	for (;;) {
		ssize_t n = pread(fd, ids, LEASE_SET_CHUNK * sizeof *ids, l->entries[i].read);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s/tmp/%s: cannot read", store_path(l->s), l->entries[i].name);
		n /= (ssize_t)sizeof *ids;
		if (n == 0)
			return 0;
		for (ssize_t k = 0; k < n; k++)
			if (fn(arg, &ids[k], e) != 0)
				return -1;
		l->entries[i].read += n * (ssize_t)sizeof *ids;
	}
}

static int
lease_set_read_one(struct lease_set *l, const char *name, lease_set_fn *fn, void *arg, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct lease_set_entry *entry = lease_set_find(l, name);
	int rc = lease_set_open(l, name, &fd, e);

	if (rc <= 0)
		return rc;
	if (entry == NULL && lease_set_add(l, name, &entry, e) != 0)
		return -1;
	if (lease_set_read_fd(l, (size_t)(entry - l->entries), fd, fn, arg, e) != 0)
		return -1;
	entry->alive = lease_set_alive(l, entry, fd);
	return 0;
}

int
lease_set_read(struct lease_set *l, lease_set_fn *fn, void *arg, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;

	if (lease_set_names(l, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (lease_set_is_name(names.names[i]) &&
		    lease_set_read_one(l, names.names[i], fn, arg, e) != 0)
			return -1;
	return 0;
}

int
lease_set_end(struct lease_set *l, struct err *e)
{
	lease_set_free(l);
	return lease_set_begin(l, e);
}

int64_t
lease_set_oldest(const struct lease_set *l)
{
	int64_t oldest = INT64_MAX;

	for (size_t i = 0; i < l->count; i++)
		if (l->entries[i].alive && l->entries[i].since < oldest)
			oldest = l->entries[i].since;
	return oldest;
}
