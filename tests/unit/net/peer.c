#include "peer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "unit.h"

static size_t
peer_body_length(const char *head)
{
	const char *p = strcasestr(head, "\r\nContent-Length:");

	return p != NULL ? (size_t)strtoul(p + 17, NULL, 10) : 0;
}

/* One request into p->requests; false at the end of the connection. */
static bool
peer_read(struct peer *p, int fd)
{
	struct buf in = BUF_INIT;
	size_t need = 0;
	char block[65536];
	bool whole = false;

	while (!whole) {
		ssize_t n = read(fd, block, sizeof block);
		char *end;

		if (n <= 0)
			break;
		buf_add(&in, block, (size_t)n);
		end = memmem(in.data, in.len, "\r\n\r\n", 4);
		if (end == NULL)
			continue;
		if (need == 0 && strcasestr(buf_str(&in), "\r\nExpect: 100-continue") != NULL &&
		    write(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25) != 25)
			break;
		need = (size_t)(end - (char *)in.data) + 4 + peer_body_length(buf_str(&in));
		whole = in.len >= need;
	}
	buf_add(&p->requests, in.data, in.len);
	buf_free(&in);
	return whole;
}

static void *
peer_main(void *arg)
{
	struct peer *p = arg;
	int fd = -1;

	for (size_t i = 0; i < p->count; i++) {
		const struct peer_answer *a = &p->answers[i];
		size_t len = a->len != 0 ? a->len : strlen(a->bytes), done = 0;
		char byte;

		while (fd < 0 || !peer_read(p, fd)) {
			if (fd >= 0)
				close(fd);
			fd = accept(p->listen_fd, NULL, NULL);
			if (fd < 0)
				return NULL;
			p->connections++;
		}
		while (done < len) {
			ssize_t n = send(fd, a->bytes + done, len - done, MSG_NOSIGNAL);

			if (n <= 0)
				break;
			done += (size_t)n;
		}
		while (a->hang && read(fd, &byte, 1) > 0)
			;
		if (a->close || a->hang) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

void
peer_unix(struct peer *p, const char *name, const struct peer_answer *answers, size_t count)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	*p = (struct peer){.answers = answers, .count = count};
	snprintf(p->path, sizeof p->path, "%s/%s", unit_dir(), name);
	ck_assert_uint_lt(strlen(p->path), sizeof addr.sun_path);
	memcpy(addr.sun_path, p->path, strlen(p->path) + 1);
	p->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(p->listen_fd, (struct sockaddr *)&addr, sizeof addr), 0);
	ck_assert_int_eq(listen(p->listen_fd, 8), 0);
}

void
peer_tcp(struct peer *p, const struct peer_answer *answers, size_t count)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof addr;

	*p = (struct peer){.answers = answers, .count = count};
	p->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(p->listen_fd, (struct sockaddr *)&addr, sizeof addr), 0);
	ck_assert_int_eq(listen(p->listen_fd, 8), 0);
	ck_assert_int_eq(getsockname(p->listen_fd, (struct sockaddr *)&addr, &len), 0);
	p->port = ntohs(addr.sin_port);
}

void
peer_start(struct peer *p)
{
	ck_assert_int_eq(pthread_create(&p->thread, NULL, peer_main, p), 0);
}

void
peer_join(struct peer *p)
{
	pthread_join(p->thread, NULL);
	close(p->listen_fd);
}
