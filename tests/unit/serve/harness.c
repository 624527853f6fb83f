#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "base/fd.h"
#include "serve/daemon.h"
#include "unit.h"

static void
harness_child(const struct harness *h, int control, int ready)
{
	struct settings s = {
		.store = (char *)(uintptr_t)h->store, .socket = (char *)(uintptr_t)h->socket,
		.tpm = (char *)(uintptr_t)"embedded",
	};
	struct daemon_options o = {.settings = &s, .control_fd = control, .ready_fd = ready};
	struct err e;

	if (daemon_serve(&o, &e) != 0) {
		dprintf(ready, "%s\n", e.msg);
		_exit(err_exit_status(e.code));
	}
	_exit(0);
}

void
harness_restart(struct harness *h)
{
	int control[2], ready[2];
	char line[512];
	size_t n;
	struct err e;

	/* the daemon before this one took it away */
	ck_assert(mkdir(h->dir, 0700) == 0 || errno == EEXIST);
	ck_assert_int_eq(pipe2(control, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	h->pid = fork();
	ck_assert_int_ge(h->pid, 0);
	if (h->pid == 0) {
		close(control[1]);
		close(ready[0]);
		harness_child(h, control[0], ready[1]);
	}
	close(control[0]);
	close(ready[1]);
	h->control = control[1];
	for (n = 0; n < sizeof line - 1 && read(ready[0], line + n, 1) == 1 && line[n] != '\n'; n++)
		;
	line[n] = '\0';
	close(ready[0]);
	ck_assert_msg(strncmp(line, "aicertd: listening on ", 22) == 0, "%s", line);
	ck_assert_str_eq(line + 22, h->socket);
	UNIT_OK(http_new("http://local", h->socket, &h->http, &e), &e);
}

void
harness_start(struct harness *h, const char *name)
{
	bool created;
	struct err e;

	*h = (struct harness){.control = -1};
	snprintf(h->worktree, sizeof h->worktree, "%s/%s", unit_dir(), name);
	snprintf(h->store, sizeof h->store, "%s/.aicert", h->worktree);
	snprintf(h->dir, sizeof h->dir, "%s/s", h->worktree);
	snprintf(h->socket, sizeof h->socket, "%s/socket", h->dir);
	ck_assert_int_eq(mkdir(h->worktree, 0755), 0);
	UNIT_OK(store_init(h->worktree, &created, &e), &e);
	harness_restart(h);
}

int
harness_stop(struct harness *h)
{
	int status = -1;

	http_free(h->http);
	h->http = NULL;
	close(h->control);
	ck_assert_int_eq(waitpid(h->pid, &status, 0), h->pid);
	return status;
}

void
harness_raw(const struct harness *h, const void *request, size_t len, struct buf *ret)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	CLEANUP(cleanup_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *p = request;
	char block[4096];
	ssize_t n;

	ck_assert_uint_lt(strlen(h->socket), sizeof addr.sun_path);
	memcpy(addr.sun_path, h->socket, strlen(h->socket) + 1);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
	while (len > 0 && (n = send(fd, p, len, MSG_NOSIGNAL)) > 0) {
		p += n;
		len -= (size_t)n;
	}
	shutdown(fd, SHUT_WR);
	while ((n = read(fd, block, sizeof block)) > 0)
		buf_add(ret, block, (size_t)n);
}

int
harness_status(const struct harness *h, const char *line)
{
	struct buf request = BUF_INIT, answer = BUF_INIT;
	int status = 0;

	buf_addf(&request, "%s\r\nHost: local\r\nConnection: close\r\n\r\n", line);
	harness_raw(h, request.data, request.len, &answer);
	if (answer.len > 12 && strncmp(buf_str(&answer), "HTTP/1.", 7) == 0)
		status = atoi(buf_str(&answer) + 9);
	buf_free(&request);
	buf_free(&answer);
	return status;
}

int
harness_do(const struct harness *h, const char *method, const char *path, const char *header,
    const void *body, size_t len, struct http_response *ret)
{
	struct http_request rq = {
		.method = method, .path = path, .header = header, .body = body, .body_len = len,
		.body_fd = -1, .max = 64u * 1024 * 1024,
	};
	struct http_response rs = {0};
	struct err e;
	int status;

	UNIT_OK(http_do(h->http, &rq, &rs, &e), &e);
	status = rs.status;
	if (ret != NULL)
		*ret = rs;
	else
		http_response_free(&rs);
	return status;
}

void
harness_run_body(const char *script, unsigned char nonce_byte, struct buf *ret)
{
	char *command[] = {(char *)(uintptr_t)"sh", (char *)(uintptr_t)"-c",
		(char *)(uintptr_t)script};
	struct run_spec_output output = {OBJECT_BLOB, (char *)(uintptr_t)"out.txt",
		(char *)(uintptr_t)"file"};
	struct run_spec spec = {
		.image = RUN_SPEC_HOST, .command = command, .command_count = 3, .outputs = &output,
		.output_count = 1,
	};
	struct jcs *v = jcs_new_object();
	char nonce[65];
	struct err e;

	for (int i = 0; i < 32; i++)
		snprintf(nonce + 2 * i, 3, "%02x", nonce_byte);
	jcs_set_string(v, "mediaType", "application/vnd.aicert.run-request.v1+json");
	jcs_set_string(v, "nonce", nonce);
	jcs_set(v, "spec", run_spec_to_jcs(&spec));
	UNIT_OK(jcs_encode(v, ret, &e), &e);
	jcs_free(v);
}

int
harness_run(const struct harness *h, const char *script, char ret_id[65])
{
	struct buf body = BUF_INIT;
	struct http_response rs;
	const char *p;
	int status;

	harness_run_body(script, 7, &body);
	status = harness_do(h, "POST", "/v1/runs", NULL, body.data, body.len, &rs);
	if (status == 201) {
		p = strstr(buf_str(&rs.body), "\"run\":\"");
		ck_assert_ptr_nonnull(p);
		snprintf(ret_id, 65, "%.64s", p + 7);
	} else {
		snprintf(ret_id, 65, "%.64s", buf_str(&rs.body));
	}
	http_response_free(&rs);
	buf_free(&body);
	return status;
}

void
harness_log(const struct harness *h, const char *id, struct buf *ret)
{
	char path[160];
	struct http_response rs;

	snprintf(path, sizeof path, "/v1/runs/%s/log?follow=1", id);
	ck_assert_int_eq(harness_do(h, "GET", path, NULL, NULL, 0, &rs), 200);
	buf_add(ret, rs.body.data, rs.body.len);
	http_response_free(&rs);
}
