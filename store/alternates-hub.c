#include "store/alternates-hub.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/hex.h"
#include "store/oid-map.h"

#define HUB_MODELS_MAX 20000
#define HUB_BLOBS_MAX 1000000 /* of all models */

struct alternates_hub {
	char *path;
	int fd;
	bool read;
	struct dir_walk models;
	struct oid_map blobs;   /* to the place in models */
};

static char *
hub_path(struct err *e)
{
	const char *cache = getenv("HF_HUB_CACHE"), *home = getenv("HF_HOME");
	const char *xdg = getenv("XDG_CACHE_HOME"), *user = getenv("HOME");

	if (cache != NULL && cache[0] == '/')
		return buf_strdup(cache, e);
	if (home != NULL && home[0] == '/')
		return buf_strfmt(e, "%s/hub", home);
	if (xdg != NULL && xdg[0] == '/')
		return buf_strfmt(e, "%s/huggingface/hub", xdg);
	return buf_strfmt(e, "%s/.cache/huggingface/hub", user != NULL && user[0] == '/' ? user : "");
}

int
alternates_hub_open(struct alternates_hub **ret, struct err *e)
{
	struct alternates_hub *h;
	char *path = hub_path(e);
	int fd;

	if (path == NULL)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		err_sys(e, "%s: cannot open", path);
		free(path);
		*ret = NULL;
		return errno == ENOENT || source_absent(e) ? 0 : -1;
	}
	h = calloc(1, sizeof *h);
	if (h == NULL) {
		free(path);
		close(fd);
		return err_nomem(e);
	}
	h->path = path;
	h->fd = fd;
	*ret = h;
	return 0;
}

void
alternates_hub_free(struct alternates_hub *h)
{
	if (h == NULL)
		return;
	free(h->path);
	close(h->fd);
	dir_walk_free(&h->models);
	oid_map_free(&h->blobs);
	free(h);
}

/* What cannot be listed has nothing for us. */
static int
hub_read_model(struct alternates_hub *h, size_t model, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk blobs = DIR_WALK_INIT;
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/blobs", h->models.names[model]);
	bool ignored;

	if (path == NULL)
		return -1;
	if (dir_walk_list(h->fd, path, HUB_BLOBS_MAX, &blobs, e) != 0)
		return source_absent(e) || e->code == ERR_LIMIT ? 0 : -1;
	for (size_t i = 0; i < blobs.count && h->blobs.count < HUB_BLOBS_MAX; i++) {
		struct oid id;

		if (strlen(blobs.names[i]) == 64 && oid_from_hex(&id, blobs.names[i], NULL) == 0 &&
		    oid_map_add(&h->blobs, &id, model, &ignored, e) != 0)
			return -1;
	}
	return 0;
}

static int
hub_read(struct alternates_hub *h, struct err *e)
{
	if (h->read)
		return 0;
	dir_walk_free(&h->models); /* of a reading that failed */
	if (dir_walk_list(h->fd, ".", HUB_MODELS_MAX, &h->models, e) != 0 && !source_absent(e) &&
	    e->code != ERR_LIMIT)
		return -1;
	for (size_t i = 0; i < h->models.count; i++)
		if (strstr(h->models.names[i], "--") != NULL && hub_read_model(h, i, e) != 0)
			return -1;
	h->read = true;
	return 0;
}

int
alternates_hub_find(struct alternates_hub *h, const struct oid *id, struct source *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *name = NULL;
	char hex[OID_HEX_SIZE];
	size_t model;
	int fd;

	if (hub_read(h, e) != 0)
		return -1;
	if (!oid_map_get(&h->blobs, id, &model))
		return 0;
	oid_hex(id, hex);
	name = buf_strfmt(e, "%s/blobs/%s", h->models.names[model], hex);
	if (name == NULL)
		return -1;
	fd = fd_open_beneath(h->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
	if (fd < 0)
		return source_absent(e) ? 0 : -1;
	return source_take(fd, ret, e, "%s/%s", h->path, name);
}

static int
hub_sizes_model(struct alternates_hub *h, size_t model, alternates_hub_fn *fn, void *arg,
    struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk blobs = DIR_WALK_INIT;
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/blobs", h->models.names[model]);
	CLEANUP(cleanup_close) int fd = path == NULL ? -1 :
	    fd_open_beneath(h->fd, path, O_RDONLY | O_DIRECTORY, 0, e);
	struct stat st;

	if (path == NULL)
		return -1;
	if (fd < 0 || dir_walk_list(fd, ".", HUB_BLOBS_MAX, &blobs, e) != 0)
		return e->code == ERR_NOMEM ? -1 : 0;
	for (size_t i = 0; i < blobs.count; i++)
		if (strlen(blobs.names[i]) == 64 && hex_is(blobs.names[i], 64) &&
		    fstatat(fd, blobs.names[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		    fn(arg, (uint64_t)st.st_size, e) != 0)
			return -1;
	return 0;
}

int
alternates_hub_sizes(struct alternates_hub *h, alternates_hub_fn *fn, void *arg, struct err *e)
{
	if (hub_read(h, e) != 0)
		return -1;
	for (size_t i = 0; i < h->models.count; i++)
		if (strstr(h->models.names[i], "--") != NULL && hub_sizes_model(h, i, fn, arg, e) != 0)
			return -1;
	return 0;
}
