#include "store/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "base/fd.h"
#include "git/config-file.h"

struct config {
	struct config_file *repository; /* NULL: none */
	struct config_file *user;
	char *user_dir;
	bool read_only;                 /* the repository's */
};

/* "*" stands for any subsection. */
static const char *const config_repository_keys[] = {
	"branch.*.merge",
	"branch.*.remote",
	"color.ui",
	"core.formatversion",
	"fetch.blobs",
	"log.date",
	"log.oneline",
	"push.blobs",               /* "all" is heard of the user alone: remotes.c */
	"remote.*.fetch",
	"remote.*.url",
	"store.alternate",          /* of a repository only inside its work tree: alternates.c */
	"store.alternates",
	"store.ingest",
	"store.partial",
	"store.threads",
};

/* section.key without regard to case, as git does; the subsection is anything. */
bool
config_repository_key(const char *key)
{
	for (size_t i = 0; i < sizeof config_repository_keys / sizeof *config_repository_keys; i++) {
		const char *pattern = config_repository_keys[i];
		const char *star = strchr(pattern, '*');
		size_t head, tail, len = strlen(key);

		if (star == NULL) {
			if (strcasecmp(pattern, key) == 0)
				return true;
			continue;
		}
		head = (size_t)(star - pattern);
		tail = strlen(star + 1);
		if (len > head + tail && strncasecmp(key, pattern, head) == 0 &&
		    strcasecmp(key + len - tail, star + 1) == 0)
			return true;
	}
	return false;
}

static int
config_dir(const char *variable, const char *fallback, char **ret, struct err *e)
{
	const char *base = getenv(variable), *home = getenv("HOME");
	char *path;

	/* the XDG specification: a relative path is to be ignored */
	if (base != NULL && base[0] == '/')
		path = buf_strfmt(e, "%s/aicert", base);
	else if (home != NULL && home[0] == '/')
		path = buf_strfmt(e, "%s/%s/aicert", home, fallback);
	else
		return err_set(e, ERR_NOTFOUND, "neither %s nor HOME is set to an absolute path", variable);
	if (path == NULL)
		return -1;
	*ret = path;
	return 0;
}

int
config_dir_user(char **ret, struct err *e)
{
	return config_dir("XDG_CONFIG_HOME", ".config", ret, e);
}

int
config_dir_data(char **ret, struct err *e)
{
	return config_dir("XDG_DATA_HOME", ".local/share", ret, e);
}

int
config_dir_cache(char **ret, struct err *e)
{
	return config_dir("XDG_CACHE_HOME", ".cache", ret, e);
}

static int
config_open_file(const char *dir, struct config_file **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/config", dir);

	return path == NULL ? -1 : config_file_open(path, ret, e);
}

int
config_open(struct store *s, struct config **ret, struct err *e)
{
	struct config *c = calloc(1, sizeof *c);

	if (c == NULL)
		return err_nomem(e);
	c->read_only = s != NULL && store_read_only(s);
	if (config_dir_user(&c->user_dir, e) != 0 ||
	    config_open_file(c->user_dir, &c->user, e) != 0 ||
	    (s != NULL && config_open_file(store_path(s), &c->repository, e) != 0)) {
		config_close(c);
		return -1;
	}
	*ret = c;
	return 0;
}

void
config_close(struct config *c)
{
	if (c == NULL)
		return;
	config_file_free(c->repository);
	config_file_free(c->user);
	free(c->user_dir);
	free(c);
}

int
config_get(struct config *c, const char *key, char **ret, struct err *e)
{
	struct err local;

	if (e == NULL)
		e = &local;
	if (c->repository != NULL && config_repository_key(key)) {
		if (config_file_get(c->repository, key, ret, e) == 0)
			return 0;
		if (e->code != ERR_NOTFOUND)
			return -1;
	}
	return config_file_get(c->user, key, ret, e);
}

int
config_get_bool(struct config *c, const char *key, bool fallback, bool *ret, struct err *e)
{
	static const char *const yes[] = {"true", "yes", "on", "1"};
	static const char *const no[] = {"false", "no", "off", "0", ""};
	CLEANUP(cleanup_free) char *value = NULL;
	struct err local;

	if (e == NULL)
		e = &local;
	if (config_get(c, key, &value, e) != 0) {
		if (e->code != ERR_NOTFOUND)
			return -1;
		*ret = fallback;
		return 0;
	}
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		if (strcasecmp(value, yes[i]) == 0) {
			*ret = true;
			return 0;
		}
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		if (strcasecmp(value, no[i]) == 0) {
			*ret = false;
			return 0;
		}
	return err_set(e, ERR_USAGE, "%s: \"%s\" is neither true nor false", key, value);
}

int
config_dir_make(const char *dir, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strdup(dir, e);

	if (path == NULL)
		return -1;
	for (char *p = path + 1;; p++) {
		char was = *p;

		if (was != '/' && was != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return err_sys(e, "%s: cannot create", path);
		if (was == '\0')
			return 0;
		*p = was;
	}
}

static int
config_target(struct config *c, bool user, const char *key, struct config_file **ret, struct err *e)
{
	if (user) {
		*ret = c->user;
		return config_dir_make(c->user_dir, e);
	}
	if (c->repository == NULL)
		return err_set(e, ERR_USAGE, "%s: no store here; set it for the user", key);
	if (!config_repository_key(key))
		return err_set(e, ERR_DENIED, "%s: a repository's config cannot hold it; set it in your"
		    " own, %s/config", key, c->user_dir);
	if (strcasecmp(key, "core.formatversion") == 0)
		return err_set(e, ERR_DENIED, "%s: says how the store is laid out and is not to be"
		    " changed", key);
	if (c->read_only)
		return err_set(e, ERR_DENIED, "%s: the store is read-only", key);
	*ret = c->repository;
	return 0;
}

int
config_set(struct config *c, bool user, const char *key, const char *value, struct err *e)
{
	struct config_file *f;

	return config_target(c, user, key, &f, e) == 0 ? config_file_set(f, key, value, e) : -1;
}

int
config_unset(struct config *c, bool user, const char *key, struct err *e)
{
	struct config_file *f;

	return config_target(c, user, key, &f, e) == 0 ? config_file_unset(f, key, e) : -1;
}

struct config_walk {
	config_each_fn *fn;
	void *arg;
	bool user, stopped;
};

static int
config_each_one(void *arg, const char *key, const char *value)
{
	struct config_walk *w = arg;

	if (!w->user && !config_repository_key(key))
		return 0;
	w->stopped = w->fn(w->arg, key, value, w->user) != 0;
	return w->stopped;
}

int
config_each(struct config *c, config_each_fn *fn, void *arg, struct err *e)
{
	struct config_walk w = {fn, arg, true, false};

	if (config_file_each(c->user, config_each_one, &w, e) != 0)
		return -1;
	if (w.stopped || c->repository == NULL)
		return 0;
	w.user = false;
	return config_file_each(c->repository, config_each_one, &w, e);
}
