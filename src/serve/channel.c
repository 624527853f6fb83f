#include "serve/channel.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "crypto/key.h"
#include "crypto/x509-make.h"
#include "crypto/x509.h"

#define CHANNEL_DAYS 3650
#define CHANNEL_FILE_MAX (256u * 1024)
#define CHANNEL_CERTS_MAX 16

static int
channel_digest(struct channel *c, const struct key *key, struct err *e)
{
	if (key_spki(key, &c->spki, e) != 0)
		return -1;
	return oid_from_data(&c->spki_digest, c->spki.data, c->spki.len, e);
}

int
channel_ephemeral(const char *name, struct channel *ret, struct err *e)
{
	CLEANUP(key_freep) struct key *key = NULL;
	struct channel c = {0};

	if (key_generate_p256(&key, e) != 0)
		return -1;
	if (channel_digest(&c, key, e) != 0 ||
	    x509_make_self_signed(key, name, CHANNEL_DAYS, &c.certificate, e) != 0 ||
	    x509_make_key_pem(key, &c.key, e) != 0) {
		channel_free(&c);
		return -1;
	}
	*ret = c;
	return 0;
}

/* PEM of at least one certificate; the first one's key to *ret_key when that is not NULL. */
static int
channel_check_certs(const char *path, const struct buf *ret, struct key **ret_key, struct err *e)
{
	struct x509_cert *certs[CHANNEL_CERTS_MAX];
	size_t n = 0;
	int rc = 0;

	if (x509_decode_pem(ret->data, ret->len, CHANNEL_CERTS_MAX, certs, &n, e) != 0)
		return err_prefix(e, "%s", path);
	if (n == 0)
		rc = err_set(e, ERR_FORMAT, "%s: has no certificate", path);
	if (rc == 0 && ret_key != NULL && x509_key(certs[0], ret_key, e) != 0)
		rc = err_prefix(e, "%s", path);
	for (size_t i = 0; i < n; i++)
		x509_free(certs[i]);
	return rc;
}

static int
channel_read_certs(const char *path, struct buf *ret, struct key **ret_key, struct err *e)
{
	if (fd_read_file(AT_FDCWD, path, CHANNEL_FILE_MAX, ret, e) != 0)
		return -1;
	return channel_check_certs(path, ret, ret_key, e);
}

static int
channel_read_key(const char *path, struct buf *ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return err_sys(e, "%s: cannot open", path);
	if (!S_ISREG(st.st_mode) || (st.st_mode & 027) != 0)
		return err_set(e, ERR_DENIED, "%s: a private key must be closed to others: mode 0600 or"
		    " 0640", path);
	if (buf_reserve(ret, CHANNEL_FILE_MAX, e) != 0) /* no copies by growing */
		return -1;
	return fd_read_all(fd, CHANNEL_FILE_MAX, ret, path, e);
}

static int
channel_check_pair(const struct channel *c, const char *path, const struct key *certified,
    struct err *e)
{
	CLEANUP(key_freep) struct key *own = NULL;

	if (key_from_private_pem(c->key.data, c->key.len, &own, e) != 0)
		return err_prefix(e, "%s", path);
	return key_equal(own, certified) ? 0 : err_set(e, ERR_USAGE, "%s: is not the key of the"
	    " certificate", path);
}

int
channel_load(const char *certificate, const char *key, struct channel *ret, struct err *e)
{
	CLEANUP(key_freep) struct key *certified = NULL;
	struct channel c = {0};

	if (channel_read_certs(certificate, &c.certificate, &certified, e) != 0 ||
	    channel_digest(&c, certified, e) != 0 || channel_read_key(key, &c.key, e) != 0 ||
	    channel_check_pair(&c, key, certified, e) != 0) {
		channel_free(&c);
		return -1;
	}
	*ret = c;
	return 0;
}

int
channel_load_client_ca(const char *path, struct channel *c, struct err *e)
{
	return channel_read_certs(path, &c->client_ca, NULL, e);
}

int
channel_set_client_ca(const char *pem, const char *what, struct channel *c, struct err *e)
{
	buf_add(&c->client_ca, pem, strlen(pem));
	return buf_check(&c->client_ca, e) != 0 ? -1 : channel_check_certs(what, &c->client_ca, NULL, e);
}

void
channel_wipe(struct channel *c)
{
	buf_wipe(&c->key);
}

void
channel_free(struct channel *c)
{
	buf_wipe(&c->key);
	buf_free(&c->certificate);
	buf_free(&c->client_ca);
	buf_free(&c->spki);
	*c = (struct channel){0};
}
