#include "runner/pending.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/hex.h"
#include "base/timestamp.h"
#include "codec/shape.h"
#include "runner/registry.h"
#include "runner/remote-run.h"
#include "store/sealed.h"

#define PENDING_DIR "runs"
#define PENDING_TYPE "application/vnd.aicert.pending-run.v1+json"
#define PENDING_BYTES_MAX STORE_RUN_BYTES_MAX
#define PENDING_PREFIX_MIN 7

static const struct shape pending_shape[] = {
	{"akName", SHAPE_STRING, 0},
	{"author", SHAPE_OBJECT, 0},
	{"codeCommit", SHAPE_STRING, SHAPE_NULLABLE},
	{"mediaType", SHAPE_STRING, 0},
	{"message", SHAPE_STRING, 0},
	{"nonce", SHAPE_HEX32, 0},
	{"run", SHAPE_HEX32, 0},
	{"runner", SHAPE_STRING, 0},
	{"spec", SHAPE_OBJECT, 0},
	{"started", SHAPE_TIME, 0},
	{NULL, SHAPE_STRING, 0},
};

static const struct shape pending_author_shape[] = {
	{"email", SHAPE_STRING, 0},
	{"name", SHAPE_STRING, 0},
	{NULL, SHAPE_STRING, 0},
};

void
pending_free(struct pending *p)
{
	free(p->run);
	free(p->runner);
	free(p->ak_name);
	run_spec_free(&p->spec);
	free(p->author_name);
	free(p->author_email);
	free(p->message);
	free(p->code_commit);
	*p = (struct pending){0};
}

int
pending_encode(const struct pending *p, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	struct jcs *author = jcs_new_object();
	char nonce[65], started[TIMESTAMP_SIZE];

	hex_encode(nonce, p->nonce, sizeof p->nonce);
	if (timestamp_format(started, p->started, e) != 0) {
		jcs_free(author);
		return -1;
	}
	jcs_set_string(author, "name", p->author_name);
	jcs_set_string(author, "email", p->author_email);
	jcs_set(v, "author", author);
	jcs_set_string(v, "akName", p->ak_name);
	jcs_set_string(v, "codeCommit", p->code_commit);
	jcs_set_string(v, "mediaType", PENDING_TYPE);
	jcs_set_string(v, "message", p->message);
	jcs_set_string(v, "nonce", nonce);
	jcs_set_string(v, "run", p->run);
	jcs_set_string(v, "runner", p->runner);
	jcs_set(v, "spec", run_spec_to_jcs(&p->spec));
	jcs_set_string(v, "started", started);
	return jcs_encode(v, ret, e);
}

static int
pending_text(char **ret, const struct jcs *v, const char *name, struct err *e)
{
	const char *text = jcs_get_string(v, name);

	if (text == NULL)
		return 0; /* null, where the shape lets it be */
	*ret = buf_strdup(text, e);
	return *ret != NULL ? 0 : -1;
}

static int
pending_from_jcs(const struct jcs *v, struct pending *p, struct err *e)
{
	const struct jcs *author = jcs_get(v, "author");
	const char *type = jcs_get_string(v, "mediaType");

	if (type == NULL || strcmp(type, PENDING_TYPE) != 0)
		return err_set(e, ERR_FORMAT, "not the record of a run");
	if (shape_check(v, pending_shape, "run record", e) != 0 ||
	    shape_check(author, pending_author_shape, "run record: author", e) != 0 ||
	    pending_text(&p->run, v, "run", e) != 0 || pending_text(&p->runner, v, "runner", e) != 0 ||
	    pending_text(&p->ak_name, v, "akName", e) != 0 ||
	    pending_text(&p->message, v, "message", e) != 0 ||
	    pending_text(&p->code_commit, v, "codeCommit", e) != 0 ||
	    pending_text(&p->author_name, author, "name", e) != 0 ||
	    pending_text(&p->author_email, author, "email", e) != 0 ||
	    hex_decode(p->nonce, sizeof p->nonce, jcs_get_string(v, "nonce"), e) != 0 ||
	    timestamp_parse(jcs_get_string(v, "started"), &p->started, e) != 0 ||
	    registry_name_check(p->runner, e) != 0)
		return -1;
	return run_spec_from_jcs(jcs_get(v, "spec"), &p->spec, e);
}

int
pending_decode(const void *data, size_t len, struct pending *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct pending p = {0};

	if (jcs_decode(data, len, PENDING_BYTES_MAX, &v, e) != 0)
		return -1;
	if (pending_from_jcs(v, &p, e) != 0) {
		pending_free(&p);
		return -1;
	}
	*ret = p;
	return 0;
}

static int
pending_dir(struct store *s, struct err *e)
{
	return fd_open_beneath(store_dirfd(s), PENDING_DIR, O_RDONLY | O_DIRECTORY, 0, e);
}

int
pending_write(struct store *s, const struct pending *p, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(cleanup_close) int dirfd = -1;

	if (pending_encode(p, &text, e) != 0 || store_make_dirs(s, PENDING_DIR, e) != 0)
		return -1;
	dirfd = pending_dir(s, e);
	return dirfd < 0 ? -1 : sealed_write(dirfd, p->run, &text, 0600, e);
}

static int
pending_read_file(int dirfd, const char *name, struct pending *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(pending_free) struct pending p = {0};

	if (sealed_read(dirfd, name, PENDING_BYTES_MAX, &text, e) != 0)
		return err_prefix(e, PENDING_DIR);
	if (pending_decode(text.data, text.len, &p, e) != 0)
		return err_prefix(e, PENDING_DIR "/%s", name);
	if (strcmp(p.run, name) != 0)
		return err_set(e, ERR_FORMAT, PENDING_DIR "/%s: tells of another run", name);
	*ret = p;
	p = (struct pending){0};
	return 0;
}

/* The names that are those of runs; none when there is no directory. */
static int
pending_names(struct store *s, struct dir_walk *ret, int *ret_dirfd, struct err *e)
{
	*ret_dirfd = pending_dir(s, e);
	if (*ret_dirfd < 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	return dir_walk_list(*ret_dirfd, ".", PENDING_LIST_MAX, ret, e);
}

int
pending_read(struct store *s, const char *id, struct pending *ret, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(cleanup_close) int dirfd = -1;
	const char *found = NULL;
	size_t len = strlen(id);

	if (len < PENDING_PREFIX_MIN || !hex_is(id, REMOTE_RUN_ID_LEN))
		return err_set(e, ERR_USAGE, "%s: not a run (%d to %d hexadecimal digits)", id,
		    PENDING_PREFIX_MIN, REMOTE_RUN_ID_LEN);
	if (pending_names(s, &names, &dirfd, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		if (!remote_run_id_ok(names.names[i]) || strncmp(names.names[i], id, len) != 0)
			continue;
		if (found != NULL)
			return err_set(e, ERR_CONFLICT, "%s: several runs begin so", id);
		found = names.names[i];
	}
	if (found == NULL)
		return err_set(e, ERR_NOTFOUND, "%s: no run of this store that is still to be collected"
		    " (aicert run list shows them)", id);
	return pending_read_file(dirfd, found, ret, e);
}

int
pending_remove(struct store *s, const char *run, struct err *e)
{
	CLEANUP(cleanup_close) int dirfd = pending_dir(s, e);

	if (dirfd < 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	if (unlinkat(dirfd, run, 0) != 0 && errno != ENOENT)
		return err_sys(e, PENDING_DIR "/%s: cannot remove", run);
	return fd_sync(dirfd, PENDING_DIR, e);
}

static int
pending_compare(const void *a, const void *b)
{
	const struct pending *x = a, *y = b;

	if (x->started != y->started)
		return x->started < y->started ? -1 : 1;
	return strcmp(x->run, y->run);
}

int
pending_list(struct store *s, struct pending **ret, size_t *ret_n, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(cleanup_close) int dirfd = -1;
	struct pending *list;
	size_t n = 0;

	if (pending_names(s, &names, &dirfd, e) != 0)
		return -1;
	list = calloc(names.count + 1, sizeof *list);
	if (list == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < names.count; i++)
		if (remote_run_id_ok(names.names[i]) &&
		    pending_read_file(dirfd, names.names[i], &list[n], e) == 0)
			n++;
	if (n > 1)
		qsort(list, n, sizeof *list, pending_compare);
	*ret = list;
	*ret_n = n;
	return 0;
}
