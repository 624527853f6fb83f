#include "run/input-marks.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/dir-walk.h"
#include "base/fd.h"
#include "crypto/hash.h"
#include "object/tree.h"
#include "store/ingest.h"

#define INPUT_MARKS_ENTRIES_MAX 10000000

static int input_marks_below(struct hash *h, int at, const char *name, int depth, struct err *e);

/* Nobody but root can set a ctime back. */
static int
input_marks_one(struct hash *h, int at, const char *name, int depth, struct err *e)
{
	struct stat st;
	int64_t says[8];

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(e, "%s: cannot look at the input", name);
	says[0] = (int64_t)st.st_ino;
	says[1] = (int64_t)st.st_mode;
	says[2] = (int64_t)st.st_size;
	says[3] = (int64_t)st.st_mtim.tv_sec;
	says[4] = (int64_t)st.st_mtim.tv_nsec;
	says[5] = (int64_t)st.st_ctim.tv_sec;
	says[6] = (int64_t)st.st_ctim.tv_nsec;
	says[7] = (int64_t)st.st_dev;
	if (hash_update(h, name, strlen(name) + 1, e) != 0 ||
	    hash_update(h, says, sizeof says, e) != 0)
		return -1;
	return S_ISDIR(st.st_mode) ? input_marks_below(h, at, name, depth + 1, e) : 0;
}

static int
input_marks_below(struct hash *h, int at, const char *name, int depth, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;

	if (depth > TREE_DEPTH_MAX)
		return err_set(e, ERR_REFUSED, "%s: more than %d directories deep", name, TREE_DEPTH_MAX);
	fd = fd_open_beneath(at, name, O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0 || dir_walk_list(fd, ".", INPUT_MARKS_ENTRIES_MAX, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (input_marks_one(h, fd, names.names[i], depth, e) != 0)
			return -1;
	return hash_update(h, "", 1, e); /* the end of a directory */
}

static int
input_marks_digest(int inputsfd, size_t i, unsigned char ret[32], struct err *e)
{
	CLEANUP(hash_freep) struct hash *h = NULL;
	char name[32];

	snprintf(name, sizeof name, "%zu", i);
	if (hash_new(HASH_SHA256, &h, e) != 0 || input_marks_one(h, inputsfd, name, 0, e) != 0)
		return -1;
	return hash_final(h, ret, e);
}

int
input_marks_take(const struct run_spec *spec, int run_dirfd, struct input_marks *ret, struct err *e)
{
	CLEANUP(input_marks_free) struct input_marks m = INPUT_MARKS_INIT;
	CLEANUP(cleanup_close) int fd = fd_open_beneath(run_dirfd, "inputs", O_RDONLY | O_DIRECTORY, 0, e);

	if (fd < 0)
		return -1;
	m.marks = calloc(spec->input_count + 1, sizeof *m.marks);
	if (m.marks == NULL)
		return err_nomem(e);
	for (; m.count < spec->input_count; m.count++)
		if (input_marks_digest(fd, m.count, m.marks[m.count], e) != 0)
			return -1;
	*ret = m;
	m = (struct input_marks)INPUT_MARKS_INIT;
	return 0;
}

static int
input_marks_same(int inputsfd, size_t i, const struct resource *r, struct err *e)
{
	struct ingest_result got;
	char name[32];

	snprintf(name, sizeof name, "%zu", i);
	if (ingest_path(NULL, inputsfd, name, INGEST_HASH_ONLY | INGEST_DIRECTORIES, NULL, &got, e) != 0)
		return -1;
	if (got.type != r->type || !oid_equal(&got.id, &r->digests.sha256))
		return err_set(e, ERR_REFUSED, "its bytes changed during the run, so the run proves nothing");
	return 0;
}

int
input_marks_check(const struct input_marks *m, const struct run_spec *spec, int run_dirfd,
    struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(run_dirfd, "inputs", O_RDONLY | O_DIRECTORY, 0, e);

	if (fd < 0)
		return -1;
	for (size_t i = 0; i < m->count; i++) {
		unsigned char now[32];

		if (input_marks_digest(fd, i, now, NULL) == 0 && memcmp(now, m->marks[i], sizeof now) == 0)
			continue;
		if (input_marks_same(fd, i, &spec->inputs[i].thing, e) != 0)
			return err_prefix(e, "input %s", spec->inputs[i].thing.path);
	}
	return 0;
}

void
input_marks_free(struct input_marks *m)
{
	free(m->marks);
	*m = (struct input_marks)INPUT_MARKS_INIT;
}
