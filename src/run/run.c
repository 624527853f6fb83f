#include "run/run.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include "base/clock.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "crypto/key.h"
#include "object/statement.h"
#include "run/input-marks.h"
#include "run/inputs.h"
#include "run/measure.h"
#include "run/oci-config.h"
#include "run/outputs.h"
#include "run/run-dir.h"
#include "run/run-log.h"
#include "run/sandbox.h"
#include "store/odb.h"

/*
 * Steps, in this order; the invariants of run.h follow from it.
 *   1 prepare   everything that can be refused is refused before the TPM is touched
 *   2 begin     PCR 14 and 15 zero, start quote
 *   3 inputs    PCR 14, ended by the run key
 *   4 command   in the sandbox, until its last process is gone
 *   5 outputs   PCR 15, once the inputs are seen to be as they were
 *   6 seal      statement, quote, signature
 * After step 3 only the TPM, the store, the machine or changed inputs can keep a run from its
 * certificate: whatever the command does becomes part of it.
 */

struct run {
	const struct run_request *rq;
	char *tmp_name;                 /* beneath the store's tmp */
	int dirfd, scratchfd;
	struct event_sandbox sandbox;
	struct cgroup cgroup;
	struct rootfs rootfs;
	struct input_marks marks;
	struct run_log log;
	int log_fd;
	struct sandbox_end end;
	struct key *key;
	int64_t cancelled_ms;           /* when that was seen, monotonic; 0: it was not */
	uint64_t room;                  /* free space at the start: what outputs may add up to */
	struct measure m;
	struct certificate cert;        /* events are lent by m at the end */
};

static void
run_state(const struct run *r, const char *state)
{
	if (r->rq->observer.state != NULL)
		r->rq->observer.state(r->rq->observer.arg, state);
}

/* An interrupt_fn. */
static int
run_stop(void *arg, struct err *e)
{
	struct run *r = arg;
	struct pollfd p = {.fd = r->rq->cancel_fd, .events = POLLIN};
	int64_t most = r->end.reason == EVENT_CANCELLED ? RUN_CANCEL_KEEP_MS : RUN_CANCEL_MS;
	int64_t now = clock_ms() + 1; /* 0: not cancelled */

	if (p.fd < 0 || poll(&p, 1, 0) != 1)
		return 0;
	if (r->cancelled_ms == 0)
		r->cancelled_ms = now;
	if (now - r->cancelled_ms < most)
		return 0;
	return err_set(e, ERR_CANCELLED, "cancelled");
}

/* --- 1 --- */

static int
run_directory(struct run *r, struct err *e)
{
	if (run_dir_make(r->rq->store, &r->tmp_name, &r->dirfd, e) != 0)
		return -1;
	r->log_fd = fd_open_beneath(r->dirfd, "log", O_RDWR | O_CREAT | O_EXCL, 0600, e);
	if (r->log_fd < 0)
		return -1;
	run_log_start(&r->log, r->log_fd, RUN_LOG_BYTES_MAX);
	return 0;
}

static int
run_limits(struct run *r, struct err *e)
{
	char name[64];
	unsigned long long id = 0;

	memcpy(&id, r->m.run, sizeof id);
	snprintf(name, sizeof name, CGROUP_PREFIX "%d-%llx", (int)getpid(), id);
	if (cgroup_create(name, &r->cgroup, e) != 0)
		return -1;
	return cgroup_limit(&r->cgroup, &r->rq->spec->limits, e);
}

static int
run_prepare(struct run *r, struct err *e)
{
	const struct run_spec *spec = r->rq->spec;
	struct store *s = r->rq->store;

	run_state(r, "preparing");
	if (inputs_check(s, spec, e) != 0 || sandbox_probe(&r->sandbox, e) != 0 ||
	    run_limits(r, e) != 0 || run_directory(r, e) != 0 ||
	    inputs_place(s, spec, r->dirfd, e) != 0 ||
	    input_marks_take(spec, r->dirfd, &r->marks, e) != 0 || inputs_scratch(spec, r->dirfd, e) != 0 ||
	    rootfs_prepare(s, spec, r->dirfd, &r->rootfs, e) != 0)
		return -1;
	r->scratchfd = fd_open_beneath(r->dirfd, "scratch", O_RDONLY | O_DIRECTORY, 0, e);
	if (r->scratchfd < 0 || outputs_room(r->scratchfd, &r->room, e) != 0)
		return -1;
	return outputs_own(r->scratchfd, OCI_CONFIG_UID, OCI_CONFIG_UID, e);
}

/* --- 2 --- */

static bool
run_pcr_zero(const struct certificate_pcrs *p, unsigned pcr)
{
	static const unsigned char zero[48];

	return (!p->has_sha256 || memcmp(p->sha256[pcr], zero, 32) == 0) &&
	    (!p->has_sha384 || memcmp(p->sha384[pcr], zero, 48) == 0);
}

static int
run_quote(struct run *r, struct buf *text, struct certificate_quote *ret, struct err *e)
{
	unsigned char extra[HASH_SHA256_SIZE];

	if (buf_check(text, e) != 0 ||
	    hash_once(HASH_SHA256, text->data, text->len, extra, e) != 0)
		return -1;
	return quote_make(r->rq->tpm, extra, ret, e);
}

/* The boot log becomes an object of the run. */
static int
run_take_platform(struct run *r, struct err *e)
{
	const struct run_platform *p = r->rq->platform;
	struct certificate_blob_ref *log = &r->cert.boot_log;

	if (p == NULL)
		return 0;
	for (size_t i = 0; i < p->ak_chain_count; i++) {
		struct buf *copy = &r->cert.ak_chain[r->cert.ak_chain_count++];

		buf_add(copy, p->ak_chain[i].data, p->ak_chain[i].len);
		if (buf_check(copy, e) != 0)
			return -1;
	}
	if (p->boot_log.len == 0)
		return 0;
	log->media_type = buf_strdup(RUN_BOOT_LOG_TYPE, e);
	if (log->media_type == NULL ||
	    odb_put(r->rq->store, p->boot_log.data, p->boot_log.len, &log->id, e) != 0)
		return -1;
	log->size = p->boot_log.len;
	log->present = true;
	return 0;
}

static int
run_begin(struct run *r, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct certificate_pcrs pcrs;
	struct tpm *tpm = r->rq->tpm;

	run_state(r, "measuring");
	if (tpm_resettable(tpm) && tpm_reset(tpm, e) != 0)
		return -1;
	if (pcr_read_all(tpm, &pcrs, e) != 0)
		return -1;
	if (!run_pcr_zero(&pcrs, 14) || !run_pcr_zero(&pcrs, 15))
		return err_set(e, ERR_REFUSED, "PCR 14 and 15 were used in this boot: one run per boot;"
		    " restart the machine");
	if (ak_load(tpm, &r->cert.ak_public, e) != 0 || run_take_platform(r, e) != 0)
		return -1;
	memcpy(r->cert.nonce, r->rq->nonce, sizeof r->cert.nonce);
	statement_start_text(&text, r->rq->nonce);
	return run_quote(r, &text, &r->cert.start_quote, e);
}

/* --- 3 --- */

/* How this daemon works: texts, of which all are measured. */
static struct jcs *
run_config(const struct run_host *host)
{
	struct jcs *config = jcs_new_object();
	char number[32];

	snprintf(number, sizeof number, "%d", SANDBOX_GRACE_MS);
	jcs_set_string(config, "graceMilliseconds", number);
	snprintf(number, sizeof number, "%u", RUN_LOG_BYTES_MAX);
	jcs_set_string(config, "logBytesMax", number);
	if (host->document != NULL)
		jcs_set_string(config, "document", host->document);
	return config;
}

static int
run_measure_request(struct run *r, struct err *e)
{
	const struct run_host *host = &r->rq->host;
	CLEANUP(jcs_freep) struct jcs *config = run_config(host);
	CLEANUP(cleanup_free) char *daemon = buf_strdup(r->rq->daemon_version, e);
	CLEANUP(cleanup_free) char *name = NULL;
	CLEANUP(cleanup_free) char *version = NULL;
	struct event ev = {.kind = EVENT_RUN_REQUEST};
	struct event_run_request *q = &ev.u.request;

	if (daemon == NULL ||
	    (name = buf_strdup(host->image_name != NULL ? host->image_name : "unmeasured", e)) == NULL ||
	    (host->image_version != NULL && (version = buf_strdup(host->image_version, e)) == NULL))
		return -1;
	q->spec = *r->rq->spec; /* lent, as all that follows */
	memcpy(q->nonce, r->rq->nonce, sizeof q->nonce);
	q->image_name = name;
	q->image_version = version;
	q->tpm = tpm_kind(r->rq->tpm);
	q->sandbox = r->sandbox;
	q->config = config;
	q->daemon_version = daemon;
	return measure_event(&r->m, &ev, e);
}

static int
run_measure_image(struct run *r, struct err *e)
{
	struct event ev = {.kind = EVENT_INPUT_IMAGE};

	ev.u.image.image = r->rq->spec->image;
	if (r->rq->spec->image != RUN_SPEC_HOST)
		ev.u.image.file = r->rq->spec->image_file;
	else if (r->rq->host.verity != NULL) {
		ev.u.image.has_verity = true;
		memcpy(ev.u.image.verity, r->rq->host.verity, sizeof ev.u.image.verity);
	}
	return measure_event(&r->m, &ev, e);
}

static int
run_measure_inputs(struct run *r, struct err *e)
{
	struct event sealed = {.kind = EVENT_INPUTS_SEALED};
	int rc;

	if (run_measure_request(r, e) != 0 || run_measure_image(r, e) != 0)
		return -1;
	for (size_t i = 0; i < r->rq->spec->input_count; i++) {
		struct event ev = {.kind = EVENT_INPUT_RESOURCE};

		ev.u.input = r->rq->spec->inputs[i];
		if (measure_event(&r->m, &ev, e) != 0)
			return -1;
	}
	if (key_generate_p256(&r->key, e) != 0 || key_spki(r->key, &sealed.u.sealed.spki, e) != 0)
		return -1;
	rc = measure_event(&r->m, &sealed, e);
	buf_free(&sealed.u.sealed.spki);
	return rc;
}

/* --- 4 --- */

static int
run_on_log(void *arg, const void *data, size_t len, struct err *e)
{
	struct run *r = arg;

	if (r->rq->observer.log != NULL)
		r->rq->observer.log(r->rq->observer.arg, data, len);
	return run_log_add(&r->log, data, len, e);
}

static void
run_on_started(void *arg)
{
	run_state(arg, "running");
}

/* A line of ours among the command's output. */
static int
run_say(struct run *r, const char *what, const char *detail, struct err *e)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT;

	buf_addf(&line, "[aicert: %s: %s]\n", what, detail);
	if (buf_check(&line, e) != 0)
		return -1;
	return run_on_log(r, line.data, line.len, e);
}

static int
run_command(struct run *r, struct err *e)
{
	const struct sandbox s = {
		.run_dirfd = r->dirfd,
		.spec = r->rq->spec,
		.rootfs = &r->rootfs,
		.file_bytes_max = r->room,
		.enforce = &r->sandbox,
		.cgroup = &r->cgroup,
		.cancel_fd = r->rq->cancel_fd,
		.started = run_on_started,
		.log = run_on_log,
		.arg = r,
	};

	sandbox_run(&s, &r->end);
	cgroup_remove(&r->cgroup);
	if (r->end.message[0] != '\0' &&
	    run_say(r, event_reason_name(r->end.reason), r->end.message, e) != 0)
		return -1;
	return outputs_own(r->scratchfd, geteuid(), getegid(), e);
}

/* --- 5 --- */

static int
run_measure_started(struct run *r, struct err *e)
{
	struct event ev = {.kind = EVENT_RUN_STARTED};
	struct event_banks *b = &ev.u.started;
	struct certificate_pcrs p;

	if (pcr_read_all(r->rq->tpm, &p, e) != 0)
		return -1;
	b->has_sha256 = p.has_sha256;
	b->has_sha384 = p.has_sha384;
	memcpy(b->sha256, p.sha256[14], sizeof b->sha256);
	memcpy(b->sha384, p.sha384[14], sizeof b->sha384);
	return measure_event(&r->m, &ev, e);
}

static int
run_measure_missing(struct run *r, const struct run_spec_output *o, const char *reason,
    struct err *e)
{
	struct event ev = {.kind = EVENT_OUTPUT_MISSING};
	int rc;

	ev.u.missing.output = *o;
	ev.u.missing.reason = buf_strdup(reason, e);
	if (ev.u.missing.reason == NULL)
		return -1;
	rc = measure_event(&r->m, &ev, e);
	free(ev.u.missing.reason);
	return rc;
}

static int
run_measure_output(struct run *r, const struct run_spec_output *o, struct err *e)
{
	CLEANUP(buf_free) struct buf detail = BUF_INIT;
	struct event ev = {.kind = EVENT_OUTPUT_RESOURCE};
	const char *reason;
	int rc;

	if (!r->end.has_times)
		return run_measure_missing(r, o, "not-run", e);
	if (outputs_measure(r->scratchfd, o, &r->room, &reason, &detail, e) != 0)
		return -1;
	if (reason == NULL &&
	    outputs_take(r->rq->store, r->scratchfd, o, &ev.u.output.output, &reason, &detail, e) != 0)
		return -1;
	if (reason != NULL)
		return run_say(r, "output missing", buf_str(&detail), e) != 0 ? -1 :
		    run_measure_missing(r, o, reason, e);
	rc = measure_event(&r->m, &ev, e);
	resource_free(&ev.u.output.output);
	return rc;
}

static int
run_store_log(struct run *r, struct event_run_finished *f, struct err *e)
{
	if (run_log_finish(&r->log, &f->log_truncated, e) != 0 ||
	    fd_close(&r->log_fd, "the run's log", e) != 0)
		return -1;
	return odb_adopt(r->rq->store, r->dirfd, "log", &f->log, &f->log_size, e);
}

static int
run_measure_finished(struct run *r, struct err *e)
{
	struct event ev = {.kind = EVENT_RUN_FINISHED};
	struct event_run_finished *f = &ev.u.finished;

	f->reason = r->end.reason;
	f->has_exit_code = r->end.has_exit_code;
	f->exit_code = r->end.exit_code;
	f->has_signal = r->end.has_signal;
	f->signal = r->end.signal;
	f->has_times = r->end.has_times;
	f->started = r->end.started;
	f->finished = r->end.finished;
	f->has_usage = r->end.usage.known;
	f->cpu_micros = r->end.usage.cpu_micros;
	f->peak_memory_bytes = r->end.usage.peak_memory_bytes;
	if (run_store_log(r, f, e) != 0 ||
	    quote_clock(r->rq->tpm, &f->tpm_clock, &f->reset_count, &f->restart_count, e) != 0)
		return -1;
	return measure_event(&r->m, &ev, e);
}

static int
run_measure_outputs(struct run *r, struct err *e)
{
	const struct run_spec *spec = r->rq->spec;
	struct event sealed = {.kind = EVENT_OUTPUTS_SEALED};

	run_state(r, "hashing");
	if (input_marks_check(&r->marks, spec, r->dirfd, e) != 0)
		return -1;
	if (run_measure_started(r, e) != 0)
		return -1;
	for (size_t i = 0; i < spec->output_count; i++)
		if (run_measure_output(r, &spec->outputs[i], e) != 0)
			return -1;
	if (run_measure_finished(r, e) != 0)
		return -1;
	sealed.u.outputs_sealed.outputs = spec->output_count;
	return measure_event(&r->m, &sealed, e);
}

/* --- 6 --- */

static int
run_envelope(struct run *r, struct oid *ret_payload, struct err *e)
{
	CLEANUP(buf_free) struct buf pae = BUF_INIT;
	struct dsse *d = &r->cert.envelope;

	if (statement_derive(r->m.events, r->m.count, &d->payload, e) != 0 ||
	    oid_from_data(ret_payload, d->payload.data, d->payload.len, e) != 0 ||
	    key_spki_digest(r->key, d->keyid.b, e) != 0)
		return -1;
	dsse_pae(&pae, d->payload.data, d->payload.len);
	if (buf_check(&pae, e) != 0)
		return -1;
	return key_sign(r->key, pae.data, pae.len, &d->signature, e);
}

static int
run_seal(struct run *r, struct buf *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct oid payload;
	int rc;

	run_state(r, "sealing");
	if (run_envelope(r, &payload, e) != 0)
		return -1;
	statement_quote_text(&text, r->rq->nonce, &payload);
	if (run_quote(r, &text, &r->cert.quote, e) != 0)
		return -1;
	r->cert.events = r->m.events;
	r->cert.event_count = r->m.count;
	rc = certificate_encode(&r->cert, ret, e);
	r->cert.events = NULL; /* they stay m's */
	r->cert.event_count = 0;
	return rc;
}

static void
run_free(struct run *r)
{
	cgroup_remove(&r->cgroup);
	cleanup_close(&r->scratchfd);
	cleanup_close(&r->log_fd);
	if (r->dirfd >= 0)
		inputs_keep(r->rq->store, r->rq->spec, r->dirfd);
	if (r->tmp_name != NULL)
		run_dir_remove(r->rq->store, r->tmp_name);
	cleanup_close(&r->dirfd); /* the lock goes last */
	free(r->tmp_name);
	rootfs_free(&r->rootfs);
	sandbox_probe_free(&r->sandbox);
	input_marks_free(&r->marks);
	run_log_free(&r->log);
	key_free(r->key);
	measure_free(&r->m);
	certificate_free(&r->cert);
}

/* A step that hashes files. */
static int
run_watched(struct run *r, int (*step)(struct run *r, struct err *e), struct err *e)
{
	int rc;

	interrupt_watch(run_stop, r);
	rc = step(r, e);
	interrupt_watch(NULL, NULL);
	return rc;
}

int
run_execute(const struct run_request *rq, struct buf *ret_certificate, struct err *e)
{
	CLEANUP(run_free) struct run r = {.rq = rq, .dirfd = -1, .scratchfd = -1, .log_fd = -1};

	if (measure_start(&r.m, rq->tpm, e) != 0 || run_watched(&r, run_prepare, e) != 0 ||
	    run_begin(&r, e) != 0 || run_measure_inputs(&r, e) != 0 || run_command(&r, e) != 0 ||
	    run_watched(&r, run_measure_outputs, e) != 0)
		return -1;
	return run_seal(&r, ret_certificate, e);
}
