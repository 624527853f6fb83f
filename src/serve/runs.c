#include "serve/runs.h"

#include <string.h>
#include "base/hex.h"
#include "codec/shape.h"
#include "object/certificate.h"
#include "serve/session.h"
#include "store/odb.h"

#define RUNS_LOG_WAIT_MS 1000   /* between looks at whether the reader is still there */

static const struct shape runs_request_shape[] = {
	{"mediaType", SHAPE_STRING, 0},
	{"nonce", SHAPE_HEX32, 0},
	{"spec", SHAPE_OBJECT, 0},
	{NULL, SHAPE_STRING, 0},
};

static int
runs_decode(const struct buf *body, unsigned char nonce[32], struct run_spec *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const char *type;

	if (jcs_decode(body->data, body->len, HTTP_DOCUMENT_MAX, &v, e) != 0)
		return -1;
	type = jcs_get_string(v, "mediaType");
	if (type == NULL || strcmp(type, RUNS_REQUEST_MEDIA_TYPE) != 0)
		return err_set(e, ERR_FORMAT, "the body is not a run request");
	if (shape_check(v, runs_request_shape, "run request", e) != 0 ||
	    hex_decode(nonce, 32, jcs_get_string(v, "nonce"), e) != 0)
		return -1;
	return run_spec_from_jcs(jcs_get(v, "spec"), ret, e);
}

/* What the spec names must have been sent before. */
static int
runs_check_here(struct store *s, const struct run_spec *spec, struct err *e)
{
	const struct resource *lacking = NULL;
	char hex[OID_HEX_SIZE];

	if (odb_keep(s, &spec->image_file.digests.sha256, spec->image != RUN_SPEC_HOST, e) != 0)
		return -1;
	for (size_t i = 0; i < spec->input_count; i++)
		if (odb_keep(s, &spec->inputs[i].thing.digests.sha256, 1, e) != 0)
			return -1;
	if (spec->image != RUN_SPEC_HOST && !odb_has(s, &spec->image_file.digests.sha256))
		lacking = &spec->image_file;
	for (size_t i = 0; i < spec->input_count && lacking == NULL; i++)
		if (!odb_has(s, &spec->inputs[i].thing.digests.sha256))
			lacking = &spec->inputs[i].thing;
	if (lacking == NULL)
		return 0;
	oid_hex(&lacking->digests.sha256, hex);
	return err_set(e, ERR_REFUSED, "%s: object %s is not here; send it first", lacking->path, hex);
}

static struct jcs *
runs_document(const char *id, const struct run_state_view *view)
{
	struct jcs *v = jcs_new_object();
	char text[OID_TEXT_SIZE];

	jcs_set_string(v, "mediaType", RUNS_STATE_MEDIA_TYPE);
	jcs_set_string(v, "run", id);
	jcs_set_string(v, "state", view->state);
	jcs_set_int(v, "log", (int64_t)view->log_size);
	if (view->has_certificate) {
		struct jcs *certificate = jcs_new_object();

		oid_text(&view->certificate, text);
		jcs_set_string(certificate, "id", text);
		jcs_set_int(certificate, "size", (int64_t)view->certificate_size);
		jcs_set(v, "certificate", certificate);
	} else {
		jcs_set(v, "certificate", jcs_new_null());
	}
	if (view->over && !view->has_certificate) {
		struct jcs *error = jcs_new_object();

		jcs_set_string(error, "code", err_name(view->error.code));
		jcs_set_string(error, "detail", view->error.msg);
		jcs_set(v, "error", error);
	} else {
		jcs_set(v, "error", jcs_new_null());
	}
	return v;
}

static int
runs_reply_state(struct http_call *c, int status, struct run_state *run, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct run_state_view view;

	run_state_view(run, &view);
	v = runs_document(run_state_id(run), &view);
	return http_reply_json(c, status, v, e);
}

int
runs_post(struct http_call *c, struct err *e)
{
	CLEANUP(run_spec_free) struct run_spec spec = {0};
	CLEANUP(run_state_unrefp) struct run_state *run = NULL;
	unsigned char nonce[32];
	struct store *s;
	char location[96];

	if (session_store(c, &s, e) != 0 || runs_decode(&c->body, nonce, &spec, e) != 0 ||
	    runs_check_here(s, &spec, e) != 0 ||
	    worker_submit(session_app(c)->worker, s, &spec, nonce, &run, e) != 0)
		return -1;
	snprintf(location, sizeof location, "/v1/runs/%s", run_state_id(run));
	if (http_answer_header(c, "Location", location, e) != 0)
		return -1;
	return runs_reply_state(c, 201, run, e);
}

static int
runs_find(const struct http_call *c, struct run_state **ret, struct err *e)
{
	if (strlen(c->arg) != 64 || !hex_is(c->arg, 64))
		return err_set(e, ERR_USAGE, "a run's name is 64 lower-case hex digits");
	return worker_find(session_app(c)->worker, c->arg, ret, e);
}

int
runs_get(struct http_call *c, struct err *e)
{
	CLEANUP(run_state_unrefp) struct run_state *run = NULL;

	if (runs_find(c, &run, e) != 0)
		return -1;
	return runs_reply_state(c, 200, run, e);
}

int
runs_delete(struct http_call *c, struct err *e)
{
	CLEANUP(run_state_unrefp) struct run_state *run = NULL;

	if (runs_find(c, &run, e) != 0)
		return -1;
	run_state_cancel(run);
	return runs_reply_state(c, 202, run, e);
}

int
runs_certificate(struct http_call *c, struct err *e)
{
	CLEANUP(run_state_unrefp) struct run_state *run = NULL;
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;

	if (runs_find(c, &run, e) != 0 || run_state_certificate(run, &bytes, e) != 0)
		return -1;
	return http_reply(c, 200, CERTIFICATE_MEDIA_TYPE, bytes.data, bytes.len, e);
}

struct runs_reader {
	struct run_state *run;
	uint64_t offset;
	bool follow;
};

static ssize_t
runs_reader_read(void *arg, void *ret, size_t cap)
{
	struct runs_reader *r = arg;
	ssize_t n = run_state_read_log(r->run, r->offset, ret, cap, r->follow ? RUNS_LOG_WAIT_MS : 0);

	if (n > 0)
		r->offset += (uint64_t)n;
	return n == 0 && !r->follow ? -1 : n;
}

static void
runs_reader_release(void *arg)
{
	struct runs_reader *r = arg;

	run_state_unref(r->run);
	free(r);
}

static int
runs_log_query(const struct http_call *c, uint64_t *ret_offset, bool *ret_follow, struct err *e)
{
	static const char *const names[] = {"offset", "follow", NULL};
	CLEANUP(cleanup_free) char *offset = NULL;
	CLEANUP(cleanup_free) char *follow = NULL;

	if (session_query(c, names, "offset", &offset, e) != 0 ||
	    session_query(c, names, "follow", &follow, e) != 0)
		return -1;
	if (offset != NULL && (*offset == '\0' || strlen(offset) > 16 ||
	    offset[strspn(offset, "0123456789")] != '\0'))
		return err_set(e, ERR_USAGE, "offset: a number of bytes is needed");
	if (follow != NULL && strcmp(follow, "0") != 0 && strcmp(follow, "1") != 0)
		return err_set(e, ERR_USAGE, "follow: 0 or 1");
	*ret_offset = offset != NULL ? strtoull(offset, NULL, 10) : 0;
	*ret_follow = follow != NULL && *follow == '1';
	return 0;
}

int
runs_log(struct http_call *c, struct err *e)
{
	CLEANUP(run_state_unrefp) struct run_state *run = NULL;
	struct runs_reader *reader;
	uint64_t offset = 0;
	bool follow = false;

	if (runs_find(c, &run, e) != 0 || runs_log_query(c, &offset, &follow, e) != 0)
		return -1;
	reader = malloc(sizeof *reader);
	if (reader == NULL)
		return err_nomem(e);
	*reader = (struct runs_reader){.run = run, .offset = offset, .follow = follow};
	run = NULL; /* the reader's now */
	return http_reply_source(c, 200, "application/octet-stream", &(struct http_source){
		.read = runs_reader_read, .release = runs_reader_release, .arg = reader}, e);
}
