/*
 * The resolved spec: what a runner is asked to do, with every input named by
 * its digest.  Made from aicert.yaml by run/resolve; sent to the runner; the
 * "spec" member of run_request.  aicert-certificate(5) "Resolved spec".
 */
#ifndef OBJECT_RUN_SPEC_H
#define OBJECT_RUN_SPEC_H

#include "object/resource.h"

#define RUN_SPEC_ITEMS_MAX 4000   /* inputs + outputs: below the 4,096 events of a run */

enum run_spec_image { RUN_SPEC_HOST, RUN_SPEC_ROOTFS, RUN_SPEC_OCI };

struct run_spec_output {
	enum object_type type;      /* OBJECT_TREE when declared with a trailing '/' */
	char *path;
	char *kind;                 /* "file" unless declared */
};

struct run_spec_env {
	char *name;                 /* [A-Za-z_][A-Za-z0-9_]* */
	char *value;
};

struct run_spec_limits {        /* 0: none asked */
	uint64_t cpu_millis;        /* thousandths of a CPU */
	uint64_t memory_bytes;
	uint64_t time_seconds;
	uint64_t shm_bytes;
};

struct run_spec {
	enum run_spec_image image;
	struct resource image_file; /* rootfs, oci: what is unpacked; kind "image" */
	char **command;             /* at least one word */
	size_t command_count;
	struct run_spec_env *env;   /* sorted by name */
	size_t env_count;
	struct resource_input *inputs;
	size_t input_count;
	struct run_spec_output *outputs;
	size_t output_count;
	struct run_spec_limits limits;
};

struct jcs *run_spec_to_jcs(const struct run_spec *s);
/* Checks every rule: paths, kinds, counts, no path twice, none beneath another. */
int run_spec_from_jcs(const struct jcs *v, struct run_spec *ret, struct err *e) MUST_CHECK;
void run_spec_free(struct run_spec *s);
/* "python3 train.py" for people, quoted as a shell would where a word needs it; added
 * to ret. */
void run_spec_command(const struct run_spec *s, struct buf *ret);

/* The parts, for events and for aicert.yaml. */
const char *run_spec_image_name(enum run_spec_image image);
int run_spec_image_parse(const char *name, enum run_spec_image *ret, struct err *e) MUST_CHECK;
bool run_spec_env_name_ok(const char *name);
struct jcs *run_spec_output_to_jcs(const struct run_spec_output *o);
int run_spec_output_from_jcs(const struct jcs *v, const char *where, struct run_spec_output *ret,
    struct err *e) MUST_CHECK;
void run_spec_output_free(struct run_spec_output *o);
/* No path twice, none beneath another, not too many. */
int run_spec_check_paths(const struct run_spec *s, struct err *e) MUST_CHECK;

#endif
