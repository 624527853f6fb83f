#include "serve/packs.h"

#include <string.h>
#include "base/interrupt.h"
#include "codec/shape.h"
#include "remote/pack.h"
#include "serve/closure.h"
#include "serve/objects.h"
#include "serve/session.h"
#include "store/odb.h"
#include "store/oid-map.h"

/* --- in --- */

static int
packs_check(const struct buf *body, const struct pack *p, struct err *e)
{
	for (size_t i = 0; i < p->count; i++) {
		struct oid got;
		char hex[OID_HEX_SIZE];

		if (oid_from_data(&got, body->data + p->entries[i].offset, (size_t)p->entries[i].size, e) != 0)
			return -1;
		if (oid_equal(&got, &p->entries[i].id))
			continue;
		oid_hex(&p->entries[i].id, hex);
		return err_set(e, ERR_REFUSED, "%s: the bytes have another digest; nothing of the pack is"
		    " kept", hex);
	}
	return 0;
}

static int
packs_store(struct store *s, const struct buf *body, const struct pack *p, struct err *e)
{
	struct oid id;
	int rc = 0;

	if (odb_batch_begin(s, e) != 0)
		return -1;
	for (size_t i = 0; i < p->count && rc == 0; i++)
		rc = odb_put(s, body->data + p->entries[i].offset, (size_t)p->entries[i].size, &id, e);
	if (rc == 0)
		return odb_batch_end(s, e);
	odb_batch_abort(s);
	return -1;
}

int
packs_put(struct http_call *c, struct err *e)
{
	CLEANUP(pack_free) struct pack p = PACK_INIT;
	CLEANUP(cleanup_free) struct oid *ids = NULL;
	struct ledger *l = session_app(c)->ledger;
	struct store *s;

	if (session_store(c, &s, e) != 0 || pack_decode(c->body.data, c->body.len, true, &p, e) != 0 ||
	    packs_check(&c->body, &p, e) != 0 || packs_store(s, &c->body, &p, e) != 0)
		return -1;
	ids = calloc(p.count + 1, sizeof *ids);
	if (ids == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < p.count; i++)
		ids[i] = p.entries[i].id;
	if (l != NULL && ledger_own(l, session_owner(c), ids, p.count, e) != 0)
		return -1;
	return http_reply(c, 201, NULL, NULL, 0, e);
}

/* --- out --- */

static int
packs_ids(const struct jcs *list, struct oid **ret, size_t *ret_n, struct err *e)
{
	size_t n = jcs_length(list);
	struct oid *ids = calloc(n + 1, sizeof *ids);

	if (ids == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		const char *text = jcs_string(jcs_at(list, i));

		if (text == NULL || oid_from_text(&ids[i], text, NULL) != 0) {
			free(ids);
			return err_set(e, ERR_FORMAT, "the list holds what is no id");
		}
	}
	*ret = ids;
	*ret_n = n;
	return 0;
}

/* Those that the principal may read, while there is room. */
static int
packs_choose(struct http_call *c, struct store *s, const struct jcs *list, struct pack *p,
    struct err *e)
{
	CLEANUP(cleanup_free) struct oid *ids = NULL;
	uint64_t size, total = 0;
	size_t n;

	if (packs_ids(list, &ids, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int visible = session_visible(c, &ids[i], e);

		if (visible < 0)
			return -1;
		if (visible == 0 || odb_size(s, &ids[i], &size, NULL) != 0 || size > PACKS_REPLY_MAX - total)
			continue;
		total += size;
		if (pack_add(p, &ids[i], size, e) != 0)
			return -1;
	}
	return 0;
}

int
packs_get(struct http_call *c, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *in = NULL;
	CLEANUP(pack_free) struct pack p = PACK_INIT;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct store *s;

	if (session_store(c, &s, e) != 0 || objects_decode(c->body.data, c->body.len, &in, e) != 0 ||
	    packs_choose(c, s, jcs_get(in, "objects"), &p, e) != 0 || pack_head(&p, &out, e) != 0)
		return -1;
	for (size_t i = 0; i < p.count; i++)
		if (odb_read(s, &p.entries[i].id, PACKS_REPLY_MAX, &out, e) != 0)
			return -1;
	if (out.len != p.total)
		return err_set(e, ERR_INTERNAL, "an object changed while it was read");
	return http_reply(c, 200, PACKS_MEDIA_TYPE, out.data, out.len, e);
}

/* --- a history --- */

void
packs_request_free(struct packs_request *r)
{
	free(r->want);
	free(r->have);
	*r = (struct packs_request){0};
}

int
packs_decode(const void *data, size_t len, struct packs_request *ret, struct err *e)
{
	static const struct shape table[] = {
		{"have", SHAPE_ARRAY, 0}, {"mediaType", SHAPE_STRING, 0}, {"want", SHAPE_ARRAY, 0},
		{NULL, SHAPE_STRING, 0},
	};
	CLEANUP(packs_request_free) struct packs_request r = {0};
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const char *type;

	if (jcs_decode(data, len, HTTP_DOCUMENT_MAX, &v, e) != 0)
		return -1;
	type = jcs_get_string(v, "mediaType");
	if (type == NULL || strcmp(type, PACKS_HISTORY_MEDIA_TYPE) != 0)
		return err_set(e, ERR_FORMAT, "the body does not ask for a history");
	if (shape_check(v, table, "history request", e) != 0 ||
	    packs_ids(jcs_get(v, "want"), &r.want, &r.want_count, e) != 0 ||
	    packs_ids(jcs_get(v, "have"), &r.have, &r.have_count, e) != 0)
		return -1;
	*ret = r;
	r = (struct packs_request){0};
	return 0;
}

struct packs_walk {
	struct http_call *call;
	struct store *store;
	struct oid_map have, told;
	struct jcs *list;
};

/* A closure_fn: what is small, readable and new to the client. */
static int
packs_look(void *arg, const struct object_ref *ref, enum closure_need need, struct err *e)
{
	struct packs_walk *w = arg;
	char text[OID_TEXT_SIZE];
	uint64_t size;
	size_t ignored;
	bool fresh;
	int visible;

	(void)need;
	if (interrupt_check(e) != 0) /* a stop does not wait for all of a history */
		return -1;
	if (jcs_length(w->list) >= PACKS_HISTORY_MAX || oid_map_get(&w->have, &ref->id, &ignored))
		return 0;
	visible = session_visible(w->call, &ref->id, e);
	if (visible <= 0 || odb_size(w->store, &ref->id, &size, NULL) != 0)
		return visible < 0 ? -1 : 0;
	if (oid_map_add(&w->told, &ref->id, 0, &fresh, e) != 0)
		return -1;
	if (fresh && size <= PACK_BLOB_MAX && ref->type != OBJECT_BLOB) {
		oid_text(&ref->id, text);
		jcs_append(w->list, jcs_new_string(text));
	}
	return 1;
}

int
packs_history(struct http_call *c, struct err *e)
{
	CLEANUP(packs_request_free) struct packs_request r = {0};
	CLEANUP(jcs_freep) struct jcs *out = jcs_new_object();
	CLEANUP(cleanup_free) struct object_ref *roots = NULL;
	struct packs_walk w = {.call = c, .list = jcs_new_array()};
	bool fresh;
	int rc;

	jcs_set_string(out, "mediaType", OBJECTS_MEDIA_TYPE);
	jcs_set(out, "objects", w.list);
	if (session_store(c, &w.store, e) != 0 || packs_decode(c->body.data, c->body.len, &r, e) != 0)
		return -1;
	roots = calloc(r.want_count + 1, sizeof *roots);
	rc = roots == NULL ? err_nomem(e) : 0;
	for (size_t i = 0; i < r.have_count && rc == 0; i++)
		rc = oid_map_add(&w.have, &r.have[i], 0, &fresh, e);
	for (size_t i = 0; i < r.want_count && rc == 0; i++)
		roots[i] = (struct object_ref){OBJECT_COMMIT, r.want[i]};
	if (rc == 0)
		rc = closure_walk(w.store, roots, r.want_count, packs_look, &w, e);
	oid_map_free(&w.have);
	oid_map_free(&w.told);
	return rc != 0 ? -1 : http_reply_json(c, 200, out, e);
}
