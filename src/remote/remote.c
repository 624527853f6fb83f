#include "remote/remote.h"

#include <string.h>
#include <sys/stat.h>
#include "base/array.h"
#include "store/refs.h"

/* Longer prefixes first; a transport is asked for by how its urls begin. */
static const struct {
	const char *scheme;
	const struct remote_ops *ops;
} remote_schemes[] = {
	{"file://", &dir_ops},
	{"git+", &git_ops},
	{"ssh://", &git_ops},
	{"s3://", &s3_ops},
	{"static:", &static_ops},
};

/* --- urls --- */

static bool
remote_ends(const char *text, const char *end)
{
	size_t len = strlen(text), cut = strlen(end);

	return len > cut && strcmp(text + len - cut, end) == 0;
}

/* "host:path" and "user@host:path"; "helper::address", which git would run a program for, is not. */
static bool
remote_is_ssh(const char *url)
{
	size_t host = strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@");

	return host > 0 && url[host] == ':' && url[host + 1] != ':' && url[host + 1] != '\0';
}

static bool
remote_has(const char *dir, const char *name)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(NULL, "%s/%s", dir, name);
	struct stat st;

	return path != NULL && lstat(path, &st) == 0;
}

/* A path to a git repository, bare or not.  A store has some of the same names. */
static bool
remote_is_git(const char *path)
{
	if (remote_has(path, "HEAD") && remote_has(path, "objects") && remote_has(path, "refs"))
		return !remote_has(path, ".gitignore");
	return remote_has(path, ".git") && !remote_has(path, STORE_NAME);
}

/* What the git program may be given. */
static bool
remote_git_ok(const char *url)
{
	static const char *const schemes[] = {"https://", "ssh://", "file://"};

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
			return true;
	if (*url == '-' || *url == '\0' || strstr(url, "://") != NULL)
		return false;
	return remote_is_ssh(url) || strchr(url, ':') == NULL || *url == '/' || *url == '.';
}

static const struct remote_ops *
remote_find(const char *url)
{
	for (size_t i = 0; i < sizeof remote_schemes / sizeof *remote_schemes; i++)
		if (strncmp(url, remote_schemes[i].scheme, strlen(remote_schemes[i].scheme)) == 0)
			return remote_schemes[i].ops;
	if (strncmp(url, "https://", 8) == 0)
		return remote_ends(url, ".git") ? &git_ops : &hub_ops;
	if (strstr(url, "://") != NULL)
		return NULL;
	if (remote_is_ssh(url) || remote_is_git(url))
		return &git_ops;
	return strchr(url, ':') == NULL || url[0] == '/' || url[0] == '.' ? &dir_ops : NULL;
}

/* user:password@ before the host */
static bool
remote_secret(const char *url)
{
	const char *host = strstr(url, "://"), *at, *colon;
	size_t len;

	if (host == NULL)
		return false;
	host += 3;
	len = strcspn(host, "/?#");
	at = memrchr(host, '@', len);
	colon = memchr(host, ':', len);
	return at != NULL && colon != NULL && colon < at;
}

int
remote_url_check(const char *url, struct err *e)
{
	size_t len = strlen(url);

	if (len == 0 || len > REMOTE_URL_MAX)
		return err_set(e, ERR_USAGE, "an url has 1 to %d bytes", REMOTE_URL_MAX);
	if (url[0] == '-')
		return err_set(e, ERR_USAGE, "%s: an url does not begin with '-'", url);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)url[i] < 0x20 || url[i] == 0x7f)
			return err_set(e, ERR_USAGE, "an url has no control characters");
	if (remote_secret(url))
		return err_set(e, ERR_USAGE, "an url does not carry a password: git has credential helpers, a"
		    " hub its token file");
	if (strncmp(url, "http://", 7) == 0 || strncmp(url, "git+http://", 11) == 0)
		return err_set(e, ERR_USAGE, "%.200s: only https:// is spoken, not http://", url);
	if (strncmp(url, "git+", 4) == 0 && !remote_git_ok(url + 4))
		return err_set(e, ERR_UNSUPPORTED, "%.200s: git is used over https, ssh and on this machine"
		    " only", url);
	if (remote_find(url) == NULL)
		return err_set(e, ERR_UNSUPPORTED, "%.200s: no transport for it (aicert-remote(5) lists"
		    " them)", url);
	return 0;
}

int
remote_open(const struct remote_open *o, struct remote **ret, struct err *e)
{
	struct remote *r;

	if (remote_url_check(o->url, e) != 0)
		return -1;
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return err_nomem(e);
	*r = (struct remote){
		.ops = remote_find(o->url), .store = o->store, .config = o->config,
		.writing = o->writing, .progress = o->progress, .notice = o->notice,
	};
	r->name = buf_strdup(o->name != NULL ? o->name : "", e);
	r->url = r->name != NULL ? buf_strdup(o->url, e) : NULL;
	if (r->url == NULL || r->ops->open(r, e) != 0) {
		remote_close(r);
		return -1;
	}
	*ret = r;
	return 0;
}

void
remote_close(struct remote *r)
{
	if (r == NULL)
		return;
	if (r->state != NULL)
		r->ops->close(r);
	free(r->name);
	free(r->url);
	free(r);
}

/* --- lists of refs --- */

int
remote_refs_add(struct remote_refs *l, const char *name, const struct object_ref *target,
    struct err *e)
{
	bool head = strncmp(name, "refs/heads/", 11) == 0;

	if (!refs_name_ok(name) || (!head && strncmp(name, "refs/tags/", 10) != 0))
		return err_set(e, ERR_REFUSED, "the remote has a ref \"%.200s\": not the name of a branch"
		    " or tag", name);
	if (head && target->type != OBJECT_COMMIT)
		return err_set(e, ERR_REFUSED, "the remote's %s is a %s, not a commit", name,
		    oid_type_name(target->type));
	if (l->count >= REMOTE_REFS_MAX)
		return err_set(e, ERR_LIMIT, "the remote has more than %u refs", REMOTE_REFS_MAX);
	if (ARRAY_ROOM(l->items, l->count, l->cap, e) != 0)
		return -1;
	l->items[l->count] = (struct remote_ref){buf_strdup(name, e), *target};
	if (l->items[l->count].name == NULL)
		return -1;
	l->count++;
	return 0;
}

static int
remote_refs_compare(const void *a, const void *b)
{
	return strcmp(((const struct remote_ref *)a)->name, ((const struct remote_ref *)b)->name);
}

int
remote_refs_finish(struct remote_refs *l, struct err *e)
{
	if (l->count > 1)
		qsort(l->items, l->count, sizeof *l->items, remote_refs_compare);
	for (size_t i = 1; i < l->count; i++)
		if (strcmp(l->items[i - 1].name, l->items[i].name) == 0)
			return err_set(e, ERR_REFUSED, "the remote has %s twice", l->items[i].name);
	return 0;
}

const struct remote_ref *
remote_refs_find(const struct remote_refs *l, const char *name)
{
	char *copy = (char *)(uintptr_t)name;
	const struct remote_ref key = {.name = copy};

	return l->count == 0 ? NULL :
	    bsearch(&key, l->items, l->count, sizeof key, remote_refs_compare);
}

void
remote_refs_free(struct remote_refs *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i].name);
	free(l->items);
	free(l->head);
	*l = (struct remote_refs){0};
}
