#include "runner/remote-run.h"

#include <string.h>
#include "base/hex.h"
#include "codec/shape.h"

#define REMOTE_RUN_TYPE "application/vnd.aicert.run-state.v1+json"
#define REMOTE_RUN_LIST_TYPE "application/vnd.aicert.run-list.v1+json"

static const char *const remote_run_names[] = {
	[REMOTE_RUN_QUEUED] = "queued",
	[REMOTE_RUN_MEASURING] = "measuring",
	[REMOTE_RUN_RUNNING] = "running",
	[REMOTE_RUN_DONE] = "done",
	[REMOTE_RUN_FAILED] = "failed",
	[REMOTE_RUN_CANCELLED] = "cancelled",
	[REMOTE_RUN_INTERRUPTED] = "interrupted",
};

static const struct shape remote_run_shape[] = {
	{"certificate", SHAPE_OBJECT, SHAPE_NULLABLE},
	{"created", SHAPE_INT, SHAPE_NULLABLE | SHAPE_OPTIONAL},
	{"error", SHAPE_OBJECT, SHAPE_NULLABLE},
	{"finished", SHAPE_INT, SHAPE_NULLABLE | SHAPE_OPTIONAL},
	{"log", SHAPE_INT, 0},
	{"logDropped", SHAPE_INT, SHAPE_OPTIONAL},
	{"mediaType", SHAPE_STRING, 0},
	{"phase", SHAPE_STRING, SHAPE_NULLABLE | SHAPE_OPTIONAL},
	{"position", SHAPE_INT, SHAPE_NULLABLE | SHAPE_OPTIONAL},
	{"run", SHAPE_HEX32, 0},
	{"started", SHAPE_INT, SHAPE_NULLABLE | SHAPE_OPTIONAL},
	{"state", SHAPE_STRING, 0},
	{NULL, SHAPE_STRING, 0},
};

static const struct shape remote_run_certificate_shape[] = {
	{"id", SHAPE_ID, 0},
	{"size", SHAPE_INT, 0},
	{NULL, SHAPE_STRING, 0},
};

static const struct shape remote_run_error_shape[] = {
	{"code", SHAPE_STRING, 0},
	{"detail", SHAPE_STRING, 0},
	{NULL, SHAPE_STRING, 0},
};

static const struct shape remote_run_list_shape[] = {
	{"mediaType", SHAPE_STRING, 0},
	{"runs", SHAPE_ARRAY, 0},
	{NULL, SHAPE_STRING, 0},
};

bool
remote_run_id_ok(const char *text)
{
	return strlen(text) == REMOTE_RUN_ID_LEN && hex_is(text, REMOTE_RUN_ID_LEN);
}

const char *
remote_run_state_name(enum remote_run_state s)
{
	return remote_run_names[s];
}

bool
remote_run_over(const struct remote_run *r)
{
	return r->state >= REMOTE_RUN_DONE;
}

void
remote_run_free(struct remote_run *r)
{
	free(r->phase);
	free(r->error);
	*r = (struct remote_run){0};
}

void
remote_run_list_free(struct remote_run_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		remote_run_free(&l->runs[i]);
	free(l->runs);
	*l = (struct remote_run_list){0};
}

static int
remote_run_state(const char *name, enum remote_run_state *ret, struct err *e)
{
	for (size_t i = 0; i < sizeof remote_run_names / sizeof remote_run_names[0]; i++)
		if (strcmp(remote_run_names[i], name) == 0) {
			*ret = (enum remote_run_state)i;
			return 0;
		}
	return err_set(e, ERR_UNSUPPORTED, "run state: \"%s\" is not known", name);
}

static int
remote_run_text(char **ret, const char *text, struct err *e)
{
	if (text == NULL)
		return 0;
	*ret = buf_strdup(text, e);
	return *ret != NULL ? 0 : -1;
}

static int
remote_run_from_jcs(const struct jcs *v, struct remote_run *r, struct err *e)
{
	const struct jcs *certificate = jcs_get(v, "certificate"), *error = jcs_get(v, "error");
	const char *type = jcs_get_string(v, "mediaType");

	if (type == NULL || strcmp(type, REMOTE_RUN_TYPE) != 0)
		return err_set(e, ERR_FORMAT, "the answer is not the state of a run");
	if (shape_check(v, remote_run_shape, "run state", e) != 0 ||
	    remote_run_state(jcs_get_string(v, "state"), &r->state, e) != 0 ||
	    (!jcs_is_null(certificate) &&
	    shape_check(certificate, remote_run_certificate_shape, "run state: certificate", e) != 0) ||
	    (!jcs_is_null(error) &&
	    shape_check(error, remote_run_error_shape, "run state: error", e) != 0) ||
	    remote_run_text(&r->error, jcs_get_string(error, "detail"), e) != 0 ||
	    remote_run_text(&r->phase, jcs_get_string(v, "phase"), e) != 0)
		return -1;
	memcpy(r->id, jcs_get_string(v, "run"), sizeof r->id);
	r->has_certificate = !jcs_is_null(certificate);
	r->log_dropped = 0;
	r->created = r->position = -1;
	(void)jcs_int(jcs_get(v, "log"), &r->log);
	(void)jcs_int(jcs_get(v, "logDropped"), &r->log_dropped);
	(void)jcs_int(jcs_get(v, "created"), &r->created);
	(void)jcs_int(jcs_get(v, "position"), &r->position);
	if (r->state == REMOTE_RUN_DONE && !r->has_certificate)
		return err_set(e, ERR_FORMAT, "run state: done, and no certificate");
	return 0;
}

int
remote_run_decode(const void *data, size_t len, struct remote_run *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct remote_run r = {0};

	if (jcs_decode(data, len, REMOTE_RUN_DOCUMENT_MAX, &v, e) != 0)
		return err_prefix(e, "the state of a run");
	if (remote_run_from_jcs(v, &r, e) != 0) {
		remote_run_free(&r);
		return -1;
	}
	*ret = r;
	return 0;
}

static int
remote_run_list_fill(const struct jcs *v, struct remote_run_list *l, struct err *e)
{
	const char *type = jcs_get_string(v, "mediaType");
	const struct jcs *runs = jcs_get(v, "runs");
	size_t n = jcs_length(runs);

	if (type == NULL || strcmp(type, REMOTE_RUN_LIST_TYPE) != 0)
		return err_set(e, ERR_FORMAT, "the answer is not a list of runs");
	if (shape_check(v, remote_run_list_shape, "list of runs", e) != 0)
		return -1;
	if (n > REMOTE_RUN_LIST_MAX)
		return err_set(e, ERR_LIMIT, "list of runs: more than %d", REMOTE_RUN_LIST_MAX);
	l->runs = calloc(n + 1, sizeof *l->runs);
	if (l->runs == NULL)
		return err_nomem(e);
	for (; l->count < n; l->count++)
		if (remote_run_from_jcs(jcs_at(runs, l->count), &l->runs[l->count], e) != 0) {
			remote_run_free(&l->runs[l->count]);
			return -1;
		}
	return 0;
}

int
remote_run_list_decode(const void *data, size_t len, struct remote_run_list *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct remote_run_list l = {0};

	if (jcs_decode(data, len, REMOTE_RUN_DOCUMENT_MAX, &v, e) != 0)
		return err_prefix(e, "the list of runs");
	if (remote_run_list_fill(v, &l, e) != 0) {
		remote_run_list_free(&l);
		return -1;
	}
	*ret = l;
	return 0;
}
