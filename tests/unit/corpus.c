#include "corpus.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "base/hex.h"
#include "unit.h"

static int
corpus_open(void)
{
	const char *dir = getenv("AICERT_CORPUS");

	return open(dir != NULL ? dir : TEST_DATA "/../../../shared/corpus",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool
corpus_there(const char *path)
{
	CLEANUP(cleanup_close) int dirfd = corpus_open();

	return dirfd >= 0 && faccessat(dirfd, path, R_OK, 0) == 0;
}

bool
corpus_has(const char *path)
{
	if (corpus_there(path))
		return true;
	printf("skipped: no %s in the corpus (AICERT_CORPUS)\n", path);
	return false;
}

void
corpus_read(const char *path, struct buf *ret)
{
	CLEANUP(cleanup_close) int dirfd = corpus_open();
	struct err e;

	UNIT_OK(fd_read_file(dirfd, path, CORPUS_FILE_MAX, ret, &e), &e);
}

void
corpus_each(const char *dir, void (*file)(void *arg, const char *path), void *arg)
{
	CLEANUP(cleanup_close) int top = corpus_open();
	int fd = openat(top, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	DIR *d;

	ck_assert_int_ge(fd, 0);
	d = fdopendir(fd);
	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d)) != NULL) {
		char path[1024];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
		file(arg, path);
	}
	closedir(d);
}

struct jcs *
corpus_json(const char *path)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct jcs *v = NULL;
	struct err e;

	corpus_read(path, &text);
	UNIT_OK(jcs_decode_any(text.data, text.len, CORPUS_FILE_MAX, &v, &e), &e);
	return v;
}

void
corpus_hex(const char *text, struct buf *ret)
{
	size_t len = strlen(text) / 2;
	struct err e;

	ck_assert_uint_eq(strlen(text) % 2, 0);
	if (len == 0)
		return;
	UNIT_OK(buf_reserve(ret, len, &e), &e);
	UNIT_OK(hex_decode(ret->data + ret->len, len, text, &e), &e);
	ret->len += len;
}
