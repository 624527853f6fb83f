#include "serve/objects.h"

#include <string.h>
#include "codec/shape.h"
#include "serve/session.h"
#include "serve/upload.h"
#include "store/odb.h"

static const struct shape objects_shape[] = {
	{"mediaType", SHAPE_STRING, 0},
	{"objects", SHAPE_ARRAY, 0},
	{NULL, SHAPE_STRING, 0},
};

int
objects_decode(const void *data, size_t len, struct jcs **ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const char *type;

	if (jcs_decode(data, len, HTTP_DOCUMENT_MAX, &v, e) != 0)
		return -1;
	type = jcs_get_string(v, "mediaType");
	if (type == NULL || strcmp(type, OBJECTS_MEDIA_TYPE) != 0)
		return err_set(e, ERR_FORMAT, "the body is not an object list");
	if (shape_check(v, objects_shape, "object list", e) != 0)
		return -1;
	if (jcs_length(jcs_get(v, "objects")) > OBJECTS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d objects in one list", OBJECTS_MAX);
	*ret = v;
	v = NULL;
	return 0;
}

/* malloc'd; NULL with an error. */
static struct oid *
objects_ids(const struct jcs *list, struct err *e)
{
	size_t n = jcs_length(list);
	struct oid *ids = calloc(n + 1, sizeof *ids);

	if (ids == NULL) {
		err_nomem(e);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		const char *text = jcs_string(jcs_at(list, i));

		if (text != NULL && oid_from_text(&ids[i], text, e) == 0)
			continue;
		if (text == NULL)
			err_set(e, ERR_FORMAT, "not a string");
		err_prefix(e, "objects[%zu]", i);
		free(ids);
		return NULL;
	}
	return ids;
}

/* malloc'd; NULL with an error. The document, which is larger, is gone after that. */
static struct oid *
objects_read_list(const struct http_call *c, size_t *ret_n, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *in = NULL;

	if (objects_decode(c->body.data, c->body.len, &in, e) != 0)
		return NULL;
	*ret_n = jcs_length(jcs_get(in, "objects"));
	return objects_ids(jcs_get(in, "objects"), e);
}

/* Moves those that are visible to the front; the others keep their order.  -1: error. */
static int
objects_part(struct http_call *c, struct oid *ids, size_t n, size_t *ret_visible, struct err *e)
{
	CLEANUP(cleanup_free) struct oid *missing = calloc(n + 1, sizeof *missing);
	size_t visible = 0, absent = 0;

	if (missing == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		int rc = session_visible(c, &ids[i], e);

		if (rc < 0)
			return -1;
		if (rc > 0)
			ids[visible++] = ids[i];
		else
			missing[absent++] = ids[i];
	}
	memcpy(&ids[visible], missing, absent * sizeof *missing);
	*ret_visible = visible;
	return 0;
}

static void
objects_add(struct jcs *list, const struct oid *id)
{
	char text[OID_TEXT_SIZE];

	oid_text(id, text);
	jcs_append(list, jcs_new_string(text));
}

/*
 * What the client is told to be here stays until the daemon ends, and so is in the lease before
 * it is looked for; but nothing else is: who asks about what he may not see leaves no trace.
 */
int
objects_missing(struct http_call *c, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *out = NULL;
	CLEANUP(cleanup_free) struct oid *ids = NULL;
	size_t n = 0, visible = 0;
	struct jcs *missing;
	struct store *s;

	if (session_store(c, &s, e) != 0 || (ids = objects_read_list(c, &n, e)) == NULL ||
	    objects_part(c, ids, n, &visible, e) != 0 || odb_keep(s, ids, visible, e) != 0)
		return -1;
	out = jcs_new_object();
	missing = jcs_new_array();
	jcs_set_string(out, "mediaType", OBJECTS_MEDIA_TYPE);
	jcs_set(out, "objects", missing);
	for (size_t i = 0; i < visible; i++)
		if (!odb_has(s, &ids[i])) /* a gc was faster */
			objects_add(missing, &ids[i]);
	for (size_t i = visible; i < n; i++)
		objects_add(missing, &ids[i]);
	return http_reply_json(c, 200, out, e);
}

/* Decimal digits at *p, which moves on; false without one, or above 2^53. */
static bool
objects_number(const char **p, uint64_t *ret)
{
	uint64_t n = 0;

	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		if (n > (uint64_t)JCS_INT_MAX)
			return false;
		n = n * 10 + (uint64_t)(**p - '0');
	}
	*ret = n;
	return true;
}

bool
objects_range(const char *text, uint64_t size, uint64_t *ret_start, uint64_t *ret_length)
{
	uint64_t first, last = size > 0 ? size - 1 : 0;
	const char *p = strncmp(text, "bytes=", 6) == 0 ? text + 6 : "";

	if (size == 0)
		return false;
	if (*p == '-') {
		p++;
		if (!objects_number(&p, &first) || *p != '\0' || first == 0)
			return false;
		first = first < size ? size - first : 0;
	} else {
		if (!objects_number(&p, &first) || *p++ != '-')
			return false;
		if (*p != '\0' && (!objects_number(&p, &last) || *p != '\0'))
			return false;
		if (first >= size || last < first)
			return false;
		if (last >= size)
			last = size - 1;
	}
	*ret_start = first;
	*ret_length = last - first + 1;
	return true;
}

static int
objects_absent(struct http_call *c, struct store *s, const struct oid *id, struct err *e)
{
	struct err problem, ignored;
	uint64_t offset;
	char text[32];

	/* the same words whether it is not here or another's */
	err_set(&problem, ERR_NOTFOUND, "object %s is not here", c->arg);
	if (strcmp(c->method, "HEAD") == 0 &&
	    upload_offset(s, id, session_owner(c), &offset, &ignored) == 0) {
		snprintf(text, sizeof text, "%llu", (unsigned long long)offset);
		if (http_answer_header(c, "Upload-Offset", text, e) != 0)
			return -1;
	}
	return http_reply_problem(c, 0, &problem, e);
}

static int
objects_send(struct http_call *c, int fd, uint64_t size, struct err *e)
{
	const char *range = http_header(c, "Range");
	uint64_t start = 0, length = size;
	struct err problem;
	char text[96];
	int rc = http_answer_header(c, "Accept-Ranges", "bytes", e);

	if (range != NULL && !objects_range(range, size, &start, &length)) {
		close(fd);
		snprintf(text, sizeof text, "bytes */%llu", (unsigned long long)size);
		err_set(&problem, ERR_USAGE, "the range is not one of this object's bytes");
		if (rc != 0 || http_answer_header(c, "Content-Range", text, e) != 0)
			return -1;
		return http_reply_problem(c, 416, &problem, e);
	}
	if (rc == 0 && range != NULL) {
		snprintf(text, sizeof text, "bytes %llu-%llu/%llu", (unsigned long long)start,
		    (unsigned long long)(start + length - 1), (unsigned long long)size);
		rc = http_answer_header(c, "Content-Range", text, e);
	}
	if (rc != 0) {
		close(fd);
		return -1;
	}
	return http_reply_file(c, range != NULL ? 206 : 200, fd, start, length, e);
}

/* Who asks what is here of an object whose last byte came just before the daemon ended. */
static int
objects_complete(struct http_call *c, struct store *s, const struct oid *id, int *visible,
    struct err *e)
{
	bool whole = false;

	if (*visible != 0 || strcmp(c->method, "HEAD") != 0 ||
	    (session_app(c)->ledger != NULL && c->principal == NULL))
		return 0;
	if (upload_complete(s, id, session_owner(c), &whole, e) != 0)
		return -1;
	if (!whole)
		return 0;
	if (session_own(c, id, e) != 0)
		return -1;
	*visible = session_visible(c, id, e);
	return *visible < 0 ? -1 : 0;
}

int
objects_get(struct http_call *c, struct err *e)
{
	struct store *s;
	uint64_t size;
	struct oid id;
	char etag[OID_HEX_SIZE + 2];
	int fd, visible;

	if (session_oid(c, &id, e) != 0 || session_store(c, &s, e) != 0 ||
	    (visible = session_visible(c, &id, e)) < 0 || objects_complete(c, s, &id, &visible, e) != 0)
		return -1;
	if (visible == 0)
		return c->principal == NULL ? access_demand(c, e) : objects_absent(c, s, &id, e);
	if (odb_open(s, &id, &fd, &size, e) != 0)
		return e->code == ERR_NOTFOUND ? objects_absent(c, s, &id, e) : -1;
	snprintf(etag, sizeof etag, "\"%s\"", c->arg);
	if (http_answer_header(c, "ETag", etag, e) != 0) {
		close(fd);
		return -1;
	}
	return objects_send(c, fd, size, e);
}

int
objects_content_range(const char *text, uint64_t length, struct upload_range *ret, struct err *e)
{
	const char *p;
	uint64_t last;

	*ret = (struct upload_range){.length = length, .total = length};
	if (text == NULL)
		return 0;
	ret->resume = true;
	p = strncmp(text, "bytes ", 6) == 0 ? text + 6 : "";
	if (!objects_number(&p, &ret->start) || *p++ != '-' ||
	    !objects_number(&p, &last) || *p++ != '/' || !objects_number(&p, &ret->total) ||
	    *p != '\0' || last < ret->start || last >= ret->total)
		return err_set(e, ERR_USAGE, "Content-Range is not \"bytes FIRST-LAST/TOTAL\"");
	if (last - ret->start + 1 != length)
		return err_set(e, ERR_USAGE, "Content-Range and Content-Length differ");
	return 0;
}

static int
objects_conflict(struct http_call *c, uint64_t offset, const struct err *problem, struct err *e)
{
	char text[32];

	snprintf(text, sizeof text, "%llu", (unsigned long long)offset);
	if (http_answer_header(c, "Upload-Offset", text, e) != 0)
		return -1;
	return http_reply_problem(c, 409, problem, e);
}

int
objects_put_begin(struct http_call *c, struct err *e)
{
	struct upload_range range;
	struct upload *u;
	struct err problem;
	struct store *s;
	uint64_t offset;
	struct oid id;
	int visible;

	if (session_oid(c, &id, e) != 0 || session_store(c, &s, e) != 0)
		return -1;
	if (!c->has_length) {
		err_set(&problem, ERR_USAGE, "an object is sent with its Content-Length");
		return http_reply_problem(c, 411, &problem, e);
	}
	if (objects_content_range(http_header(c, "Content-Range"), c->length, &range, e) != 0 ||
	    (visible = session_visible(c, &id, e)) < 0)
		return -1;
	if (visible > 0 && odb_keep(s, &id, 1, e) != 0)
		return -1;
	if (visible > 0 && odb_intact(s, &id)) /* damage is replaced by what comes */
		return http_reply(c, 200, NULL, NULL, 0, e);
	range.parts_max = session_app(c)->parts_max;
	if (upload_open(s, &id, session_owner(c), &range, &u, &offset, &problem) != 0) {
		if (problem.code == ERR_CONFLICT)
			return objects_conflict(c, offset, &problem, e);
		*e = problem;
		return -1;
	}
	c->stream = u;
	return 0;
}

int
objects_put_data(struct http_call *c, const void *data, size_t len, struct err *e)
{
	return upload_write(c->stream, data, len, e);
}

int
objects_put(struct http_call *c, struct err *e)
{
	struct oid id;
	uint64_t offset;
	char text[32];
	bool whole;

	if (session_oid(c, &id, e) != 0 || upload_finish(c->stream, &whole, &offset, e) != 0 ||
	    (whole && session_own(c, &id, e) != 0))
		return -1;
	snprintf(text, sizeof text, "%llu", (unsigned long long)offset);
	if (http_answer_header(c, "Upload-Offset", text, e) != 0)
		return -1;
	return http_reply(c, whole ? 201 : 202, NULL, NULL, 0, e);
}

void
objects_put_drop(void *stream)
{
	upload_close(stream);
}
