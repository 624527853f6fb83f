#include "relay.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "unit.h"

struct relay_connection {
	struct relay *relay;
	int fd;
};

static int
relay_any_client(int ok, X509_STORE_CTX *x)
{
	(void)ok;
	(void)x;
	return 1;
}

static SSL_CTX *
relay_context(const struct relay *r)
{
	CLEANUP(buf_free) struct buf cert = BUF_INIT, key = BUF_INIT;
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *pkey;
	X509 *x509;
	BIO *bio;

	pki_pem(r->pki, &cert);
	pki_private_pem(r->pki, &key);
	bio = BIO_new_mem_buf(cert.data, (int)cert.len);
	x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	bio = BIO_new_mem_buf(key.data, (int)key.len);
	pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	ck_assert_int_eq(SSL_CTX_use_certificate(c, x509), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(c, pkey), 1);
	X509_free(x509);
	EVP_PKEY_free(pkey);
	if (r->old)
		SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
	else
		SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, relay_any_client);
	return c;
}

static int
relay_connect(const struct relay *r)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)r->backend_port)};
	bool is_unix = r->backend[0] != '\0';
	int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof un.sun_path, "%s", r->backend);
	if (connect(fd, is_unix ? (struct sockaddr *)&un : (struct sockaddr *)&in,
	    is_unix ? (socklen_t)sizeof un : (socklen_t)sizeof in) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
relay_note(struct relay *r, const void *data, size_t len)
{
	pthread_mutex_lock(&r->lock);
	buf_add(&r->received, data, len);
	pthread_mutex_unlock(&r->lock);
}

static bool
relay_send(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static void
relay_pump(struct relay *r, SSL *ssl, int client, int backend)
{
	char block[65536];

	for (;;) {
		struct pollfd p[2] = {{.fd = client, .events = POLLIN}, {.fd = backend, .events = POLLIN}};

		if (SSL_pending(ssl) == 0 && poll(p, 2, 100) < 0)
			return;
		if (r->stop)
			return;
		if (SSL_pending(ssl) > 0 || p[0].revents != 0) {
			int n = SSL_read(ssl, block, sizeof block);

			if (n <= 0)
				return;
			relay_note(r, block, (size_t)n);
			if (!relay_send(backend, block, (size_t)n))
				return;
		}
		if (p[1].revents != 0) {
			ssize_t n = read(backend, block, sizeof block);

			if (n <= 0 || SSL_write(ssl, block, (int)n) <= 0)
				return;
		}
	}
}

static void
relay_serve(struct relay *r, SSL *ssl, int fd)
{
	X509 *client;
	int backend;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) != 1)
		return;
	client = SSL_get1_peer_certificate(ssl);
	pthread_mutex_lock(&r->lock);
	r->connections++;
	r->with_client += client != NULL;
	pthread_mutex_unlock(&r->lock);
	X509_free(client);
	backend = relay_connect(r);
	if (backend < 0)
		return;
	relay_pump(r, ssl, fd, backend);
	SSL_shutdown(ssl);
	close(backend);
}

static void *
relay_connection_main(void *arg)
{
	struct relay_connection *c = arg;
	struct relay *r = c->relay;
	SSL_CTX *context;
	SSL *ssl;

	pthread_mutex_lock(&r->lock);
	context = relay_context(r);
	pthread_mutex_unlock(&r->lock);
	ssl = SSL_new(context);
	relay_serve(r, ssl, c->fd);
	close(c->fd);
	SSL_free(ssl);
	SSL_CTX_free(context);
	free(c);
	OPENSSL_thread_stop();
	pthread_mutex_lock(&r->lock);
	r->open--;
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void *
relay_main(void *arg)
{
	struct relay *r = arg;
	int fd;

	while ((fd = accept4(r->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct relay_connection *c = malloc(sizeof *c);
		pthread_t thread;

		*c = (struct relay_connection){r, fd};
		pthread_mutex_lock(&r->lock);
		r->open++;
		pthread_mutex_unlock(&r->lock);
		if (pthread_create(&thread, NULL, relay_connection_main, c) != 0)
			abort();
		pthread_detach(thread);
	}
	return NULL;
}

void
relay_start(struct relay *r, const struct pki *pki, const char *backend, int port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof addr;
	bool old = r->old;

	signal(SIGPIPE, SIG_IGN);
	*r = (struct relay){.lock = PTHREAD_MUTEX_INITIALIZER, .pki = pki, .backend_port = port,
		.old = old};
	if (backend != NULL)
		snprintf(r->backend, sizeof r->backend, "%s", backend);
	r->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(r->listen_fd, (struct sockaddr *)&addr, sizeof addr), 0);
	ck_assert_int_eq(listen(r->listen_fd, 16), 0);
	ck_assert_int_eq(getsockname(r->listen_fd, (struct sockaddr *)&addr, &len), 0);
	r->port = ntohs(addr.sin_port);
	snprintf(r->url, sizeof r->url, "https://127.0.0.1:%d", r->port);
	ck_assert_int_eq(pthread_create(&r->thread, NULL, relay_main, r), 0);
}

void
relay_stop(struct relay *r)
{
	unsigned left = 1;

	r->stop = true;
	shutdown(r->listen_fd, SHUT_RDWR);
	pthread_join(r->thread, NULL);
	close(r->listen_fd);
	while (left > 0) {
		pthread_mutex_lock(&r->lock);
		left = r->open;
		pthread_mutex_unlock(&r->lock);
		sched_yield();
	}
	buf_free(&r->received);
}

void
relay_show(struct relay *r, const struct pki *pki)
{
	pthread_mutex_lock(&r->lock);
	r->pki = pki;
	pthread_mutex_unlock(&r->lock);
}

bool
relay_got(struct relay *r, const char *text)
{
	bool got;

	pthread_mutex_lock(&r->lock);
	got = memmem(r->received.data, r->received.len, text, strlen(text)) != NULL;
	pthread_mutex_unlock(&r->lock);
	return got;
}

size_t
relay_bytes(struct relay *r)
{
	size_t n;

	pthread_mutex_lock(&r->lock);
	n = r->received.len;
	pthread_mutex_unlock(&r->lock);
	return n;
}

void
relay_pin(const struct pki *pki, char ret[45])
{
	CLEANUP(key_freep) struct key *key = pki_key(pki);
	unsigned char digest[HASH_SHA256_SIZE];
	struct err e;

	UNIT_OK(key_spki_digest(key, digest, &e), &e);
	ck_assert_int_eq(EVP_EncodeBlock((unsigned char *)ret, digest, sizeof digest), 44);
}
