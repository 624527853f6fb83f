#include "object/run-spec.h"

#include <string.h>
#include "base/path.h"
#include "codec/shape.h"

#define RUN_SPEC_WORDS_MAX 4096
#define RUN_SPEC_ENV_MAX 1024

static const char *const run_spec_images[] = {
	[RUN_SPEC_HOST] = "host",
	[RUN_SPEC_ROOTFS] = "rootfs",
	[RUN_SPEC_OCI] = "oci",
};

const char *
run_spec_image_name(enum run_spec_image image)
{
	return run_spec_images[image];
}

int
run_spec_image_parse(const char *name, enum run_spec_image *ret, struct err *e)
{
	for (size_t i = 0; name != NULL && i < sizeof run_spec_images / sizeof run_spec_images[0]; i++) {
		if (strcmp(run_spec_images[i], name) == 0) {
			*ret = (enum run_spec_image)i;
			return 0;
		}
	}
	return err_set(e, ERR_FORMAT, "image must be host, rootfs or oci");
}

/* --- writing --- */

struct jcs *
run_spec_output_to_jcs(const struct run_spec_output *o)
{
	struct jcs *v = jcs_new_object();

	jcs_set_string(v, "path", o->path);
	jcs_set_string(v, "kind", o->kind);
	jcs_set_string(v, "type", oid_type_name(o->type));
	return v;
}

static void
run_spec_set_limit(struct jcs *v, const char *name, uint64_t n)
{
	if (n == 0)
		jcs_set(v, name, jcs_new_null());
	else
		jcs_set_int(v, name, n <= (uint64_t)JCS_INT_MAX ? (int64_t)n : INT64_MAX);
}

static struct jcs *
run_spec_limits_to_jcs(const struct run_spec_limits *l)
{
	struct jcs *v = jcs_new_object();

	run_spec_set_limit(v, "cpuMillis", l->cpu_millis);
	run_spec_set_limit(v, "memoryBytes", l->memory_bytes);
	run_spec_set_limit(v, "timeSeconds", l->time_seconds);
	run_spec_set_limit(v, "shmBytes", l->shm_bytes);
	return v;
}

struct jcs *
run_spec_to_jcs(const struct run_spec *s)
{
	struct jcs *v = jcs_new_object(), *command = jcs_new_array(), *env = jcs_new_object();
	struct jcs *inputs = jcs_new_array(), *outputs = jcs_new_array(), *file = NULL;

	for (size_t i = 0; i < s->command_count; i++)
		jcs_append(command, jcs_new_string(s->command[i]));
	for (size_t i = 0; i < s->env_count; i++)
		jcs_set_string(env, s->env[i].name, s->env[i].value);
	for (size_t i = 0; i < s->input_count; i++) {
		struct jcs *input = jcs_new_object();

		resource_input_to_jcs(&s->inputs[i], input);
		jcs_append(inputs, input);
	}
	for (size_t i = 0; i < s->output_count; i++)
		jcs_append(outputs, run_spec_output_to_jcs(&s->outputs[i]));
	if (s->image != RUN_SPEC_HOST) {
		file = jcs_new_object();
		resource_to_jcs(&s->image_file, file);
	}
	jcs_set_int(v, "version", 1);
	jcs_set_string(v, "image", run_spec_image_name(s->image));
	jcs_set(v, "imageFile", s->image == RUN_SPEC_HOST ? jcs_new_null() : file);
	jcs_set(v, "command", command);
	jcs_set(v, "env", env);
	jcs_set(v, "inputs", inputs);
	jcs_set(v, "outputs", outputs);
	jcs_set(v, "limits", run_spec_limits_to_jcs(&s->limits));
	return v;
}

/* --- reading --- */

static int
run_spec_limit(const struct jcs *limits, const char *name, uint64_t *ret, struct err *e)
{
	const struct jcs *v = jcs_get(limits, name);
	int64_t n;

	if (jcs_is_null(v))
		return 0;
	if (jcs_int(v, &n) != 0 || n <= 0)
		return err_set(e, ERR_FORMAT, "spec: limits: \"%s\" must be a positive integer or null", name);
	*ret = (uint64_t)n;
	return 0;
}

static int
run_spec_read_limits(const struct jcs *v, struct run_spec_limits *ret, struct err *e)
{
	static const struct shape table[] = {
		{"cpuMillis", SHAPE_INT, SHAPE_NULLABLE}, {"memoryBytes", SHAPE_INT, SHAPE_NULLABLE},
		{"timeSeconds", SHAPE_INT, SHAPE_NULLABLE}, {"shmBytes", SHAPE_INT, SHAPE_NULLABLE}, {0},
	};

	if (shape_check(v, table, "spec: limits", e) != 0 ||
	    run_spec_limit(v, "cpuMillis", &ret->cpu_millis, e) != 0 ||
	    run_spec_limit(v, "memoryBytes", &ret->memory_bytes, e) != 0 ||
	    run_spec_limit(v, "timeSeconds", &ret->time_seconds, e) != 0)
		return -1;
	return run_spec_limit(v, "shmBytes", &ret->shm_bytes, e);
}

static int
run_spec_read_command(const struct jcs *v, struct run_spec *s, struct err *e)
{
	size_t n = jcs_length(v);

	if (n == 0 || n > RUN_SPEC_WORDS_MAX)
		return err_set(e, ERR_FORMAT, "spec: command must have 1 to %d words", RUN_SPEC_WORDS_MAX);
	s->command = calloc(n + 1, sizeof *s->command);
	if (s->command == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		const char *word = jcs_string(jcs_at(v, i));

		if (word == NULL || (i == 0 && *word == '\0'))
			return err_set(e, ERR_FORMAT, "spec: command must be texts, the first not empty");
		s->command[i] = buf_strdup(word, e);
		if (s->command[i] == NULL)
			return -1;
		s->command_count++;
	}
	return 0;
}

bool
run_spec_env_name_ok(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && name[n] == '\0' && (name[0] < '0' || name[0] > '9');
}

static int
run_spec_read_env(const struct jcs *v, struct run_spec *s, struct err *e)
{
	size_t n = jcs_length(v);

	if (n > RUN_SPEC_ENV_MAX)
		return err_set(e, ERR_FORMAT, "spec: env has more than %d entries", RUN_SPEC_ENV_MAX);
	s->env = calloc(n + 1, sizeof *s->env);
	if (s->env == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		const char *name = "";
		const char *value = jcs_string(jcs_member(v, i, &name));

		if (value == NULL || !run_spec_env_name_ok(name))
			return err_set(e, ERR_FORMAT, "spec: env: \"%s\" is no name, or its value no text", name);
		s->env_count++;
		s->env[i].name = buf_strdup(name, e);
		s->env[i].value = buf_strdup(value, e);
		if (s->env[i].name == NULL || s->env[i].value == NULL)
			return -1;
	}
	return 0;
}

static int
run_spec_read_inputs(const struct jcs *v, struct run_spec *s, struct err *e)
{
	static const struct shape table[] = {
		{"type", SHAPE_STRING, 0}, {"path", SHAPE_STRING, 0}, {"kind", SHAPE_STRING, 0},
		{"size", SHAPE_INT, 0}, {"digests", SHAPE_OBJECT, 0}, {"origin", SHAPE_STRING, 0},
		{"source", SHAPE_STRING, SHAPE_NULLABLE}, {"license", SHAPE_STRING, SHAPE_NULLABLE},
		{"madeBy", SHAPE_OBJECT, SHAPE_NULLABLE}, {"ignored", SHAPE_OBJECT, SHAPE_NULLABLE}, {0},
	};

	s->inputs = calloc(jcs_length(v) + 1, sizeof *s->inputs);
	if (s->inputs == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < jcs_length(v); i++) {
		char where[64];

		snprintf(where, sizeof where, "spec: inputs[%zu]", i);
		if (shape_check(jcs_at(v, i), table, where, e) != 0 ||
		    resource_input_from_jcs(jcs_at(v, i), where, &s->inputs[i], e) != 0)
			return -1;
		s->input_count++;
	}
	return 0;
}

int
run_spec_output_from_jcs(const struct jcs *v, const char *where, struct run_spec_output *ret,
    struct err *e)
{
	const char *path = jcs_get_string(v, "path"), *kind = jcs_get_string(v, "kind");
	const char *type = jcs_get_string(v, "type");
	struct run_spec_output o = {0};

	if (path == NULL || kind == NULL || type == NULL)
		return err_set(e, ERR_FORMAT, "%s: path, kind and type are needed", where);
	if (oid_type_parse(type, &o.type, e) != 0 || path_check(path, e) != 0)
		return err_prefix(e, "%s", where);
	if ((o.type != OBJECT_BLOB && o.type != OBJECT_TREE) || !resource_kind_ok(kind))
		return err_set(e, ERR_FORMAT, "%s: not a valid type or kind", where);
	o.path = buf_strdup(path, e);
	o.kind = buf_strdup(kind, e);
	if (o.path == NULL || o.kind == NULL) {
		run_spec_output_free(&o);
		return -1;
	}
	*ret = o;
	return 0;
}

void
run_spec_output_free(struct run_spec_output *o)
{
	free(o->path);
	free(o->kind);
	*o = (struct run_spec_output){0};
}

static int
run_spec_read_outputs(const struct jcs *v, struct run_spec *s, struct err *e)
{
	static const struct shape table[] = {
		{"type", SHAPE_STRING, 0}, {"path", SHAPE_STRING, 0}, {"kind", SHAPE_STRING, 0}, {0},
	};

	s->outputs = calloc(jcs_length(v) + 1, sizeof *s->outputs);
	if (s->outputs == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < jcs_length(v); i++) {
		char where[64];

		snprintf(where, sizeof where, "spec: outputs[%zu]", i);
		if (shape_check(jcs_at(v, i), table, where, e) != 0 ||
		    run_spec_output_from_jcs(jcs_at(v, i), where, &s->outputs[i], e) != 0)
			return -1;
		s->output_count++;
	}
	return 0;
}

static int
run_spec_path_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* No path twice and none beneath another.  Sorted with '/' as it is, "a" and
 * "a/b" may have "a.c" between them: every prefix is looked up. */
static int
run_spec_paths_disjoint(const char **paths, size_t n, struct err *e)
{
	qsort(paths, n, sizeof *paths, run_spec_path_compare);
	for (size_t i = 0; i < n; i++) {
		CLEANUP(cleanup_free) char *prefix = buf_strdup(paths[i], e);
		char *slash;

		if (prefix == NULL)
			return -1;
		if (i > 0 && strcmp(paths[i - 1], paths[i]) == 0)
			return err_set(e, ERR_FORMAT, "spec: %s is named twice", paths[i]);
		while ((slash = strrchr(prefix, '/')) != NULL) {
			*slash = '\0';
			if (bsearch(&prefix, paths, n, sizeof *paths, run_spec_path_compare) != NULL)
				return err_set(e, ERR_FORMAT, "spec: %s lies beneath %s", paths[i], prefix);
		}
	}
	return 0;
}

int
run_spec_check_paths(const struct run_spec *s, struct err *e)
{
	size_t n = 0, total = s->input_count + s->output_count;
	CLEANUP(cleanup_free) const char **paths = NULL;

	if (total > RUN_SPEC_ITEMS_MAX)
		return err_set(e, ERR_FORMAT, "spec: more than %d inputs and outputs; a directory counts"
		    " as one", RUN_SPEC_ITEMS_MAX);
	paths = calloc(total + 1, sizeof *paths);
	if (paths == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->input_count; i++)
		paths[n++] = s->inputs[i].thing.path;
	for (size_t i = 0; i < s->output_count; i++)
		paths[n++] = s->outputs[i].path;
	return run_spec_paths_disjoint(paths, n, e);
}

static int
run_spec_read_image(const struct jcs *v, struct run_spec *s, struct err *e)
{
	static const struct shape table[] = {
		{"type", SHAPE_STRING, 0}, {"path", SHAPE_STRING, 0}, {"kind", SHAPE_STRING, 0},
		{"size", SHAPE_INT, 0}, {"digests", SHAPE_OBJECT, 0}, {0},
	};
	const struct jcs *file = jcs_get(v, "imageFile");

	if (run_spec_image_parse(jcs_get_string(v, "image"), &s->image, e) != 0)
		return err_prefix(e, "spec");
	if ((s->image == RUN_SPEC_HOST) != jcs_is_null(file))
		return err_set(e, ERR_FORMAT, "spec: imageFile must be null for the image host, and only then");
	if (s->image == RUN_SPEC_HOST)
		return 0;
	if (shape_check(file, table, "spec: imageFile", e) != 0)
		return -1;
	if (strcmp(jcs_get_string(file, "kind"), "image") != 0)
		return err_set(e, ERR_FORMAT, "spec: imageFile: the kind must be \"image\"");
	return resource_from_jcs(file, "spec: imageFile", &s->image_file, e);
}

static int
run_spec_read(const struct jcs *v, struct run_spec *s, struct err *e)
{
	static const struct shape table[] = {
		{"version", SHAPE_INT, 0}, {"image", SHAPE_STRING, 0},
		{"imageFile", SHAPE_OBJECT, SHAPE_NULLABLE}, {"command", SHAPE_ARRAY, 0},
		{"env", SHAPE_OBJECT, 0}, {"inputs", SHAPE_ARRAY, 0}, {"outputs", SHAPE_ARRAY, 0},
		{"limits", SHAPE_OBJECT, 0}, {0},
	};
	int64_t version;

	if (shape_check(v, table, "spec", e) != 0)
		return -1;
	if (jcs_int(jcs_get(v, "version"), &version) != 0 || version != 1)
		return err_set(e, ERR_UNSUPPORTED, "spec: this version of aicert knows version 1 only");
	if (run_spec_read_image(v, s, e) != 0 || run_spec_read_command(jcs_get(v, "command"), s, e) != 0 ||
	    run_spec_read_env(jcs_get(v, "env"), s, e) != 0 ||
	    run_spec_read_inputs(jcs_get(v, "inputs"), s, e) != 0 ||
	    run_spec_read_outputs(jcs_get(v, "outputs"), s, e) != 0 ||
	    run_spec_read_limits(jcs_get(v, "limits"), &s->limits, e) != 0)
		return -1;
	return run_spec_check_paths(s, e);
}

int
run_spec_from_jcs(const struct jcs *v, struct run_spec *ret, struct err *e)
{
	struct run_spec s = {0};

	if (run_spec_read(v, &s, e) != 0) {
		run_spec_free(&s);
		return err_prefix(e, "aicert-certificate(5) section 4.2");
	}
	*ret = s;
	return 0;
}

void
run_spec_free(struct run_spec *s)
{
	resource_free(&s->image_file);
	for (size_t i = 0; i < s->command_count; i++)
		free(s->command[i]);
	for (size_t i = 0; i < s->env_count; i++) {
		free(s->env[i].name);
		free(s->env[i].value);
	}
	for (size_t i = 0; i < s->input_count; i++)
		resource_input_free(&s->inputs[i]);
	for (size_t i = 0; i < s->output_count; i++)
		run_spec_output_free(&s->outputs[i]);
	free(s->command);
	free(s->env);
	free(s->inputs);
	free(s->outputs);
	*s = (struct run_spec){0};
}
