#include "run/resolve.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "store/odb.h"
#include "unit.h"

struct work {
	char path[128];
	struct store *store;
	struct spec spec;
	struct run_spec resolved;
	struct err e;
};

static void
work_write(struct work *w, const char *path, const char *text)
{
	int fd = openat(store_worktree_fd(w->store), path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ck_assert_int_ge(fd, 0);
	UNIT_OK(fd_write_all(fd, text, strlen(text), path, &w->e), &w->e);
	close(fd);
}

static void
work_open(struct work *w)
{
	bool created;

	*w = (struct work){0};
	snprintf(w->path, sizeof w->path, "%s/work-XXXXXX", unit_dir());
	ck_assert(mkdtemp(w->path) != NULL);
	UNIT_OK(store_init(w->path, &created, &w->e), &w->e);
	UNIT_OK(store_discover(w->path, 0, &w->store, &w->e), &w->e);
	ck_assert_int_eq(mkdirat(store_worktree_fd(w->store), "d", 0755), 0);
	work_write(w, "f", "file");
	work_write(w, "d/x", "in a directory");
}

static void
work_close(struct work *w)
{
	run_spec_free(&w->resolved);
	spec_free(&w->spec);
	store_close(w->store);
}

static int
work_resolve(struct work *w, const char *image, const char *inputs, const struct resolve_options *more)
{
	CLEANUP(buf_free) struct buf yaml = BUF_INIT;
	struct resolve_options o = more != NULL ? *more : (struct resolve_options){0};

	o.store = w->store;
	o.cache_dir = w->path;
	buf_addf(&yaml, "version: 1\nimage: %s\ncommand: [a, b]\nenv: {K: v}\ninputs: %s\noutputs: [o, p/]\n"
	    "limits: {time: 5s}\n", image, inputs);
	run_spec_free(&w->resolved);
	spec_free(&w->spec);
	w->resolved = (struct run_spec){0};
	UNIT_OK(spec_decode("s.yaml", yaml.data, yaml.len, &w->spec, &w->e), &w->e);
	return resolve_spec(&w->spec, &o, &w->resolved, &w->e);
}

static int
work_made_by(void *arg, struct resource_input *in, struct err *e)
{
	size_t *calls = arg;

	(void)e;
	ck_assert_ptr_null(in->made_by);
	ck_assert_uint_gt(in->thing.size, 0);
	++*calls;
	return 0;
}

START_TEST(test_resolve_files)
{
	static const char f_id[] = "3b9c358f36f0a31b6ad3e14f309c7cf198ac9246e8316f9ce543d5b19ac02b80";
	size_t calls = 0;
	const struct resolve_options o = {.made_by = work_made_by, .arg = &calls};
	char hex[OID_HEX_SIZE];
	struct run_spec *s;
	struct work w;

	work_open(&w);
	UNIT_OK(work_resolve(&w, "host", "[{path: f, kind: code, source: s, license: l}, d/]", &o), &w.e);
	s = &w.resolved;
	ck_assert_uint_eq(calls, 2);
	ck_assert_uint_eq(s->input_count, 2);
	ck_assert_int_eq(s->inputs[0].thing.type, OBJECT_BLOB);
	oid_hex(&s->inputs[0].thing.digests.sha256, hex);
	ck_assert_str_eq(hex, f_id);
	ck_assert_uint_eq(s->inputs[0].thing.size, 4);
	ck_assert_str_eq(s->inputs[0].source, "s");
	ck_assert_str_eq(s->inputs[0].license, "l");
	ck_assert(!s->inputs[0].fetched);
	ck_assert_int_eq(s->inputs[1].thing.type, OBJECT_TREE);
	ck_assert_uint_eq(s->inputs[1].thing.size, 14);
	ck_assert(odb_has(w.store, &s->inputs[0].thing.digests.sha256));
	ck_assert(odb_has(w.store, &s->inputs[1].thing.digests.sha256));
	ck_assert_uint_eq(s->command_count, 2);
	ck_assert_str_eq(s->env[0].name, "K");
	ck_assert_str_eq(s->outputs[1].path, "p");
	ck_assert_int_eq(s->outputs[1].type, OBJECT_TREE);
	ck_assert_uint_eq(s->limits.time_seconds, 5);
	work_close(&w);
}
END_TEST

START_TEST(test_resolve_hash_only)
{
	const struct resolve_options o = {.hash_only = true};
	struct work w;

	work_open(&w);
	UNIT_OK(work_resolve(&w, "host", "[f, {url: \"https://example.invalid/\", path: u, sha256: "
	    "0000000000000000000000000000000000000000000000000000000000000000}]", &o), &w.e);
	ck_assert_uint_eq(w.resolved.input_count, 1);
	ck_assert(!odb_has(w.store, &w.resolved.inputs[0].thing.digests.sha256));
	work_close(&w);
}
END_TEST

START_TEST(test_resolve_refused)
{
	struct work w;
	int fd;

	work_open(&w);
	fd = store_worktree_fd(w.store);
	ck_assert_int_eq(symlinkat("/etc", fd, "out"), 0);
	ck_assert_int_eq(symlinkat("f", fd, "link"), 0);
	ck_assert_int_eq(mkfifoat(fd, "fifo", 0644), 0);
	ck_assert_int_eq(mkdirat(fd, "r", 0755), 0);
	ck_assert_int_eq(mkdirat(fd, "r/.git", 0755), 0);
	UNIT_FAILS(work_resolve(&w, "host", "[f, none]", NULL), &w.e, ERR_SPEC);
	ck_assert_msg(strncmp(w.e.msg, "s.yaml:5:13: input none: ", 25) == 0, "%s", w.e.msg);
	UNIT_FAILS(work_resolve(&w, "host", "[out/passwd]", NULL), &w.e, ERR_SPEC);
	UNIT_FAILS(work_resolve(&w, "host", "[link]", NULL), &w.e, ERR_SPEC);
	UNIT_FAILS(work_resolve(&w, "host", "[fifo]", NULL), &w.e, ERR_SPEC);
	UNIT_FAILS(work_resolve(&w, "host", "[r]", NULL), &w.e, ERR_SPEC);
	ck_assert_ptr_nonnull(strstr(w.e.msg, ".git"));
	UNIT_FAILS(work_resolve(&w, "rootfs:none", "[]", NULL), &w.e, ERR_SPEC);
	UNIT_FAILS(work_resolve(&w, "rootfs:d", "[]", NULL), &w.e, ERR_SPEC);
	UNIT_OK(work_resolve(&w, "rootfs:f", "[]", NULL), &w.e);
	ck_assert_str_eq(w.resolved.image_file.kind, "image");
	UNIT_OK(work_resolve(&w, "oci:d", "[]", NULL), &w.e);
	ck_assert_int_eq(w.resolved.image_file.type, OBJECT_TREE);
	work_close(&w);
}
END_TEST

/* What the store has by its digest is not fetched: the address does not exist. */
START_TEST(test_resolve_url_present)
{
	struct work w;

	work_open(&w);
	UNIT_OK(work_resolve(&w, "host", "[f]", NULL), &w.e);
	UNIT_OK(work_resolve(&w, "host", "[{url: \"https://example.invalid/f\", path: u, sha256: "
	    "3b9c358f36f0a31b6ad3e14f309c7cf198ac9246e8316f9ce543d5b19ac02b80}]", NULL), &w.e);
	ck_assert(w.resolved.inputs[0].fetched);
	ck_assert_str_eq(w.resolved.inputs[0].source, "https://example.invalid/f");
	ck_assert_uint_eq(w.resolved.inputs[0].thing.size, 4);
	UNIT_FAILS(work_resolve(&w, "host", "[{url: \"http://127.0.0.1:1/f\", path: u, sha256: "
	    "0000000000000000000000000000000000000000000000000000000000000000}]", NULL), &w.e, ERR_NETWORK);
	work_close(&w);
}
END_TEST

/* A commit of a repository beside the work tree, whole and in part. */
START_TEST(test_resolve_git)
{
	CLEANUP(buf_free) struct buf rev = BUF_INIT;
	CLEANUP(cleanup_free) char *script = NULL;
	CLEANUP(cleanup_free) char *inputs = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct work w;
	FILE *f;

	work_open(&w);
	script = buf_strfmt(&w.e, "cd %s && git init -q other && cd other && mkdir s && printf '%%s' code > s/a.py"
	    " && ln -s a.py s/l && git add . && git -c user.name=n -c user.email=e commit -qm m"
	    " && git rev-parse HEAD", w.path);
	ck_assert_ptr_nonnull(script);
	f = popen(script, "re");
	ck_assert_ptr_nonnull(f);
	UNIT_OK(fd_read_all(fileno(f), 100, &rev, "git", &w.e), &w.e);
	ck_assert_int_eq(pclose(f), 0);
	rev.data[40] = '\0';
	inputs = buf_strfmt(&w.e, "[{git: other, rev: %s, path: g}, {git: other, rev: %s, from: s/a.py, path: a.py}]",
	    buf_str(&rev), buf_str(&rev));
	ck_assert_ptr_nonnull(inputs);
	UNIT_OK(work_resolve(&w, "host", inputs, NULL), &w.e);
	ck_assert_int_eq(w.resolved.inputs[0].thing.type, OBJECT_TREE);
	ck_assert(w.resolved.inputs[0].fetched);
	ck_assert_int_eq(w.resolved.inputs[1].thing.type, OBJECT_BLOB);
	buf_addf(&text, "git+other@%s#s/a.py", buf_str(&rev));
	ck_assert_str_eq(w.resolved.inputs[1].source, buf_str(&text));
	buf_reset(&text);
	UNIT_OK(odb_read(w.store, &w.resolved.inputs[1].thing.digests.sha256, 100, &text, &w.e), &w.e);
	ck_assert_str_eq(buf_str(&text), "code");
	UNIT_FAILS(work_resolve(&w, "host", "[{git: other, rev: 0123456789012345678901234567890123456789,"
	    " path: g}]", NULL), &w.e, ERR_NOTFOUND);
	work_close(&w);
}
END_TEST

UNIT_SUITE(run_resolve)
{
	tcase_add_test(tc, test_resolve_files);
	tcase_add_test(tc, test_resolve_hash_only);
	tcase_add_test(tc, test_resolve_refused);
	tcase_add_test(tc, test_resolve_url_present);
	tcase_add_test(tc, test_resolve_git);
}
