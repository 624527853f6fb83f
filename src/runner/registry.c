#include "runner/registry.h"

#include <string.h>
#include "base/buf.h"
#include "net/http.h"

#define REGISTRY_PREFIX "runner."
#define REGISTRY_NAME_MAX 64
#define REGISTRY_NUMBER_MAX 1000000000

void
registry_entry_free(struct registry_entry *r)
{
	free(r->name);
	free(r->url);
	free(r->ak_name);
	free(r->token_file);
	free(r->client_cert);
	free(r->client_key);
	free(r->accelerator);
	free(r->firmware_variables);
	*r = (struct registry_entry){0};
}

int
registry_name_check(const char *name, struct err *e)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "._-";
	size_t len = strlen(name);

	if (len == 0 || len > REGISTRY_NAME_MAX || name[strspn(name, letters)] != '\0' ||
	    strchr("._-", name[0]) != NULL)
		return err_set(e, ERR_USAGE, "\"%s\" is no name for a runner: letters, digits, '.', '_' and"
		    " '-', at most %d", name, REGISTRY_NAME_MAX);
	if (strcmp(name, REGISTRY_LOCAL) == 0)
		return err_set(e, ERR_USAGE, "\"" REGISTRY_LOCAL "\" is this machine and always there");
	return 0;
}

/* NULL when it is not set. */
static int
registry_read(struct config *c, const char *name, const char *member, char **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *key = buf_strfmt(e, REGISTRY_PREFIX "%s.%s", name, member);

	if (key == NULL)
		return -1;
	if (config_get(c, key, ret, e) == 0)
		return 0;
	*ret = NULL;
	return e->code == ERR_NOTFOUND ? 0 : -1;
}

static int
registry_read_level(struct config *c, const char *name, enum verdict_level *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *text = NULL;

	if (registry_read(c, name, "minLevel", &text, e) != 0)
		return -1;
	*ret = LEVEL_VTPM;
	if (text == NULL || verdict_level_parse(text, ret, e) == 0)
		return 0;
	return err_prefix(e, "runner %s: minLevel", name);
}

bool
registry_is_started(const char *url)
{
	size_t len = strspn(url, "abcdefghijklmnopqrstuvwxyz");

	return len > 0 && url[len] == ':' && url[len + 1] == '/' && url[len + 2] != '/';
}

static int
registry_read_number(struct config *c, const char *name, const char *member, int64_t *ret,
    struct err *e)
{
	CLEANUP(cleanup_free) char *text = NULL;
	size_t len;

	if (registry_read(c, name, member, &text, e) != 0)
		return -1;
	*ret = 0;
	if (text == NULL)
		return 0;
	len = strlen(text);
	if (len == 0 || len > 10 || strspn(text, "0123456789") != len)
		return err_set(e, ERR_USAGE, "runner %s: %s is no number", name, member);
	*ret = strtoll(text, NULL, 10);
	return *ret <= REGISTRY_NUMBER_MAX ? 0 :
	    err_set(e, ERR_USAGE, "runner %s: %s is too large", name, member);
}

/* A machine that is started has no AK before. */
static int
registry_fill_started(struct config *c, const char *name, const char *url,
    struct registry_entry *r, struct err *e)
{
	r->started = true;
	r->url = buf_strdup(url, e);
	if (r->url == NULL || registry_read_level(c, name, &r->level, e) != 0 ||
	    registry_read_number(c, name, "processors", &r->processors, e) != 0 ||
	    registry_read_number(c, name, "memory", &r->memory_mib, e) != 0 ||
	    registry_read(c, name, "accelerator", &r->accelerator, e) != 0)
		return -1;
	return registry_read(c, name, "firmwareVariables", &r->firmware_variables, e);
}

static int
registry_fill(struct config *c, const char *name, struct registry_entry *r, struct err *e)
{
	CLEANUP(cleanup_free) char *url = NULL;
	CLEANUP(cleanup_free) char *from = NULL;

	r->name = buf_strdup(name, e);
	if (r->name == NULL || registry_read(c, name, "url", &url, e) != 0)
		return -1;
	if (url == NULL)
		return err_set(e, ERR_USAGE, "no such runner: %s (aicert runner list shows them, aicert"
		    " runner add makes one)", name);
	if (registry_is_started(url))
		return registry_fill_started(c, name, url, r, e);
	if (http_url_base(url, &r->url, e) != 0)
		return err_prefix(e, "runner %s: url", name);
	if (registry_read_level(c, name, &r->level, e) != 0 ||
	    registry_read(c, name, "akName", &r->ak_name, e) != 0 ||
	    registry_read(c, name, "akFrom", &from, e) != 0 ||
	    registry_read(c, name, "tokenFile", &r->token_file, e) != 0 ||
	    registry_read(c, name, "clientCert", &r->client_cert, e) != 0 ||
	    registry_read(c, name, "clientKey", &r->client_key, e) != 0)
		return -1;
	/* without it anybody who reaches the level could take the runner's place */
	if (r->ak_name == NULL)
		return err_set(e, ERR_USAGE, "runner %s: akName is missing; remove the runner and add it"
		    " again", name);
	if ((r->client_cert == NULL) != (r->client_key == NULL))
		return err_set(e, ERR_USAGE, "runner %s: clientCert and clientKey need each other", name);
	r->ak_given = from != NULL && strcmp(from, "given") == 0;
	return 0;
}

int
registry_get(struct config *c, const char *name, struct registry_entry *ret, struct err *e)
{
	struct registry_entry r = {0};

	if (registry_name_check(name, e) != 0)
		return -1;
	if (registry_fill(c, name, &r, e) != 0) {
		registry_entry_free(&r);
		return -1;
	}
	*ret = r;
	return 0;
}

static int
registry_write(struct config *c, const char *name, const char *member, const char *value,
    struct err *e)
{
	CLEANUP(cleanup_free) char *key = NULL;

	if (value == NULL)
		return 0;
	key = buf_strfmt(e, REGISTRY_PREFIX "%s.%s", name, member);
	return key == NULL ? -1 : config_set(c, true, key, value, e);
}

static int
registry_write_number(struct config *c, const char *name, const char *member, int64_t value,
    struct err *e)
{
	char text[32];

	snprintf(text, sizeof text, "%lld", (long long)value);
	return registry_write(c, name, member, value != 0 ? text : NULL, e);
}

static int
registry_add_started(struct config *c, const struct registry_entry *r, struct err *e)
{
	if (registry_write(c, r->name, "minLevel", verdict_level_name(r->level), e) != 0 ||
	    registry_write_number(c, r->name, "processors", r->processors, e) != 0 ||
	    registry_write_number(c, r->name, "memory", r->memory_mib, e) != 0 ||
	    registry_write(c, r->name, "accelerator", r->accelerator, e) != 0 ||
	    registry_write(c, r->name, "firmwareVariables", r->firmware_variables, e) != 0)
		return -1;
	return registry_write(c, r->name, "url", r->url, e);
}

int
registry_add(struct config *c, const struct registry_entry *r, struct err *e)
{
	CLEANUP(cleanup_free) char *url = NULL;

	if (registry_name_check(r->name, e) != 0 || registry_read(c, r->name, "url", &url, e) != 0)
		return -1;
	if (url != NULL)
		return err_set(e, ERR_EXISTS, "runner %s is there already, at %s (aicert runner remove %s"
		    " forgets it)", r->name, url, r->name);
	if (r->started)
		return registry_add_started(c, r, e);
	/* the url last: a runner without one is none */
	if (registry_write(c, r->name, "minLevel", verdict_level_name(r->level), e) != 0 ||
	    registry_write(c, r->name, "akName", r->ak_name, e) != 0 ||
	    registry_write(c, r->name, "akFrom", r->ak_given ? "given" : "first-use", e) != 0 ||
	    registry_write(c, r->name, "tokenFile", r->token_file, e) != 0 ||
	    registry_write(c, r->name, "clientCert", r->client_cert, e) != 0 ||
	    registry_write(c, r->name, "clientKey", r->client_key, e) != 0)
		return -1;
	return registry_write(c, r->name, "url", r->url, e);
}

int
registry_remove(struct config *c, const char *name, struct err *e)
{
	static const char *const members[] = {"url", "minLevel", "akName", "akFrom", "tokenFile",
	    "clientCert", "clientKey", "processors", "memory", "accelerator", "firmwareVariables"};
	CLEANUP(cleanup_free) char *url = NULL;

	if (registry_name_check(name, e) != 0 || registry_read(c, name, "url", &url, e) != 0)
		return -1;
	if (url == NULL)
		return err_set(e, ERR_USAGE, "no such runner: %s", name);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		CLEANUP(cleanup_free) char *key = buf_strfmt(e, REGISTRY_PREFIX "%s.%s", name, members[i]);

		if (key == NULL)
			return -1;
		if (config_unset(c, true, key, e) != 0 && e->code != ERR_NOTFOUND)
			return -1;
	}
	return 0;
}

struct registry_names {
	char **names;
	size_t count;
	struct err *e;
	bool failed;
};

static void
registry_names_free(struct registry_names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->names[i]);
	free(n->names);
}

/* "runner.NAME.url" */
static int
registry_collect(void *arg, const char *key, const char *value, bool user)
{
	struct registry_names *n = arg;
	size_t head = sizeof REGISTRY_PREFIX - 1, len = strlen(key);
	char **names;

	(void)value;
	if (!user || len <= head + 4 || strncmp(key, REGISTRY_PREFIX, head) != 0 ||
	    strcmp(key + len - 4, ".url") != 0)
		return 0;
	names = reallocarray(n->names, n->count + 1, sizeof *names);
	if (names == NULL) {
		n->failed = true;
		return err_nomem(n->e);
	}
	n->names = names;
	names[n->count] = strndup(key + head, len - head - 4);
	n->failed = names[n->count] == NULL;
	if (n->failed)
		return err_nomem(n->e);
	n->count++;
	return 0;
}

static int
registry_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
registry_list(struct config *c, struct registry_entry **ret, size_t *ret_n, struct err *e)
{
	CLEANUP(registry_names_free) struct registry_names n = {.e = e};
	struct registry_entry *list;
	size_t count = 0;

	if (config_each(c, registry_collect, &n, e) != 0 || n.failed)
		return -1;
	if (n.count > 1)
		qsort(n.names, n.count, sizeof *n.names, registry_compare);
	list = calloc(n.count + 1, sizeof *list);
	if (list == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n.count; i++) {
		if (i > 0 && strcmp(n.names[i], n.names[i - 1]) == 0)
			continue; /* set twice: the last one counts, as in git */
		if (registry_get(c, n.names[i], &list[count], e) != 0) {
			while (count > 0)
				registry_entry_free(&list[--count]);
			free(list);
			return -1;
		}
		count++;
	}
	*ret = list;
	*ret_n = count;
	return 0;
}
