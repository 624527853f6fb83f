#include "run/spec.h"

#include <string.h>
#include "base/hex.h"
#include "base/path.h"
#include "codec/yaml.h"
#include "run/spec-paths.h"
#include "run/spec-value.h"

#define SPEC_TEXT_MAX 32768      /* of one word or value: the kernel takes 128 KiB */
#define SPEC_WORDS_MAX 4096
#define SPEC_ENV_MAX 1024

/* The document, what is made of it, and where paths stood. */
struct spec_reader {
	const struct yaml_doc *doc;
	struct spec *s;
	struct spec_paths paths;
	struct err *e;
};

static int
spec_text(struct spec_reader *r, const struct yaml *n, const char *what, char **ret)
{
	const char *text = yaml_scalar(n);

	if (text == NULL)
		return yaml_error(r->doc, n, r->e, "%s must be a text", what);
	if (strlen(text) > SPEC_TEXT_MAX)
		return yaml_error(r->doc, n, r->e, "%s is longer than %d bytes", what, SPEC_TEXT_MAX);
	*ret = buf_strdup(text, r->e);
	return *ret != NULL ? 0 : -1;
}

/* The value of a key as a text, left alone when the key is absent. */
static int
spec_optional(struct spec_reader *r, const struct yaml *map, const char *key, char **ret)
{
	const struct yaml *n = yaml_get(map, key);

	if (n == NULL)
		return 0;
	if (spec_text(r, n, key, ret) != 0)
		return -1;
	if (**ret == '\0')
		return yaml_error(r->doc, n, r->e, "%s must not be empty", key);
	return 0;
}

static int
spec_kind(struct spec_reader *r, const struct yaml *map, char **ret)
{
	if (spec_optional(r, map, "kind", ret) != 0)
		return -1;
	if (*ret == NULL)
		*ret = buf_strdup("file", r->e);
	if (*ret == NULL)
		return -1;
	if (!resource_kind_ok(*ret))
		return yaml_error(r->doc, yaml_get(map, "kind"), r->e,
		    "kind must be a lower-case word of at most 32 letters, digits and '-'");
	return 0;
}

/* A path of the workspace; a trailing '/' is taken off and told. */
static int
spec_path(struct spec_reader *r, const struct yaml *n, char **ret, bool *ret_directory)
{
	struct err why;
	size_t len;

	if (spec_text(r, n, "path", ret) != 0)
		return -1;
	len = strlen(*ret);
	*ret_directory = len > 1 && (*ret)[len - 1] == '/';
	if (*ret_directory)
		(*ret)[len - 1] = '\0';
	if (path_check(*ret, &why) != 0)
		return yaml_error(r->doc, n, r->e, "%s", why.msg);
	return spec_paths_add(&r->paths, *ret, r->doc, n, r->e);
}

static int
spec_version(struct spec_reader *r, const struct yaml *root)
{
	const struct yaml *n = yaml_get(root, "version");
	const char *text = n != NULL ? yaml_scalar(n) : NULL;

	if (n == NULL)
		return yaml_error(r->doc, root, r->e, "version is missing: write \"version: 1\"");
	if (text == NULL || strcmp(text, "1") != 0)
		return yaml_error(r->doc, n, r->e, "version must be 1");
	return 0;
}

static int
spec_image(struct spec_reader *r, const struct yaml *root)
{
	static const struct {
		const char *prefix;
		enum run_spec_image image;
	} kinds[] = {{"rootfs:", RUN_SPEC_ROOTFS}, {"oci:", RUN_SPEC_OCI}};
	const struct yaml *n = yaml_get(root, "image");
	const char *text = n != NULL ? yaml_scalar(n) : NULL;
	struct err why;

	if (n == NULL)
		return yaml_error(r->doc, root, r->e, "image is missing: host, rootfs:FILE or oci:PATH");
	if (text != NULL && strcmp(text, "host") == 0)
		return 0;
	for (size_t i = 0; text != NULL && i < sizeof kinds / sizeof *kinds; i++) {
		size_t len = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, len) != 0)
			continue;
		if (path_check(text + len, &why) != 0)
			return yaml_error(r->doc, n, r->e, "image: %s", why.msg);
		r->s->image = kinds[i].image;
		r->s->image_path = buf_strdup(text + len, r->e);
		return r->s->image_path != NULL ? 0 : -1;
	}
	return yaml_error(r->doc, n, r->e, "image must be host, rootfs:FILE or oci:PATH");
}

static int
spec_command(struct spec_reader *r, const struct yaml *root)
{
	const struct yaml *n = yaml_get(root, "command");
	size_t count;

	if (n == NULL)
		return yaml_error(r->doc, root, r->e, "command is missing");
	count = yaml_length(n);
	if (yaml_kind(n) != YAML_SEQUENCE || count == 0)
		return yaml_error(r->doc, n, r->e, "command must be a list of words, [python3, train.py]");
	if (count > SPEC_WORDS_MAX)
		return yaml_error(r->doc, n, r->e, "command has more than %d words", SPEC_WORDS_MAX);
	r->s->command = calloc(count + 1, sizeof *r->s->command);
	if (r->s->command == NULL)
		return err_nomem(r->e);
	for (size_t i = 0; i < count; i++) {
		if (spec_text(r, yaml_at(n, i), "a word of the command", &r->s->command[i]) != 0)
			return -1;
		r->s->command_count++;
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): each word was set */
	if (r->s->command[0][0] == '\0')
		return yaml_error(r->doc, yaml_at(n, 0), r->e, "the command's first word is empty");
	return 0;
}

static int
spec_env_compare(const void *a, const void *b)
{
	return strcmp(((const struct run_spec_env *)a)->name, ((const struct run_spec_env *)b)->name);
}

static int
spec_env(struct spec_reader *r, const struct yaml *root)
{
	const struct yaml *n = yaml_get(root, "env");

	if (n == NULL)
		return 0;
	if (yaml_kind(n) != YAML_MAPPING)
		return yaml_error(r->doc, n, r->e, "env must be a mapping, {NAME: \"value\"}");
	if (yaml_length(n) > SPEC_ENV_MAX)
		return yaml_error(r->doc, n, r->e, "env has more than %d entries", SPEC_ENV_MAX);
	r->s->env = calloc(yaml_length(n) + 1, sizeof *r->s->env);
	if (r->s->env == NULL)
		return err_nomem(r->e);
	for (size_t i = 0; i < yaml_length(n); i++) {
		const struct yaml *key = NULL;
		const struct yaml *value = yaml_value(n, i, &key);
		struct run_spec_env *v = &r->s->env[r->s->env_count];

		if (!run_spec_env_name_ok(yaml_scalar(key)))
			return yaml_error(r->doc, key, r->e, "env: \"%.64s\" is no name of a variable",
			    yaml_scalar(key));
		r->s->env_count++;
		v->name = buf_strdup(yaml_scalar(key), r->e);
		if (v->name == NULL || spec_text(r, value, "the value", &v->value) != 0)
			return -1;
	}
	qsort(r->s->env, r->s->env_count, sizeof *r->s->env, spec_env_compare);
	return 0;
}

static int
spec_input_git(struct spec_reader *r, const struct yaml *n, struct spec_input *in)
{
	static const char *const keys[] = {"git", "rev", "from", "path", "kind", "license", NULL};
	const struct yaml *rev = yaml_get(n, "rev");
	const struct yaml *from = yaml_get(n, "from");
	struct err why;

	in->from = SPEC_INPUT_GIT;
	if (yaml_only(r->doc, n, keys, r->e) != 0 || spec_optional(r, n, "git", &in->url) != 0)
		return -1;
	if (rev == NULL)
		return yaml_error(r->doc, n, r->e, "rev is missing: the full id of a commit");
	if (spec_text(r, rev, "rev", &in->rev) != 0)
		return -1;
	if (!hex_is(in->rev, 64) || (strlen(in->rev) != 40 && strlen(in->rev) != 64))
		return yaml_error(r->doc, rev, r->e, "rev must be the full id of a commit, 40 or 64"
		    " lower-case hex digits: a branch or tag may move");
	if (from == NULL)
		return 0;
	if (spec_text(r, from, "from", &in->sub_path) != 0)
		return -1;
	if (path_check(in->sub_path, &why) != 0)
		return yaml_error(r->doc, from, r->e, "%s", why.msg);
	return 0;
}

static int
spec_input_url(struct spec_reader *r, const struct yaml *n, struct spec_input *in)
{
	static const char *const keys[] = {"url", "sha256", "path", "extract", "kind", "license", NULL};
	const struct yaml *digest = yaml_get(n, "sha256");
	const struct yaml *extract = yaml_get(n, "extract");
	const char *text;

	in->from = SPEC_INPUT_URL;
	if (yaml_only(r->doc, n, keys, r->e) != 0 || spec_optional(r, n, "url", &in->url) != 0)
		return -1;
	if (strncmp(in->url, "https://", 8) != 0 && strncmp(in->url, "http://", 7) != 0)
		return yaml_error(r->doc, yaml_get(n, "url"), r->e, "url must begin with https://");
	if (digest == NULL)
		return yaml_error(r->doc, n, r->e, "sha256 is missing: the digest of what is fetched");
	text = yaml_scalar(digest);
	if (text == NULL || oid_from_hex(&in->sha256, text, NULL) != 0)
		return yaml_error(r->doc, digest, r->e, "sha256 must be 64 lower-case hex digits");
	text = extract != NULL ? yaml_scalar(extract) : "false";
	if (text == NULL || (strcmp(text, "true") != 0 && strcmp(text, "false") != 0))
		return yaml_error(r->doc, extract, r->e, "extract must be true or false");
	in->extract = strcmp(text, "true") == 0;
	return 0;
}

static int
spec_input_path(struct spec_reader *r, const struct yaml *n, struct spec_input *in)
{
	static const char *const keys[] = {"path", "kind", "source", "license", NULL};

	in->from = SPEC_INPUT_PATH;
	if (yaml_only(r->doc, n, keys, r->e) != 0)
		return -1;
	return spec_optional(r, n, "source", &in->source);
}

static int
spec_input(struct spec_reader *r, const struct yaml *n, struct spec_input *in)
{
	struct yaml_node_pos pos = yaml_pos(n);
	bool directory;
	int rc;

	in->line = pos.line;
	in->column = pos.column;
	if (yaml_kind(n) == YAML_SCALAR) { /* as with outputs: a path alone */
		in->kind = buf_strdup("file", r->e);
		return in->kind == NULL ? -1 : spec_path(r, n, &in->path, &directory);
	}
	if (yaml_kind(n) != YAML_MAPPING)
		return yaml_error(r->doc, n, r->e, "an input must be a path or a mapping with a path");
	if (yaml_get(n, "git") != NULL)
		rc = spec_input_git(r, n, in);
	else if (yaml_get(n, "url") != NULL)
		rc = spec_input_url(r, n, in);
	else
		rc = spec_input_path(r, n, in);
	if (rc != 0)
		return -1;
	if (yaml_get(n, "path") == NULL)
		return yaml_error(r->doc, n, r->e, "path is missing");
	if (spec_path(r, yaml_get(n, "path"), &in->path, &directory) != 0 ||
	    spec_optional(r, n, "license", &in->license) != 0)
		return -1;
	return spec_kind(r, n, &in->kind);
}

static int
spec_inputs(struct spec_reader *r, const struct yaml *root)
{
	const struct yaml *n = yaml_get(root, "inputs");

	if (n == NULL)
		return 0;
	if (yaml_kind(n) != YAML_SEQUENCE)
		return yaml_error(r->doc, n, r->e, "inputs must be a list");
	r->s->inputs = calloc(yaml_length(n) + 1, sizeof *r->s->inputs);
	if (r->s->inputs == NULL)
		return err_nomem(r->e);
	for (size_t i = 0; i < yaml_length(n); i++)
		if (spec_input(r, yaml_at(n, i), &r->s->inputs[r->s->input_count++]) != 0)
			return -1;
	return 0;
}

static int
spec_output(struct spec_reader *r, const struct yaml *n, struct run_spec_output *out)
{
	static const char *const keys[] = {"path", "kind", NULL};
	const struct yaml *path = n;
	bool directory;

	if (yaml_kind(n) == YAML_MAPPING) {
		if (yaml_only(r->doc, n, keys, r->e) != 0)
			return -1;
		path = yaml_get(n, "path");
		if (path == NULL)
			return yaml_error(r->doc, n, r->e, "path is missing");
		if (spec_kind(r, n, &out->kind) != 0)
			return -1;
	} else if (yaml_kind(n) != YAML_SCALAR) {
		return yaml_error(r->doc, n, r->e, "an output must be a path or {path: ..., kind: ...}");
	} else {
		out->kind = buf_strdup("file", r->e);
		if (out->kind == NULL)
			return -1;
	}
	if (spec_path(r, path, &out->path, &directory) != 0)
		return -1;
	out->type = directory ? OBJECT_TREE : OBJECT_BLOB;
	return 0;
}

static int
spec_outputs(struct spec_reader *r, const struct yaml *root)
{
	const struct yaml *n = yaml_get(root, "outputs");

	if (n == NULL)
		return yaml_error(r->doc, root, r->e, "outputs is missing");
	if (yaml_kind(n) != YAML_SEQUENCE || yaml_length(n) == 0)
		return yaml_error(r->doc, n, r->e, "outputs must be a list of at least one path");
	r->s->outputs = calloc(yaml_length(n) + 1, sizeof *r->s->outputs);
	if (r->s->outputs == NULL)
		return err_nomem(r->e);
	for (size_t i = 0; i < yaml_length(n); i++)
		if (spec_output(r, yaml_at(n, i), &r->s->outputs[r->s->output_count++]) != 0)
			return -1;
	return 0;
}

static int
spec_limits(struct spec_reader *r, const struct yaml *root)
{
	static const char *const keys[] = {"cpus", "memory", "time", "shm", NULL};
	struct run_spec_limits *l = &r->s->limits;
	const struct {
		const char *key;
		bool (*parse)(const char *, uint64_t *);
		uint64_t *value;
		const char *form;
	} limits[] = {
		{"cpus", spec_value_cpus, &l->cpu_millis, "a number of CPUs, 2 or 1.5"},
		{"memory", spec_value_size, &l->memory_bytes, "a size, 4GiB or 512MiB"},
		{"time", spec_value_time, &l->time_seconds, "a time with units, 2h or 1h30m or 90s"},
		{"shm", spec_value_size, &l->shm_bytes, "a size, 4GiB or 512MiB"},
	};
	const struct yaml *n = yaml_get(root, "limits");

	if (n == NULL)
		return 0;
	if (yaml_kind(n) != YAML_MAPPING)
		return yaml_error(r->doc, n, r->e, "limits must be a mapping, {time: 2h}");
	if (yaml_only(r->doc, n, keys, r->e) != 0)
		return -1;
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		const struct yaml *v = yaml_get(n, limits[i].key);

		if (v != NULL && (yaml_scalar(v) == NULL ||
		    !limits[i].parse(yaml_scalar(v), limits[i].value)))
			return yaml_error(r->doc, v, r->e, "%s must be %s", limits[i].key, limits[i].form);
	}
	return 0;
}

static int
spec_read(struct spec_reader *r)
{
	static const char *const keys[] = {
		"version", "image", "command", "env", "inputs", "outputs", "limits", NULL
	};
	const struct yaml *root = yaml_doc_root(r->doc);

	if (root == NULL || yaml_kind(root) != YAML_MAPPING)
		return err_set(r->e, ERR_SPEC, "%s:1:1: expected a mapping: version, image, command, outputs",
		    r->s->file);
	if (spec_version(r, root) != 0 || yaml_only(r->doc, root, keys, r->e) != 0 ||
	    spec_image(r, root) != 0 || spec_command(r, root) != 0 || spec_env(r, root) != 0 ||
	    spec_inputs(r, root) != 0 || spec_outputs(r, root) != 0 || spec_limits(r, root) != 0)
		return -1;
	return spec_paths_check(&r->paths, r->doc, r->e);
}

int
spec_decode(const char *file, const void *data, size_t len, struct spec *ret, struct err *e)
{
	CLEANUP(yaml_doc_freep) struct yaml_doc *doc = NULL;
	CLEANUP(spec_free) struct spec s = {0};
	struct spec_reader r = {.s = &s, .e = e};
	int rc;

	if (yaml_doc_decode(file, data, len, &doc, e) != 0)
		return -1;
	r.doc = doc;
	s.file = buf_strdup(file, e);
	if (s.file == NULL)
		return -1;
	rc = spec_read(&r);
	spec_paths_free(&r.paths);
	if (rc != 0)
		return -1;
	*ret = s;
	s = (struct spec){0};
	return 0;
}

static void
spec_input_free(struct spec_input *in)
{
	free(in->path);
	free(in->kind);
	free(in->source);
	free(in->license);
	free(in->url);
	free(in->rev);
	free(in->sub_path);
}

void
spec_free(struct spec *s)
{
	free(s->file);
	free(s->image_path);
	for (size_t i = 0; i < s->command_count; i++)
		free(s->command[i]);
	free(s->command);
	for (size_t i = 0; i < s->env_count; i++) {
		free(s->env[i].name);
		free(s->env[i].value);
	}
	free(s->env);
	for (size_t i = 0; i < s->input_count; i++)
		spec_input_free(&s->inputs[i]);
	free(s->inputs);
	for (size_t i = 0; i < s->output_count; i++) {
		free(s->outputs[i].path);
		free(s->outputs[i].kind);
	}
	free(s->outputs);
	*s = (struct spec){0};
}
