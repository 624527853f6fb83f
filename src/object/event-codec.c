#include "object/event-codec.h"

#include <string.h>
#include "base/hex.h"
#include "base/timestamp.h"
#include "codec/base64.h"
#include "codec/shape.h"

#define EVENT_FRAME \
	{"v", SHAPE_INT, 0}, {"event", SHAPE_STRING, 0}, {"run", SHAPE_HEX32, 0}, {"seq", SHAPE_INT, 0}
#define EVENT_RESOURCE \
	{"type", SHAPE_STRING, 0}, {"path", SHAPE_STRING, 0}, {"kind", SHAPE_STRING, 0}, \
	{"size", SHAPE_INT, 0}, {"digests", SHAPE_OBJECT, 0}
#define EVENT_SPKI_MAX 4096
#define EVENT_DEVICES_MAX 256

static int
event_codec_copy(const struct jcs *object, const char *name, char **ret, struct err *e)
{
	const char *text = jcs_get_string(object, name);

	if (text == NULL)
		return 0; /* null, where the table allows it */
	*ret = buf_strdup(text, e);
	return *ret == NULL ? -1 : 0;
}

static uint64_t
event_codec_uint(const struct jcs *object, const char *name)
{
	int64_t n = 0;

	return jcs_int(jcs_get(object, name), &n) == 0 && n > 0 ? (uint64_t)n : 0;
}

static void
event_codec_set_uint(struct jcs *object, const char *name, uint64_t n)
{
	jcs_set_int(object, name, n <= (uint64_t)JCS_INT_MAX ? (int64_t)n : INT64_MAX);
}

/* --- run_request --- */

static int
event_codec_read_sandbox(const struct jcs *v, struct event_sandbox *s, struct err *e)
{
	static const struct shape table[] = {
		{"name", SHAPE_STRING, 0}, {"version", SHAPE_STRING, 0}, {"rootless", SHAPE_BOOL, 0},
		{"userNamespace", SHAPE_BOOL, 0}, {"seccomp", SHAPE_BOOL, 0}, {"cgroup", SHAPE_BOOL, 0},
		{"uid", SHAPE_INT, 0}, {0},
	};

	if (shape_check(v, table, "sandbox", e) != 0 || event_codec_copy(v, "name", &s->name, e) != 0 ||
	    event_codec_copy(v, "version", &s->version, e) != 0)
		return -1;
	s->rootless = jcs_true(jcs_get(v, "rootless"));
	s->user_namespace = jcs_true(jcs_get(v, "userNamespace"));
	s->seccomp = jcs_true(jcs_get(v, "seccomp"));
	s->cgroup = jcs_true(jcs_get(v, "cgroup"));
	s->uid = event_codec_uint(v, "uid");
	return 0;
}

static struct jcs *
event_codec_sandbox(const struct event_sandbox *s)
{
	struct jcs *v = jcs_new_object();

	jcs_set(v, "name", jcs_new_string(s->name));
	jcs_set(v, "version", jcs_new_string(s->version));
	jcs_set_bool(v, "rootless", s->rootless);
	jcs_set_bool(v, "userNamespace", s->user_namespace);
	jcs_set_bool(v, "seccomp", s->seccomp);
	jcs_set_bool(v, "cgroup", s->cgroup);
	event_codec_set_uint(v, "uid", s->uid);
	return v;
}

/* The daemon's configuration: an object of texts. */
static int
event_codec_read_config(const struct jcs *v, struct jcs **ret, struct err *e)
{
	for (size_t i = 0; i < jcs_length(v); i++) {
		const char *name = "?";

		if (jcs_string(jcs_member(v, i, &name)) == NULL)
			return err_set(e, ERR_FORMAT, "config: \"%s\" must be a text", name);
	}
	*ret = jcs_copy(v);
	return *ret == NULL ? err_nomem(e) : 0;
}

static int
event_codec_read_versions(const struct jcs *v, struct event_run_request *rq, struct err *e)
{
	static const struct shape image[] = {
		{"name", SHAPE_STRING, 0}, {"version", SHAPE_STRING, SHAPE_NULLABLE}, {0},
	};
	static const struct shape daemon[] = {{"version", SHAPE_STRING, 0}, {0}};

	if (shape_check(jcs_get(v, "image"), image, "image", e) != 0 ||
	    shape_check(jcs_get(v, "daemon"), daemon, "daemon", e) != 0 ||
	    event_codec_copy(jcs_get(v, "image"), "name", &rq->image_name, e) != 0 ||
	    event_codec_copy(jcs_get(v, "image"), "version", &rq->image_version, e) != 0)
		return -1;
	return event_codec_copy(jcs_get(v, "daemon"), "version", &rq->daemon_version, e);
}

static int
event_codec_read_request(const struct jcs *v, struct event_run_request *rq, struct err *e)
{
	static const struct shape table[] = {
		EVENT_FRAME, {"nonce", SHAPE_HEX32, 0}, {"spec", SHAPE_OBJECT, 0},
		{"image", SHAPE_OBJECT, 0}, {"daemon", SHAPE_OBJECT, 0}, {"tpm", SHAPE_STRING, 0},
		{"sandbox", SHAPE_OBJECT, 0}, {"config", SHAPE_OBJECT, 0}, {"network", SHAPE_STRING, 0}, {0},
	};

	if (shape_check(v, table, "run_request", e) != 0)
		return -1;
	if (strcmp(jcs_get_string(v, "network"), "none") != 0)
		return err_set(e, ERR_FORMAT, "run_request: network must be \"none\"");
	if (hex_decode(rq->nonce, sizeof rq->nonce, jcs_get_string(v, "nonce"), e) != 0 ||
	    run_spec_from_jcs(jcs_get(v, "spec"), &rq->spec, e) != 0 ||
	    event_codec_read_versions(v, rq, e) != 0 ||
	    event_tpm_parse(jcs_get_string(v, "tpm"), &rq->tpm, e) != 0 ||
	    event_codec_read_sandbox(jcs_get(v, "sandbox"), &rq->sandbox, e) != 0)
		return -1;
	return event_codec_read_config(jcs_get(v, "config"), &rq->config, e);
}

static void
event_codec_write_request(const struct event_run_request *rq, struct jcs *v)
{
	struct jcs *image = jcs_new_object(), *daemon = jcs_new_object();
	char nonce[65];

	hex_encode(nonce, rq->nonce, sizeof rq->nonce);
	jcs_set(image, "name", jcs_new_string(rq->image_name));
	jcs_set_string(image, "version", rq->image_version);
	jcs_set(daemon, "version", jcs_new_string(rq->daemon_version));
	jcs_set_string(v, "nonce", nonce);
	jcs_set(v, "spec", run_spec_to_jcs(&rq->spec));
	jcs_set(v, "image", image);
	jcs_set(v, "daemon", daemon);
	jcs_set_string(v, "tpm", event_tpm_name(rq->tpm));
	jcs_set(v, "sandbox", event_codec_sandbox(&rq->sandbox));
	jcs_set(v, "config", rq->config != NULL ? jcs_copy(rq->config) : jcs_new_object());
	jcs_set_string(v, "network", "none");
}

/* --- input_image, input_resource, inputs_sealed --- */

static int
event_codec_read_image(const struct jcs *v, struct event_input_image *im, struct err *e)
{
	static const struct shape host[] = {
		EVENT_FRAME, {"image", SHAPE_STRING, 0}, {"verity", SHAPE_HEX32, SHAPE_NULLABLE}, {0},
	};
	static const struct shape file[] = {EVENT_FRAME, {"image", SHAPE_STRING, 0}, EVENT_RESOURCE, {0}};
	const char *verity = jcs_get_string(v, "verity");

	if (run_spec_image_parse(jcs_get_string(v, "image"), &im->image, e) != 0 ||
	    shape_check(v, im->image == RUN_SPEC_HOST ? host : file, "input_image", e) != 0)
		return -1;
	if (im->image != RUN_SPEC_HOST && strcmp(jcs_get_string(v, "kind"), "image") != 0)
		return err_set(e, ERR_FORMAT, "input_image: the kind must be \"image\"");
	if (im->image != RUN_SPEC_HOST)
		return resource_from_jcs(v, "input_image", &im->file, e);
	im->has_verity = verity != NULL;
	return verity != NULL ? hex_decode(im->verity, sizeof im->verity, verity, e) : 0;
}

static void
event_codec_write_image(const struct event_input_image *im, struct jcs *v)
{
	char verity[65];

	jcs_set_string(v, "image", run_spec_image_name(im->image));
	if (im->image != RUN_SPEC_HOST) {
		resource_to_jcs(&im->file, v);
		return;
	}
	hex_encode(verity, im->verity, sizeof im->verity);
	jcs_set_string(v, "verity", im->has_verity ? verity : NULL);
}

static int
event_codec_read_input(const struct jcs *v, struct resource_input *in, struct err *e)
{
	static const struct shape table[] = {
		EVENT_FRAME, EVENT_RESOURCE, {"origin", SHAPE_STRING, 0},
		{"source", SHAPE_STRING, SHAPE_NULLABLE}, {"license", SHAPE_STRING, SHAPE_NULLABLE},
		{"madeBy", SHAPE_OBJECT, SHAPE_NULLABLE}, {"ignored", SHAPE_OBJECT, SHAPE_NULLABLE}, {0},
	};

	if (shape_check(v, table, "input_resource", e) != 0)
		return -1;
	return resource_input_from_jcs(v, "input_resource", in, e);
}

static int
event_codec_read_sealed(const struct jcs *v, struct buf *spki, struct err *e)
{
	static const struct shape table[] = {EVENT_FRAME, {"runKey", SHAPE_OBJECT, 0}, {0}};
	static const struct shape key_table[] = {
		{"algorithm", SHAPE_STRING, 0}, {"digests", SHAPE_OBJECT, 0}, {"spki", SHAPE_BASE64, 0}, {0},
	};
	static const struct shape digests[] = {{"sha256", SHAPE_HEX32, 0}, {0}};
	const struct jcs *key = jcs_get(v, "runKey");
	const char *text;
	char found[OID_HEX_SIZE];
	struct oid id;

	if (shape_check(v, table, "inputs_sealed", e) != 0 ||
	    shape_check(key, key_table, "inputs_sealed: runKey", e) != 0 ||
	    shape_check(jcs_get(key, "digests"), digests, "inputs_sealed: digests", e) != 0)
		return -1;
	if (strcmp(jcs_get_string(key, "algorithm"), "ecdsa-p256-sha256") != 0)
		return err_set(e, ERR_UNSUPPORTED, "inputs_sealed: the run key must be ecdsa-p256-sha256");
	text = jcs_get_string(key, "spki");
	spki->max = EVENT_SPKI_MAX;
	if (base64_decode(spki, text, strlen(text), e) != 0 ||
	    oid_from_data(&id, spki->data, spki->len, e) != 0)
		return -1;
	oid_hex(&id, found);
	if (strcmp(found, jcs_get_string(jcs_get(key, "digests"), "sha256")) != 0)
		return err_set(e, ERR_FORMAT, "inputs_sealed: spki does not have the digest stated");
	return 0;
}

static void
event_codec_write_sealed(const struct buf *spki, struct jcs *v)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct jcs *key = jcs_new_object(), *digests = jcs_new_object();
	char hex[OID_HEX_SIZE];
	struct oid id;

	base64_encode(&text, spki->data, spki->len);
	if (text.failed || oid_from_data(&id, spki->data, spki->len, NULL) != 0) {
		jcs_set(digests, "sha256", NULL);
	} else {
		oid_hex(&id, hex);
		jcs_set_string(digests, "sha256", hex);
	}
	jcs_set_string(key, "algorithm", "ecdsa-p256-sha256");
	jcs_set(key, "digests", digests);
	jcs_set_string(key, "spki", buf_str(&text));
	jcs_set(v, "runKey", key);
}

/* --- run_started, output_resource, output_missing --- */

static int
event_codec_read_started(const struct jcs *v, struct event_banks *b, struct err *e)
{
	static const struct shape table[] = {EVENT_FRAME, {"pcr14", SHAPE_OBJECT, 0}, {0}};
	static const struct shape banks[] = {
		{"sha256", SHAPE_HEX32, SHAPE_OPTIONAL}, {"sha384", SHAPE_STRING, SHAPE_OPTIONAL}, {0},
	};
	const struct jcs *pcr = jcs_get(v, "pcr14");
	const char *text;

	if (shape_check(v, table, "run_started", e) != 0 ||
	    shape_check(pcr, banks, "run_started: pcr14", e) != 0)
		return -1;
	text = jcs_get_string(pcr, "sha256");
	b->has_sha256 = text != NULL;
	if (text != NULL && hex_decode(b->sha256, sizeof b->sha256, text, e) != 0)
		return -1;
	text = jcs_get_string(pcr, "sha384");
	b->has_sha384 = text != NULL;
	if (text != NULL && hex_decode(b->sha384, sizeof b->sha384, text, e) != 0)
		return err_prefix(e, "run_started: pcr14: sha384");
	if (!b->has_sha256 && !b->has_sha384)
		return err_set(e, ERR_FORMAT, "run_started: pcr14 has no bank");
	return 0;
}

static void
event_codec_write_started(const struct event_banks *b, struct jcs *v)
{
	struct jcs *pcr = jcs_new_object();
	char hex[97];

	if (b->has_sha256) {
		hex_encode(hex, b->sha256, sizeof b->sha256);
		jcs_set_string(pcr, "sha256", hex);
	}
	if (b->has_sha384) {
		hex_encode(hex, b->sha384, sizeof b->sha384);
		jcs_set_string(pcr, "sha384", hex);
	}
	jcs_set(v, "pcr14", pcr);
}

static int
event_codec_read_output(const struct jcs *v, struct resource *r, struct err *e)
{
	static const struct shape table[] = {EVENT_FRAME, EVENT_RESOURCE, {0}};

	if (shape_check(v, table, "output_resource", e) != 0)
		return -1;
	return resource_from_jcs(v, "output_resource", r, e);
}

static bool
event_codec_missing_ok(const char *reason)
{
	static const char *const reasons[] = {
		"absent", "symlink", "wrong-type", "unsupported", "unreadable", "not-run",
	};

	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (strcmp(reasons[i], reason) == 0)
			return true;
	return false;
}

static int
event_codec_read_missing(const struct jcs *v, struct event_output_missing *m, struct err *e)
{
	static const struct shape table[] = {
		EVENT_FRAME, {"type", SHAPE_STRING, 0}, {"path", SHAPE_STRING, 0},
		{"kind", SHAPE_STRING, 0}, {"reason", SHAPE_STRING, 0}, {0},
	};

	if (shape_check(v, table, "output_missing", e) != 0 ||
	    run_spec_output_from_jcs(v, "output_missing", &m->output, e) != 0)
		return -1;
	if (!event_codec_missing_ok(jcs_get_string(v, "reason")))
		return err_set(e, ERR_FORMAT, "output_missing: unknown reason");
	return event_codec_copy(v, "reason", &m->reason, e);
}

static void
event_codec_write_missing(const struct event_output_missing *m, struct jcs *v)
{
	jcs_set_string(v, "type", oid_type_name(m->output.type));
	jcs_set(v, "path", jcs_new_string(m->output.path));
	jcs_set(v, "kind", jcs_new_string(m->output.kind));
	jcs_set(v, "reason", jcs_new_string(m->reason));
}

/* --- run_finished, outputs_sealed --- */

static int
event_codec_read_log(const struct jcs *v, struct event_run_finished *f, struct err *e)
{
	static const struct shape table[] = {
		{"type", SHAPE_STRING, 0}, {"size", SHAPE_INT, 0}, {"digests", SHAPE_OBJECT, 0},
		{"truncated", SHAPE_BOOL, 0}, {0},
	};
	static const struct shape digests[] = {{"sha256", SHAPE_HEX32, 0}, {0}};

	if (shape_check(v, table, "run_finished: log", e) != 0 ||
	    shape_check(jcs_get(v, "digests"), digests, "run_finished: log", e) != 0)
		return -1;
	if (strcmp(jcs_get_string(v, "type"), "blob") != 0)
		return err_set(e, ERR_FORMAT, "run_finished: log must be a blob");
	f->log_size = event_codec_uint(v, "size");
	f->log_truncated = jcs_true(jcs_get(v, "truncated"));
	return oid_from_hex(&f->log, jcs_get_string(jcs_get(v, "digests"), "sha256"), e);
}

static int
event_codec_read_tpm(const struct jcs *v, struct event_run_finished *f, struct err *e)
{
	static const struct shape table[] = {
		{"clock", SHAPE_INT, 0}, {"resetCount", SHAPE_INT, 0}, {"restartCount", SHAPE_INT, 0}, {0},
	};

	if (shape_check(v, table, "run_finished: tpm", e) != 0)
		return -1;
	if (event_codec_uint(v, "resetCount") > UINT32_MAX || event_codec_uint(v, "restartCount") > UINT32_MAX)
		return err_set(e, ERR_FORMAT, "run_finished: tpm: a count beyond 2^32-1");
	f->tpm_clock = event_codec_uint(v, "clock");
	f->reset_count = (uint32_t)event_codec_uint(v, "resetCount");
	f->restart_count = (uint32_t)event_codec_uint(v, "restartCount");
	return 0;
}

static int
event_codec_read_devices(const struct jcs *v, struct event_run_finished *f, struct err *e)
{
	if (jcs_length(v) > EVENT_DEVICES_MAX)
		return err_set(e, ERR_FORMAT, "run_finished: too many devices");
	f->devices = calloc(jcs_length(v) + 1, sizeof *f->devices);
	if (f->devices == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < jcs_length(v); i++) {
		const char *name = jcs_string(jcs_at(v, i));

		if (name == NULL || (i > 0 && strcmp(f->devices[i - 1], name) >= 0))
			return err_set(e, ERR_FORMAT, "run_finished: devices must be sorted texts");
		f->devices[i] = buf_strdup(name, e);
		if (f->devices[i] == NULL)
			return -1;
		f->device_count++;
	}
	return 0;
}

/* Members that are there or null, in pairs where one makes no sense alone. */
static int
event_codec_read_result(const struct jcs *v, struct event_run_finished *f, struct err *e)
{
	const char *started = jcs_get_string(v, "started"), *finished = jcs_get_string(v, "finished");
	uint64_t code = event_codec_uint(v, "exitCode"), signal = event_codec_uint(v, "signal");

	f->has_exit_code = !jcs_is_null(jcs_get(v, "exitCode"));
	f->has_signal = !jcs_is_null(jcs_get(v, "signal"));
	f->has_times = started != NULL;
	f->has_usage = !jcs_is_null(jcs_get(v, "cpuMicroseconds"));
	if (code > 255 || signal > 255 || (f->has_exit_code && f->has_signal))
		return err_set(e, ERR_FORMAT, "run_finished: exitCode and signal contradict each other");
	if ((started == NULL) != (finished == NULL) ||
	    f->has_usage == jcs_is_null(jcs_get(v, "peakMemoryBytes")))
		return err_set(e, ERR_FORMAT, "run_finished: members that go together are null apart");
	f->exit_code = (int)code;
	f->signal = (int)signal;
	f->cpu_micros = event_codec_uint(v, "cpuMicroseconds");
	f->peak_memory_bytes = event_codec_uint(v, "peakMemoryBytes");
	if (started == NULL)
		return 0;
	return timestamp_parse(started, &f->started, e) != 0 ? -1 :
	    timestamp_parse(finished, &f->finished, e);
}

static int
event_codec_read_finished(const struct jcs *v, struct event_run_finished *f, struct err *e)
{
	static const struct shape table[] = {
		EVENT_FRAME, {"reason", SHAPE_STRING, 0}, {"exitCode", SHAPE_INT, SHAPE_NULLABLE},
		{"signal", SHAPE_INT, SHAPE_NULLABLE}, {"started", SHAPE_TIME, SHAPE_NULLABLE},
		{"finished", SHAPE_TIME, SHAPE_NULLABLE}, {"tpm", SHAPE_OBJECT, 0}, {"log", SHAPE_OBJECT, 0},
		{"cpuMicroseconds", SHAPE_INT, SHAPE_NULLABLE},
		{"peakMemoryBytes", SHAPE_INT, SHAPE_NULLABLE}, {"devices", SHAPE_ARRAY, 0}, {0},
	};

	if (shape_check(v, table, "run_finished", e) != 0 ||
	    event_reason_parse(jcs_get_string(v, "reason"), &f->reason, e) != 0 ||
	    event_codec_read_result(v, f, e) != 0 ||
	    event_codec_read_tpm(jcs_get(v, "tpm"), f, e) != 0 ||
	    event_codec_read_log(jcs_get(v, "log"), f, e) != 0)
		return -1;
	return event_codec_read_devices(jcs_get(v, "devices"), f, e);
}

static void
event_codec_set_optional(struct jcs *v, const char *name, bool has, uint64_t n)
{
	if (has)
		event_codec_set_uint(v, name, n);
	else
		jcs_set(v, name, jcs_new_null());
}

static void
event_codec_set_time(struct jcs *v, const char *name, bool has, int64_t seconds)
{
	char text[TIMESTAMP_SIZE];

	if (!has)
		jcs_set(v, name, jcs_new_null());
	else
		jcs_set(v, name, timestamp_format(text, seconds, NULL) == 0 ? jcs_new_string(text) : NULL);
}

static void
event_codec_write_finished(const struct event_run_finished *f, struct jcs *v)
{
	struct jcs *tpm = jcs_new_object(), *log = jcs_new_object(), *digests = jcs_new_object();
	struct jcs *devices = jcs_new_array();
	char hex[OID_HEX_SIZE];

	oid_hex(&f->log, hex);
	jcs_set_string(digests, "sha256", hex);
	jcs_set_string(log, "type", "blob");
	event_codec_set_uint(log, "size", f->log_size);
	jcs_set(log, "digests", digests);
	jcs_set_bool(log, "truncated", f->log_truncated);
	event_codec_set_uint(tpm, "clock", f->tpm_clock);
	event_codec_set_uint(tpm, "resetCount", f->reset_count);
	event_codec_set_uint(tpm, "restartCount", f->restart_count);
	for (size_t i = 0; i < f->device_count; i++)
		jcs_append(devices, jcs_new_string(f->devices[i]));
	jcs_set_string(v, "reason", event_reason_name(f->reason));
	event_codec_set_optional(v, "exitCode", f->has_exit_code, (uint64_t)f->exit_code);
	event_codec_set_optional(v, "signal", f->has_signal, (uint64_t)f->signal);
	event_codec_set_time(v, "started", f->has_times, f->started);
	event_codec_set_time(v, "finished", f->has_times, f->finished);
	jcs_set(v, "tpm", tpm);
	jcs_set(v, "log", log);
	event_codec_set_optional(v, "cpuMicroseconds", f->has_usage, f->cpu_micros);
	event_codec_set_optional(v, "peakMemoryBytes", f->has_usage, f->peak_memory_bytes);
	jcs_set(v, "devices", devices);
}

static int
event_codec_read_outputs_sealed(const struct jcs *v, uint64_t *ret, struct err *e)
{
	static const struct shape table[] = {EVENT_FRAME, {"outputs", SHAPE_INT, 0}, {0}};

	if (shape_check(v, table, "outputs_sealed", e) != 0)
		return -1;
	*ret = event_codec_uint(v, "outputs");
	return 0;
}

int
event_codec_read(const struct jcs *v, struct event *ev, struct err *e)
{
	switch (ev->kind) {
	case EVENT_RUN_REQUEST:
		return event_codec_read_request(v, &ev->u.request, e);
	case EVENT_INPUT_IMAGE:
		return event_codec_read_image(v, &ev->u.image, e);
	case EVENT_INPUT_RESOURCE:
		return event_codec_read_input(v, &ev->u.input, e);
	case EVENT_INPUTS_SEALED:
		return event_codec_read_sealed(v, &ev->u.sealed.spki, e);
	case EVENT_RUN_STARTED:
		return event_codec_read_started(v, &ev->u.started, e);
	case EVENT_OUTPUT_RESOURCE:
		return event_codec_read_output(v, &ev->u.output.output, e);
	case EVENT_OUTPUT_MISSING:
		return event_codec_read_missing(v, &ev->u.missing, e);
	case EVENT_RUN_FINISHED:
		return event_codec_read_finished(v, &ev->u.finished, e);
	case EVENT_OUTPUTS_SEALED:
		return event_codec_read_outputs_sealed(v, &ev->u.outputs_sealed.outputs, e);
	}
	return err_set(e, ERR_INTERNAL, "an event of an unknown kind");
}

void
event_codec_write(const struct event *ev, struct jcs *v)
{
	switch (ev->kind) {
	case EVENT_RUN_REQUEST:
		event_codec_write_request(&ev->u.request, v);
		break;
	case EVENT_INPUT_IMAGE:
		event_codec_write_image(&ev->u.image, v);
		break;
	case EVENT_INPUT_RESOURCE:
		resource_input_to_jcs(&ev->u.input, v);
		break;
	case EVENT_INPUTS_SEALED:
		event_codec_write_sealed(&ev->u.sealed.spki, v);
		break;
	case EVENT_RUN_STARTED:
		event_codec_write_started(&ev->u.started, v);
		break;
	case EVENT_OUTPUT_RESOURCE:
		resource_to_jcs(&ev->u.output.output, v);
		break;
	case EVENT_OUTPUT_MISSING:
		event_codec_write_missing(&ev->u.missing, v);
		break;
	case EVENT_RUN_FINISHED:
		event_codec_write_finished(&ev->u.finished, v);
		break;
	case EVENT_OUTPUTS_SEALED:
		event_codec_set_uint(v, "outputs", ev->u.outputs_sealed.outputs);
		break;
	}
}
