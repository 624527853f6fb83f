#include "net/http.h"

#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "peer.h"
#include "relay.h"
#include "unit.h"

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

static const struct peer_answer hellos[] = {{OK_HELLO}, {OK_HELLO}, {OK_HELLO}, {OK_HELLO}};

/* A server with a key, and a client that has to be sure of it. */
struct scene {
	struct pki *pki, *other;
	struct relay relay;
	struct peer peer;
	char pin[45];
	struct http_options o;
};

static void
scene_open(struct scene *s, size_t answers)
{
	*s = (struct scene){.pki = pki_leaf("runner", NULL), .other = pki_leaf("another", NULL)};
	peer_tcp(&s->peer, hellos, answers);
	peer_start(&s->peer);
	relay_start(&s->relay, s->pki, NULL, s->peer.port);
	relay_pin(s->pki, s->pin);
	s->o = (struct http_options){.peer = HTTP_PEER_PIN, .base = s->relay.url, .pin = s->pin};
}

static void
scene_close(struct scene *s)
{
	relay_stop(&s->relay);
	peer_join(&s->peer);
	buf_free(&s->peer.requests);
	pki_free(s->pki);
	pki_free(s->other);
}

static int
get(struct http *h, const char *path, struct err *e)
{
	struct http_request rq = {.method = "GET", .path = path, .body_fd = -1, .max = 100};
	CLEANUP(http_response_free) struct http_response rs = {0};

	return http_do(h, &rq, &rs, e);
}

START_TEST(the_pinned_key_is_served)
{
	CLEANUP(http_freep) struct http *h = NULL, *copy = NULL;
	struct scene s;
	struct err e;

	scene_open(&s, 3);
	UNIT_OK(http_new_with(&s.o, &h, &e), &e);
	UNIT_OK(http_set_token(h, "secret-token", &e), &e);
	UNIT_OK(get(h, "/a", &e), &e);
	UNIT_OK(get(h, "/b", &e), &e);
	ck_assert_uint_eq(s.relay.connections, 1); /* kept */
	ck_assert(!http_key_changed(h));
	UNIT_OK(http_clone(h, &copy, &e), &e);
	http_freep(&h);
	h = NULL;
	UNIT_OK(get(copy, "/c", &e), &e);
	http_freep(&copy);
	copy = NULL;
	ck_assert(relay_got(&s.relay, "Authorization: Bearer secret-token\r\n"));
	ck_assert(relay_got(&s.relay, "GET /c HTTP/1.1\r\n"));
	scene_close(&s);
}
END_TEST

/* Not one byte of a request reaches another key, with or without an earlier connection. */
START_TEST(another_key_gets_nothing)
{
	CLEANUP(http_freep) struct http *h = NULL, *copy = NULL;
	struct scene s;
	struct err e;

	scene_open(&s, 1);
	relay_show(&s.relay, s.other);
	UNIT_OK(http_new_with(&s.o, &h, &e), &e);
	UNIT_OK(http_set_token(h, "secret-token", &e), &e);
	UNIT_FAILS(get(h, "/a", &e), &e, ERR_REFUSED);
	ck_assert(http_key_changed(h));
	ck_assert_uint_eq(relay_bytes(&s.relay), 0);
	relay_show(&s.relay, s.pki);
	UNIT_OK(get(h, "/a", &e), &e);
	ck_assert(!http_key_changed(h));
	relay_show(&s.relay, s.other);
	UNIT_OK(http_clone(h, &copy, &e), &e);
	UNIT_FAILS(get(copy, "/b", &e), &e, ERR_REFUSED);
	ck_assert(http_key_changed(copy));
	ck_assert(!relay_got(&s.relay, "/b"));
	scene_close(&s);
}
END_TEST

START_TEST(an_upload_to_another_key_sends_nothing)
{
	CLEANUP(http_freep) struct http *h = NULL;
	struct http_request rq = {.method = "PUT", .path = "/x", .body_fd_size = 10};
	struct http_response rs;
	struct scene s;
	struct err e;
	char name[128];

	scene_open(&s, 0);
	relay_show(&s.relay, s.other);
	snprintf(name, sizeof name, "%s/data", unit_dir());
	rq.body_fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	UNIT_OK(fd_write_all(rq.body_fd, "0123456789", 10, name, &e), &e);
	UNIT_OK(http_new_with(&s.o, &h, &e), &e);
	UNIT_FAILS(http_do(h, &rq, &rs, &e), &e, ERR_REFUSED);
	ck_assert_uint_eq(relay_bytes(&s.relay), 0);
	close(rq.body_fd);
	scene_close(&s);
}
END_TEST

START_TEST(nothing_older_than_tls_1_3)
{
	static const enum http_peer peers[] = {HTTP_PEER_PIN, HTTP_PEER_ASK, HTTP_PEER_CA};
	struct scene s;
	struct err e;

	scene_open(&s, 0);
	s.relay.old = true;
	for (size_t i = 0; i < 3; i++) {
		CLEANUP(http_freep) struct http *h = NULL;

		s.o.peer = peers[i];
		s.o.pin = i == 0 ? s.pin : NULL;
		UNIT_OK(http_new_with(&s.o, &h, &e), &e);
		UNIT_FAILS(get(h, "/a", &e), &e, ERR_NETWORK);
	}
	ck_assert_uint_eq(relay_bytes(&s.relay), 0);
	scene_close(&s);
}
END_TEST

START_TEST(asking_shows_the_certificate_once)
{
	CLEANUP(http_freep) struct http *h = NULL;
	CLEANUP(buf_free) struct buf pem = BUF_INIT, shown = BUF_INIT;
	struct scene s;
	struct err e;

	scene_open(&s, 2);
	s.o = (struct http_options){.peer = HTTP_PEER_ASK, .base = s.relay.url};
	UNIT_OK(http_new_with(&s.o, &h, &e), &e);
	UNIT_FAILS(http_peer_certificate(h, &shown, &e), &e, ERR_NETWORK);
	UNIT_FAILS(http_set_token(h, "secret-token", &e), &e, ERR_INTERNAL);
	UNIT_OK(get(h, "/a", &e), &e);
	UNIT_OK(http_peer_certificate(h, &shown, &e), &e);
	pki_pem(s.pki, &pem);
	ck_assert_str_eq(buf_str(&shown), buf_str(&pem));
	UNIT_OK(get(h, "/a", &e), &e); /* on a connection of its own */
	ck_assert_uint_eq(s.relay.connections, 2);
	ck_assert(!relay_got(&s.relay, "Authorization"));
	scene_close(&s);
}
END_TEST

START_TEST(ordinary_https_wants_a_ca)
{
	CLEANUP(http_freep) struct http *h = NULL;
	struct scene s;
	struct err e;

	scene_open(&s, 0);
	UNIT_OK(http_new(s.relay.url, NULL, &h, &e), &e);
	UNIT_OK(http_set_token(h, "secret-token", &e), &e);
	UNIT_FAILS(get(h, "/a", &e), &e, ERR_DENIED);
	ck_assert(!http_key_changed(h)); /* that is a matter of pins */
	ck_assert_uint_eq(relay_bytes(&s.relay), 0);
	scene_close(&s);
}
END_TEST

static void
write_secret(const char *path, const struct buf *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct err e;

	ck_assert_int_ge(fd, 0);
	UNIT_OK(fd_write_all(fd, text->data, text->len, path, &e), &e);
	close(fd);
}

/* A client certificate is sent within the handshake: also it only to the right key. */
START_TEST(a_client_certificate_goes_to_the_right_key_only)
{
	CLEANUP(http_freep) struct http *h = NULL;
	CLEANUP(buf_free) struct buf cert = BUF_INIT, key = BUF_INIT, pem = BUF_INIT;
	CLEANUP(pki_freep) struct pki *client = pki_root("client");
	char cert_file[128], key_file[128];
	struct scene s;
	struct err e;

	scene_open(&s, 1);
	pki_pem(client, &cert);
	pki_private_pem(client, &key);
	pki_pem(s.pki, &pem);
	snprintf(cert_file, sizeof cert_file, "%s/client.pem", unit_dir());
	snprintf(key_file, sizeof key_file, "%s/client.key", unit_dir());
	write_secret(cert_file, &cert);
	write_secret(key_file, &key);
	s.o.client_cert = cert_file;
	s.o.client_key = key_file;
	UNIT_FAILS(http_new_with(&s.o, &h, &e), &e, ERR_INTERNAL); /* without the peer's */
	s.o.peer_pem = buf_str(&pem);
	UNIT_OK(http_new_with(&s.o, &h, &e), &e);
	relay_show(&s.relay, s.other);
	UNIT_FAILS(get(h, "/a", &e), &e, ERR_REFUSED);
	ck_assert(http_key_changed(h));
	ck_assert_uint_eq(s.relay.with_client, 0);
	ck_assert_uint_eq(s.relay.connections, 0); /* no handshake came to its end */
	relay_show(&s.relay, s.pki);
	UNIT_OK(get(h, "/a", &e), &e);
	ck_assert_uint_eq(s.relay.with_client, 1);
	scene_close(&s);
}
END_TEST

START_TEST(options_must_fit)
{
	static const struct http_options bad[] = {
		{.peer = HTTP_PEER_PIN, .base = "https://h:1"},
		{.peer = HTTP_PEER_ASK, .base = "https://h:1", .pin = "x"},
		{.peer = HTTP_PEER_CA, .base = "https://h:1", .pin = "x"},
		{.peer = HTTP_PEER_ASK, .base = "http://h:1"},
		{.peer = HTTP_PEER_CA, .base = "http://h:1"},
		{.peer = HTTP_PEER_SOCKET, .base = "http://local"},
		{.peer = HTTP_PEER_SOCKET, .base = "https://local", .unix_socket = "/s"},
		{.peer = HTTP_PEER_CA, .base = "https://h:1", .unix_socket = "/s"},
		{.peer = HTTP_PEER_CA, .base = "https://h:1", .client_cert = "c"},
		{.peer = HTTP_PEER_CA, .base = "https://h:1", .client_key = "c"},
		{.peer = HTTP_PEER_ASK, .base = "https://h:1", .client_cert = "c", .client_key = "k"},
		{.peer = HTTP_PEER_PIN, .base = "https://h:1", .pin = "x", .client_cert = "c",
		    .client_key = "k"},
	};
	struct http *h = NULL;
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		UNIT_FAILS(http_new_with(&bad[i], &h, &e), &e, ERR_INTERNAL);
		ck_assert_ptr_null(h);
	}
}
END_TEST

UNIT_SUITE(net_http_tls)
{
	tcase_add_test(tc, the_pinned_key_is_served);
	tcase_add_test(tc, another_key_gets_nothing);
	tcase_add_test(tc, an_upload_to_another_key_sends_nothing);
	tcase_add_test(tc, nothing_older_than_tls_1_3);
	tcase_add_test(tc, asking_shows_the_certificate_once);
	tcase_add_test(tc, ordinary_https_wants_a_ca);
	tcase_add_test(tc, a_client_certificate_goes_to_the_right_key_only);
	tcase_add_test(tc, options_must_fit);
}
