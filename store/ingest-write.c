#include "store/ingest-write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "base/interrupt.h"
#include "object/tree.h"
#include "store/odb.h"

/* A tree that names the same empty directories again and again is small and
 * endless: more entries than this are not written. */
#define INGEST_WRITE_ENTRIES_MAX 10000000
/* More entries than these are synced at once, with their file system. */
#define INGEST_WRITE_SYNCS_MAX 64

struct ingest_write {
	struct store *s;
	const struct ingest_place *p;
	uint64_t entries;
};

static int ingest_write_tree(struct ingest_write *w, const struct oid *id, const uint64_t *size,
    int dirfd, const char *name, int depth, struct err *e);

static int
ingest_write_file(struct ingest_write *w, const struct oid *id, bool exec, int dirfd,
    const char *name, struct err *e)
{
	unsigned mode = w->p->private_ ? 0444 : 0644;
	const struct odb_export_place place = {
		.dirfd = dirfd,
		.name = name,
		.mode = exec ? mode | 0111 : mode,
		.sync = w->p->sync && w->entries <= INGEST_WRITE_SYNCS_MAX,
		.progress = w->p->progress,
	};

	return odb_export_at(w->s, id, &place, e);
}

static int
ingest_write_link(struct ingest_write *w, const struct oid *id, int dirfd, const char *name,
    struct err *e)
{
	CLEANUP(buf_free) struct buf target = BUF_INIT;

	if (odb_read(w->s, id, PATH_MAX - 1, &target, e) != 0)
		return -1;
	if (target.len == 0 || strlen(buf_str(&target)) != target.len)
		return err_set(e, ERR_FORMAT, "%s: not the target of a symbolic link", name);
	if (symlinkat(buf_str(&target), dirfd, name) == 0)
		return 0;
	if (errno == EEXIST)
		return err_set(e, ERR_EXISTS, "%s: exists already", name);
	return err_sys(e, "%s: cannot create", name);
}

static int
ingest_write_entry(struct ingest_write *w, const struct tree_entry *entry, int fd, int depth,
    struct err *e)
{
	uint64_t size;

	if (++w->entries > INGEST_WRITE_ENTRIES_MAX)
		return err_set(e, ERR_LIMIT, "%s: the tree has more than %d entries", entry->name,
		    INGEST_WRITE_ENTRIES_MAX);
	if (interrupt_check(e) != 0)
		return -1;
	if (entry->mode == TREE_DIR)
		return ingest_write_tree(w, &entry->id, &entry->size, fd, entry->name, depth + 1, e);
	if (odb_size(w->s, &entry->id, &size, e) != 0)
		return -1;
	if (size != entry->size)
		return err_set(e, ERR_CORRUPT, "%s: the tree says %llu bytes, the object has %llu",
		    entry->name, (unsigned long long)entry->size, (unsigned long long)size);
	if (entry->mode == TREE_LINK)
		return ingest_write_link(w, &entry->id, fd, entry->name, e);
	return ingest_write_file(w, &entry->id, entry->mode == TREE_EXEC, fd, entry->name, e);
}

static int
ingest_write_entries(struct ingest_write *w, const struct tree *t, int dirfd, const char *name,
    int depth, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY, 0, e);

	if (fd < 0)
		return -1;
	for (size_t i = 0; i < t->count; i++)
		if (ingest_write_entry(w, &t->entries[i], fd, depth, e) != 0)
			return err_prefix(e, "%s", name);
	if (w->p->private_ && fchmod(fd, 0555) != 0)
		return err_sys(e, "%s: cannot make read-only", name);
	return w->p->sync && w->entries <= INGEST_WRITE_SYNCS_MAX ? fd_sync(fd, name, e) : 0;
}

/* size: what the tree above says (NULL: nothing does). */
static int
ingest_write_tree(struct ingest_write *w, const struct oid *id, const uint64_t *size, int dirfd,
    const char *name, int depth, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;

	if (depth > TREE_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d directories deep", name, TREE_DEPTH_MAX);
	if (odb_read(w->s, id, TREE_BYTES_MAX, &text, e) != 0)
		return -1;
	if (tree_decode(text.data, text.len, &t, e) != 0)
		return err_prefix(e, "%s", name);
	if (size != NULL && *size != t.size)
		return err_set(e, ERR_CORRUPT, "%s: the tree above says %llu bytes, it has %llu", name,
		    (unsigned long long)*size, (unsigned long long)t.size);
	buf_free(&text);
	if (mkdirat(dirfd, name, w->p->private_ ? 0700 : 0777) != 0) {
		if (errno == EEXIST)
			return err_set(e, ERR_EXISTS, "%s: exists already", name);
		return err_sys(e, "%s: cannot create", name);
	}
	return ingest_write_entries(w, &t, dirfd, name, depth, e);
}

/* Many small files: one sync of all is cheaper than one of each. */
static int
ingest_write_sync_all(const struct ingest_write *w, struct err *e)
{
	if (!w->p->sync || w->entries <= INGEST_WRITE_SYNCS_MAX || syncfs(w->p->dirfd) == 0)
		return 0;
	return err_sys(e, "%s: cannot sync its file system", w->p->name);
}

int
ingest_write_at(struct store *s, const struct object_ref *ref, const struct ingest_place *p,
    struct err *e)
{
	struct ingest_write w = {.s = s, .p = p};
	struct err local;
	struct stat st;
	int rc;

	if (e == NULL)
		e = &local;
	if (ref->type != OBJECT_BLOB && ref->type != OBJECT_TREE)
		return err_set(e, ERR_USAGE, "%s: only a blob or a tree can be written, not a %s", p->name,
		    oid_type_name(ref->type));
	if (fstatat(p->dirfd, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_EXISTS, "%s: exists already", p->name);
	if (ref->type == OBJECT_BLOB)
		return ingest_write_file(&w, &ref->id, p->exec, p->dirfd, p->name, e);
	rc = ingest_write_tree(&w, &ref->id, NULL, p->dirfd, p->name, 1, e);
	if (rc == 0)
		rc = ingest_write_sync_all(&w, e);
	/* EEXIST now: someone else's, made since we looked */
	if (rc != 0 && w.entries > 0 && fd_remove_tree(p->dirfd, p->name, NULL) != 0)
		err_prefix(e, "%s is left behind", p->name);
	return rc;
}

int
ingest_write(struct store *s, const struct object_ref *ref, int dirfd, const char *name,
    bool private_, struct err *e)
{
	const struct ingest_place p = {.dirfd = dirfd, .name = name, .private_ = private_,
	    .sync = !private_};

	return ingest_write_at(s, ref, &p, e);
}
