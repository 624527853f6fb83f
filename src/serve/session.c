#include "serve/session.h"

#include <string.h>

const struct session_app *
session_app(const struct http_call *c)
{
	return c->app;
}

int
session_store(struct http_call *c, struct store **ret, struct err *e)
{
	struct store *s = *c->session;

	if (s == NULL) {
		if (store_open(session_app(c)->store, 0, &s, e) != 0)
			return -1;
		if (session_app(c)->lease != NULL)
			lease_join(s, session_app(c)->lease);
		*c->session = s;
	}
	*ret = s;
	return 0;
}

void
session_free(void *session)
{
	store_close(session);
}

int
session_oid(const struct http_call *c, struct oid *ret, struct err *e)
{
	struct err ignored;

	if (strlen(c->arg) != 64 || oid_from_hex(ret, c->arg, &ignored) != 0)
		return err_set(e, ERR_USAGE, "an object's name is 64 lower-case hex digits");
	return 0;
}

static bool
session_query_known(const char *const *names, const char *text, size_t len)
{
	for (; *names != NULL; names++)
		if (strlen(*names) == len && memcmp(*names, text, len) == 0)
			return true;
	return false;
}

int
session_query(const struct http_call *c, const char *const *names, const char *name,
    char **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *found = NULL;
	const char *p = c->query;

	while (p != NULL) {
		size_t len = strcspn(p, "&"), key = strcspn(p, "=&");
		const char *value = p + key + 1;

		if (key >= len || strspn(value, "0123456789abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ._~-") != len - key - 1)
			return err_set(e, ERR_USAGE, "the query is not name=value of plain characters");
		if (!session_query_known(names, p, key))
			return err_set(e, ERR_USAGE, "%.*s: not a parameter of this resource",
			    (int)key, p);
		if (strlen(name) == key && memcmp(name, p, key) == 0) {
			if (found != NULL)
				return err_set(e, ERR_USAGE, "%s: given twice", name);
			found = strndup(value, len - key - 1);
			if (found == NULL)
				return err_nomem(e);
		}
		p = p[len] == '&' ? p + len + 1 : NULL;
	}
	*ret = found;
	found = NULL;
	return 0;
}
