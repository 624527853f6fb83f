#include <string.h>
#include "verify/forge.h"
#include "unit.h"

static struct forge f;
static struct forge_objects objects;
static struct oid tree;
static uint64_t tree_size;
static struct verify_file file;

static struct verify_file
blob(const char *path, const char *content)
{
	struct verify_file v = {.path = path, .type = OBJECT_BLOB, .size = strlen(content)};
	struct err e;

	UNIT_OK(oid_from_data(&v.id, content, strlen(content), &e), &e);
	return v;
}

static struct verify_request
request(void)
{
	struct verify_request rq;

	if (f.count == 0) {
		forge_new(&f);
		forge_finish(&f);
		forge_keep_tree(&objects, &tree, &tree_size);
	}
	rq = forge_request(&f);
	rq.fetch = forge_fetch;
	rq.fetch_arg = &objects;
	rq.outputs = &file;
	rq.output_count = 1;
	return rq;
}

static void
passes(struct verify_file v)
{
	struct verify_request rq = request();

	file = v;
	forge_passes(&rq);
}

static void
fails(struct verify_file v, const char *found)
{
	struct verify_request rq = request();

	file = v;
	forge_fails(&rq, CHECK_FILES_OUTPUTS, found);
}

START_TEST(outputs_by_name)
{
	struct verify_file v;

	passes(blob("model.safetensors", FORGE_WEIGHTS));
	fails(blob("model.safetensors", "other"), "model.safetensors: blob of 5 bytes");
	fails(blob("other.bin", FORGE_WEIGHTS), "other.bin is none");
	fails(blob("train.py", "1234567"), "train.py is none");
	v = blob("model.safetensors", FORGE_WEIGHTS);
	v.type = OBJECT_TREE;
	fails(v, "tree of");
	v = blob("model.safetensors", FORGE_WEIGHTS);
	v.size++;
	fails(v, "blob of 19 bytes");
	v = blob("model.safetensors", FORGE_WEIGHTS);
	v.missing = true;
	fails(v, "no such file");
}
END_TEST

START_TEST(outputs_that_are_trees)
{
	struct verify_file v;

	request();
	v = (struct verify_file){.path = "ckpt", .type = OBJECT_TREE, .id = tree, .size = tree_size};
	passes(v);
	v.path = NULL;
	passes(v);
	v.path = "ckpt";
	v.id.b[0] ^= 1;
	fails(v, "ckpt: tree of");
	v.id = tree;
	v.type = OBJECT_BLOB;
	fails(v, "ckpt: blob of");
}
END_TEST

START_TEST(files_inside_a_tree)
{
	struct verify_file v;

	passes(blob("ckpt/notes.txt", "notes"));
	passes(blob("ckpt/step/weights", "12345"));
	fails(blob("ckpt/notes.txt", "other"), "ckpt/notes.txt: blob");
	fails(blob("ckpt/extra", "notes"), "ckpt/extra is not in it");
	fails(blob("ckpt/step/extra", "notes"), "ckpt/step/extra is not in it");
	fails(blob("ckpt/notes.txt/more", "notes"), "is not in it");
	fails(blob("ckpt/latest", "step"), "ckpt/latest: blob");     /* a link is no file */
	fails(blob("ckpt2/notes.txt", "notes"), "ckpt2/notes.txt is none");
	v = (struct verify_file){.path = "ckpt/step", .type = OBJECT_TREE, .size = 5};
	v.id = objects.all[0].id;
	passes(v);
	v.type = OBJECT_BLOB;
	fails(v, "ckpt/step: blob");
}
END_TEST

START_TEST(content_without_a_name)
{
	passes(blob(NULL, FORGE_WEIGHTS));
	passes(blob(NULL, "notes"));
	passes(blob(NULL, "12345"));
	fails(blob(NULL, "step"), "blob of 4 bytes"); /* the target of a link is no file */
	fails(blob(NULL, "nowhere"), "blob of 7 bytes");
}
END_TEST

START_TEST(trees_that_cannot_be_had)
{
	struct verify_request rq = request();

	file = blob("ckpt/notes.txt", "notes");
	rq.fetch = NULL;
	forge_undecided(&rq, CHECK_FILES_OUTPUTS, "missing tree sha256:");
	file = blob(NULL, "notes");
	forge_undecided(&rq, CHECK_FILES_OUTPUTS, "missing tree sha256:");
	/* an output itself needs no tree */
	file = blob(NULL, FORGE_WEIGHTS);
	forge_passes(&rq);
	rq = request();
	file = blob("ckpt/notes.txt", "notes");
	objects.fail = ERR_NETWORK;
	forge_undecided(&rq, CHECK_FILES_OUTPUTS, "the network is down");
	objects.fail = ERR_CORRUPT;
	forge_fails(&rq, CHECK_FILES_OUTPUTS, "the network is down");
	{
		struct verdict *v = NULL;
		struct err e;

		objects.fail = ERR_NOMEM;
		UNIT_FAILS(verify_certificate(&rq, &v, &e), &e, ERR_NOMEM);
		file = blob(NULL, "notes");
		UNIT_FAILS(verify_certificate(&rq, &v, &e), &e, ERR_NOMEM);
		file = blob("ckpt/notes.txt", "notes");
	}
	objects.fail = ERR_NONE;
	/* whoever has the objects is not believed */
	objects.all[1].data.data[objects.all[1].data.len - 2] ^= 1;
	forge_fails(&rq, CHECK_FILES_OUTPUTS, "another digest");
}
END_TEST

START_TEST(no_output_of_a_failed_run_counts)
{
	struct verify_request rq;

	forge_new(&f);
	f.events[FORGE_FINISHED].u.finished.exit_code = 3;
	forge_finish(&f);
	rq = request();
	file = blob("model.safetensors", FORGE_WEIGHTS);
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_int_eq(v->checks[CHECK_RUN_EXIT].result, VERDICT_FAIL);
		ck_assert_int_eq(v->checks[CHECK_FILES_OUTPUTS].result, VERDICT_FAIL);
		ck_assert_str_eq(v->checks[CHECK_FILES_OUTPUTS].found, "outputs of a failed run");
	}
}
END_TEST

START_TEST(several_files)
{
	struct verify_request rq = request();
	struct verify_file files[2] = {blob("ckpt/notes.txt", "notes"), blob(NULL, FORGE_WEIGHTS)};

	rq.outputs = files;
	rq.output_count = 2;
	forge_passes(&rq);
	rq.fetch = NULL; /* the second must not hide that the first was not seen */
	forge_undecided(&rq, CHECK_FILES_OUTPUTS, "missing tree");
	files[1] = blob("model.safetensors", "other");
	rq.fetch = forge_fetch;
	forge_fails(&rq, CHECK_FILES_OUTPUTS, "model.safetensors");
}
END_TEST

START_TEST(other_outputs_are_listed)
{
	struct verify_request rq = request();

	file = blob("model.safetensors", FORGE_WEIGHTS);
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_str_eq(v->notes[0], "Other outputs of the run, not looked at: ckpt.");
	}
}
END_TEST

/* --- files.inputs --- */

static struct verify_file inputs[3];

static struct verify_request
request_inputs(void)
{
	struct verify_request rq = request();

	inputs[0] = (struct verify_file){.path = "train.py", .type = OBJECT_BLOB, .size = 7};
	inputs[1] = (struct verify_file){.path = "data/words.txt", .type = OBJECT_BLOB, .size = 9};
	memset(inputs[0].id.b, 0x11, OID_SIZE);
	memset(inputs[1].id.b, 0x22, OID_SIZE);
	rq.output_count = 0;
	rq.check_inputs = true;
	rq.inputs = inputs;
	rq.input_count = 2;
	return rq;
}

START_TEST(inputs_compared)
{
	struct verify_request rq = request_inputs();

	forge_passes(&rq);
	inputs[1].id.b[3] ^= 1;
	forge_fails(&rq, CHECK_FILES_INPUTS, "data/words.txt: blob of 9 bytes");
	rq = request_inputs();
	inputs[0].size = 8;
	forge_fails(&rq, CHECK_FILES_INPUTS, "train.py: blob of 8 bytes");
	rq = request_inputs();
	inputs[0].type = OBJECT_TREE;
	forge_fails(&rq, CHECK_FILES_INPUTS, "train.py: tree of 7 bytes");
	rq = request_inputs();
	inputs[0].missing = true;
	forge_fails(&rq, CHECK_FILES_INPUTS, "train.py: no such file");
	rq = request_inputs();
	rq.input_count = 1;
	forge_undecided(&rq, CHECK_FILES_INPUTS, "missing data/words.txt");
	rq = request_inputs();
	inputs[2] = blob("more.txt", "more");
	rq.input_count = 3;
	forge_fails(&rq, CHECK_FILES_INPUTS, "more.txt is none");
	rq = request_inputs();
	rq.check_inputs = false;
	inputs[0].size = 8;
	forge_passes(&rq);
}
END_TEST

START_TEST(fetched_inputs_need_not_lie_there)
{
	struct verify_request rq;

	forge_new(&f);
	f.events[FORGE_DATA].u.input.fetched = true;
	forge_spec(&f)->inputs[1].fetched = true;
	forge_finish(&f);
	rq = request_inputs();
	rq.input_count = 1;
	forge_passes(&rq);
	rq.input_count = 2;
	forge_passes(&rq);
	inputs[1].size++;
	forge_fails(&rq, CHECK_FILES_INPUTS, "data/words.txt");
}
END_TEST

/* Those that are given alone, also inside of a tree. */
START_TEST(inputs_given)
{
	struct verify_request rq = request_inputs();
	struct resource *data;

	rq.inputs_given = true;
	rq.input_count = 1;
	forge_passes(&rq);
	inputs[0].size = 8;
	inputs[0].detail = "changed: x";
	forge_fails(&rq, CHECK_FILES_INPUTS, "; changed: x");
	rq = request_inputs();
	rq.inputs_given = true;
	inputs[1].path = "data/other.txt";
	forge_fails(&rq, CHECK_FILES_INPUTS, "data/other.txt is none");
	inputs[1].path = NULL;
	forge_fails(&rq, CHECK_FILES_INPUTS, "a file without a name is none");
	/* a tree in the place of the data */
	forge_free(&f);
	forge_new(&f);
	for (int spec = 0; spec < 2; spec++) {
		data = spec ? &forge_spec(&f)->inputs[1].thing : &f.events[FORGE_DATA].u.input.thing;
		data->type = OBJECT_TREE;
		data->size = tree_size;
		data->digests = (struct resource_digests){.sha256 = tree};
	}
	forge_finish(&f);
	rq = request_inputs();
	rq.inputs_given = true;
	rq.input_count = 1;
	inputs[0] = blob("data/words.txt/notes.txt", "notes");
	forge_passes(&rq);
	inputs[0] = blob("data/words.txt/notes.txt", "b");
	forge_fails(&rq, CHECK_FILES_INPUTS, "blob of 1 bytes");
	inputs[0] = blob("data/words.txt/step/nosuch", "a");
	forge_fails(&rq, CHECK_FILES_INPUTS, "is not in it");
	inputs[0] = blob("data/words.txt/notes.txt", "notes");
	rq.fetch = NULL;
	forge_undecided(&rq, CHECK_FILES_INPUTS, "missing");
	f.count = 0; /* not for the tests after this one */
}
END_TEST

UNIT_SUITE(checks_files)
{
	tcase_add_test(tc, outputs_by_name);
	tcase_add_test(tc, outputs_that_are_trees);
	tcase_add_test(tc, files_inside_a_tree);
	tcase_add_test(tc, content_without_a_name);
	tcase_add_test(tc, trees_that_cannot_be_had);
	tcase_add_test(tc, no_output_of_a_failed_run_counts);
	tcase_add_test(tc, several_files);
	tcase_add_test(tc, other_outputs_are_listed);
	tcase_add_test(tc, inputs_compared);
	tcase_add_test(tc, fetched_inputs_need_not_lie_there);
	tcase_add_test(tc, inputs_given);
}
