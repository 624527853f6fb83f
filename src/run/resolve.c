#include "run/resolve.h"

#include "run/fetch.h"
#include "store/ingest.h"

/* What is wrong with a declared path is wrong with the spec; what the machine or
 * another process did is not. */
static int
resolve_error(const struct spec *s, const struct spec_input *in, struct err *e)
{
	if (in->from == SPEC_INPUT_PATH &&
	    (e->code == ERR_NOTFOUND || e->code == ERR_DENIED || e->code == ERR_FORMAT))
		e->code = ERR_SPEC;
	return err_prefix(e, "%s:%zu:%zu: input %s", s->file, in->line, in->column, in->path);
}

static int
resolve_fill(const struct ingest_result *got, const char *path, const char *kind,
    struct resource *ret, struct err *e)
{
	struct resource r = {.type = got->type, .size = got->size, .digests.sha256 = got->id};

	r.path = buf_strdup(path, e);
	r.kind = buf_strdup(kind, e);
	if (r.path == NULL || r.kind == NULL) {
		resource_free(&r);
		return -1;
	}
	*ret = r;
	return 0;
}

static int
resolve_copy(char **ret, const char *text, struct err *e)
{
	if (text == NULL)
		return 0;
	*ret = buf_strdup(text, e);
	return *ret != NULL ? 0 : -1;
}

/* flags: INGEST_IGNORE for a directory of the user's, not for an image. */
static int
resolve_path(const struct resolve_options *o, const char *path, unsigned flags,
    struct ingest_result *ret, struct err *e)
{
	struct ingest_options options = {0};
	struct ingest_item item = {.dirfd = store_worktree_fd(o->store), .path = path, .worktree = true};

	if (o->ingest != NULL)
		options = *o->ingest;
	options.flags = INGEST_DIRECTORIES | flags | (o->hash_only ? INGEST_HASH_ONLY : 0);
	options.progress = o->progress;
	if (ingest_items(o->store, &options, &item, 1, e) != 0)
		return -1;
	*ret = item.result;
	return 0;
}

/* ret is released by the caller, also after a failure. */
static int
resolve_input(const struct spec_input *in, const struct resolve_options *o,
    struct resource_input *ret, struct err *e)
{
	struct ingest_result got;

	ret->fetched = in->from != SPEC_INPUT_PATH;
	if (ret->fetched) {
		if (fetch_input(in, o, &got, &ret->source, e) != 0)
			return -1;
	} else if (resolve_copy(&ret->source, in->source, e) != 0 ||
	    resolve_path(o, in->path, INGEST_IGNORE, &got, e) != 0) {
		return -1;
	}
	if (resolve_fill(&got, in->path, in->kind, &ret->thing, e) != 0 ||
	    resolve_copy(&ret->license, in->license, e) != 0)
		return -1;
	ret->ignored = got.ignored;
	return o->made_by != NULL ? o->made_by(o->arg, ret, e) : 0;
}

static int
resolve_inputs(const struct spec *s, const struct resolve_options *o, struct run_spec *ret,
    struct err *e)
{
	ret->inputs = calloc(s->input_count + 1, sizeof *ret->inputs);
	if (ret->inputs == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->input_count; i++) {
		const struct spec_input *in = &s->inputs[i];

		if (o->hash_only && in->from != SPEC_INPUT_PATH)
			continue;
		if (resolve_input(in, o, &ret->inputs[ret->input_count++], e) != 0)
			return resolve_error(s, in, e);
	}
	return 0;
}

static int
resolve_image(const struct spec *s, const struct resolve_options *o, struct run_spec *ret,
    struct err *e)
{
	struct ingest_result got;

	ret->image = s->image;
	if (s->image == RUN_SPEC_HOST)
		return 0;
	if (resolve_path(o, s->image_path, 0, &got, e) != 0) {
		if (e->code == ERR_NOTFOUND || e->code == ERR_DENIED)
			e->code = ERR_SPEC;
		return err_prefix(e, "%s: image", s->file);
	}
	if (s->image == RUN_SPEC_ROOTFS && got.type != OBJECT_BLOB)
		return err_set(e, ERR_SPEC, "%s: image %s: rootfs: takes an archive, not a directory",
		    s->file, s->image_path);
	return resolve_fill(&got, s->image_path, "image", &ret->image_file, e);
}

static int
resolve_command(const struct spec *s, struct run_spec *ret, struct err *e)
{
	ret->command = calloc(s->command_count + 1, sizeof *ret->command);
	ret->env = calloc(s->env_count + 1, sizeof *ret->env);
	if (ret->command == NULL || ret->env == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->command_count; i++, ret->command_count++)
		if (resolve_copy(&ret->command[i], s->command[i], e) != 0)
			return -1;
	for (size_t i = 0; i < s->env_count; i++) {
		ret->env_count++;
		if (resolve_copy(&ret->env[i].name, s->env[i].name, e) != 0 ||
		    resolve_copy(&ret->env[i].value, s->env[i].value, e) != 0)
			return -1;
	}
	return 0;
}

static int
resolve_outputs(const struct spec *s, struct run_spec *ret, struct err *e)
{
	ret->outputs = calloc(s->output_count + 1, sizeof *ret->outputs);
	if (ret->outputs == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->output_count; i++) {
		struct run_spec_output *o = &ret->outputs[i];

		ret->output_count++;
		o->type = s->outputs[i].type;
		if (resolve_copy(&o->path, s->outputs[i].path, e) != 0 ||
		    resolve_copy(&o->kind, s->outputs[i].kind, e) != 0)
			return -1;
	}
	return 0;
}

int
resolve_spec(const struct spec *s, const struct resolve_options *o, struct run_spec *ret,
    struct err *e)
{
	CLEANUP(run_spec_free) struct run_spec r = {.limits = s->limits};

	if (resolve_image(s, o, &r, e) != 0 || resolve_command(s, &r, e) != 0 ||
	    resolve_outputs(s, &r, e) != 0 || resolve_inputs(s, o, &r, e) != 0)
		return -1;
	*ret = r;
	r = (struct run_spec){0};
	return 0;
}
