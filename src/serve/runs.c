#include "serve/runs.h"

#include <string.h>
#include "base/hex.h"
#include "object/certificate.h"
#include "serve/closure.h"
#include "serve/run-request.h"
#include "serve/session.h"
#include "store/odb.h"

#define RUNS_LOG_WAIT_MS 1000   /* between looks at whether the reader is still there */

/* A closure_fn: whoever names an object must have sent it, and what is inside it. */
static int
runs_check_object(void *arg, const struct object_ref *ref, enum closure_need need, struct err *e)
{
	struct http_call *c = arg;
	char hex[OID_HEX_SIZE];
	struct store *s;
	int visible;

	(void)need;
	if (session_store(c, &s, e) != 0 || odb_keep(s, &ref->id, 1, e) != 0 ||
	    (visible = session_visible(c, &ref->id, e)) < 0)
		return -1;
	if (visible > 0)
		return ref->type == OBJECT_TREE && !c->local;
	oid_hex(&ref->id, hex);
	return err_set(e, ERR_REFUSED, "object %s is not here; send it first", hex);
}

static void
runs_set_time(struct jcs *v, const char *name, int64_t seconds)
{
	if (seconds > 0)
		jcs_set_int(v, name, seconds);
	else
		jcs_set(v, name, jcs_new_null());
}

static struct jcs *
runs_certificate_ref(const struct run_state_view *view)
{
	struct jcs *v;
	char text[OID_TEXT_SIZE];

	if (!view->has_certificate)
		return jcs_new_null();
	v = jcs_new_object();
	oid_text(&view->certificate, text);
	jcs_set_string(v, "id", text);
	jcs_set_int(v, "size", (int64_t)view->certificate_size);
	return v;
}

static struct jcs *
runs_error(const struct run_state_view *view)
{
	struct jcs *v;

	if (!view->over || view->error.code == ERR_NONE)
		return jcs_new_null();
	v = jcs_new_object();
	jcs_set_string(v, "code", err_name(view->error.code));
	jcs_set_string(v, "detail", view->error.msg);
	return v;
}

static struct jcs *
runs_document(struct run_table *table, struct run_state *run)
{
	struct jcs *v = jcs_new_object();
	int position = run_table_position(table, run);
	struct run_state_view view;

	run_state_view(run, &view);
	jcs_set_string(v, "mediaType", RUNS_STATE_MEDIA_TYPE);
	jcs_set_string(v, "run", run_state_id(run));
	jcs_set_string(v, "state", view.state);
	jcs_set(v, "phase", view.phase[0] != '\0' ? jcs_new_string(view.phase) : jcs_new_null());
	jcs_set(v, "position", position >= 0 ? jcs_new_int(position) : jcs_new_null());
	runs_set_time(v, "created", view.created);
	runs_set_time(v, "started", view.started);
	runs_set_time(v, "finished", view.finished);
	jcs_set_int(v, "log", (int64_t)view.log_size);
	jcs_set_int(v, "logDropped", (int64_t)view.log_dropped);
	jcs_set(v, "certificate", runs_certificate_ref(&view));
	jcs_set(v, "error", runs_error(&view));
	return v;
}

static int
runs_reply_state(struct http_call *c, int status, struct run_state *run, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = runs_document(session_app(c)->table, run);

	return http_reply_json(c, status, v, e);
}

/* What the runner's owner allows: a run without a limit of its own could take more. */
static int
runs_check_limits(const struct session_app *app, const struct run_spec_limits *l, struct err *e)
{
	if (app->max_seconds > 0 && (l->time_seconds == 0 || l->time_seconds > app->max_seconds))
		return err_set(e, ERR_SPEC, "this runner makes runs of at most %llu seconds: set limits: time"
		    " in the spec", (unsigned long long)app->max_seconds);
	if (app->max_memory > 0 && (l->memory_bytes == 0 || l->memory_bytes > app->max_memory))
		return err_set(e, ERR_SPEC, "this runner makes runs with at most %llu bytes of memory: set"
		    " limits: memory in the spec", (unsigned long long)app->max_memory);
	return 0;
}

static int
runs_reply_started(struct http_call *c, int status, struct run_state *run, struct err *e)
{
	char location[96];

	snprintf(location, sizeof location, "/v1/runs/%s", run_state_id(run));
	if (http_answer_header(c, "Location", location, e) != 0)
		return -1;
	return runs_reply_state(c, status, run, e);
}

static int
runs_check_name(const char *name, struct err *e)
{
	if (strlen(name) != 64 || !hex_is(name, 64))
		return err_set(e, ERR_USAGE, "a run's name is 64 lower-case hex digits");
	return 0;
}

/* The name that the client drew for the run, *ret: who got no answer asks again, and the run
 * that began already, *ret_run, is the answer then.  Each NULL: none. */
static int
runs_asked_before(struct http_call *c, const char **ret, struct run_state **ret_run,
    struct err *e)
{
	struct err unknown;

	*ret_run = NULL;
	*ret = http_header(c, "Idempotency-Key");
	if (*ret == NULL)
		return 0;
	if (runs_check_name(*ret, e) != 0)
		return err_prefix(e, "Idempotency-Key");
	if (run_table_find(session_app(c)->table, *ret, session_owner(c), ret_run, &unknown) != 0)
		*ret_run = NULL;
	return 0;
}

int
runs_post(struct http_call *c, struct err *e)
{
	const struct session_app *app = session_app(c);
	struct run_table_request rq = {.owner = session_owner(c), .bytes = &c->body};
	CLEANUP(run_spec_free) struct run_spec spec = {0};
	CLEANUP(run_state_unrefp) struct run_state *run = NULL;
	unsigned char nonce[32];
	struct store *s;

	if (app->worker == NULL)
		return err_set(e, ERR_NOTFOUND, "a hub makes no runs");
	if (runs_asked_before(c, &rq.id, &run, e) != 0)
		return -1;
	if (run != NULL)
		return runs_reply_started(c, 200, run, e);
	if (session_store(c, &s, e) != 0 ||
	    run_request_decode(c->body.data, c->body.len, nonce, &spec, e) != 0 ||
	    runs_check_limits(app, &spec.limits, e) != 0 ||
	    closure_spec(s, &spec, runs_check_object, c, e) != 0 ||
	    worker_submit(app->worker, s, &rq, &run, e) != 0)
		return -1;
	return runs_reply_started(c, 201, run, e);
}

static int
runs_find(const struct http_call *c, struct run_state **ret, struct err *e)
{
	const struct session_app *app = session_app(c);

	if (runs_check_name(c->arg, e) != 0)
		return -1;
	if (app->table == NULL)
		return err_set(e, ERR_NOTFOUND, "a hub makes no runs");
	return run_table_find(app->table, c->arg, session_owner(c), ret, e);
}

int
runs_get(struct http_call *c, struct err *e)
{
	CLEANUP(run_state_unrefp) struct run_state *run = NULL;

	return runs_find(c, &run, e) != 0 ? -1 : runs_reply_state(c, 200, run, e);
}

int
runs_list(struct http_call *c, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	struct run_table *table = session_app(c)->table;
	struct run_state *found[RUN_TABLE_KEPT];
	struct jcs *runs = jcs_new_array();
	size_t n = table != NULL ? run_table_list(table, session_owner(c), found) : 0;

	jcs_set_string(v, "mediaType", RUNS_LIST_MEDIA_TYPE);
	jcs_set(v, "runs", runs);
	for (size_t i = 0; i < n; i++) {
		jcs_append(runs, runs_document(table, found[i]));
		run_state_unref(found[i]);
	}
	return http_reply_json(c, 200, v, e);
}

int
runs_delete(struct http_call *c, struct err *e)
{
	CLEANUP(run_state_unrefp) struct run_state *run = NULL;

	if (runs_find(c, &run, e) != 0)
		return -1;
	run_table_cancel(session_app(c)->table, run);
	return runs_reply_state(c, 202, run, e);
}

int
runs_certificate(struct http_call *c, struct err *e)
{
	CLEANUP(run_state_unrefp) struct run_state *run = NULL;
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct run_state_view view;
	struct store *s;

	if (runs_find(c, &run, e) != 0)
		return -1;
	if (run_state_certificate(run, &bytes, e) != 0) {
		run_state_view(run, &view);
		if (!view.has_certificate || session_store(c, &s, e) != 0 ||
		    odb_read(s, &view.certificate, CERTIFICATE_BYTES_MAX, &bytes, e) != 0)
			return -1;
	}
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
	char text[32];

	if (runs_find(c, &run, e) != 0 || runs_log_query(c, &offset, &follow, e) != 0)
		return -1;
	offset = run_state_log_next(run, offset);
	snprintf(text, sizeof text, "%llu", (unsigned long long)offset);
	if (http_answer_header(c, "Log-Offset", text, e) != 0)
		return -1;
	reader = malloc(sizeof *reader);
	if (reader == NULL)
		return err_nomem(e);
	*reader = (struct runs_reader){.run = run, .offset = offset, .follow = follow};
	run = NULL; /* the reader's now */
	return http_reply_source(c, 200, "application/octet-stream", &(struct http_source){
		.read = runs_reader_read, .release = runs_reader_release, .arg = reader}, e);
}
