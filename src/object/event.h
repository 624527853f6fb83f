/*
 * Events: the canonical JSON texts extended into PCR 14 and PCR 15
 * (aicert-certificate(5) "Events").  One decoder and one encoder for each;
 * the text is what is measured and is never written again from parts by a
 * verifier: it is decoded, checked, and compared.
 */
#ifndef OBJECT_EVENT_H
#define OBJECT_EVENT_H

#include "object/run-spec.h"

#define EVENT_COUNT_MAX 4096
#define EVENT_BYTES_MAX (8u * 1024 * 1024)

enum event_kind {
	EVENT_RUN_REQUEST,
	EVENT_INPUT_IMAGE,
	EVENT_INPUT_RESOURCE,
	EVENT_INPUTS_SEALED,
	EVENT_RUN_STARTED,
	EVENT_OUTPUT_RESOURCE,
	EVENT_OUTPUT_MISSING,
	EVENT_RUN_FINISHED,
	EVENT_OUTPUTS_SEALED
};

enum event_tpm { EVENT_TPM_EMBEDDED, EVENT_TPM_SWTPM, EVENT_TPM_MSSIM, EVENT_TPM_DEVICE };

enum event_reason {
	EVENT_EXITED,        /* exit code set */
	EVENT_SIGNALED,      /* signal set */
	EVENT_TIME_LIMIT,
	EVENT_MEMORY_LIMIT,
	EVENT_CANCELLED,
	EVENT_SANDBOX,       /* could not be set up; the command was not started */
	EVENT_NOT_STARTED    /* command not found or not executable */
};

/* PCR values by bank; a bank the TPM lacks is absent. */
struct event_banks {
	bool has_sha256, has_sha384;
	unsigned char sha256[32];
	unsigned char sha384[48];
};

struct event_sandbox {       /* what will be enforced, probed beforehand */
	char *name;              /* "crun" */
	char *version;
	bool rootless;
	bool user_namespace;
	bool seccomp;
	bool cgroup;             /* limits of CPU and memory can be enforced */
	uint64_t uid;            /* inside */
};

struct event_run_request {
	struct run_spec spec;
	unsigned char nonce[32];
	char *image_name;        /* base image, "unmeasured" where there is none */
	char *image_version;     /* NULL: null */
	char *daemon_version;
	enum event_tpm tpm;
	struct event_sandbox sandbox;
	struct jcs *config;      /* the daemon's run-time configuration: an object of strings */
};                           /* network is always "none" */

struct event_input_image {
	enum run_spec_image image;
	struct resource file;    /* rootfs, oci */
	bool has_verity;         /* host: verity root hash, or null where unmeasured */
	unsigned char verity[32];
};

struct event_output_missing {
	struct run_spec_output output;
	char *reason;            /* absent, symlink, wrong-type, unsupported, unreadable, not-run */
};

struct event_run_finished {
	enum event_reason reason;
	bool has_exit_code;
	int exit_code;
	bool has_signal;
	int signal;
	int64_t started, finished;     /* as the host claims; 0 and not started: null */
	bool has_times;
	uint64_t tpm_clock;            /* milliseconds, TPMS_CLOCK_INFO.clock after the run */
	uint32_t reset_count, restart_count;
	struct oid log;                /* blob */
	uint64_t log_size;
	bool log_truncated;
	bool has_usage;                /* null where not measured */
	uint64_t cpu_micros, peak_memory_bytes;
	char **devices;                /* accelerators passed in; sorted */
	size_t device_count;
};

struct event {
	enum event_kind kind;
	int pcr;                 /* 14 or 15 */
	unsigned char run[32];
	uint64_t seq;
	char *text;              /* canonical, NUL ended; what is measured */
	size_t len;
	union {
		struct event_run_request request;
		struct event_input_image image;
		struct resource_input input;
		struct { struct buf spki; } sealed;        /* run key, DER; its digest is in the text */
		struct event_banks started;                /* PCR 14 */
		struct { struct resource output; } output;
		struct event_output_missing missing;
		struct event_run_finished finished;
		struct { uint64_t outputs; } outputs_sealed;
	} u;
};

int event_decode(const char *text, size_t len, struct event *ret, struct err *e) MUST_CHECK;
/* Fills ev->text and ev->len from the other members. */
int event_encode(struct event *ev, struct err *e) MUST_CHECK;
void event_free(struct event *ev);

const char *event_kind_name(enum event_kind kind);
const char *event_tpm_name(enum event_tpm tpm);
const char *event_reason_name(enum event_reason reason);
/* exit code 0, reason "exited", nothing missing is event_run_ok()'s caller's to add */
bool event_finished_ok(const struct event_run_finished *f);

#endif
