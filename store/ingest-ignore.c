#include "store/ingest-ignore.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "git/ignore-rules.h"

#define INGEST_IGNORE_MAX (1024u * 1024)   /* bytes of one file */

struct ingest_ignore_file {
	const struct ingest_ignore_file *above;
	struct ignore_rules *rules;
	char *dir;          /* that holds it, from the top; "" at the top */
	struct oid id;
};

static void
ingest_ignore_file_free(struct ingest_ignore_file *f)
{
	if (f == NULL)
		return;
	ignore_rules_free(f->rules);
	free(f->dir);
	free(f);
}

/* The path of name in dir, both from the top. */
static char *
ingest_ignore_join(const char *dir, const char *name, struct err *e)
{
	return buf_strfmt(e, "%s%s%s", dir, *dir != '\0' ? "/" : "", name);
}

static int
ingest_ignore_text(int fd, struct buf *ret, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_DENIED, "not a regular file");
	if (fd_read_all(fd, INGEST_IGNORE_MAX, ret, "its rules", e) != 0)
		return -1;
	if (memchr(buf_str(ret), 0, ret->len) != NULL)
		return err_set(e, ERR_FORMAT, "has a NUL byte: no text");
	return 0;
}

static int
ingest_ignore_parse(struct ingest_ignore_file *f, int fd, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (ingest_ignore_text(fd, &text, e) != 0 ||
	    oid_from_data(&f->id, text.data, text.len, e) != 0)
		return -1;
	return ignore_rules_new(buf_str(&text), &f->rules, e);
}

static int
ingest_ignore_add(struct ingest_ignore_log *log, struct ingest_ignore_file *f, struct err *e)
{
	struct ingest_ignore_file **files = reallocarray(log->files, log->count + 1, sizeof(*files));

	if (files == NULL)
		return err_nomem(e);
	log->files = files;
	log->files[log->count++] = f;
	return 0;
}

/* Reads the file of the directory open at dirfd into the scope, which is there. */
static int
ingest_ignore_read(struct ingest_ignore_scope *s, int dirfd, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(dirfd, INGEST_IGNORE_NAME,
	    O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
	struct ingest_ignore_file *f;

	if (fd < 0)
		return err_prefix(e, "%s", *s->path != '\0' ? s->path : ".");
	f = calloc(1, sizeof *f);
	if (f == NULL)
		return err_nomem(e);
	f->above = s->innermost;
	f->dir = buf_strdup(s->path, e);
	if (f->dir == NULL || ingest_ignore_parse(f, fd, e) != 0 || ingest_ignore_add(s->log, f, e) != 0) {
		ingest_ignore_file_free(f);
		return err_prefix(e, "%s%s" INGEST_IGNORE_NAME, s->path, *s->path != '\0' ? "/" : "");
	}
	s->innermost = f;
	return 0;
}

static int
ingest_ignore_has(int dirfd, bool *ret, struct err *e)
{
	struct stat st;

	*ret = fstatat(dirfd, INGEST_IGNORE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0;
	return *ret || errno == ENOENT ? 0 : err_sys(e, "%s: cannot look at it", INGEST_IGNORE_NAME);
}

/* One directory further down towards the item. */
static int
ingest_ignore_descend(struct ingest_ignore_scope *s, int top, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(top, *s->path != '\0' ? s->path : ".",
	    O_RDONLY | O_DIRECTORY, 0, e);
	bool has;

	if (fd < 0 || ingest_ignore_has(fd, &has, e) != 0)
		return -1;
	return has ? ingest_ignore_read(s, fd, e) : 0;
}

int
ingest_ignore_begin(struct ingest_ignore_log *log, int dirfd, const char *path, bool top,
    struct ingest_ignore_scope *ret, struct err *e)
{
	struct ingest_ignore_scope s = {.log = log};
	const char *slash = path;
	int rc = 0;

	s.path = buf_strdup("", e);
	if (s.path == NULL)
		return -1;
	while (top && rc == 0) {
		rc = ingest_ignore_descend(&s, dirfd, e);
		slash = rc == 0 ? strchr(slash, '/') : NULL;
		if (slash == NULL)
			break;
		free(s.path);
		s.path = strndup(path, (size_t)(slash - path));
		if (s.path == NULL)
			return err_nomem(e);
		slash++;
	}
	if (rc != 0) {
		ingest_ignore_leave(&s);
		return -1;
	}
	*ret = s;
	return 0;
}

int
ingest_ignore_enter(const struct ingest_ignore_scope *above, const char *name, int dirfd,
    bool has_file, struct ingest_ignore_scope *ret, struct err *e)
{
	struct ingest_ignore_scope s = *above;

	if (above->log == NULL)
		return 0;
	s.path = strcmp(name, ".") == 0 ? buf_strdup(above->path, e) :
	    ingest_ignore_join(above->path, name, e);
	if (s.path == NULL)
		return -1;
	if (has_file && ingest_ignore_read(&s, dirfd, e) != 0) {
		ingest_ignore_leave(&s);
		return -1;
	}
	*ret = s;
	return 0;
}

void
ingest_ignore_leave(struct ingest_ignore_scope *s)
{
	free(s->path);
	*s = (struct ingest_ignore_scope){0};
}

/* The innermost file that has a rule for it decides. */
int
ingest_ignore_match(const struct ingest_ignore_scope *s, const char *name, bool directory,
    bool *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *path = NULL;

	*ret = false;
	if (s->innermost == NULL)
		return 0;
	path = ingest_ignore_join(s->path, name, e);
	if (path == NULL)
		return -1;
	for (const struct ingest_ignore_file *f = s->innermost; f != NULL; f = f->above) {
		size_t skip = *f->dir != '\0' ? strlen(f->dir) + 1 : 0;
		enum ignore_rules_answer answer;

		if (ignore_rules_match(f->rules, path + skip, directory, &answer, e) != 0)
			return -1;
		if (answer == IGNORE_RULES_SILENT)
			continue;
		*ret = answer == IGNORE_RULES_LEAVE_OUT;
		return 0;
	}
	return 0;
}

static int
ingest_ignore_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
ingest_ignore_rules(char **lines, size_t n, struct oid *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	/* the path comes first, for the order, and the digest after it */
	qsort(lines, n, sizeof *lines, ingest_ignore_compare);
	for (size_t i = 0; i < n; i++) {
		const char *hex = lines[i] + strlen(lines[i]) + 1;

		buf_addf(&text, "%s  %s\n", hex, lines[i]);
	}
	return buf_check(&text, e) != 0 ? -1 : oid_from_data(ret, text.data, text.len, e);
}

/* path, NUL, hex, NUL */
static char *
ingest_ignore_line(const struct ingest_ignore_file *f, struct err *e)
{
	CLEANUP(cleanup_free) char *path = ingest_ignore_join(f->dir, INGEST_IGNORE_NAME, e);
	size_t len = path != NULL ? strlen(path) + 1 : 0;
	char *line = path != NULL ? malloc(len + OID_HEX_SIZE) : NULL;

	if (line == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	memcpy(line, path, len);
	oid_hex(&f->id, line + len);
	return line;
}

int
ingest_ignore_summary(const struct ingest_ignore_log *log, struct resource_ignored *ret,
    struct err *e)
{
	CLEANUP(cleanup_free) char **lines = NULL;
	size_t n = 0;
	int rc = 0;

	*ret = (struct resource_ignored){0};
	if (log->left_out == 0)
		return 0;
	lines = calloc(log->count + 1, sizeof *lines);
	if (lines == NULL)
		return err_nomem(e);
	for (; n < log->count && rc == 0; n++) {
		lines[n] = ingest_ignore_line(log->files[n], e);
		rc = lines[n] == NULL ? -1 : 0;
	}
	if (rc == 0)
		rc = ingest_ignore_rules(lines, n, &ret->rules, e);
	if (rc == 0)
		ret->count = log->left_out;
	for (size_t i = 0; i < n; i++)
		free(lines[i]);
	return rc;
}

void
ingest_ignore_log_free(struct ingest_ignore_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		ingest_ignore_file_free(log->files[i]);
	free(log->files);
	*log = (struct ingest_ignore_log){0};
}
