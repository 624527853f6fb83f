#include "run/run.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include "base/dir-walk.h"
#include "base/fd.h"
#include "crypto/key.h"
#include "evidence/replay.h"
#include "object/statement.h"
#include "run/resolve.h"
#include "store/odb.h"
#include "box.h"

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

/* What runs have beneath .aicert/tmp; the last one's name.  A store's own lease stays
 * as long as it is open. */
static int
lab_runs(struct store *s, char ret[100])
{
	struct dir_walk w = DIR_WALK_INIT;
	int n = 0;
	struct err e;

	UNIT_OK(dir_walk_list(store_tmp_fd(s), ".", 100, &w, &e), &e);
	for (size_t i = 0; i < w.count; i++) {
		if (strncmp(w.names[i], "lease-", 6) == 0)
			continue;
		n++;
		snprintf(ret, 100, "%s", w.names[i]);
	}
	dir_walk_free(&w);
	return n;
}

/* Nothing of a run stays. */
static void
lab_clean(struct lab *l)
{
	char name[100];

	ck_assert_int_eq(lab_runs(l->store, name), 0);
}

static const struct event_run_finished *
lab_finished(const struct lab *l)
{
	const struct event *ev = certificate_event(&l->c, EVENT_RUN_FINISHED);

	ck_assert_ptr_nonnull(ev);
	return &ev->u.finished;
}

/* The events in order, and both PCRs and both banks of both quotes as they replay. */
static void
lab_replay(const struct lab *l)
{
	struct replay r[2];
	struct err e;
	int kind = EVENT_RUN_REQUEST;

	replay_start(&r[0]);
	replay_start(&r[1]);
	ck_assert_int_eq(memcmp(l->c.start_quote.pcrs.sha256[14], r[0].sha256, 32), 0);
	ck_assert_int_eq(memcmp(l->c.start_quote.pcrs.sha384[15], r[1].sha384, 48), 0);
	for (size_t i = 0; i < l->c.event_count; i++) {
		const struct event *ev = &l->c.events[i];

		ck_assert_uint_eq(ev->seq, i);
		ck_assert(ev->kind >= (enum event_kind)kind || ev->kind == EVENT_OUTPUT_RESOURCE);
		kind = (int)ev->kind;
		if (ev->kind == EVENT_RUN_STARTED) {
			ck_assert_int_eq(memcmp(ev->u.started.sha256, r[0].sha256, 32), 0);
			ck_assert_int_eq(memcmp(ev->u.started.sha384, r[0].sha384, 48), 0);
		}
		UNIT_OK(replay_extend(&r[ev->pcr - 14], ev->text, ev->len, &e), &e);
	}
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(memcmp(l->c.quote.pcrs.sha256[14 + i], r[i].sha256, 32), 0);
		ck_assert_int_eq(memcmp(l->c.quote.pcrs.sha384[14 + i], r[i].sha384, 48), 0);
	}
}

static void
lab_signed(const struct lab *l)
{
	CLEANUP(key_freep) struct key *key = NULL;
	CLEANUP(buf_free) struct buf statement = BUF_INIT;
	CLEANUP(buf_free) struct buf pae = BUF_INIT;
	const struct buf *spki = &certificate_event(&l->c, EVENT_INPUTS_SEALED)->u.sealed.spki;
	const struct dsse *d = &l->c.envelope;
	bool good = false;
	struct err e;

	UNIT_OK(statement_derive(l->c.events, l->c.event_count, &statement, &e), &e);
	ck_assert_uint_eq(statement.len, d->payload.len);
	ck_assert_int_eq(memcmp(statement.data, d->payload.data, statement.len), 0);
	dsse_pae(&pae, d->payload.data, d->payload.len);
	UNIT_OK(key_from_spki(spki->data, spki->len, &key, &e), &e);
	UNIT_OK(key_verify(key, KEY_ECDSA, HASH_SHA256, true, pae.data, pae.len, d->signature.data,
	    d->signature.len, &good, &e), &e);
	ck_assert(good);
}

START_TEST(test_run_good)
{
	struct lab l;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	CLEANUP(buf_free) struct buf log = BUF_INIT;
	const struct event_run_request *q;
	const struct resource *r;

	lab_open(&l);
	lab_resolve(&l, lab_good);
	UNIT_OK(lab_execute(&l, -1), &l.e);
	ck_assert(certificate_run_ok(&l.c));
	ck_assert_uint_eq(l.c.event_count, 9);
	lab_replay(&l);
	lab_signed(&l);
	r = certificate_output(&l.c, "out/result.txt");
	ck_assert_ptr_nonnull(r);
	ck_assert_str_eq(r->kind, "model");
	ck_assert_uint_eq(r->size, 12);
	UNIT_OK(odb_read(l.store, &r->digests.sha256, 1024, &out, &l.e), &l.e);
	ck_assert_str_eq(buf_str(&out), "input\ninput\n");
	UNIT_OK(odb_read(l.store, &lab_finished(&l)->log, 1024, &log, &l.e), &l.e);
	ck_assert_str_eq(buf_str(&log), "done\n");
	q = &certificate_event(&l.c, EVENT_RUN_REQUEST)->u.request;
	ck_assert_str_eq(q->daemon_version, "1.2.3");
	ck_assert_str_eq(q->image_name, "unmeasured");
	ck_assert_int_eq(q->tpm, EVENT_TPM_EMBEDDED);
	ck_assert_str_eq(q->sandbox.name, "crun");
	lab_clean(&l);
	lab_close(&l);
}
END_TEST

/* The same TPM again: power-cycled, other run id, and the first run's outputs stay. */
START_TEST(test_run_twice)
{
	struct lab l;
	unsigned char run[32];

	lab_open(&l);
	lab_resolve(&l, lab_good);
	UNIT_OK(lab_execute(&l, -1), &l.e);
	memcpy(run, l.c.events[0].run, sizeof run);
	certificate_free(&l.c);
	buf_reset(&l.bytes);
	UNIT_OK(lab_execute(&l, -1), &l.e);
	ck_assert(certificate_run_ok(&l.c));
	ck_assert_int_ne(memcmp(run, l.c.events[0].run, sizeof run), 0);
	lab_replay(&l);
	lab_close(&l);
}
END_TEST

/* What a command can leave in place of its outputs, and what is said of it. */
static const struct {
	const char *script;
	const char *outputs;
	const char *reason; /* of the first output */
} run_missing[] = {
	{"true", "[out/a]", "absent"},
	{"mkdir out/a", "[out/a]", "wrong-type"},
	{"echo > out/a", "[out/a/]", "wrong-type"},
	{"ln -s /etc/passwd out/a", "[out/a]", "symlink"},
	{"echo x > b; ln -s ../b out/a", "[out/a]", "symlink"},
	{"ln -s /usr out/a", "[out/a/]", "symlink"},
	{"rmdir out; ln -s /usr/bin out", "[out/env]", "symlink"},
	{"rmdir out; echo > out", "[out/a]", "absent"},
	{"mkfifo out/a", "[out/a]", "wrong-type"},
	{"mkdir out/a; python3 -c 'import socket; socket.socket(1).bind(\"out/a/s\")'", "[out/a/]", "unsupported"},
	{"mkdir out/a out/a/.git; echo > out/a/.git/x", "[out/a/]", "unsupported"},
};

START_TEST(test_run_missing)
{
	CLEANUP(buf_free) struct buf yaml = BUF_INIT;
	const struct event *ev;
	struct lab l;

	lab_open(&l);
	lab_write(&l, "s.sh", run_missing[_i].script);
	buf_addf(&yaml, "version: 1\nimage: host\ncommand: [sh, -e, s.sh]\ninputs: [s.sh]\noutputs: %s\n",
	    run_missing[_i].outputs);
	lab_resolve(&l, buf_str(&yaml));
	UNIT_OK(lab_execute(&l, -1), &l.e);
	ck_assert_int_eq(lab_finished(&l)->exit_code, 0);
	ck_assert(!certificate_run_ok(&l.c));
	ev = certificate_event(&l.c, EVENT_OUTPUT_MISSING);
	ck_assert_msg(ev != NULL, "%s: present", run_missing[_i].script);
	ck_assert_str_eq(ev->u.missing.reason, run_missing[_i].reason);
	lab_replay(&l);
	lab_signed(&l);
	lab_clean(&l);
	lab_close(&l);
}
END_TEST

/* A run that fails keeps what it made, and its modes do not matter. */
START_TEST(test_run_fails)
{
	struct lab l;

	lab_open(&l);
	lab_write(&l, "s.sh", "mkdir -p ckpt/d; echo x > ckpt/d/f; ln -s nowhere ckpt/l; chmod 0 ckpt/d/f ckpt/d;"
	    "echo y > m; chmod 4777 m; exit 3");
	lab_resolve(&l, "version: 1\nimage: host\ncommand: [sh, s.sh]\ninputs: [s.sh]\n"
	    "outputs: [{path: ckpt/, kind: checkpoint}, m, n]\n");
	UNIT_OK(lab_execute(&l, -1), &l.e);
	ck_assert_int_eq(lab_finished(&l)->reason, EVENT_EXITED);
	ck_assert_int_eq(lab_finished(&l)->exit_code, 3);
	ck_assert_ptr_nonnull(certificate_output(&l.c, "ckpt"));
	ck_assert_uint_eq(certificate_output(&l.c, "ckpt")->size, 2 + strlen("nowhere"));
	ck_assert_ptr_nonnull(certificate_output(&l.c, "m"));
	ck_assert_ptr_null(certificate_output(&l.c, "n"));
	lab_clean(&l);
	lab_close(&l);
}
END_TEST

START_TEST(test_run_not_started)
{
	struct lab l;

	lab_open(&l);
	lab_resolve(&l, "version: 1\nimage: host\ncommand: [no-such-command]\noutputs: [a]\n");
	UNIT_OK(lab_execute(&l, -1), &l.e);
	ck_assert_int_eq(lab_finished(&l)->reason, EVENT_NOT_STARTED);
	ck_assert(!lab_finished(&l)->has_times);
	ck_assert_str_eq(certificate_event(&l.c, EVENT_OUTPUT_MISSING)->u.missing.reason, "not-run");
	lab_replay(&l);
	lab_close(&l);
}
END_TEST

/* Deeper than descriptors or the stack would last. */
START_TEST(test_run_deep)
{
	struct lab l;

	lab_open(&l);
	lab_write(&l, "d.py", "import os\nfor i in range(3000):\n    os.mkdir('d')\n    os.chdir('d')\n");
	lab_resolve(&l, "version: 1\nimage: host\ncommand: [python3, d.py]\ninputs: [d.py]\noutputs: [d/]\n");
	UNIT_OK(lab_execute(&l, -1), &l.e);
	ck_assert_str_eq(certificate_event(&l.c, EVENT_OUTPUT_MISSING)->u.missing.reason, "unsupported");
	lab_clean(&l);
	lab_close(&l);
}
END_TEST

START_TEST(test_run_cancelled)
{
	struct lab l;
	int fd = eventfd(1, EFD_CLOEXEC);

	lab_open(&l);
	lab_resolve(&l, lab_good);
	UNIT_OK(lab_execute(&l, fd), &l.e);
	ck_assert_int_eq(lab_finished(&l)->reason, EVENT_CANCELLED);
	ck_assert(!certificate_run_ok(&l.c));
	lab_replay(&l);
	lab_clean(&l);
	close(fd);
	lab_close(&l);
}
END_TEST

/* Files that are longer than the disk are refused before they are hashed. */
START_TEST(test_run_sparse)
{
	CLEANUP(buf_free) struct buf log = BUF_INIT;
	struct lab l;

	lab_open(&l);
	lab_write(&l, "s.py", "import os, resource, signal\n"
	    "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
	    "try: os.truncate(os.open('a', os.O_CREAT | os.O_WRONLY), 8 << 40)\n"
	    "except OSError as e: print(e.strerror)\n"
	    "n = resource.getrlimit(resource.RLIMIT_FSIZE)[0] - (1 << 20)\n"
	    "os.mkdir('d')\n"
	    "for p in 'b', 'd/1', 'd/2': os.truncate(os.open(p, os.O_CREAT | os.O_WRONLY), n)\n");
	lab_resolve(&l, "version: 1\nimage: host\ncommand: [python3, s.py]\ninputs: [s.py]\n"
	    "outputs: [d/]\n");
	UNIT_OK(lab_execute(&l, -1), &l.e);
	ck_assert_int_eq(lab_finished(&l)->exit_code, 0);
	UNIT_OK(odb_read(l.store, &lab_finished(&l)->log, 4096, &log, &l.e), &l.e);
	ck_assert_ptr_nonnull(strstr(buf_str(&log), "File too large\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&log), "output missing: d: too long"));
	ck_assert_str_eq(certificate_event(&l.c, EVENT_OUTPUT_MISSING)->u.missing.reason, "unsupported");
	lab_replay(&l);
	lab_clean(&l);
	lab_close(&l);
}
END_TEST

static void
lab_cancel(void *arg, const char *state)
{
	if (strcmp(state, "hashing") == 0)
		ck_assert_int_eq(eventfd_write(*(int *)arg, 1), 0);
}

/* What takes too long to hash is given up. */
START_TEST(test_run_cancelled_hashing)
{
	struct lab l;
	int fd = eventfd(0, EFD_CLOEXEC);
	struct run_request rq = {.cancel_fd = fd, .daemon_version = "1",
		.observer = {.state = lab_cancel, .arg = &fd}};
	time_t start;

	lab_open(&l);
	lab_write(&l, "s.py", "import os, resource\n"
	    "n = min(resource.getrlimit(resource.RLIMIT_FSIZE)[0] // 4 * 3, 1 << 37)\n"
	    "os.truncate(os.open('a', os.O_CREAT | os.O_WRONLY), n)\n");
	lab_resolve(&l, "version: 1\nimage: host\ncommand: [python3, s.py]\ninputs: [s.py]\n"
	    "outputs: [a]\n");
	rq.store = l.store;
	rq.tpm = l.tpm;
	rq.spec = &l.resolved;
	start = time(NULL);
	if (run_execute(&rq, &l.bytes, &l.e) != 0) {
		ck_assert_msg(l.e.code == ERR_CANCELLED, "%s", l.e.msg);
		ck_assert_int_ge(time(NULL) - start, RUN_CANCEL_MS / 1000 - 1);
	}
	ck_assert_int_lt(time(NULL) - start, RUN_CANCEL_MS / 1000 + 8);
	lab_clean(&l);
	close(fd);
	lab_close(&l);
}
END_TEST

/* Writes to the input that the running command sees. */
struct lab_tamper {
	struct store *store;
	const char *text;
};

static void
lab_tamper(void *arg, const char *state)
{
	const struct lab_tamper *t = arg;
	char name[100], path[300];
	struct err e;
	int fd;

	if (strcmp(state, "running") != 0)
		return;
	ck_assert_int_eq(lab_runs(t->store, name), 1);
	snprintf(path, sizeof path, "%s/inputs/1/in.txt", name);
	ck_assert_int_eq(fchmodat(store_tmp_fd(t->store), path, 0644, 0), 0);
	fd = openat(store_tmp_fd(t->store), path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	UNIT_OK(fd_write_all(fd, t->text, strlen(t->text), path, &e), &e);
	close(fd);
}

static int
lab_tampered(struct lab *l, const char *text)
{
	struct lab_tamper t = {l->store, text};
	struct run_request rq = {
		.store = l->store, .tpm = l->tpm, .spec = &l->resolved, .daemon_version = "1",
		.cancel_fd = -1, .observer = {.state = lab_tamper, .arg = &t},
	};
	int rc = run_execute(&rq, &l->bytes, &l->e);

	lab_clean(l);
	return rc;
}

/* An input that was written to is found, and found to be harmless when its bytes are the same. */
START_TEST(test_run_input_changed)
{
	struct lab l;

	lab_open(&l);
	lab_resolve(&l, "version: 1\nimage: host\ncommand: [sh, -c, 'sleep 0.3; echo > a']\n"
	    "inputs: [copy.py, data/]\noutputs: [a]\n");
	UNIT_FAILS(lab_tampered(&l, "INPUT\n"), &l.e, ERR_REFUSED);
	ck_assert_msg(strstr(l.e.msg, "input data: its bytes changed") != NULL, "%s", l.e.msg);
	ck_assert_uint_eq(l.bytes.len, 0);
	UNIT_OK(lab_tampered(&l, "input\n"), &l.e);
	UNIT_OK(certificate_decode(l.bytes.data, l.bytes.len, &l.c, &l.e), &l.e);
	ck_assert(certificate_run_ok(&l.c));
	lab_close(&l);
}
END_TEST

static struct resource_made_by *
lab_made_by(const struct oid *certificate, const char *path)
{
	struct resource_made_by *by = calloc(1, sizeof *by);

	ck_assert_ptr_nonnull(by);
	by->certificate = *certificate;
	by->path = strdup(path);
	return by;
}

static void
lab_refused(struct lab *l, enum err_code code, const char *why)
{
	struct certificate_pcrs before, after;

	UNIT_OK(pcr_read_all(l->tpm, &before, &l->e), &l->e);
	ck_assert_int_ne(lab_execute(l, -1), 0);
	ck_assert_msg(l->e.code == code && strstr(l->e.msg, why) != NULL, "%s: %s", err_name(l->e.code),
	    l->e.msg);
	/* before anything was measured */
	UNIT_OK(pcr_read_all(l->tpm, &after, &l->e), &l->e);
	ck_assert_int_eq(memcmp(before.sha256[14], after.sha256[14], 32), 0);
	lab_clean(l);
}

START_TEST(test_run_made_by)
{
	struct oid id, other = {{7}};
	struct resource_input *in;
	struct lab l;

	lab_open(&l);
	lab_resolve(&l, lab_good);
	UNIT_OK(lab_execute(&l, -1), &l.e);
	UNIT_OK(odb_put(l.store, l.bytes.data, l.bytes.len, &id, &l.e), &l.e);
	certificate_free(&l.c);
	run_spec_free(&l.resolved);
	spec_free(&l.spec);
	lab_write(&l, "data/in.txt", "input\ninput\n"); /* what the first run made */
	lab_resolve(&l, lab_good);
	in = &l.resolved.inputs[1];
	in->made_by = lab_made_by(&id, "out/result.txt");
	buf_reset(&l.bytes);
	UNIT_OK(lab_execute(&l, -1), &l.e);
	ck_assert(certificate_run_ok(&l.c));
	free(in->made_by->path);
	in->made_by->path = strdup("out/other.txt");
	lab_refused(&l, ERR_REFUSED, "data/in.txt: madeBy: that run has no output out/other.txt");
	free(in->made_by->path);
	in->made_by->path = strdup("out/result.txt");
	in->made_by->certificate = other;
	lab_refused(&l, ERR_NOTFOUND, "data/in.txt: madeBy");
	in->made_by->certificate = id;
	l.resolved.inputs[0].made_by = in->made_by; /* of another content */
	in->made_by = NULL;
	lab_refused(&l, ERR_REFUSED, "copy.py: madeBy: output out/result.txt of that run has another content");
	lab_close(&l);
}
END_TEST

START_TEST(test_run_inputs_refused)
{
	struct resource *r;
	struct lab l;

	lab_open(&l);
	lab_resolve(&l, lab_good);
	r = &l.resolved.inputs[1].thing;
	r->size++;
	lab_refused(&l, ERR_REFUSED, "data/in.txt: it has 6 bytes, the spec says 7");
	r->size--;
	r->digests.has_sha384 = true;
	lab_refused(&l, ERR_REFUSED, "sha384");
	r->digests.has_sha384 = false;
	r->digests.has_blake3 = true;
	lab_refused(&l, ERR_UNSUPPORTED, "blake3");
	r->digests.has_blake3 = false;
	r->digests.sha256.b[0] ^= 1;
	lab_refused(&l, ERR_NOTFOUND, "data/in.txt");
	lab_close(&l);
}
END_TEST

/* --- images --- */

/* Runs a shell script in the work tree. */
static void
lab_shell(struct lab *l, const char *script)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	FILE *f;

	buf_addf(&text, "cd %s && set -e\n%s", l->path, script);
	f = popen(buf_str(&text), "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(pclose(f), 0);
}

/* A root file system of one static program, which says what it sees. */
static const char lab_image[] =
    "mkdir -p root/bin root/gone && cat > a.c <<'END'\n"
    "#include <stdio.h>\n#include <unistd.h>\n"
    "int main(void) {\n"
    "	FILE *f = fopen(\"out/a\", \"w\");\n"
    "	printf(\"usr %d gone %d new %d\\n\", access(\"/usr\", 0), access(\"/gone\", 0), access(\"/new\", 0));\n"
    "	return f == NULL || fputs(\"made\", f) < 0 || fclose(f) != 0;\n"
    "}\nEND\n"
    "gcc -static -O1 -o root/bin/a a.c\n"
    "tar -C root -cf image.tar . && gzip -k image.tar\n";

/* Two layers, the second of which removes /gone and adds /new. */
static const char lab_layout[] =
    "mkdir -p top oci/blobs/sha256 && : > top/.wh.gone && : > top/new && tar -C top -cf top.tar .\n"
    "put() { h=$(sha256sum < \"$1\" | cut -d' ' -f1); cp \"$1\" oci/blobs/sha256/$h;"
    " printf '{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\",\"size\":%s}' \"$2\" $h $(stat -c %s \"$1\"); }\n"
    "echo '{}' > c.json\n"
    "l1=$(put image.tar.gz application/vnd.oci.image.layer.v1.tar+gzip)\n"
    "l2=$(put top.tar application/vnd.oci.image.layer.v1.tar)\n"
    "c=$(put c.json application/vnd.oci.image.config.v1+json)\n"
    "printf '{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s,%s]}' \"$c\" \"$l1\" \"$l2\" > m.json\n"
    "m=$(put m.json application/vnd.oci.image.manifest.v1+json)\n"
    "printf '{\"schemaVersion\":2,\"manifests\":[%s]}' \"$m\" > oci/index.json\n"
    "printf '{\"imageLayoutVersion\":\"1.0.0\"}' > oci/oci-layout\n"
    "tar -C oci -cf oci.tar .\n";

static const struct {
	const char *image, *log;
} run_images[] = {
	{"rootfs:image.tar", "usr -1 gone 0 new -1\n"},
	{"rootfs:image.tar.gz", "usr -1 gone 0 new -1\n"},
	{"oci:oci", "usr -1 gone -1 new 0\n"},
	{"oci:oci.tar", "usr -1 gone -1 new 0\n"},
};

START_TEST(test_run_image)
{
	CLEANUP(buf_free) struct buf yaml = BUF_INIT;
	CLEANUP(buf_free) struct buf log = BUF_INIT;
	struct lab l;

	lab_open(&l);
	lab_shell(&l, lab_image);
	lab_shell(&l, lab_layout);
	buf_addf(&yaml, "version: 1\nimage: %s\ncommand: [a]\noutputs: [out/a]\n", run_images[_i].image);
	lab_resolve(&l, buf_str(&yaml));
	UNIT_OK(lab_execute(&l, -1), &l.e);
	UNIT_OK(odb_read(l.store, &lab_finished(&l)->log, 4096, &log, &l.e), &l.e);
	ck_assert_str_eq(buf_str(&log), run_images[_i].log);
	ck_assert(certificate_run_ok(&l.c));
	ck_assert_uint_eq(certificate_output(&l.c, "out/a")->size, 4);
	ck_assert_str_eq(certificate_event(&l.c, EVENT_INPUT_IMAGE)->u.image.file.path,
	    strchr(run_images[_i].image, ':') + 1);
	lab_replay(&l);
	lab_clean(&l);
	lab_close(&l);
}
END_TEST

/* Images that must not be unpacked: refused before anything is measured. */
static const struct {
	const char *script, *image, *why;
	enum err_code code;
} run_bad_images[] = {
	{"f=$(ls -S oci/blobs/sha256/* | head -1); echo x >> $f\n", "oci:oci", "digest", ERR_REFUSED},
	{"rm oci/index.json\n", "oci:oci", "index.json", ERR_NOTFOUND},
	{"echo '{\"manifests\":[]}' > oci/index.json\n", "oci:oci", "no image", ERR_UNSUPPORTED},
	{"echo '[' > oci/index.json\n", "oci:oci", "index.json", ERR_FORMAT},
	{"sed -i 's/sha256:/sha512:/' oci/index.json\n", "oci:oci", "sha256", ERR_UNSUPPORTED},
	{"m=$(grep -l layers oci/blobs/sha256/*); rm $m\n", "oci:oci", "blobs/sha256", ERR_NOTFOUND},
	{"echo nothing > image.tar\n", "rootfs:image.tar", "image.tar", ERR_FORMAT},
	{"rm -r root/bin; ln -s /etc root/tmp; tar -C root -cf image.tar .\n", "rootfs:image.tar", "tmp",
	    ERR_DENIED},
};

START_TEST(test_run_bad_image)
{
	CLEANUP(buf_free) struct buf yaml = BUF_INIT;
	struct lab l;

	lab_open(&l);
	lab_shell(&l, lab_image);
	lab_shell(&l, lab_layout);
	lab_shell(&l, run_bad_images[_i].script);
	buf_addf(&yaml, "version: 1\nimage: %s\ncommand: [a]\noutputs: [out/a]\n", run_bad_images[_i].image);
	lab_resolve(&l, buf_str(&yaml));
	lab_refused(&l, run_bad_images[_i].code, run_bad_images[_i].why);
	lab_close(&l);
}
END_TEST

/* --- as an ordinary user --- */

static void
run_rootless(void)
{
	struct lab l;

	lab_open(&l);
	lab_resolve(&l, lab_good);
	UNIT_OK(lab_execute(&l, -1), &l.e);
	ck_assert(certificate_run_ok(&l.c));
	ck_assert(certificate_event(&l.c, EVENT_RUN_REQUEST)->u.request.sandbox.rootless);
	lab_replay(&l);
	lab_clean(&l);
	run_spec_free(&l.resolved);
	spec_free(&l.spec);
	certificate_free(&l.c);
	buf_reset(&l.bytes);
	lab_resolve(&l, "version: 1\nimage: host\ncommand: [a]\noutputs: [a]\nlimits: {memory: 1GiB}\n");
	if (geteuid() == BOX_USER) /* to whom no group is delegated */
		lab_refused(&l, ERR_UNSUPPORTED, "limits: memory: cannot be enforced");
	lab_close(&l);
}

START_TEST(test_run_rootless)
{
	box_as_user(run_rootless);
}
END_TEST

UNIT_SUITE(run_run)
{
	tcase_add_test(tc, test_run_good);
	tcase_add_test(tc, test_run_twice);
	tcase_add_loop_test(tc, test_run_missing, 0, (int)(sizeof run_missing / sizeof *run_missing));
	tcase_add_test(tc, test_run_fails);
	tcase_add_test(tc, test_run_not_started);
	tcase_add_test(tc, test_run_deep);
	tcase_add_test(tc, test_run_cancelled);
	tcase_add_test(tc, test_run_cancelled_hashing);
	tcase_add_test(tc, test_run_sparse);
	tcase_add_test(tc, test_run_input_changed);
	tcase_add_test(tc, test_run_made_by);
	tcase_add_test(tc, test_run_inputs_refused);
	tcase_add_loop_test(tc, test_run_image, 0, (int)(sizeof run_images / sizeof *run_images));
	tcase_add_loop_test(tc, test_run_bad_image, 0, (int)(sizeof run_bad_images / sizeof *run_bad_images));
	tcase_add_test(tc, test_run_rootless);
}
