#include "object/event.h"

#include <string.h>
#include "base/hex.h"
#include "object/event-codec.h"

static const char *const event_kinds[] = {
	[EVENT_RUN_REQUEST] = "run_request",
	[EVENT_INPUT_IMAGE] = "input_image",
	[EVENT_INPUT_RESOURCE] = "input_resource",
	[EVENT_INPUTS_SEALED] = "inputs_sealed",
	[EVENT_RUN_STARTED] = "run_started",
	[EVENT_OUTPUT_RESOURCE] = "output_resource",
	[EVENT_OUTPUT_MISSING] = "output_missing",
	[EVENT_RUN_FINISHED] = "run_finished",
	[EVENT_OUTPUTS_SEALED] = "outputs_sealed",
};

static const char *const event_tpms[] = {
	[EVENT_TPM_EMBEDDED] = "embedded",
	[EVENT_TPM_SWTPM] = "swtpm",
	[EVENT_TPM_MSSIM] = "mssim",
	[EVENT_TPM_DEVICE] = "device",
};

static const char *const event_reasons[] = {
	[EVENT_EXITED] = "exited",
	[EVENT_SIGNALED] = "signaled",
	[EVENT_TIME_LIMIT] = "time-limit",
	[EVENT_MEMORY_LIMIT] = "memory-limit",
	[EVENT_CANCELLED] = "cancelled",
	[EVENT_SANDBOX] = "sandbox",
	[EVENT_NOT_STARTED] = "not-started",
};

const char *
event_kind_name(enum event_kind kind)
{
	return event_kinds[kind];
}

const char *
event_tpm_name(enum event_tpm tpm)
{
	return event_tpms[tpm];
}

const char *
event_reason_name(enum event_reason reason)
{
	return event_reasons[reason];
}

static int
event_name_parse(const char *const *names, size_t n, const char *text, const char *what, size_t *ret,
    struct err *e)
{
	for (size_t i = 0; text != NULL && i < n; i++) {
		if (strcmp(names[i], text) == 0) {
			*ret = i;
			return 0;
		}
	}
	return err_set(e, ERR_FORMAT, "%s is none that this version knows", what);
}

int
event_tpm_parse(const char *name, enum event_tpm *ret, struct err *e)
{
	size_t i = 0;

	if (event_name_parse(event_tpms, sizeof event_tpms / sizeof *event_tpms, name, "tpm", &i, e) != 0)
		return -1;
	*ret = (enum event_tpm)i;
	return 0;
}

int
event_reason_parse(const char *name, enum event_reason *ret, struct err *e)
{
	size_t i = 0;

	if (event_name_parse(event_reasons, sizeof event_reasons / sizeof *event_reasons, name, "reason",
	    &i, e) != 0)
		return -1;
	*ret = (enum event_reason)i;
	return 0;
}

bool
event_finished_ok(const struct event_run_finished *f)
{
	return f->reason == EVENT_EXITED && f->has_exit_code && f->exit_code == 0;
}

/* v, event, run, seq: the members that every event has. */
static int
event_read_frame(const struct jcs *v, struct event *ev, struct err *e)
{
	const char *run = jcs_get_string(v, "run");
	int64_t version, seq;
	size_t kind = 0;

	if (jcs_int(jcs_get(v, "v"), &version) != 0)
		return err_set(e, ERR_FORMAT, "event: \"v\" must be an integer");
	if (version != 1)
		return err_set(e, ERR_UNSUPPORTED, "event: this version of aicert knows v 1 only");
	if (event_name_parse(event_kinds, sizeof event_kinds / sizeof *event_kinds,
	    jcs_get_string(v, "event"), "event", &kind, e) != 0)
		return -1;
	if (run == NULL || hex_decode(ev->run, sizeof ev->run, run, NULL) != 0)
		return err_set(e, ERR_FORMAT, "event: \"run\" must be 64 hexadecimal digits");
	if (jcs_int(jcs_get(v, "seq"), &seq) != 0 || seq < 0)
		return err_set(e, ERR_FORMAT, "event: \"seq\" must be an integer, not negative");
	ev->kind = (enum event_kind)kind;
	ev->pcr = ev->kind < EVENT_RUN_STARTED ? 14 : 15;
	ev->seq = (uint64_t)seq;
	return 0;
}

int
event_decode(const char *text, size_t len, struct event *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct event ev = {0};
	enum event_kind kind;

	if (jcs_decode(text, len, EVENT_BYTES_MAX, &v, e) != 0 || event_read_frame(v, &ev, e) != 0)
		return err_prefix(e, "aicert-certificate(5) section 4.3");
	kind = ev.kind;
	if (event_codec_read(v, &ev, e) != 0) {
		event_free(&ev);
		return err_prefix(e, "aicert-certificate(5) section 4.3: %s", event_kind_name(kind));
	}
	ev.text = strndup(text, len);
	ev.len = len;
	if (ev.text == NULL) {
		event_free(&ev);
		return err_nomem(e);
	}
	*ret = ev;
	return 0;
}

int
event_encode(struct event *ev, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	CLEANUP(buf_free) struct buf text = {.max = EVENT_BYTES_MAX};
	char run[65];
	size_t len;

	hex_encode(run, ev->run, sizeof ev->run);
	jcs_set_int(v, "v", 1);
	jcs_set_string(v, "event", event_kind_name(ev->kind));
	jcs_set_string(v, "run", run);
	jcs_set_int(v, "seq", ev->seq <= (uint64_t)JCS_INT_MAX ? (int64_t)ev->seq : INT64_MAX);
	event_codec_write(ev, v);
	if (jcs_encode(v, &text, e) != 0)
		return -1;
	len = text.len;
	free(ev->text);
	ev->text = buf_steal(&text, e);
	ev->len = len;
	ev->pcr = ev->kind < EVENT_RUN_STARTED ? 14 : 15;
	return ev->text == NULL ? -1 : 0;
}

static void
event_request_free(struct event_run_request *rq)
{
	run_spec_free(&rq->spec);
	free(rq->image_name);
	free(rq->image_version);
	free(rq->daemon_version);
	free(rq->sandbox.name);
	free(rq->sandbox.version);
	jcs_free(rq->config);
}

static void
event_finished_free(struct event_run_finished *f)
{
	for (size_t i = 0; i < f->device_count; i++)
		free(f->devices[i]);
	free(f->devices);
}

void
event_free(struct event *ev)
{
	switch (ev->kind) {
	case EVENT_RUN_REQUEST:
		event_request_free(&ev->u.request);
		break;
	case EVENT_INPUT_IMAGE:
		resource_free(&ev->u.image.file);
		break;
	case EVENT_INPUT_RESOURCE:
		resource_input_free(&ev->u.input);
		break;
	case EVENT_INPUTS_SEALED:
		buf_free(&ev->u.sealed.spki);
		break;
	case EVENT_OUTPUT_RESOURCE:
		resource_free(&ev->u.output.output);
		break;
	case EVENT_OUTPUT_MISSING:
		run_spec_output_free(&ev->u.missing.output);
		free(ev->u.missing.reason);
		break;
	case EVENT_RUN_FINISHED:
		event_finished_free(&ev->u.finished);
		break;
	case EVENT_RUN_STARTED:
	case EVENT_OUTPUTS_SEALED:
		break;
	}
	free(ev->text);
	*ev = (struct event){0};
}
