#include "run/spec.h"

#include <string.h>
#include "unit.h"

#define SPEC_HEAD "version: 1\nimage: host\ncommand: [a]\n"
#define SPEC_TAIL "outputs: [out]\n"

START_TEST(test_spec_whole)
{
	static const char text[] =
	    "version: 1\n"
	    "image: oci:images/py\n"
	    "command: [python3, train.py, \"\"]\n"
	    "env: {SEED: \"1\", A_b9: x}\n"
	    "inputs:\n"
	    "  - {path: train.py, kind: code}\n"
	    "  - {path: data/, kind: dataset, source: \"https://example.org\", license: CC0-1.0}\n"
	    "  - {git: https://example.org/x, rev: 0123456789012345678901234567890123456789, from: a/b, path: src}\n"
	    "  - {url: https://example.org/d, sha256: 00000000000000000000000000000000000000000000000000000000000000ff,"
	    " path: d, extract: true}\n"
	    "  - plain\n"
	    "outputs: [{path: model.safetensors, kind: model}, metrics.json, {path: ckpt/, kind: checkpoint}]\n"
	    "limits: {cpus: 1.5, memory: 4GiB, time: 1h30m, shm: 512MiB}\n";
	CLEANUP(spec_free) struct spec s = {0};
	struct err e;

	UNIT_OK(spec_decode("aicert.yaml", text, strlen(text), &s, &e), &e);
	ck_assert_int_eq(s.image, RUN_SPEC_OCI);
	ck_assert_str_eq(s.image_path, "images/py");
	ck_assert_uint_eq(s.command_count, 3);
	ck_assert_str_eq(s.command[1], "train.py");
	ck_assert_str_eq(s.command[2], "");
	ck_assert_uint_eq(s.env_count, 2);
	ck_assert_str_eq(s.env[0].name, "A_b9"); /* sorted */
	ck_assert_str_eq(s.env[1].value, "1");
	ck_assert_uint_eq(s.input_count, 5);
	ck_assert_int_eq(s.inputs[0].from, SPEC_INPUT_PATH);
	ck_assert_str_eq(s.inputs[0].kind, "code");
	ck_assert_uint_eq(s.inputs[0].line, 6);
	ck_assert_str_eq(s.inputs[1].path, "data");
	ck_assert_str_eq(s.inputs[1].source, "https://example.org");
	ck_assert_str_eq(s.inputs[1].license, "CC0-1.0");
	ck_assert_int_eq(s.inputs[2].from, SPEC_INPUT_GIT);
	ck_assert_str_eq(s.inputs[2].sub_path, "a/b");
	ck_assert_str_eq(s.inputs[2].kind, "file");
	ck_assert_int_eq(s.inputs[3].from, SPEC_INPUT_URL);
	ck_assert(s.inputs[3].extract);
	ck_assert_uint_eq(s.inputs[3].sha256.b[31], 0xff);
	ck_assert_str_eq(s.inputs[4].path, "plain");
	ck_assert_uint_eq(s.output_count, 3);
	ck_assert_int_eq(s.outputs[0].type, OBJECT_BLOB);
	ck_assert_str_eq(s.outputs[1].kind, "file");
	ck_assert_int_eq(s.outputs[2].type, OBJECT_TREE);
	ck_assert_str_eq(s.outputs[2].path, "ckpt");
	ck_assert_uint_eq(s.limits.cpu_millis, 1500);
	ck_assert_uint_eq(s.limits.memory_bytes, UINT64_C(4) << 30);
	ck_assert_uint_eq(s.limits.time_seconds, 5400);
	ck_assert_uint_eq(s.limits.shm_bytes, 512u << 20);
}
END_TEST

START_TEST(test_spec_least)
{
	static const char text[] = SPEC_HEAD SPEC_TAIL;
	CLEANUP(spec_free) struct spec s = {0};
	struct err e;

	UNIT_OK(spec_decode("x", text, strlen(text), &s, &e), &e);
	ck_assert_int_eq(s.image, RUN_SPEC_HOST);
	ck_assert_ptr_null(s.image_path);
	ck_assert_uint_eq(s.input_count + s.env_count, 0);
	ck_assert_uint_eq(s.limits.cpu_millis + s.limits.memory_bytes + s.limits.time_seconds +
	    s.limits.shm_bytes, 0);
}
END_TEST

/* Each wrong file: where, and a word of why. */
static const struct {
	const char *text, *at, *why;
} spec_bad[] = {
	{"", "f:1:1:", ""},
	{"[a]\n", "f:1:1:", "mapping"},
	{"image: host\n", "f:1:1:", "version is missing"},
	{"version: 2\n", "f:1:10:", "version must be 1"},
	{"version: [1]\n", "f:1:10:", "version must be 1"},
	{"version: 1\nimages: host\n", "f:2:1:", "image"},
	{"version: 1\ncommand: [a]\n" SPEC_TAIL, "f:1:1:", "image is missing"},
	{"version: 1\nimage: docker:x\n", "f:2:8:", "image must be"},
	{"version: 1\nimage: rootfs:/x\n", "f:2:8:", "image"},
	{"version: 1\nimage: oci:../x\n", "f:2:8:", "image"},
	{"version: 1\nimage: [host]\n", "f:2:8:", "image must be"},
	{"version: 1\nimage: host\n" SPEC_TAIL, "f:1:1:", "command is missing"},
	{"version: 1\nimage: host\ncommand: a\n", "f:3:10:", "list"},
	{"version: 1\nimage: host\ncommand: []\n", "f:3:10:", "list"},
	{"version: 1\nimage: host\ncommand: [a, [b]]\n", "f:3:14:", "text"},
	{"version: 1\nimage: host\ncommand: [\"\"]\n", "f:3:11:", "empty"},
	{SPEC_HEAD "env: [a]\n" SPEC_TAIL, "f:4:6:", "mapping"},
	{SPEC_HEAD "env: {1A: x}\n" SPEC_TAIL, "f:4:7:", "no name"},
	{SPEC_HEAD "env: {A-B: x}\n" SPEC_TAIL, "f:4:7:", "no name"},
	{SPEC_HEAD "env: {A: [x]}\n" SPEC_TAIL, "f:4:10:", "text"},
	{SPEC_HEAD "env: {A: x, A: y}\n" SPEC_TAIL, "f:4:13:", ""},
	{SPEC_HEAD, "f:1:1:", "outputs is missing"},
	{SPEC_HEAD "outputs: []\n", "f:4:10:", "at least one"},
	{SPEC_HEAD "outputs: x\n", "f:4:10:", "list"},
	{SPEC_HEAD "outputs: [[x]]\n", "f:4:11:", "output must be"},
	{SPEC_HEAD "outputs: [{kind: model}]\n", "f:4:11:", "path is missing"},
	{SPEC_HEAD "outputs: [{path: x, kind: Model}]\n", "f:4:27:", "lower-case"},
	{SPEC_HEAD "outputs: [{path: x, license: y}]\n", "f:4:21:", "license"},
	{SPEC_HEAD "outputs: [/x]\n", "f:4:11:", ""},
	{SPEC_HEAD "outputs: [a/../x]\n", "f:4:11:", ""},
	{SPEC_HEAD "outputs: [./x]\n", "f:4:11:", ""},
	{SPEC_HEAD "outputs: [\"\"]\n", "f:4:11:", ""},
	{SPEC_HEAD "outputs: [x//]\n", "f:4:11:", ""},
	{SPEC_HEAD "outputs: [.git/x]\n", "f:4:11:", ""},
	{SPEC_HEAD "outputs: [a/.AICERT]\n", "f:4:11:", ""},
	{SPEC_HEAD "outputs: [x, y, x]\n", "f:4:17:", "same path"},
	{SPEC_HEAD "outputs: [x/y, x/]\n", "f:4:16:", "lies above"},
	{SPEC_HEAD "inputs: [d]\noutputs: [d/x]\n", "f:5:11:", "lies beneath"},
	{SPEC_HEAD "inputs: [d, d.x, d/x]\n" SPEC_TAIL, "f:4:18:", "lies beneath"},
	{SPEC_HEAD "inputs: [out]\n" SPEC_TAIL, "f:5:11:", "same path"},
	{SPEC_HEAD "inputs: d\n" SPEC_TAIL, "f:4:9:", "list"},
	{SPEC_HEAD "inputs: [[d]]\n" SPEC_TAIL, "f:4:10:", "input must be"},
	{SPEC_HEAD "inputs: [{kind: code}]\n" SPEC_TAIL, "f:4:10:", "path is missing"},
	{SPEC_HEAD "inputs: [{path: d, knid: code}]\n" SPEC_TAIL, "f:4:20:", "kind"},
	{SPEC_HEAD "inputs: [{path: d, source: \"\"}]\n" SPEC_TAIL, "f:4:28:", "empty"},
	{SPEC_HEAD "inputs: [{path: d, origin: fetched}]\n" SPEC_TAIL, "f:4:20:", "origin"},
	{SPEC_HEAD "inputs: [{git: u, path: d}]\n" SPEC_TAIL, "f:4:10:", "rev is missing"},
	{SPEC_HEAD "inputs: [{git: u, rev: main, path: d}]\n" SPEC_TAIL, "f:4:24:", "full id"},
	{SPEC_HEAD "inputs: [{git: u, rev: 0123, path: d}]\n" SPEC_TAIL, "f:4:24:", "full id"},
	{SPEC_HEAD "inputs: [{git: u, rev: 0123456789012345678901234567890123456789}]\n" SPEC_TAIL, "f:4:10:",
	    "path is missing"},
	{SPEC_HEAD "inputs: [{git: u, source: s, path: d}]\n" SPEC_TAIL, "f:4:19:", "source"},
	{SPEC_HEAD "inputs: [{git: u, rev: 0123456789012345678901234567890123456789, from: ../x, path: d}]\n"
	    SPEC_TAIL, "f:4:72:", ""},
	{SPEC_HEAD "inputs: [{url: \"file:///etc/passwd\", path: d}]\n" SPEC_TAIL, "f:4:16:", "https"},
	{SPEC_HEAD "inputs: [{url: \"https://x\", path: d}]\n" SPEC_TAIL, "f:4:10:", "sha256 is missing"},
	{SPEC_HEAD "inputs: [{url: \"https://x\", sha256: 0F, path: d}]\n" SPEC_TAIL, "f:4:37:", "64"},
	{SPEC_HEAD "inputs: [{url: \"https://x\", sha256:"
	    " 0000000000000000000000000000000000000000000000000000000000000000, path: d, extract: yes}]\n"
	    SPEC_TAIL, "f:4:121:", "true or false"},
	{SPEC_HEAD SPEC_TAIL "limits: [x]\n", "f:5:9:", "mapping"},
	{SPEC_HEAD SPEC_TAIL "limits: {cpu: 2}\n", "f:5:10:", "cpus"},
	{SPEC_HEAD SPEC_TAIL "limits: {cpus: 0}\n", "f:5:16:", "CPUs"},
	{SPEC_HEAD SPEC_TAIL "limits: {memory: 4GB}\n", "f:5:18:", "size"},
	{SPEC_HEAD SPEC_TAIL "limits: {time: 90}\n", "f:5:16:", "time"},
	{SPEC_HEAD SPEC_TAIL "limits: {shm: -1}\n", "f:5:15:", "size"},
	{SPEC_HEAD SPEC_TAIL "gpu: 1\n", "f:5:1:", "gpu"},
	{SPEC_HEAD SPEC_TAIL "image: host\n", "f:5:1:", ""},
};

START_TEST(test_spec_bad)
{
	const char *text = spec_bad[_i].text;
	struct spec s;
	struct err e;

	ck_assert_msg(spec_decode("f", text, strlen(text), &s, &e) != 0, "accepted:\n%s", text);
	ck_assert_int_eq(e.code, ERR_SPEC);
	ck_assert_msg(strncmp(e.msg, spec_bad[_i].at, strlen(spec_bad[_i].at)) == 0, "%s\n%s", e.msg, text);
	ck_assert_msg(strstr(e.msg, spec_bad[_i].why) != NULL, "%s\n%s", e.msg, text);
}
END_TEST

START_TEST(test_spec_too_many)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(spec_free) struct spec s = {0};
	struct err e;

	buf_adds(&text, SPEC_HEAD "outputs:\n");
	for (int i = 0; i < RUN_SPEC_ITEMS_MAX; i++)
		buf_addf(&text, "- o%d\n", i);
	UNIT_OK(spec_decode("f", text.data, text.len, &s, &e), &e);
	buf_adds(&text, "- one-more\n");
	spec_free(&s);
	UNIT_FAILS(spec_decode("f", text.data, text.len, &s, &e), &e, ERR_SPEC);
	ck_assert_ptr_nonnull(strstr(e.msg, "f:4005:3: more than 4000"));
}
END_TEST

/* Cut anywhere, a spec is refused or a spec, never a crash; and it says where. */
START_TEST(test_spec_truncated)
{
	static const char text[] = SPEC_HEAD
	    "inputs: [{git: u, rev: 0123456789012345678901234567890123456789, path: d}]\n"
	    "limits: {cpus: 2, time: 2h}\n" SPEC_TAIL;

	for (size_t n = 0; n < sizeof text - 1; n++) {
		struct spec s = {0};
		struct err e;

		if (spec_decode("f", text, n, &s, &e) != 0)
			ck_assert_int_eq(strncmp(e.msg, "f:", 2), 0);
		spec_free(&s);
	}
}
END_TEST

UNIT_SUITE(run_spec)
{
	tcase_add_test(tc, test_spec_whole);
	tcase_add_test(tc, test_spec_least);
	tcase_add_loop_test(tc, test_spec_bad, 0, (int)(sizeof spec_bad / sizeof *spec_bad));
	tcase_add_test(tc, test_spec_too_many);
	tcase_add_test(tc, test_spec_truncated);
}
