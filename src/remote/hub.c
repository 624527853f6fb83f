/* aicertd as a hub (aicert-protocol(5)); any other web server is web.c's. */
#include <string.h>
#include "codec/shape.h"
#include "remote/https.h"
#include "remote/pack.h"
#include "remote/spool.h"
#include "remote/web.h"
#include "runner/transfer-objects.h"
#include "store/odb.h"

#define HUB_LIST_TYPE "application/vnd.aicert.ref-list.v1+json"
#define HUB_REF_TYPE "application/vnd.aicert.ref.v1+json"
#define HUB_OBJECTS_TYPE "application/vnd.aicert.object-list.v1+json"
#define HUB_HISTORY_TYPE "application/vnd.aicert.history-request.v1+json"
#define HUB_PACK_TYPE "application/vnd.aicert.pack.v1"
#define HUB_ANSWER_MAX (8u * 1024 * 1024)
#define HUB_PACK_SEND (6u * 1024 * 1024)    /* bytes of objects in a pack: the hub takes 8 MiB */
#define HUB_PACK_IDS 4096u
#define HUB_PACK_BLOB (512u * 1024)         /* longer objects travel alone */

struct hub {
	struct https https;
	struct spool *spool;
	struct buf refs;        /* the list, as it was answered first */
	bool plain;             /* an older one, without packs */
};

static void
hub_close(struct remote *r)
{
	struct hub *h = r->state;

	https_close(&h->https);
	spool_free(h->spool);
	buf_free(&h->refs);
	free(h);
	r->state = NULL;
}

static int
hub_post(struct hub *h, const char *path, const char *type, const struct buf *body, size_t max,
    struct http_response *ret, struct err *e)
{
	const struct http_request rq = {.method = "POST", .path = path, .content_type = type,
	    .body = body->data, .body_len = body->len, .body_fd = -1, .max = max};

	return https_do(&h->https, &rq, ret, e);
}

/* --- refs --- */

/* Is it a hub? *ret false: something else answers there. */
static int
hub_ask_refs(struct remote *r, struct hub *h, bool *ret, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = HTTP_RESPONSE_INIT;
	const struct http_request rq = {.method = "GET", .path = "/v1/refs", .body_fd = -1,
	    .max = HUB_ANSWER_MAX};

	*ret = false;
	if (h->https.prefix[0] != '\0')
		return 0;
	if (https_do(&h->https, &rq, &rs, e) != 0)
		return e->code == ERR_LIMIT ? err_set(e, ERR_REFUSED, "%s: its list of refs does not end",
		    r->url) : -1;
	if (rs.status == 401)
		return err_set(e, ERR_DENIED, "%s: the hub asks for a token (aicert remote set-url --token-file"
		    " FILE NAME %s)", r->url, r->url);
	if (http_ok(&rs) && strcmp(rs.content_type, HUB_LIST_TYPE) != 0 &&
	    strcmp(rs.content_type, "application/json") != 0)
		return 0;
	if (!http_ok(&rs))
		return rs.status == 404 || rs.status == 403 || (rs.status >= 300 && rs.status < 400) ? 0 :
		    http_problem(&rs, r->url, e);
	h->refs = rs.body;
	rs.body = (struct buf)BUF_INIT;
	*ret = true;
	return 0;
}

/* What is no hub may be a bucket that a web server hands out. */
static int
hub_open(struct remote *r, struct err *e)
{
	struct hub *h = calloc(1, sizeof *h);
	bool hub;

	if (h == NULL)
		return err_nomem(e);
	r->state = h;
	if (https_open(r, &h->https, e) != 0 || hub_ask_refs(r, h, &hub, e) != 0)
		return -1;
	if (hub)
		return 0;
	hub_close(r);
	r->ops = &web_ops;
	return web_ops.open(r, e);
}

static int
hub_take_ref(const struct jcs *v, struct remote_refs *ret, struct err *e)
{
	static const struct shape table[] = {
		{"name", SHAPE_STRING, 0}, {"object", SHAPE_OBJECT, 0}, {NULL, SHAPE_STRING, 0},
	};
	struct object_ref target;
	const char *name;

	if (shape_check(v, table, "the hub's list of refs", e) != 0 ||
	    oid_ref_from_jcs(jcs_get(v, "object"), "the hub's list of refs", &target, e) != 0)
		return -1;
	name = jcs_get_string(v, "name");
	/* a hub that is also somebody's store has others */
	if (strncmp(name, "refs/heads/", 11) != 0 && strncmp(name, "refs/tags/", 10) != 0)
		return 0;
	return remote_refs_add(ret, name, &target, e);
}

static int
hub_refs(struct remote *r, struct remote_refs *ret, struct err *e)
{
	static const struct shape table[] = {
		{"mediaType", SHAPE_STRING, 0}, {"refs", SHAPE_ARRAY, 0}, {NULL, SHAPE_STRING, 0},
	};
	const struct hub *h = r->state;
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const char *type;

	if (jcs_decode(h->refs.data, h->refs.len, HUB_ANSWER_MAX, &v, e) != 0)
		return err_prefix(e, "%s: its list of refs", r->url);
	type = jcs_get_string(v, "mediaType");
	if (type == NULL || strcmp(type, HUB_LIST_TYPE) != 0)
		return err_set(e, ERR_REFUSED, "%s: what answers there is no hub", r->url);
	if (shape_check(v, table, "the hub's list of refs", e) != 0)
		return -1;
	for (size_t i = 0; i < jcs_length(jcs_get(v, "refs")); i++)
		if (hub_take_ref(jcs_at(jcs_get(v, "refs"), i), ret, e) != 0)
			return -1;
	return remote_refs_finish(ret, e);
}

/* --- lists --- */

static struct transfer_object *
hub_objects(const struct remote_item *items, size_t n, struct err *e)
{
	struct transfer_object *o = calloc(n + 1, sizeof *o);

	if (o == NULL)
		err_nomem(e);
	for (size_t i = 0; i < n && o != NULL; i++)
		o[i] = (struct transfer_object){items[i].ref.id, items[i].size, items[i].exact, TRANSFER_OPEN};
	return o;
}

static int
hub_missing(struct remote *r, struct remote_item *items, size_t n, struct err *e)
{
	struct hub *h = r->state;
	CLEANUP(cleanup_free) struct transfer_object *o = hub_objects(items, n, e);

	if (o == NULL || transfer_objects_missing(&h->https.link, o, n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		items[i].state = o[i].outcome == TRANSFER_DONE ? REMOTE_HAS : REMOTE_LACKS;
	return 0;
}

static struct jcs *
hub_ids(const struct oid *ids, size_t n)
{
	struct jcs *list = jcs_new_array();
	char text[OID_TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		oid_text(&ids[i], text);
		jcs_append(list, jcs_new_string(text));
	}
	return list;
}

/* --- in --- */

/* Asks for up to n of these in one piece; what the hub leaves out is asked for later, or never. */
static int
hub_get_pack(struct remote *r, const struct oid *ids, size_t n, struct err *e)
{
	struct hub *h = r->state;
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	CLEANUP(http_response_free) struct http_response rs = HTTP_RESPONSE_INIT;

	jcs_set_string(v, "mediaType", HUB_OBJECTS_TYPE);
	jcs_set(v, "objects", hub_ids(ids, n));
	if (jcs_encode(v, &body, e) != 0 || hub_post(h, "/v1/objects/get", HUB_OBJECTS_TYPE, &body,
	    PACK_BYTES_MAX, &rs, e) != 0)
		return -1;
	h->plain |= rs.status == 404 || rs.status == 405;
	if (h->plain)
		return 0;
	if (!http_ok(&rs))
		return http_problem(&rs, "fetching small objects", e);
	if (h->spool == NULL && spool_new(r->store, &h->spool, e) != 0)
		return -1;
	return spool_add(h->spool, &rs.body, e);
}

/* As many packs as it takes; one that brings nothing new is the last. */
static int
hub_get_packs(struct remote *r, struct oid *ids, size_t n, struct err *e)
{
	struct hub *h = r->state;

	for (size_t at = 0; at < n && !h->plain;) {
		size_t some = n - at < HUB_PACK_IDS ? n - at : HUB_PACK_IDS, left = 0;

		if (hub_get_pack(r, ids + at, some, e) != 0)
			return -1;
		for (size_t i = 0; i < some && h->spool != NULL; i++)
			if (!spool_has(h->spool, &ids[at + i]))
				ids[at + left++] = ids[at + i];
		if (left == 0 || left == some || h->spool == NULL) {
			at += some;
			continue;
		}
		/* those that found no room go to the front of the next question */
		memmove(&ids[at + some - left], &ids[at], left * sizeof *ids);
		at += some - left;
	}
	return 0;
}

static int
hub_expect_list(struct remote *r, const struct buf *body, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	CLEANUP(cleanup_free) struct oid *ids = NULL;
	const struct jcs *list;
	size_t n;

	if (jcs_decode(body->data, body->len, HUB_ANSWER_MAX, &v, e) != 0)
		return err_prefix(e, "%s: its list of objects", r->url);
	list = jcs_get(v, "objects");
	n = jcs_length(list);
	ids = calloc(n + 1, sizeof *ids);
	if (ids == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		if (jcs_string(jcs_at(list, i)) == NULL ||
		    oid_from_text(&ids[i], jcs_string(jcs_at(list, i)), NULL) != 0)
			return err_set(e, ERR_REFUSED, "%s: its list of objects holds what is no id", r->url);
	return hub_get_packs(r, ids, n, e);
}

static int
hub_expect(struct remote *r, const struct oid *want, size_t wants, const struct oid *have,
    size_t haves, struct err *e)
{
	struct hub *h = r->state;
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	CLEANUP(http_response_free) struct http_response rs = HTTP_RESPONSE_INIT;

	jcs_set(v, "have", hub_ids(have, haves < HUB_PACK_IDS ? haves : HUB_PACK_IDS));
	jcs_set_string(v, "mediaType", HUB_HISTORY_TYPE);
	jcs_set(v, "want", hub_ids(want, wants < HUB_PACK_IDS ? wants : HUB_PACK_IDS));
	if (jcs_encode(v, &body, e) != 0 || hub_post(h, "/v1/history", HUB_HISTORY_TYPE, &body,
	    HUB_ANSWER_MAX, &rs, e) != 0)
		return -1;
	h->plain |= rs.status == 404 || rs.status == 405;
	if (h->plain)
		return 0;
	return http_ok(&rs) ? hub_expect_list(r, &rs.body, e) : http_problem(&rs, "asking for the history", e);
}

static int
hub_read(struct remote *r, const struct oid *id, size_t max, struct buf *ret, struct err *e)
{
	struct hub *h = r->state;
	CLEANUP(http_response_free) struct http_response rs = HTTP_RESPONSE_INIT;
	char hex[OID_HEX_SIZE], path[OID_HEX_SIZE + 16];
	const struct http_request rq = {.method = "GET", .path = path, .body_fd = -1, .max = max};

	if (h->spool != NULL && spool_has(h->spool, id))
		return spool_read(h->spool, id, max, ret, e);
	oid_hex(id, hex);
	snprintf(path, sizeof path, "/v1/objects/%s", hex);
	if (https_do(&h->https, &rq, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return http_problem(&rs, hex, e);
	buf_free(ret);
	*ret = rs.body;
	rs.body = (struct buf)BUF_INIT;
	return 0;
}

/* Small blobs by packs, then all that is left each over its own connection. */
static int
hub_get_smalls(struct remote *r, struct remote_item *items, size_t n, struct err *e)
{
	struct hub *h = r->state;
	CLEANUP(cleanup_free) struct oid *ids = calloc(n + 1, sizeof *ids);
	size_t count = 0;
	struct oid got;

	if (ids == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		if (items[i].exact && items[i].size <= HUB_PACK_BLOB)
			ids[count++] = items[i].ref.id;
	if (count < 2 || hub_get_packs(r, ids, count, e) != 0)
		return count < 2 ? 0 : -1;
	if (h->spool == NULL)
		return 0;
	if (odb_batch_begin(r->store, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		CLEANUP(buf_free) struct buf body = BUF_INIT;

		if (!spool_has(h->spool, &items[i].ref.id) ||
		    spool_read(h->spool, &items[i].ref.id, (size_t)items[i].size, &body, e) != 0 ||
		    oid_from_data(&got, body.data, body.len, e) != 0 || !oid_equal(&got, &items[i].ref.id))
			continue; /* asked for once more, alone, and judged there */
		if (odb_put(r->store, body.data, body.len, &got, e) != 0) {
			odb_batch_abort(r->store);
			return -1;
		}
		items[i].state = REMOTE_HAS;
	}
	return odb_batch_end(r->store, e);
}

typedef int hub_mover(struct link *l, struct store *s, struct transfer_object *o, size_t n,
    struct err *e);

/* Those that are not there yet. */
static int
hub_move(struct remote *r, hub_mover *move, struct remote_item *items, size_t n, struct err *e)
{
	static const enum remote_state states[] = {[TRANSFER_OPEN] = REMOTE_FAILED,
	    [TRANSFER_DONE] = REMOTE_HAS, [TRANSFER_ABSENT] = REMOTE_LACKS, [TRANSFER_FAILED] = REMOTE_FAILED};
	struct hub *h = r->state;
	CLEANUP(cleanup_free) struct transfer_object *o = calloc(n + 1, sizeof *o);
	CLEANUP(cleanup_free) size_t *at = calloc(n + 1, sizeof *at);
	size_t count = 0;

	if (o == NULL || at == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		if (items[i].state != REMOTE_HAS) {
			at[count] = i;
			o[count++] = (struct transfer_object){items[i].ref.id, items[i].size, items[i].exact,
			    TRANSFER_OPEN};
		}
	if (count > 0 && move(&h->https.link, r->store, o, count, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		items[at[i]].state = states[o[i].outcome];
	return 0;
}

static int
hub_get(struct remote *r, struct remote_item *items, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		items[i].state = REMOTE_ASKED;
	return hub_get_smalls(r, items, n, e) != 0 ? -1 : hub_move(r, transfer_objects_get, items, n, e);
}

/* --- out --- */

static int
hub_pack_order(const void *a, const void *b)
{
	return oid_compare(&(*(struct remote_item *const *)a)->ref.id,
	    &(*(struct remote_item *const *)b)->ref.id);
}

static int
hub_put_pack(struct remote *r, struct remote_item **items, size_t n, struct err *e)
{
	struct hub *h = r->state;
	CLEANUP(pack_free) struct pack p = PACK_INIT;
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	CLEANUP(http_response_free) struct http_response rs = HTTP_RESPONSE_INIT;

	qsort(items, n, sizeof *items, hub_pack_order);
	for (size_t i = 0; i < n; i++)
		if (pack_add(&p, &items[i]->ref.id, items[i]->size, e) != 0)
			return -1;
	if (pack_head(&p, &body, e) != 0 || odb_reading(r->store, true, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (odb_read(r->store, &items[i]->ref.id, HUB_PACK_BLOB, &body, e) != 0)
			return e->code == ERR_CORRUPT || e->code == ERR_NOTFOUND ? 0 : -1; /* each alone, then */
	if (odb_reading(r->store, false, e) != 0)
		return -1;
	if (body.len != p.total)
		return 0;
	if (hub_post(h, "/v1/packs", HUB_PACK_TYPE, &body, HUB_ANSWER_MAX, &rs, e) != 0)
		return -1;
	h->plain |= rs.status == 404 || rs.status == 405;
	if (h->plain)
		return 0;
	if (!http_ok(&rs))
		return http_problem(&rs, "sending small objects", e);
	for (size_t i = 0; i < n; i++)
		items[i]->state = REMOTE_HAS;
	return 0;
}

static int
hub_put_smalls(struct remote *r, struct remote_item *items, size_t n, struct progress *p,
    struct err *e)
{
	struct hub *h = r->state;
	CLEANUP(cleanup_free) struct remote_item **some = calloc(HUB_PACK_IDS, sizeof *some);
	uint64_t total = 0;
	size_t count = 0;

	if (some == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n && !h->plain; i++) {
		if (items[i].size <= HUB_PACK_BLOB && items[i].exact) {
			some[count++] = &items[i];
			total += items[i].size;
		}
		if (count > 0 && (i == n - 1 || count == HUB_PACK_IDS || total > HUB_PACK_SEND - HUB_PACK_BLOB)) {
			if (hub_put_pack(r, some, count, e) != 0)
				return -1;
			progress_add(p, total);
			count = 0;
			total = 0;
		}
	}
	return 0;
}

static int
hub_put(struct remote *r, struct remote_item *items, size_t n, struct err *e)
{
	struct progress p;
	uint64_t total = 0;
	int rc;

	for (size_t i = 0; i < n; i++) {
		items[i].state = REMOTE_ASKED;
		total += items[i].size <= HUB_PACK_BLOB ? items[i].size : 0;
	}
	progress_start(&p, r->progress, "sending", total);
	rc = hub_put_smalls(r, items, n, &p, e);
	progress_end(&p);
	return rc != 0 ? -1 : hub_move(r, transfer_objects_put, items, n, e);
}

static int
hub_ref_body(const struct remote_update *u, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();

	jcs_set_string(v, "mediaType", HUB_REF_TYPE);
	jcs_set_string(v, "name", u->name);
	jcs_set(v, "object", oid_ref_to_jcs(&u->new_));
	return jcs_encode(v, ret, e);
}

/* Characters that a request's path holds as they are. */
static bool
hub_name_plain(const char *name)
{
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "/._~-+@=,")] == '\0';
}

static int
hub_update_one(struct remote *r, const struct remote_update *u, struct http_response *rs,
    struct err *e)
{
	struct hub *h = r->state;
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "/v1/%s", u->name);
	char hex[OID_HEX_SIZE], condition[OID_HEX_SIZE + 32] = "If-None-Match: *";
	struct http_request rq = {.method = u->has_new ? "PUT" : "DELETE", .path = path, .body_fd = -1,
	    .header = condition, .header_more = u->force ? "Aicert-Force: true" : NULL,
	    .max = HUB_ANSWER_MAX};

	if (path == NULL)
		return -1;
	if (!hub_name_plain(u->name))
		return err_set(e, ERR_UNSUPPORTED, "a hub takes refs of plain characters only");
	oid_hex(&u->old.id, hex);
	if (u->has_old)
		snprintf(condition, sizeof condition, "If-Match: \"%s\"", hex);
	if (u->has_new) {
		if (hub_ref_body(u, &body, e) != 0)
			return -1;
		rq.content_type = HUB_REF_TYPE;
		rq.body = body.data;
		rq.body_len = body.len;
	}
	return https_do(&h->https, &rq, rs, e);
}

static int
hub_update(struct remote *r, struct remote_update *updates, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP(http_response_free) struct http_response rs = HTTP_RESPONSE_INIT;
		struct remote_update *u = &updates[i];

		u->state = REMOTE_FAILED;
		if (hub_update_one(r, u, &rs, e) != 0) {
			if (e->code != ERR_UNSUPPORTED)
				return -1;
			notice_say(&r->notice, "%s: %s", u->name, e->msg);
			continue;
		}
		if (http_ok(&rs)) {
			u->state = REMOTE_HAS;
		} else if (rs.status == 412) {
			u->state = REMOTE_LACKS;
		} else {
			http_problem(&rs, u->name, e);
			notice_say(&r->notice, "%s", e->msg);
		}
	}
	return 0;
}

const struct remote_ops hub_ops = {
	.name = "hub", .open = hub_open, .close = hub_close, .refs = hub_refs, .missing = hub_missing,
	.expect = hub_expect, .read = hub_read, .get = hub_get, .put = hub_put, .update = hub_update,
};
