#include "cmd/references.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/dir-walk.h"
#include "base/fd.h"
#include "store/config.h"

#define REFERENCES_FILES_MAX 1024
#define REFERENCES_SUFFIX ".json"

static int
references_bytes(const char *path, struct buf *ret, struct err *e)
{
	if (fd_read_named(path, REFERENCE_BYTES_MAX + 1, ret, e) != 0)
		return -1;
	if (ret->len > 0 && ret->data[ret->len - 1] == '\n')
		ret->len--;
	return 0;
}

/* What a person gave or keeps is wrong: their document, not evidence. */
static int
references_wrong(const char *path, struct err *e)
{
	if (e->code == ERR_FORMAT || e->code == ERR_UNSUPPORTED || e->code == ERR_LIMIT)
		e->code = ERR_SPEC;
	return err_prefix(e, "%s", path);
}

int
references_read(const char *path, struct reference_document *ret, struct buf *ret_text,
    struct err *e)
{
	if (references_bytes(path, ret_text, e) != 0)
		return -1;
	if (reference_decode(ret_text->data, ret_text->len, ret, e) != 0)
		return references_wrong(path, e);
	return 0;
}

static int
references_add(struct reference_set *s, const char *path, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (references_bytes(path, &text, e) != 0)
		return -1;
	if (reference_set_add(s, text.data, text.len, e) != 0)
		return references_wrong(path, e);
	return 0;
}

int
references_user(bool make, char **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *user = NULL;
	CLEANUP(cleanup_free) char *dir = NULL;

	if (config_dir_user(&user, e) != 0)
		return -1;
	dir = buf_strfmt(e, "%s/references", user);
	if (dir == NULL)
		return -1;
	if (make && config_dir_make(dir, e) != 0)
		return -1;
	*ret = dir;
	dir = NULL;
	return 0;
}

static int
references_each_in(const char *dir, bool user, references_each_fn *fn, void *arg, struct err *e)
{
	CLEANUP(cleanup_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(dir_walk_free) struct dir_walk w = DIR_WALK_INIT;
	int rc = 0;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(e, "%s: cannot read the reference records", dir);
	if (dir_walk_list(fd, ".", REFERENCES_FILES_MAX, &w, e) != 0)
		return -1;
	for (size_t i = 0; i < w.count && rc == 0; i++) {
		CLEANUP(cleanup_free) char *path = NULL;
		size_t len = strlen(w.names[i]), suffix = strlen(REFERENCES_SUFFIX);

		if (len <= suffix || strcmp(w.names[i] + len - suffix, REFERENCES_SUFFIX) != 0)
			continue;
		path = buf_strfmt(e, "%s/%s", dir, w.names[i]);
		if (path == NULL)
			return -1;
		w.names[i][len - suffix] = '\0';
		rc = fn(arg, w.names[i], path, user, e);
	}
	return rc;
}

int
references_each(references_each_fn *fn, void *arg, struct err *e)
{
	CLEANUP(cleanup_free) char *user = NULL;
	int rc;

	if (references_user(false, &user, e) != 0)
		return -1;
	rc = references_each_in(AICERT_DATADIR "/references", false, fn, arg, e);
	return rc != 0 ? rc : references_each_in(user, true, fn, arg, e);
}

static int
references_load_one(void *arg, const char *name, const char *path, bool user, struct err *e)
{
	(void)name;
	(void)user;
	return references_add(arg, path, e);
}

int
references_load(const struct option_list *files, struct reference_set *ret, struct err *e)
{
	CLEANUP(reference_set_free) struct reference_set s = {0};

	for (size_t i = 0; files != NULL && i < files->count; i++) {
		if (references_add(&s, files->items[i], e) != 0)
			return -1;
	}
	for (size_t i = 0; i < s.count; i++)
		s.documents[i].demanded = true;
	if (references_each(references_load_one, &s, e) != 0)
		return -1;
	*ret = s;
	s = (struct reference_set){0};
	return 0;
}
