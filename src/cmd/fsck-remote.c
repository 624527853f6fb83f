#include "cmd/fsck-remote.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "base/fd.h"
#include "cmd/cmd.h"
#include "cmd/remotes.h"
#include "store/lease.h"
#include "store/odb.h"

#define FSCK_REMOTE_MEMORY (256u * 1024 * 1024)
#define FSCK_REMOTE_CHUNK (256 * 1024)

struct fsck_remote_one {
	struct remotes_entry entry;
	struct remote *open;
	bool dead;              /* could not be reached: told */
};

/*
 * What a remote sends as a whole object goes into a store: one of its own beneath tmp/,
 * because under the id lies the damaged object, which has to be kept.
 */
struct fsck_remote {
	struct store *s;
	struct config *c;
	struct fsck_remote_one *items;
	size_t count;
	char *tmp;              /* beneath tmp/; NULL: not made yet */
	int lock;               /* on it: it is in use, and no litter; -1: none */
	struct store *scratch;
};

static void
fsck_remote_tell(const struct remotes_entry *entry, const char *why)
{
	fputs("aicert: ", stderr);
	cmd_print_text(stderr, entry->name[0] != '\0' ? entry->name : entry->url);
	fputs(": ", stderr);
	cmd_print_text(stderr, why);
	fputc('\n', stderr);
}

/* Those that are configured, else what a command would use that names none. */
static int
fsck_remote_list(struct fsck_remote *r, struct err *e)
{
	struct remotes_entry *list = NULL;
	size_t n = 0;

	if (remotes_list(r->c, &list, &n, e) != 0)
		return -1;
	r->items = calloc(n + 1, sizeof *r->items);
	for (size_t i = 0; i < n; i++)
		if (r->items != NULL)
			r->items[r->count++].entry = list[i];
		else
			remotes_entry_free(&list[i]);
	free(list);
	if (r->items == NULL)
		return err_nomem(e);
	if (n > 0)
		return 0;
	if (remotes_choose(r->s, r->c, NULL, &r->items[0].entry, e) == 0)
		r->count = 1;
	else
		remotes_entry_free(&r->items[0].entry);
	return r->count == 1 || e->code != ERR_NOMEM ? 0 : -1;
}

int
fsck_remote_new(struct store *s, struct fsck_remote **ret, struct err *e)
{
	struct fsck_remote *r = calloc(1, sizeof *r);

	if (r == NULL)
		return err_nomem(e);
	r->s = s;
	r->lock = -1;
	if (config_open(s, &r->c, e) == 0 ? fsck_remote_list(r, e) != 0 : e->code != ERR_NOTFOUND) {
		fsck_remote_free(r);
		return -1;
	}
	*ret = r;
	return 0;
}

void
fsck_remote_free(struct fsck_remote *r)
{
	struct err ignored;

	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++) {
		remote_close(r->items[i].open);
		remotes_entry_free(&r->items[i].entry);
	}
	free(r->items);
	config_close(r->c);
	store_close(r->scratch);
	if (r->tmp != NULL && fd_remove_tree(store_tmp_fd(r->s), r->tmp, &ignored) != 0)
		fprintf(stderr, "aicert: %s\n", ignored.msg);
	cleanup_close(&r->lock);
	free(r->tmp);
	free(r);
}

static int
fsck_remote_scratch(struct fsck_remote *r, struct err *e)
{
	CLEANUP(cleanup_free) char *dir = NULL;
	CLEANUP(cleanup_free) char *path = NULL;
	bool created;

	if (r->scratch != NULL)
		return 0;
	if (r->tmp == NULL && (lease_begin(r->s, e) != 0 || store_tmp_dir(r->s, "repair", &r->tmp, e) != 0))
		return -1;
	dir = buf_strfmt(e, "%s/tmp/%s", store_path(r->s), r->tmp);
	path = dir != NULL ? buf_strfmt(e, "%s/" STORE_NAME, dir) : NULL;
	if (r->lock >= 0) /* of an attempt that went no further */
		close(r->lock);
	r->lock = -1;
	if (path == NULL || store_init(dir, &created, e) != 0)
		return -1;
	/* after the making of the store, which locks its directory too; until then, and where
	 * there are no locks, the lease is enough */
	r->lock = fd_open_beneath(store_tmp_fd(r->s), r->tmp, O_RDONLY | O_DIRECTORY, 0, e);
	if (r->lock < 0)
		return -1;
	(void)flock(r->lock, LOCK_EX | LOCK_NB);
	return store_open(path, 0, &r->scratch, e);
}

static int
fsck_remote_copy(int from, int to, struct err *e)
{
	CLEANUP(cleanup_free) unsigned char *chunk = malloc(FSCK_REMOTE_CHUNK);
	size_t n;

	if (chunk == NULL)
		return err_nomem(e);
	do {
		if (fd_read_upto(from, chunk, FSCK_REMOTE_CHUNK, &n, "fetched bytes", e) != 0 ||
		    fd_write_all(to, chunk, n, "good bytes", e) != 0)
			return -1;
	} while (n == FSCK_REMOTE_CHUNK);
	return 0;
}

/* One that is too long for memory: streamed, when its length is known. */
static int
fsck_remote_large(struct fsck_remote *r, struct remote *from, const struct oid *id, int fd, struct err *e)
{
	CLEANUP(cleanup_close) int object = -1;
	struct remote_item item = {.ref = {OBJECT_BLOB, *id}, .exact = true};
	uint64_t size;

	if (odb_size(r->s, id, &item.size, e) != 0)
		return -1;
	if (from->ops->get(from, &item, 1, e) != 0)
		return -1;
	if (item.state != REMOTE_HAS)
		return err_set(e, ERR_NOTFOUND, "it does not have the object");
	return odb_open(r->scratch, id, &object, &size, e) != 0 ? -1 : fsck_remote_copy(object, fd, e);
}

/* NULL: it is dead, and not asked again. */
static struct remote *
fsck_remote_open(struct fsck_remote *r, struct fsck_remote_one *one, struct err *e)
{
	if (one->open == NULL && (fsck_remote_scratch(r, e) != 0 ||
	    remotes_open(r->scratch, r->c, &one->entry, false, &one->open, e) != 0))
		one->dead = true;
	return one->open;
}

static int
fsck_remote_from(struct fsck_remote *r, struct fsck_remote_one *one, const struct oid *id, int fd,
    struct err *e)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct remote *from = fsck_remote_open(r, one, e);
	struct oid found;

	if (from == NULL)
		return -1;
	if (from->ops->read(from, id, FSCK_REMOTE_MEMORY, &bytes, e) != 0)
		return e->code == ERR_LIMIT ? fsck_remote_large(r, from, id, fd, e) : -1;
	if (oid_from_data(&found, bytes.data, bytes.len, e) != 0)
		return -1;
	if (!oid_equal(&found, id))
		return err_set(e, ERR_NOTFOUND, "what it has under this id is damaged");
	return fd_write_all(fd, bytes.data, bytes.len, "good bytes", e);
}

int
fsck_remote_fetch(void *fsck_remote, const struct oid *id, int fd, struct err *e)
{
	struct fsck_remote *r = fsck_remote;

	for (size_t i = 0; i < r->count; i++) {
		struct fsck_remote_one *one = &r->items[i];
		struct err why = {0};

		if (one->dead)
			continue;
		if (fsck_remote_from(r, one, id, fd, &why) == 0)
			return 0;
		if (why.code == ERR_NOMEM || why.code == ERR_CANCELLED) {
			*e = why;
			return -1;
		}
		if (why.code == ERR_NETWORK || why.code == ERR_BUSY)
			one->dead = true; /* it would be waited for again */
		if (why.code != ERR_NOTFOUND || one->dead)
			fsck_remote_tell(&one->entry, why.msg);
		if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0)
			return err_sys(e, "good bytes: cannot empty the file");
	}
	return err_set(e, ERR_NOTFOUND, "no remote has it");
}
