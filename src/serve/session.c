#include "serve/session.h"

#include <string.h>
#include <time.h>
#include "store/odb.h"

const struct session_app *
session_app(const struct http_call *c)
{
	return c->app;
}

/* A connection's. */
struct session {
	struct store *store;
	struct principal principal;     /* of the request in progress */
	bool counted;                   /* it is among the principal's */
};

static struct session *
session_of(const struct http_call *c, struct err *e)
{
	if (*c->session == NULL)
		*c->session = calloc(1, sizeof(struct session));
	if (*c->session == NULL)
		err_nomem(e);
	return *c->session;
}

int64_t
session_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec;
}

/* One principal does not have all connections, from however many addresses. */
static int
session_count(const struct http_call *c, struct session *own, struct err *e)
{
	const struct session_app *app = session_app(c);

	if (app->requests == NULL)
		return 0;
	if (!shares_take(app->requests, own->principal.name, 1, app->requests_each))
		return err_set(e, ERR_BUSY, "%s has %llu requests in progress; try again when some are over",
		    own->principal.name, (unsigned long long)app->requests_each);
	own->counted = true;
	return 0;
}

int
session_gate(struct http_call *c, const struct http_route *route, struct err *e)
{
	struct session *own = session_of(c, e);
	enum access_answer answer;
	bool known = false;

	if (own == NULL || access_judge(session_app(c)->access, c, route->access, &own->principal, &known,
	    &answer, e) != 0)
		return -1;
	c->principal = known ? &own->principal : NULL;
	if (known && session_app(c)->idle != NULL)
		idle_begin(session_app(c)->idle, session_now());
	return known && answer == ACCESS_GRANTED ? session_count(c, own, e) : 0;
}

void
session_leave(struct http_call *c)
{
	struct session *own = *c->session;

	if (own == NULL || !own->counted)
		return;
	own->counted = false;
	shares_give(session_app(c)->requests, own->principal.name, 1);
}

int
session_store(struct http_call *c, struct store **ret, struct err *e)
{
	struct session *own = session_of(c, e);

	if (own == NULL)
		return -1;
	if (own->store == NULL) {
		if (store_open(session_app(c)->store, 0, &own->store, e) != 0)
			return -1;
		if (session_app(c)->lease != NULL)
			lease_join(own->store, session_app(c)->lease);
	}
	*ret = own->store;
	return 0;
}

void
session_free(void *session)
{
	struct session *own = session;

	store_close(own->store);
	free(own);
}

int
session_oid(const struct http_call *c, struct oid *ret, struct err *e)
{
	struct err ignored;

	if (strlen(c->arg) != 64 || oid_from_hex(ret, c->arg, &ignored) != 0)
		return err_set(e, ERR_USAGE, "an object's name is 64 lower-case hex digits");
	return 0;
}

const char *
session_owner(const struct http_call *c)
{
	const struct principal *p = c->principal;

	return p != NULL ? p->name : "";
}

int
session_visible(struct http_call *c, const struct oid *id, struct err *e)
{
	const struct principal *p = c->principal;
	struct ledger *l = session_app(c)->ledger;
	enum ledger_reach reach = LEDGER_NONE;
	struct store *s;
	int owns = 0;

	if (session_store(c, &s, e) != 0)
		return -1;
	if (l == NULL)
		return odb_has(s, id);
	/* whose it is comes first: what is another's takes as long as what is nobody's */
	if (p != NULL && (owns = ledger_owns(l, p->name, id, e)) < 0)
		return -1;
	if (owns == 0 && ledger_reach(l, id, &reach, e) != 0)
		return -1;
	if (owns == 0 && reach != LEDGER_PUBLIC &&
	    (reach == LEDGER_NONE || p == NULL || (p->rights & PRINCIPAL_READS) == 0))
		return 0;
	return odb_has(s, id);
}

int
session_own(struct http_call *c, const struct oid *id, struct err *e)
{
	struct ledger *l = session_app(c)->ledger;

	return l != NULL ? ledger_own(l, session_owner(c), id, 1, e) : 0;
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
