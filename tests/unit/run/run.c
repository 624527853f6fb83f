#include "run/run.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "run/resolve.h"
#include "store/history.h"
#include "store/odb.h"
#include "unit.h"

/* A repository with a store, a TPM and a spec. */
struct lab {
	char path[128];
	struct store *store;
	struct tpm *tpm;
	struct spec spec;
	struct run_spec resolved;
	struct buf bytes;
	struct certificate c;
	struct err e;
};

static void
lab_write(struct lab *l, const char *path, const char *text)
{
	int fd;

	UNIT_OK(fd_mkdirs_beneath(store_worktree_fd(l->store), "data", 0755, &l->e), &l->e);
	fd = openat(store_worktree_fd(l->store), path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ck_assert_int_ge(fd, 0);
	UNIT_OK(fd_write_all(fd, text, strlen(text), path, &l->e), &l->e);
	close(fd);
}

static void
lab_open(struct lab *l)
{
	struct tpm_open_options o = {.spec = "embedded"};
	bool created;

	*l = (struct lab){0};
	snprintf(l->path, sizeof l->path, "%s/lab-XXXXXX", unit_dir());
	ck_assert(mkdtemp(l->path) != NULL);
	UNIT_OK(store_init(l->path, &created, &l->e), &l->e);
	UNIT_OK(store_discover(l->path, 0, &l->store, &l->e), &l->e);
	UNIT_OK(tpm_open(&o, &l->tpm, &l->e), &l->e);
	lab_write(l, "data/in.txt", "input\n");
	lab_write(l, "copy.py", "import sys\n"
	    "open('out/result.txt', 'w').write(open('data/in.txt').read() * 2)\n"
	    "print('done')\n");
}

static void
lab_resolve(struct lab *l, const char *yaml)
{
	struct resolve_options o = {.store = l->store, .cache_dir = l->path};

	UNIT_OK(spec_decode("aicert.yaml", yaml, strlen(yaml), &l->spec, &l->e), &l->e);
	UNIT_OK(resolve_spec(&l->spec, &o, &l->resolved, &l->e), &l->e);
}

static int
lab_execute(struct lab *l, int cancel_fd)
{
	struct run_request rq = {
		.store = l->store, .tpm = l->tpm, .spec = &l->resolved, .nonce = {1, 2, 3},
		.daemon_version = "1.2.3", .cancel_fd = cancel_fd,
	};

	if (run_execute(&rq, &l->bytes, &l->e) != 0)
		return -1;
	UNIT_OK(certificate_decode(l->bytes.data, l->bytes.len, &l->c, &l->e), &l->e);
	return 0;
}

static void
lab_close(struct lab *l)
{
	certificate_free(&l->c);
	buf_free(&l->bytes);
	run_spec_free(&l->resolved);
	spec_free(&l->spec);
	tpm_close(l->tpm);
	store_close(l->store);
}

static const char lab_good[] =
    "version: 1\nimage: host\ncommand: [/usr/bin/python3, copy.py]\n"
    "inputs: [copy.py, {path: data/in.txt, kind: dataset}]\n"
    "outputs: [{path: out/result.txt, kind: model}]\n";

START_TEST(test_run_good)
{
	struct lab l;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	const struct resource *r;

	lab_open(&l);
	lab_resolve(&l, lab_good);
	UNIT_OK(lab_execute(&l, -1), &l.e);
	ck_assert(certificate_run_ok(&l.c));
	r = certificate_output(&l.c, "out/result.txt");
	ck_assert_ptr_nonnull(r);
	ck_assert_str_eq(r->kind, "model");
	UNIT_OK(odb_read(l.store, &r->digests.sha256, 1024, &out, &l.e), &l.e);
	ck_assert_str_eq(buf_str(&out), "input\ninput\n");
	lab_close(&l);
}
END_TEST

UNIT_SUITE(run_run)
{
	tcase_add_test(tc, test_run_good);
}
