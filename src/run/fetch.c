#include "run/fetch.h"

#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "codec/archive.h"
#include "crypto/hash.h"
#include "git/repo.h"
#include "net/http.h"
#include "store/odb.h"

#define FETCH_BYTES_MAX (UINT64_C(1) << 40)
#define FETCH_ENTRIES_MAX 10000000u
#define FETCH_READ (256u * 1024)

/* A directory of the store's tmp for the time of one fetch. */
struct fetch_dir {
	struct store *s;
	char *name;
	int fd;
};

static int
fetch_dir_open(struct fetch_dir *d, struct err *e)
{
	if (store_tmp_dir(d->s, "fetch", &d->name, e) != 0)
		return -1;
	d->fd = fd_open_beneath(store_tmp_fd(d->s), d->name, O_RDONLY | O_DIRECTORY, 0, e);
	return d->fd < 0 ? -1 : 0;
}

static void
fetch_dir_close(struct fetch_dir *d)
{
	cleanup_close(&d->fd);
	if (d->name != NULL)
		(void)(fd_remove_tree(store_tmp_fd(d->s), d->name, NULL) != 0);
	free(d->name);
}

/* "../other" means beside the work tree, wherever the command was typed. */
static bool
fetch_is_relative(const char *url)
{
	return url[0] != '/' && strstr(url, "://") == NULL && strchr(url, ':') == NULL;
}

static int
fetch_git(const struct spec_input *in, const struct resolve_options *o, struct fetch_dir *d,
    struct ingest_result *ret, char **ret_source, struct err *e)
{
	const char *part = in->sub_path != NULL ? in->sub_path : "";
	CLEANUP(cleanup_free) char *cache = buf_strfmt(e, "%s/git", o->cache_dir);
	CLEANUP(cleanup_free) char *url = NULL;
	CLEANUP(cleanup_free) char *source = NULL;

	if (cache == NULL)
		return -1;
	url = fetch_is_relative(in->url) ?
	    buf_strfmt(e, "%s/%s", store_worktree(o->store), in->url) : buf_strdup(in->url, e);
	source = buf_strfmt(e, "git+%s@%s%s%s", in->url, in->rev, *part != '\0' ? "#" : "", part);
	if (url == NULL || source == NULL ||
	    repo_export(url, in->rev, part, cache, d->fd, "export", e) != 0 ||
	    ingest_path(o->store, d->fd, "export", INGEST_DIRECTORIES | INGEST_ADOPT, o->progress, ret,
	    e) != 0)
		return -1;
	*ret_source = source;
	source = NULL;
	return 0;
}

/* Downloads into "file" and compares the digest; the descriptor is at the start. */
static int
fetch_download(const struct spec_input *in, const struct resolve_options *o, struct fetch_dir *d,
    int *ret_fd, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(d->fd, "file", O_RDWR | O_CREAT | O_EXCL, 0600, e);
	CLEANUP(cleanup_free) unsigned char *data = malloc(FETCH_READ);
	CLEANUP(hash_freep) struct hash *h = NULL;
	struct oid got;
	size_t n;

	if (data == NULL)
		return err_nomem(e);
	if (fd < 0 || http_download(in->url, fd, FETCH_BYTES_MAX, o->progress, e) != 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) != 0)
		return err_sys(e, "%s: cannot seek", in->url);
	if (hash_new(HASH_SHA256, &h, e) != 0)
		return -1;
	do {
		if (fd_read_upto(fd, data, FETCH_READ, &n, in->url, e) != 0 ||
		    hash_update(h, data, n, e) != 0)
			return -1;
	} while (n > 0);
	if (hash_final(h, got.b, e) != 0)
		return -1;
	if (!oid_equal(&got, &in->sha256)) {
		char hex[OID_HEX_SIZE];

		oid_hex(&got, hex);
		return err_set(e, ERR_REFUSED, "%s: what was fetched has sha256 %s", in->url, hex);
	}
	if (lseek(fd, 0, SEEK_SET) != 0)
		return err_sys(e, "%s: cannot seek", in->url);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static int
fetch_extract(struct fetch_dir *d, int fd, const struct resolve_options *o,
    struct ingest_result *ret, struct err *e)
{
	const struct archive_limits limits = {FETCH_BYTES_MAX, FETCH_ENTRIES_MAX};
	CLEANUP(cleanup_close) int dest = -1;

	if (fd_mkdirs_beneath(d->fd, "tree", 0755, e) != 0)
		return -1;
	dest = fd_open_beneath(d->fd, "tree", O_RDONLY | O_DIRECTORY, 0, e);
	if (dest < 0 || archive_extract(fd, dest, &limits, 0, e) != 0)
		return -1;
	return ingest_path(o->store, d->fd, "tree", INGEST_DIRECTORIES | INGEST_ADOPT, o->progress, ret, e);
}

static int
fetch_url(const struct spec_input *in, const struct resolve_options *o, struct fetch_dir *d,
    struct ingest_result *ret, char **ret_source, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	CLEANUP(cleanup_free) char *source = buf_strdup(in->url, e);
	struct ingest_result got = {.type = OBJECT_BLOB, .id = in->sha256};

	if (source == NULL)
		return -1;
	/* the digest is all that matters: what is here already is not fetched again */
	if (!in->extract && odb_keep(o->store, &in->sha256, 1, e) != 0)
		return -1;
	if (!in->extract && odb_has(o->store, &in->sha256)) {
		if (odb_size(o->store, &got.id, &got.size, e) != 0)
			return -1;
	} else if (fetch_download(in, o, d, &fd, e) != 0) {
		return -1;
	} else if (in->extract) {
		if (fetch_extract(d, fd, o, &got, e) != 0)
			return err_prefix(e, "%s", in->url);
	} else if (odb_adopt(o->store, d->fd, "file", &got.id, &got.size, e) != 0) {
		return -1;
	}
	*ret = got;
	*ret_source = source;
	source = NULL;
	return 0;
}

int
fetch_input(const struct spec_input *in, const struct resolve_options *o, struct ingest_result *ret,
    char **ret_source, struct err *e)
{
	CLEANUP(fetch_dir_close) struct fetch_dir d = {.s = o->store, .fd = -1};

	if (fetch_dir_open(&d, e) != 0)
		return -1;
	if (in->from == SPEC_INPUT_GIT)
		return fetch_git(in, o, &d, ret, ret_source, e);
	return fetch_url(in, o, &d, ret, ret_source, e);
}
