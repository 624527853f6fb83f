/* A TPM in another process, reached through tctildr. */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include "base/fd.h"
#include "evidence/quote-check.h"
#include "tpm/fixture.h"

#define SWTPM_TRIES 20

struct swtpm {
	pid_t pid;
	char spec[64];
};

/* A port that is free together with the next one, as far as one can know. */
static int
swtpm_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	CLEANUP(cleanup_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin_port);
}

static bool
swtpm_try(struct swtpm *s, const char *program, int port)
{
	char state[300], server[64], ctrl[64], pid_option[300], pid_file[280];
	char *argv[] = {"swtpm", "socket", "--tpm2", "--tpmstate", state, "--server", server,
	    "--ctrl", ctrl, "--flags", "not-need-init", "--daemon", "--pid", pid_option, NULL};
	CLEANUP(buf_free) struct buf pid = BUF_INIT;
	char *env[] = {NULL};
	pid_t child;
	int status;
	struct err e;

	snprintf(pid_file, sizeof pid_file, "%s/swtpm.pid", unit_dir());
	snprintf(state, sizeof state, "dir=%s,mode=0600", unit_dir());
	snprintf(server, sizeof server, "type=tcp,port=%d,bindaddr=127.0.0.1", port);
	snprintf(ctrl, sizeof ctrl, "type=tcp,port=%d,bindaddr=127.0.0.1", port + 1);
	snprintf(pid_option, sizeof pid_option, "file=%s", pid_file);
	snprintf(s->spec, sizeof s->spec, "swtpm:host=127.0.0.1,port=%d", port);
	if (posix_spawn(&child, program, NULL, NULL, argv, env) != 0 ||
	    waitpid(child, &status, 0) != child || status != 0)
		return false;
	/* it became a daemon after it had its sockets and wrote the file */
	UNIT_OK(fd_read_file(AT_FDCWD, pid_file, 64, &pid, &e), &e);
	s->pid = (pid_t)atol(buf_str(&pid));
	return true;
}

/* False, with a line on stdout, when the program is not installed. */
static bool
swtpm_start(struct swtpm *s)
{
	static const char program[] = "/usr/bin/swtpm";

	if (access(program, X_OK) != 0) {
		printf("skipped: no %s\n", program);
		return false;
	}
	for (int i = 0; i < SWTPM_TRIES; i++) {
		if (swtpm_try(s, program, swtpm_port()))
			return true;
	}
	ck_abort_msg("swtpm does not start");
	return false;
}

static void
swtpm_stop(struct swtpm *s)
{
	if (s->pid > 1)
		kill(s->pid, SIGKILL);
}

static void
swtpm_quote(struct tpm *t, const char *text)
{
	struct certificate_quote q = {0};
	CLEANUP(buf_free) struct buf public = BUF_INIT, reason = BUF_INIT;
	CLEANUP(ak_public_free) struct ak_public ak = {0};
	unsigned char extra[32] = {42};
	struct quote_check_pcrs pcrs;
	bool structure = false, signature = false;
	struct err e;

	UNIT_OK(pcr_extend(t, 14, text, strlen(text), &e), &e);
	UNIT_OK(quote_make(t, extra, &q, &e), &e);
	UNIT_OK(ak_load(t, &public, &e), &e);
	UNIT_OK(ak_public_decode(public.data, public.len, &ak, &e), &e);
	fixture_pcrs(&q.pcrs, &pcrs);
	UNIT_OK(quote_check_structure(q.attest.data, q.attest.len, extra, &pcrs, ak.scheme_hash,
	    &structure, &reason, &e), &e);
	UNIT_OK(quote_check_signature(&ak, q.attest.data, q.attest.len, q.signature.data,
	    q.signature.len, &signature, &reason, &e), &e);
	ck_assert(structure && signature);
	buf_free(&q.attest);
	buf_free(&q.signature);
}

START_TEST(swtpm_quotes_and_keeps_its_pcrs)
{
	CLEANUP(swtpm_stop) struct swtpm s = {0};
	CLEANUP(tpm_closep) struct tpm *t = NULL;
	struct certificate_pcrs before, after;
	bool sha256 = false, sha384 = false;
	struct err e;

	if (!swtpm_start(&s))
		return;
	t = fixture_open(s.spec);
	ck_assert_int_eq(tpm_kind(t), EVENT_TPM_SWTPM);
	ck_assert(!tpm_resettable(t));
	UNIT_FAILS(tpm_reset(t, &e), &e, ERR_UNSUPPORTED);
	tpm_banks(t, &sha256, &sha384);
	ck_assert(sha256 && sha384);
	swtpm_quote(t, "first");
	UNIT_OK(pcr_read_all(t, &before, &e), &e);
	tpm_close(t);
	/* It runs on: opening it again must not start it anew. */
	t = fixture_open(s.spec);
	UNIT_OK(pcr_read_all(t, &after, &e), &e);
	ck_assert_mem_eq(before.sha256, after.sha256, sizeof before.sha256);
	ck_assert_mem_eq(before.sha384, after.sha384, sizeof before.sha384);
	swtpm_quote(t, "second");
}
END_TEST

/* The TPM goes away under us: errors, never an answer. */
START_TEST(swtpm_gone_is_an_error)
{
	CLEANUP(swtpm_stop) struct swtpm s = {0};
	CLEANUP(tpm_closep) struct tpm *t = NULL;
	struct certificate_quote q = {0};
	struct certificate_pcrs pcrs;
	unsigned char extra[32] = {0};
	struct err e;

	if (!swtpm_start(&s))
		return;
	t = fixture_open(s.spec);
	kill(s.pid, SIGKILL);
	s.pid = 0;
	UNIT_FAILS(pcr_extend(t, 14, "x", 1, &e), &e, ERR_TPM);
	UNIT_FAILS(pcr_read_all(t, &pcrs, &e), &e, ERR_TPM);
	UNIT_FAILS(quote_make(t, extra, &q, &e), &e, ERR_TPM);
	ck_assert_ptr_null(q.attest.data);
}
END_TEST

UNIT_SUITE(swtpm)
{
	tcase_add_test(tc, swtpm_quotes_and_keeps_its_pcrs);
	tcase_add_test(tc, swtpm_gone_is_an_error);
}
