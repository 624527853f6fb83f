#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/path.h"
#include "base/printable.h"
#include "base/workers.h"
#include "cmd/trust-files.h"
#include "cmd/worktree.h"
#include "store/config.h"
#include "store/history.h"
#include "store/odb.h"

int
cmd_parse(const char *name, const char *synopsis, const struct option *table, int *argc,
    char **argv, struct err *e)
{
	char command[64];

	snprintf(command, sizeof command, "aicert %s", name);
	if (options_parse(table, *argc, argv, argc, e) != 0)
		return err_prefix(e, "%s", name);
	for (const struct option *o = table; o->kind != OPTION_END; o++) {
		if (o->kind == OPTION_HELP && *(const bool *)o->value) {
			options_usage(stdout, command, synopsis, table);
			return 1;
		}
	}
	return 0;
}

int
cmd_count(const char *name, int argc, int min, int max, struct err *e)
{
	if (argc < min)
		return err_set(e, ERR_USAGE, "%s: an argument is missing (aicert %s --help)", name, name);
	if (argc > max)
		return err_set(e, ERR_USAGE, "%s: too many arguments (aicert %s --help)", name, name);
	return 0;
}

int
cmd_no_verb(const char *name, const char *verb, const char *verbs, struct err *e)
{
	return err_set(e, ERR_USAGE, "%s: no such action: %s (%s; aicert %s --help says more)", name, verb,
	    verbs, name);
}

int
cmd_message(const char *name, const char *message, struct err *e)
{
	return message == NULL || message[strspn(message, " \t\r\n\v\f")] != '\0' ? 0 :
	    err_set(e, ERR_USAGE, "%s: the message is empty", name);
}

int
cmd_store(unsigned flags, struct store **ret, struct err *e)
{
	return store_discover(".", flags, ret, e);
}

bool
cmd_is_path(const char *arg)
{
	struct stat st;

	return lstat(arg, &st) == 0;
}

/* The path made absolute; its directory without symlinks, its last component as it is. */
static char *
cmd_absolute(const char *path, struct err *e)
{
	CLEANUP(cleanup_free) char *copy = buf_strdup(path, e);
	char *slash, dir[PATH_MAX];
	const char *last;
	size_t len;

	if (copy == NULL)
		return NULL;
	for (len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
		copy[len - 1] = '\0';
	slash = strrchr(copy, '/');
	last = slash != NULL ? slash + 1 : copy;
	if (*last == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
		if (realpath(copy, dir) != NULL)
			return buf_strdup(dir, e);
		err_sys(e, "%s", path);
		return NULL;
	}
	if (slash != NULL)
		*slash = '\0';
	if (realpath(slash == NULL ? "." : slash == copy ? "/" : copy, dir) == NULL) {
		if (errno == ENOENT)
			err_set(e, ERR_NOTFOUND, "%s: no such directory", copy);
		else
			err_sys(e, "%s", path);
		return NULL;
	}
	return buf_strfmt(e, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, last);
}

int
cmd_worktree_path(struct store *s, const char *path, char **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *full = cmd_absolute(path, e);
	const char *root = store_worktree(s);

	if (full == NULL) /* where there is no directory there is no link */
		return e->code == ERR_NOTFOUND ? worktree_path(s, path, ret, e) : -1;
	if (!path_covers(root, full))
		return err_set(e, ERR_DENIED, "%s: outside the work tree %s", path, root);
	*ret = buf_strdup(full[strlen(root)] == '/' ? full + strlen(root) + 1 : "", e);
	return *ret == NULL ? -1 : 0;
}

int
cmd_hash(struct store *s, const char *path, struct ingest_result *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *dir = buf_strdup(path, e);
	CLEANUP(cleanup_close) int fd = -1;
	struct progress p;
	size_t len;
	char *slash;
	int rc;

	if (dir == NULL)
		return -1;
	for (len = strlen(dir); len > 1 && dir[len - 1] == '/'; len--)
		dir[len - 1] = '\0';
	slash = strrchr(dir, '/');
	if (slash != NULL)
		*slash = '\0';
	fd = open(slash == NULL ? "." : *dir != '\0' ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s: cannot open the directory", path);
	progress_start(&p, stderr, "hashing", 0);
	rc = ingest_path(s, fd, slash != NULL ? slash + 1 : dir,
	    INGEST_DIRECTORIES | (s == NULL ? INGEST_HASH_ONLY : 0), &p, ret, e);
	progress_end(&p);
	return rc;
}

int
cmd_ingest_begin(struct cmd_ingest *in, struct store *s, struct err *e)
{
	CLEANUP(cleanup_free) char *dir = NULL;
	struct err ignored;

	if (in->threads < 0 || in->threads > WORKERS_MAX)
		return err_set(e, ERR_USAGE, "-j: a number from 1 to %d", WORKERS_MAX);
	if (ingest_configure(s, &in->options, e) != 0)
		return -1;
	if (in->threads != 0)
		in->options.threads = (unsigned)in->threads;
	if (in->fresh || config_dir_cache(&dir, &ignored) != 0)
		return 0;
	in->cache = stat_cache_open(dir);
	in->options.cache = in->cache;
	return 0;
}

void
cmd_ingest_end(struct cmd_ingest *in)
{
	stat_cache_close(in->cache);
	in->cache = NULL;
}

int
cmd_trust(struct trust *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *dir = NULL;
	struct trust t = {0};

	if (trust_files_user(&dir, e) != 0)
		return -1;
	if (trust_files_load(&t, TRUST_FILES_BUILT_IN, dir, e) != 0 ||
	    trust_files_load(&t, dir, NULL, e) != 0) {
		trust_free(&t);
		return -1;
	}
	*ret = t;
	return 0;
}

int
cmd_fetch(void *store, const struct oid *id, size_t max, struct buf *ret, struct err *e)
{
	return odb_read_raw(store, id, max, ret, e);
}

int
cmd_no_run(struct store *s, const char *name, const char *rev, const struct object_ref *at,
    struct err *e)
{
	CLEANUP(commit_free) struct commit c = {0};

	if (s != NULL && at->type == OBJECT_COMMIT && history_commit(s, &at->id, &c, e) != 0)
		return -1;
	if (c.parent_count < 2)
		return err_set(e, ERR_USAGE, "%s: %s is not a run's commit or certificate", name, rev);
	return err_set(e, ERR_USAGE, "%s: %s is not a run's commit or certificate but a merge;"
	    " %s^1 %s %s^%zu may be", name, rev, rev, c.parent_count == 2 ? "and" : "to", rev,
	    c.parent_count);
}

void
cmd_short(const struct oid *id, char ret[CMD_SHORT_SIZE])
{
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	memcpy(ret, hex, CMD_SHORT_SIZE - 1);
	ret[CMD_SHORT_SIZE - 1] = '\0';
}

void
cmd_print_text(FILE *out, const char *text)
{
	CLEANUP(cleanup_free) char *safe = printable(text, NULL);

	fputs(safe != NULL ? safe : "(out of memory)", out);
}

void
cmd_print_line(FILE *out, const char *text)
{
	CLEANUP(cleanup_free) char *line = strndup(text, strcspn(text, "\n"));

	cmd_print_text(out, line != NULL ? line : "(out of memory)");
}

void
cmd_tell(void *arg UNUSED, const char *message)
{
	fputs("aicert: ", stderr);
	cmd_print_text(stderr, message);
	fputc('\n', stderr);
}

void
cmd_print_log(struct buf *held, const void *data, size_t len, bool last)
{
	CLEANUP(buf_free) struct buf safe = BUF_INIT;

	if (isatty(STDOUT_FILENO)) {
		printable_output(held, data, len, last, &safe);
		data = safe.data;
		len = safe.len;
	}
	if (len > 0)
		fwrite(data, 1, len, stdout);
	fflush(stdout);
}

int
cmd_print_json(struct jcs *v, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (jcs_encode(v, &text, e) != 0)
		return -1;
	puts(buf_str(&text));
	return 0;
}
