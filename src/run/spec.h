/* aicert.yaml, as declared (aicert.yaml(5)). */
#ifndef RUN_SPEC_H
#define RUN_SPEC_H

#include "object/run-spec.h"

enum spec_input_kind { SPEC_INPUT_PATH, SPEC_INPUT_GIT, SPEC_INPUT_URL };

struct spec_input {
	enum spec_input_kind from;
	char *path;             /* in the workspace */
	char *kind;             /* "file" unless declared */
	char *source, *license; /* NULL: none */
	char *url;              /* git: or url: */
	char *rev;              /* git: full id */
	char *sub_path;         /* git: the path inside the commit */
	struct oid sha256;      /* url: */
	bool extract;           /* url: unpack into the directory `path` */
	size_t line, column;    /* for messages */
};

struct spec {
	char *file;             /* name for messages */
	enum run_spec_image image;
	char *image_path;       /* rootfs, oci */
	char **command;
	size_t command_count;
	struct run_spec_env *env;
	size_t env_count;
	struct spec_input *inputs;
	size_t input_count;
	struct run_spec_output *outputs;
	size_t output_count;
	struct run_spec_limits limits;
};

/* Errors are ERR_SPEC "file:line:column: ...". */
int spec_decode(const char *file, const void *data, size_t len, struct spec *ret, struct err *e) MUST_CHECK;
void spec_free(struct spec *s);

#endif
