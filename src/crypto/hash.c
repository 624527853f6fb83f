#include "crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

static const struct {
	const char *name;
	size_t size;
} hash_table[] = {
	[HASH_SHA1] = {"sha1", 20},
	[HASH_SHA256] = {"sha256", 32},
	[HASH_SHA384] = {"sha384", 48},
	[HASH_SHA512] = {"sha512", 64},
	[HASH_SM3] = {"sm3", 32},
};
#define HASH_COUNT (sizeof hash_table / sizeof *hash_table)

struct hash {
	EVP_MD_CTX *ctx;
	const EVP_MD *md;
};

size_t
hash_size(enum hash_alg alg)
{
	return hash_table[alg].size;
}

const char *
hash_name(enum hash_alg alg)
{
	return hash_table[alg].name;
}

int
hash_from_name(const char *name, enum hash_alg *ret, struct err *e)
{
	for (size_t i = 0; i < HASH_COUNT; i++) {
		if (strcmp(hash_table[i].name, name) == 0) {
			*ret = (enum hash_alg)i;
			return 0;
		}
	}
	return err_set(e, ERR_UNSUPPORTED, "%.32s: this hash algorithm is not supported", name);
}

static const EVP_MD *
hash_md(enum hash_alg alg)
{
	switch (alg) {
	case HASH_SHA1:
		return EVP_sha1();
	case HASH_SHA256:
		return EVP_sha256();
	case HASH_SHA384:
		return EVP_sha384();
	case HASH_SHA512:
		return EVP_sha512();
	case HASH_SM3:
		return EVP_sm3();
	}
	return NULL;
}

static int
hash_failed(struct err *e)
{
	return err_set(e, ERR_INTERNAL, "libcrypto cannot compute a digest");
}

int
hash_new(enum hash_alg alg, struct hash **ret, struct err *e)
{
	CLEANUP(hash_freep) struct hash *h = calloc(1, sizeof *h);

	if (h == NULL)
		return err_nomem(e);
	h->md = hash_md(alg);
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL)
		return err_nomem(e);
	if (h->md == NULL || EVP_DigestInit_ex(h->ctx, h->md, NULL) != 1)
		return hash_failed(e);
	*ret = h;
	h = NULL;
	return 0;
}

int
hash_update(struct hash *h, const void *data, size_t len, struct err *e)
{
	if (len != 0 && EVP_DigestUpdate(h->ctx, data, len) != 1)
		return hash_failed(e);
	return 0;
}

int
hash_final(struct hash *h, unsigned char *ret_digest, struct err *e)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;

	if (EVP_DigestFinal_ex(h->ctx, digest, &len) != 1 ||
	    EVP_DigestInit_ex(h->ctx, h->md, NULL) != 1)
		return hash_failed(e);
	memcpy(ret_digest, digest, len);
	return 0;
}

void
hash_free(struct hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

int
hash_once(enum hash_alg alg, const void *data, size_t len, unsigned char *ret_digest, struct err *e)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size;
	const EVP_MD *md = hash_md(alg);

	if (md == NULL || EVP_Digest(len != 0 ? data : "", len, digest, &size, md, NULL) != 1)
		return hash_failed(e);
	memcpy(ret_digest, digest, size);
	return 0;
}

bool
hash_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void
hash_thread_end(void)
{
	OPENSSL_thread_stop();
}
