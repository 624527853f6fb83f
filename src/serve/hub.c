#include "serve/hub.h"

#include <pthread.h>
#include <string.h>
#include "codec/shape.h"
#include "serve/hub-reach.h"
#include "serve/session.h"
#include "store/config.h"
#include "store/history.h"
#include "store/refs.h"

#define HUB_NAME_MAX 1024

struct hub {
	struct hub_options o;
	pthread_mutex_t lock;   /* around changes: what refs reach must follow them */
};

/* What its users send is theirs to choose: contents that they keep back are no damage. */
static int
hub_partial(struct store *store, struct err *e)
{
	CLEANUP(config_closep) struct config *c = NULL;

	if (store_partial(store) || store_read_only(store))
		return 0;
	return config_open(store, &c, e) != 0 ? -1 : config_set(c, false, "store.partial", "true", e);
}

int
hub_new(const struct hub_options *o, struct store *store, struct hub **ret, struct err *e)
{
	struct hub *h;

	if (hub_partial(store, e) != 0 || hub_reach_rebuild(o, store, e) != 0)
		return -1;
	h = calloc(1, sizeof *h);
	if (h == NULL)
		return err_nomem(e);
	h->o = *o;
	pthread_mutex_init(&h->lock, NULL);
	*ret = h;
	return 0;
}

void
hub_free(struct hub *h)
{
	if (h == NULL)
		return;
	pthread_mutex_destroy(&h->lock);
	free(h);
}

static const struct hub *
hub_of(const struct http_call *c, struct err *e)
{
	const struct hub *h = session_app(c)->hub;

	if (h == NULL)
		err_set(e, ERR_NOTFOUND, "a runner has no refs");
	return h;
}

static bool
hub_reads(const struct http_call *c)
{
	const struct principal *p = c->principal;

	return p != NULL && (p->rights & PRINCIPAL_READS) != 0;
}

/* Nothing here is for whoever asks. */
static int
hub_deny(struct http_call *c, struct err *e)
{
	return c->principal == NULL ? access_demand(c, e) :
	    access_lacks(c, c->principal, PRINCIPAL_READS, e);
}

static bool
hub_readable(const struct http_call *c, const struct hub *h, const char *name)
{
	return hub_reads(c) || settings_public(h->o.settings, name);
}

struct hub_lister {
	const struct http_call *call;
	const struct hub *hub;
	struct jcs *refs;
	size_t count;
};

static int
hub_list_one(void *arg, const char *name, const struct object_ref *ref)
{
	struct hub_lister *l = arg;
	struct jcs *v;

	if (!hub_readable(l->call, l->hub, name))
		return 0;
	v = jcs_new_object();
	jcs_set_string(v, "name", name);
	jcs_set(v, "object", oid_ref_to_jcs(ref));
	jcs_append(l->refs, v);
	l->count++;
	return 0;
}

int
hub_list(struct http_call *c, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	struct hub_lister l = {.call = c, .hub = hub_of(c, e), .refs = jcs_new_array()};
	struct store *s;

	jcs_set_string(v, "mediaType", HUB_LIST_MEDIA_TYPE);
	jcs_set(v, "refs", l.refs);
	if (l.hub == NULL || session_store(c, &s, e) != 0 ||
	    refs_each(s, "refs/", hub_list_one, &l, e) != 0)
		return -1;
	if (l.count == 0 && !hub_reads(c))
		return hub_deny(c, e);
	return http_reply_json(c, 200, v, e);
}

/* "refs/" and what the path has after /v1/refs/. */
static int
hub_name(const struct http_call *c, char ret[HUB_NAME_MAX], struct err *e)
{
	int n = snprintf(ret, HUB_NAME_MAX, "refs/%s", c->arg);

	if (n < 0 || n >= HUB_NAME_MAX || !refs_name_ok(ret))
		return err_set(e, ERR_USAGE, "not the name of a ref");
	return 0;
}

static int
hub_reply_ref(struct http_call *c, int status, const char *name, const struct object_ref *ref,
    struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	char hex[OID_HEX_SIZE], etag[OID_HEX_SIZE + 2];

	oid_hex(&ref->id, hex);
	snprintf(etag, sizeof etag, "\"%s\"", hex);
	jcs_set_string(v, "mediaType", HUB_REF_MEDIA_TYPE);
	jcs_set_string(v, "name", name);
	jcs_set(v, "object", oid_ref_to_jcs(ref));
	if (http_answer_header(c, "ETag", etag, e) != 0)
		return -1;
	return http_reply_json(c, status, v, e);
}

int
hub_get(struct http_call *c, struct err *e)
{
	const struct hub *h = hub_of(c, e);
	char name[HUB_NAME_MAX];
	struct object_ref ref;
	struct store *s;

	if (h == NULL || hub_name(c, name, e) != 0)
		return -1;
	if (!hub_readable(c, h, name))
		return hub_deny(c, e);
	if (session_store(c, &s, e) != 0 || refs_read(s, name, &ref, e) != 0)
		return -1;
	return hub_reply_ref(c, 200, name, &ref, e);
}

int
hub_decode(const void *data, size_t len, const char *name, struct object_ref *ret, struct err *e)
{
	static const struct shape table[] = {
		{"mediaType", SHAPE_STRING, 0}, {"name", SHAPE_STRING, 0}, {"object", SHAPE_OBJECT, 0},
		{NULL, SHAPE_STRING, 0},
	};
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const char *type;

	if (jcs_decode(data, len, HTTP_DOCUMENT_MAX, &v, e) != 0)
		return -1;
	type = jcs_get_string(v, "mediaType");
	if (type == NULL || strcmp(type, HUB_REF_MEDIA_TYPE) != 0)
		return err_set(e, ERR_FORMAT, "the body is not a ref");
	if (shape_check(v, table, "ref", e) != 0)
		return -1;
	if (strcmp(jcs_get_string(v, "name"), name) != 0)
		return err_set(e, ERR_FORMAT, "the body is of another ref than the path");
	return oid_ref_from_jcs(jcs_get(v, "object"), "ref: object", ret, e);
}

bool
hub_etag(const char *text, struct oid *ret)
{
	char hex[OID_HEX_SIZE];
	struct err ignored;

	if (strlen(text) != 66 || text[0] != '"' || text[65] != '"')
		return false;
	memcpy(hex, text + 1, 64);
	hex[64] = '\0';
	return oid_from_hex(ret, hex, &ignored) == 0;
}

static int
hub_problem(struct http_call *c, int status, enum err_code code, const char *text, struct err *e)
{
	struct err problem;

	err_set(&problem, code, "%s", text);
	return http_reply_problem(c, status, &problem, e);
}

struct hub_change {
	char name[HUB_NAME_MAX];
	struct object_ref new_;
	bool has_old;
	struct object_ref old;
	struct store *store;
	bool answered;          /* a refusal with a status of its own */
};

static int
hub_refuse(struct http_call *c, struct hub_change *x, int status, const char *text, struct err *e)
{
	x->answered = true;
	return hub_problem(c, status, ERR_CONFLICT, text, e);
}

/* If-Match or If-None-Match against what is there. */
static int
hub_condition(struct http_call *c, struct hub_change *x, struct err *e)
{
	const char *match = http_header(c, "If-Match"), *none = http_header(c, "If-None-Match");
	struct oid expected;

	if ((match == NULL) == (none == NULL))
		return hub_refuse(c, x, 428, "one of If-Match and If-None-Match is needed", e);
	if (none != NULL && strcmp(none, "*") != 0)
		return err_set(e, ERR_USAGE, "If-None-Match: only * is understood");
	if (match != NULL && !hub_etag(match, &expected))
		return err_set(e, ERR_USAGE, "If-Match: one digest in quotes is understood");
	if (refs_read(x->store, x->name, &x->old, e) == 0)
		x->has_old = true;
	else if (e->code != ERR_NOTFOUND)
		return -1;
	if (none != NULL ? x->has_old : !x->has_old || !oid_equal(&x->old.id, &expected))
		return hub_refuse(c, x, 412, "the ref is not where it was said to be", e);
	return 0;
}

struct hub_search {
	const struct oid *wanted;
	bool found;
};

static int
hub_search_one(void *arg, const struct oid *id, const struct commit *c)
{
	struct hub_search *s = arg;

	(void)c;
	s->found = oid_equal(id, s->wanted);
	return s->found;
}

/* Whether the new commit descends from the old one; anything else that moves does not. */
static int
hub_forward(const struct hub_change *x, bool *ret, struct err *e)
{
	struct hub_search s = {.wanted = &x->old.id};

	*ret = !x->has_old || (x->old.type == x->new_.type && oid_equal(&x->old.id, &x->new_.id));
	if (*ret || x->old.type != OBJECT_COMMIT || x->new_.type != OBJECT_COMMIT)
		return 0;
	if (history_walk(x->store, &x->new_.id, 1, hub_search_one, &s, e) != 0)
		return -1;
	*ret = s.found;
	return 0;
}

static int
hub_may_move(struct http_call *c, struct hub_change *x, struct err *e)
{
	const struct principal *p = c->principal;
	const char *force = http_header(c, "Aicert-Force");
	bool forced = force != NULL && strcmp(force, "true") == 0, forward;

	if (hub_forward(x, &forward, e) != 0)
		return -1;
	if (forward)
		return 0;
	if (!forced)
		return hub_refuse(c, x, 409, "the ref would lose history: it is moved forward only, unless"
		    " forced", e);
	return (p->rights & PRINCIPAL_FORCE) != 0 ? 0 :
	    err_set(e, ERR_DENIED, "%s has not the right to force", p->name);
}

static int
hub_update(const struct http_call *c, const struct hub_change *x, bool remove, struct err *e)
{
	const struct principal *p = c->principal;
	char author[2 * PRINCIPAL_NAME_SIZE + 16];
	struct refs_change change = {
		.name = x->name, .old = x->has_old ? &x->old : NULL, .new_ = remove ? NULL : &x->new_,
		.author = author, .message = remove ? "delete over HTTPS" : "push over HTTPS",
	};

	snprintf(author, sizeof author, "%s <%s@hub>", p->name, p->name);
	return refs_update(x->store, &change, e);
}

static int
hub_update_refused(struct http_call *c, struct hub_change *x, struct err *e)
{
	return e->code == ERR_CONFLICT ? hub_refuse(c, x, 412, "the ref moved just now", e) : -1;
}

/* Marks that could not be made anew are more than there should be. */
static int
hub_rebuild(const struct hub *h, struct store *s, struct err *e)
{
	if (hub_reach_rebuild(&h->o, s, e) == 0)
		return 0;
	ledger_reach_close(h->o.ledger);
	return -1;
}

/* What the ref reaches is open before the ref is there, which no reader must find closed; and
 * no longer when it does not come. */
static int
hub_set(struct http_call *c, const struct hub *h, struct hub_change *x,
    struct hub_reach_list *reached, struct err *e)
{
	enum ledger_reach mark = settings_public(h->o.settings, x->name) ? LEDGER_PUBLIC : LEDGER_REF;
	struct object_ref there;
	struct err ignored;

	if (ledger_reach_add(h->o.ledger, mark, reached->items, reached->count, e) != 0)
		return -1;
	if (hub_update(c, x, false, e) == 0)
		return 0;
	/* an error may also come after the change */
	if (refs_read(x->store, x->name, &there, &ignored) != 0 || there.type != x->new_.type ||
	    !oid_equal(&there.id, &x->new_.id))
		ledger_reach_undo(h->o.ledger, reached->items, reached->count);
	return hub_update_refused(c, x, e);
}

/* Under the hub's lock. */
static int
hub_put_locked(struct http_call *c, const struct hub *h, struct hub_change *x, struct err *e)
{
	enum ledger_reach mark = settings_public(h->o.settings, x->name) ? LEDGER_PUBLIC : LEDGER_REF;
	CLEANUP(hub_reach_list_free) struct hub_reach_list reached = {0};
	bool forward, same;

	if (hub_condition(c, x, e) != 0 || x->answered)
		return x->answered ? 0 : -1;
	if (refs_check_name(x->store, x->name, x->new_.type, e) != 0)
		return -1;
	same = x->has_old && x->old.type == x->new_.type && oid_equal(&x->old.id, &x->new_.id);
	/* that it is all there: without it there is no history to look at */
	if (hub_reach_prove(c, &x->new_, mark, same, &reached, e) != 0)
		return -1;
	if (hub_may_move(c, x, e) != 0 || x->answered)
		return x->answered ? 0 : -1;
	if (hub_forward(x, &forward, e) != 0 || hub_set(c, h, x, &reached, e) != 0)
		return -1;
	if (x->answered)
		return 0;
	if (!forward && hub_rebuild(h, x->store, e) != 0)
		return -1;
	return hub_reply_ref(c, x->has_old ? 200 : 201, x->name, &x->new_, e);
}

/* One change at a time; what an earlier one left unknown is found out first. */
static int
hub_locked(struct http_call *c, struct hub_change *x,
    int (*work)(struct http_call *c, const struct hub *h, struct hub_change *x, struct err *e),
    struct err *e)
{
	struct hub *h = session_app(c)->hub;
	int rc = 0;

	pthread_mutex_lock(&h->lock);
	if (ledger_reach_closed(h->o.ledger))
		rc = hub_rebuild(h, x->store, e);
	if (rc == 0)
		rc = work(c, h, x, e);
	pthread_mutex_unlock(&h->lock);
	return rc;
}

int
hub_put(struct http_call *c, struct err *e)
{
	const struct hub *h = hub_of(c, e);
	struct hub_change x = {.answered = false};

	if (h == NULL || hub_name(c, x.name, e) != 0 || session_store(c, &x.store, e) != 0 ||
	    hub_decode(c->body.data, c->body.len, x.name, &x.new_, e) != 0)
		return -1;
	return hub_locked(c, &x, hub_put_locked, e);
}

static int
hub_delete_locked(struct http_call *c, const struct hub *h, struct hub_change *x, struct err *e)
{
	struct object_ref there;
	struct err ignored;

	if (hub_condition(c, x, e) != 0 || x->answered)
		return x->answered ? 0 : -1;
	if (!x->has_old)
		return err_set(e, ERR_NOTFOUND, "%s: no such ref", x->name);
	if (hub_update(c, x, true, e) != 0) {
		if (refs_read(x->store, x->name, &there, &ignored) != 0)
			ledger_reach_close(h->o.ledger); /* an error may also come after the change */
		return hub_update_refused(c, x, e);
	}
	if (hub_rebuild(h, x->store, e) != 0)
		return -1;
	return http_reply(c, 204, NULL, NULL, 0, e);
}

int
hub_delete(struct http_call *c, struct err *e)
{
	const struct hub *h = hub_of(c, e);
	struct hub_change x = {.answered = false};

	if (h == NULL || hub_name(c, x.name, e) != 0 || session_store(c, &x.store, e) != 0)
		return -1;
	return hub_locked(c, &x, hub_delete_locked, e);
}
