#include "fixture.h"

#include <string.h>
#include <sys/stat.h>
#include "store/odb.h"
#include "unit.h"

struct store *
fixture_store(const char *name)
{
	struct store *s = NULL;
	char dir[128], path[160];
	bool created;
	struct err e;

	snprintf(dir, sizeof dir, "%s/%s", unit_dir(), name);
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	UNIT_OK(store_init(dir, &created, &e), &e);
	snprintf(path, sizeof path, "%s/.aicert", dir);
	UNIT_OK(store_open(path, 0, &s, &e), &e);
	return s;
}

void
fixture_start(struct fixture *f, const char *name, const struct runner_options *o)
{
	struct runner_options options = {.required = LEVEL_SIMULATED};
	struct err e;

	*f = (struct fixture){.store = fixture_store(name)};
	UNIT_OK(local_start(f->store, "embedded", &f->local, &e), &e);
	if (o != NULL)
		options = *o;
	options.unix_socket = local_socket(f->local);
	UNIT_OK(runner_connect(&options, &f->runner, &e), &e);
}

void
fixture_stop(struct fixture *f)
{
	runner_free(f->runner);
	local_stop(f->local);
	store_close(f->store);
}

void
fixture_link(struct link *ret, const char *socket)
{
	struct err e;

	*ret = (struct link){.patience_s = 2};
	UNIT_OK(http_new("http://local", socket, &ret->http, &e), &e);
}

static char *
fixture_copy(const char *text)
{
	struct err e;
	char *copy = buf_strdup(text, &e);

	ck_assert_ptr_nonnull(copy);
	return copy;
}

void
fixture_spec(struct run_spec *ret, const char *script, bool tree)
{
	*ret = (struct run_spec){.image = RUN_SPEC_HOST, .command_count = 3, .output_count = tree ? 2 : 1};
	ret->command = calloc(3, sizeof *ret->command);
	ret->outputs = calloc(2, sizeof *ret->outputs);
	ck_assert(ret->command != NULL && ret->outputs != NULL);
	ret->command[0] = fixture_copy("sh");
	ret->command[1] = fixture_copy("-c");
	ret->command[2] = fixture_copy(script);
	ret->outputs[0] = (struct run_spec_output){OBJECT_BLOB, fixture_copy("out.txt"), fixture_copy("file")};
	if (tree)
		ret->outputs[1] = (struct run_spec_output){OBJECT_TREE, fixture_copy("out"), fixture_copy("model")};
}

void
fixture_input(struct run_spec *spec, struct store *s, const char *path, const char *content)
{
	struct resource_input *in;
	struct err e;

	spec->inputs = reallocarray(spec->inputs, spec->input_count + 1, sizeof *spec->inputs);
	ck_assert_ptr_nonnull(spec->inputs);
	in = &spec->inputs[spec->input_count++];
	*in = (struct resource_input){.thing = {.type = OBJECT_BLOB, .size = strlen(content)}};
	in->thing.path = fixture_copy(path);
	in->thing.kind = fixture_copy("file");
	UNIT_OK(odb_put(s, content, strlen(content), &in->thing.digests.sha256, &e), &e);
}
