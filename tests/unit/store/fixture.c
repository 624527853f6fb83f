#include "store/fixture.h"

#include <fcntl.h>
#include <string.h>
#include "unit.h"
#include "base/dir-walk.h"
#include "base/fd.h"
#include "object/commit.h"
#include "store/odb.h"

void
fixture_open(struct fixture *f)
{
	static unsigned count;
	bool created;
	struct err e;

	snprintf(f->path, sizeof f->path, "%s/w%u-%ld", unit_dir(), count++, (long)getpid());
	snprintf(f->store, sizeof f->store, "%s/.aicert", f->path);
	ck_assert_int_eq(mkdir(f->path, 0755), 0);
	f->dirfd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(f->dirfd, 0);
	UNIT_OK(store_init(f->path, &created, &e), &e);
	ck_assert(created);
	UNIT_OK(store_open(f->store, 0, &f->s, &e), &e);
}

void
fixture_reopen(struct fixture *f, unsigned flags)
{
	struct err e;

	store_close(f->s);
	f->s = NULL;
	UNIT_OK(store_open(f->store, flags, &f->s, &e), &e);
}

void
fixture_close(struct fixture *f)
{
	store_close(f->s);
	close(f->dirfd);
}

unsigned char *
fixture_bytes(size_t len, unsigned seed)
{
	unsigned char *data = malloc(len + 1);
	uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = (unsigned char)(x >> 32);
	}
	return data;
}

void
fixture_write(const struct fixture *f, const char *name, const void *data, size_t len)
{
	CLEANUP(cleanup_close) int fd = openat(f->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct err e;

	ck_assert_int_ge(fd, 0);
	UNIT_OK(fd_write_all(fd, data, len, name, &e), &e);
}

void
fixture_read(int dirfd, const char *name, struct buf *ret)
{
	struct err e;

	buf_reset(ret);
	UNIT_OK(fd_read_file(dirfd, name, 64 * 1024 * 1024, ret, &e), &e);
}

struct object_ref
fixture_commit(struct fixture *f, const char *message, long time, const struct oid *parents,
    size_t count)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct oid copies[8];
	struct resource_input thing = {.thing = {.type = OBJECT_BLOB, .path = (char *)(uintptr_t)"data",
	    .kind = (char *)(uintptr_t)"dataset"}};
	struct commit c = {
		.kind = count > 1 ? COMMIT_MERGE : COMMIT_IMPORT,
		.parents = copies,
		.parent_count = count,
		.author_name = (char *)(uintptr_t)"Tester",
		.author_email = (char *)(uintptr_t)"tester@example.org",
		.time = time,
		.message = (char *)(uintptr_t)message,
	};
	struct object_ref ref = {.type = OBJECT_COMMIT};
	struct err e;

	ck_assert_uint_le(count, 8);
	if (count > 0)
		memcpy(copies, parents, count * sizeof *parents);
	if (c.kind == COMMIT_IMPORT) {
		UNIT_OK(odb_put(f->s, message, strlen(message), &thing.thing.digests.sha256, &e), &e);
		thing.thing.size = strlen(message);
		c.has_subject = true;
		c.subject = (struct object_ref){OBJECT_BLOB, thing.thing.digests.sha256};
		c.resource = &thing;
	}
	UNIT_OK(commit_encode(&c, &text, &e), &e);
	UNIT_OK(odb_put(f->s, text.data, text.len, &ref.id, &e), &e);
	return ref;
}

int
fixture_count(int dirfd, const char *dir)
{
	struct dir_walk w = DIR_WALK_INIT;
	struct err e;
	int n;

	UNIT_OK(dir_walk_list(dirfd, dir, 100000, &w, &e), &e);
	n = (int)w.count;
	for (size_t i = 0; i < w.count; i++)
		n -= strncmp(w.names[i], "lease-", 6) == 0;
	dir_walk_free(&w);
	return n;
}
