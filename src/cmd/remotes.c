#include "cmd/remotes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/progress.h"
#include "cmd/cmd.h"
#include "git/repo.h"
#include "net/http.h"
#include "runner/credential.h"
#include "store/refs.h"

#define REMOTES_NAME_MAX 64

void
remotes_entry_free(struct remotes_entry *r)
{
	free(r->name);
	free(r->url);
	*r = (struct remotes_entry){0};
}

int
remotes_name_check(const char *name, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	char ref[REMOTES_NAME_MAX + 32];
	size_t len = strlen(name);

	snprintf(ref, sizeof ref, "refs/remotes/%s/x", len <= REMOTES_NAME_MAX ? name : "");
	if (len == 0 || len > REMOTES_NAME_MAX || strspn(name, allowed) != len ||
	    strchr("._-", name[0]) != NULL || !refs_name_ok(ref))
		return err_set(e, ERR_USAGE, "\"%.80s\": a remote's name has letters, digits, '.', '_', '-',"
		    " begins with a letter or digit, and has at most %d bytes", name, REMOTES_NAME_MAX);
	return 0;
}

struct remotes_lister {
	struct remotes_entry *items;
	size_t count;
	struct err *e;
	int rc;
};

/* "remote.<name>.url", a key that libgit2 gives with section and key in lower case */
static int
remotes_list_one(void *arg, const char *key, const char *value, bool user)
{
	struct remotes_lister *l = arg;
	size_t len = strlen(key);
	struct remotes_entry *grown;
	struct remotes_entry entry = {0};

	if (user || len < 12 || strncmp(key, "remote.", 7) != 0 || strcmp(key + len - 4, ".url") != 0)
		return 0;
	grown = reallocarray(l->items, l->count + 1, sizeof *grown);
	entry.name = strndup(key + 7, len - 11);
	entry.url = buf_strdup(value, l->e);
	if (grown != NULL)
		l->items = grown;
	if (grown == NULL || entry.name == NULL || entry.url == NULL) {
		remotes_entry_free(&entry);
		l->rc = err_nomem(l->e);
		return -1;
	}
	if (remotes_name_check(entry.name, NULL) != 0) /* nobody can have added it here */
		remotes_entry_free(&entry);
	else
		l->items[l->count++] = entry;
	return 0;
}

int
remotes_list(struct config *c, struct remotes_entry **ret, size_t *ret_n, struct err *e)
{
	struct remotes_lister l = {.e = e};

	if (config_each(c, remotes_list_one, &l, e) != 0 || l.rc != 0) {
		for (size_t i = 0; i < l.count; i++)
			remotes_entry_free(&l.items[i]);
		free(l.items);
		return -1;
	}
	*ret = l.items;
	*ret_n = l.count;
	return 0;
}

/* --- choosing one --- */

static int
remotes_configured(struct config *c, const char *name, struct remotes_entry *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *key = buf_strfmt(e, "remote.%s.url", name);
	CLEANUP(cleanup_free) char *url = NULL;

	if (key == NULL || config_get(c, key, &url, e) != 0)
		return -1;
	ret->name = buf_strdup(name, e);
	ret->url = url;
	url = NULL;
	return ret->name != NULL ? 0 : -1;
}

/* The code's own repository: everybody who has the code has this remote. */
static int
remotes_git(struct store *s, const char *name, struct remotes_entry *ret, struct err *e)
{
	CLEANUP(repo_freep) struct repo *r = NULL;
	CLEANUP(cleanup_free) char *url = NULL;

	if (repo_discover(store_worktree(s), &r, e) != 0 || repo_remote_url(r, name, &url, e) != 0)
		return -1;
	/* a relative one is so to the work tree */
	if (url[0] == '.' && repo_workdir(r) != NULL)
		ret->url = buf_strfmt(e, "git+%s%s", repo_workdir(r), url);
	else
		ret->url = buf_strfmt(e, "git+%s", url);
	ret->name = buf_strdup(name, e);
	ret->git = true;
	return ret->name != NULL && ret->url != NULL ? 0 : -1;
}

static int
remotes_named(struct store *s, struct config *c, const char *name, struct remotes_entry *ret,
    struct err *e)
{
	if (remotes_name_check(name, e) != 0)
		return err_set(e, ERR_NOTFOUND, "%s: no such remote", name);
	if (remotes_configured(c, name, ret, e) == 0)
		return 0;
	if (e->code != ERR_NOTFOUND)
		return -1;
	return remotes_git(s, name, ret, e);
}

static bool
remotes_is_url(const char *text)
{
	return strchr(text, '/') != NULL || strchr(text, ':') != NULL || strcmp(text, ".") == 0 ||
	    strcmp(text, "..") == 0;
}

/* *ret NULL: the branch has none of its own. */
static int
remotes_of_branch(struct store *s, struct config *c, char **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *head = NULL;
	CLEANUP(cleanup_free) char *key = NULL;

	*ret = NULL;
	if (refs_head(s, &head, e) != 0)
		return -1;
	if (head == NULL)
		return 0;
	key = buf_strfmt(e, "branch.%s.remote", head + strlen("refs/heads/"));
	if (key == NULL)
		return -1;
	return config_get(c, key, ret, e) == 0 || e->code == ERR_NOTFOUND ? 0 : -1;
}

static int
remotes_only(struct config *c, struct remotes_entry *ret, struct err *e)
{
	struct remotes_entry *list;
	size_t n;
	int rc = -1;

	if (remotes_list(c, &list, &n, e) != 0)
		return -1;
	if (n == 1) {
		*ret = list[0];
		list[0] = (struct remotes_entry){0};
		rc = 0;
	} else {
		err_set(e, ERR_NOTFOUND, "no remote is named");
	}
	for (size_t i = 0; i < n; i++)
		remotes_entry_free(&list[i]);
	free(list);
	return rc;
}

static int
remotes_default(struct store *s, struct config *c, struct remotes_entry *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *name = NULL;

	if (remotes_of_branch(s, c, &name, e) != 0)
		return -1;
	if (name != NULL && remotes_named(s, c, name, ret, e) == 0)
		return 0;
	remotes_entry_free(ret);
	if (remotes_configured(c, REMOTES_DEFAULT, ret, e) == 0 || remotes_only(c, ret, e) == 0 ||
	    remotes_git(s, REMOTES_DEFAULT, ret, e) == 0)
		return 0;
	remotes_entry_free(ret);
	return err_set(e, ERR_USAGE, "there is no remote: name one, add one (aicert remote add NAME URL),"
	    " or give the git repository an origin");
}

int
remotes_choose(struct store *s, struct config *c, const char *typed, struct remotes_entry *ret,
    struct err *e)
{
	if (typed == NULL)
		return remotes_default(s, c, ret, e);
	if (!remotes_is_url(typed)) {
		if (remotes_named(s, c, typed, ret, e) == 0)
			return 0;
		remotes_entry_free(ret);
		if (e->code != ERR_NOTFOUND)
			return -1;
		if (!cmd_is_path(typed))
			return err_set(e, ERR_USAGE, "%s: no such remote, and no url or path (aicert remote list)",
			    typed);
	}
	ret->name = buf_strdup("", e);
	ret->url = buf_strdup(typed, e);
	return ret->name != NULL && ret->url != NULL ? remote_url_check(typed, e) : -1;
}

int
remotes_url(const char *typed, bool there, char **ret, struct err *e)
{
	char *full = NULL;

	if (remote_url_check(typed, e) != 0)
		return -1;
	if (strchr(typed, ':') != NULL || typed[0] == '/' || strncmp(typed, "git+", 4) == 0) {
		full = buf_strdup(typed, e);
	} else if ((full = realpath(typed, NULL)) == NULL && (there || errno != ENOENT)) {
		return errno == ENOENT ? err_set(e, ERR_NOTFOUND, "%s: no such directory", typed) :
		    err_sys(e, "%s", typed);
	} else if (full == NULL) {
		CLEANUP(cleanup_free) char *here = realpath(".", NULL);

		full = here != NULL ? buf_strfmt(e, "%s/%s", here, typed) : NULL;
		if (here == NULL)
			return err_sys(e, "the current directory");
	}
	*ret = full;
	return full != NULL ? 0 : -1;
}

int
remotes_open(struct store *s, struct config *c, const struct remotes_entry *entry, bool writing,
    struct remote **ret, struct err *e)
{
	const struct remote_open o = {.name = entry->name, .url = entry->url, .store = s, .config = c,
	    .writing = writing, .progress = stderr, .notice = {.tell = cmd_tell}};

	return remote_open(&o, ret, e);
}

/* --- settings --- */

/* What reveals more than usual is not a repository's to say. */
static int
remotes_check_all(const char *key, struct err *e)
{
	CLEANUP(config_closep) struct config *c = NULL;
	CLEANUP(cleanup_free) char *value = NULL;

	if (config_open(NULL, &c, e) != 0)
		return -1;
	if (config_get(c, key, &value, e) == 0 && strcmp(value, "all") == 0)
		return 0;
	return err_set(e, ERR_DENIED, "%s = all sends inputs too: a repository's config cannot say so (give"
	    " --blobs all, or aicert config --user %s all)", key, key);
}

int
remotes_blobs(struct config *c, const char *key, const char *given, enum sync_blobs fallback,
    enum sync_blobs *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *value = NULL;

	if (given != NULL)
		return sync_blobs_parse(given, ret, e);
	if (config_get(c, key, &value, e) != 0) {
		*ret = fallback;
		return e->code == ERR_NOTFOUND ? 0 : -1;
	}
	if (sync_blobs_parse(value, ret, e) != 0)
		return err_prefix(e, "%s", key);
	return *ret == SYNC_BLOBS_ALL && strcmp(key, "push.blobs") == 0 ? remotes_check_all(key, e) : 0;
}

bool
remotes_tracking(const struct remotes_entry *r, const char *ref, char *ret, size_t cap)
{
	int n;

	if (r->name[0] == '\0' || strncmp(ref, "refs/heads/", 11) != 0)
		return false;
	n = snprintf(ret, cap, "refs/remotes/%s/%s", r->name, ref + 11);
	return n > 0 && (size_t)n < cap;
}

/* --- credentials --- */

bool
remotes_credentials_given(const struct remotes_credentials *shown)
{
	return shown->token_file != NULL || shown->client_cert != NULL || shown->client_key != NULL ||
	    shown->ca_file != NULL;
}

static int
remotes_credential(struct config *c, const char *base, const char *key, const char *file,
    struct err *e)
{
	CLEANUP(cleanup_free) char *name = buf_strfmt(e, "hub.%s.%s", base, key);
	CLEANUP(cleanup_free) char *full = NULL;
	bool secret = strcmp(key, "tokenfile") == 0 || strcmp(key, "clientkey") == 0;

	if (name == NULL || file == NULL)
		return file == NULL ? 0 : -1;
	full = realpath(file, NULL);
	if (full == NULL)
		return err_sys(e, "%s: cannot find it", file);
	if (secret && credential_check_file(full, e) != 0)
		return -1;
	return config_set(c, true, name, full, e);
}

int
remotes_credentials_set(struct config *c, const char *url, const struct remotes_credentials *shown,
    struct err *e)
{
	CLEANUP(cleanup_free) char *base = NULL;
	CLEANUP(cleanup_free) char *host = NULL;

	if (!remotes_credentials_given(shown))
		return 0;
	if (strncmp(url, "https://", 8) != 0)
		return err_set(e, ERR_USAGE, "credentials are shown to an https:// hub only");
	if ((shown->client_cert == NULL) != (shown->client_key == NULL))
		return err_set(e, ERR_USAGE, "--client-cert and --client-key need each other");
	host = strndup(url, 8 + strcspn(url + 8, "/"));
	if (host == NULL)
		return err_nomem(e);
	if (http_url_base(host, &base, e) != 0 ||
	    remotes_credential(c, base, "tokenfile", shown->token_file, e) != 0 ||
	    remotes_credential(c, base, "clientcert", shown->client_cert, e) != 0 ||
	    remotes_credential(c, base, "clientkey", shown->client_key, e) != 0)
		return -1;
	return remotes_credential(c, base, "cafile", shown->ca_file, e);
}

/* --- what was done --- */

void
remotes_print_tally(const struct sync_tally *t, const char *verb, const char *more)
{
	char size[32];

	if (t->objects > 0) {
		progress_size(size, sizeof size, t->bytes);
		printf("%s %zu object%s (%zu commit%s, %zu certificate%s), %s\n", verb, t->objects,
		    t->objects == 1 ? "" : "s", t->commits, t->commits == 1 ? "" : "s", t->certificates,
		    t->certificates == 1 ? "" : "s", size);
	}
	if (t->unfit > 0) {
		progress_size(size, sizeof size, t->unfit_bytes);
		printf("%zu file%s (%s) not %s: this remote does not hold large ones\n", t->unfit,
		    t->unfit == 1 ? "" : "s", size, more);
	}
	if (t->absent > 0)
		printf("%zu file%s not %s: not there\n", t->absent, t->absent == 1 ? "" : "s", more);
	if (t->failed > 0)
		printf("%zu file%s not %s: see above\n", t->failed, t->failed == 1 ? "" : "s", more);
}

void
remotes_tally_json(const struct sync_tally *t, struct jcs *object)
{
	jcs_set_int(object, "absent", (int64_t)t->absent);
	jcs_set_int(object, "bytes", (int64_t)t->bytes);
	jcs_set_int(object, "certificates", (int64_t)t->certificates);
	jcs_set_int(object, "commits", (int64_t)t->commits);
	jcs_set_int(object, "failed", (int64_t)t->failed);
	jcs_set_int(object, "objects", (int64_t)t->objects);
	jcs_set_int(object, "unfit", (int64_t)t->unfit);
}
