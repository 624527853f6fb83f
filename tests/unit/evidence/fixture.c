#include "evidence/fixture.h"

#include <string.h>
#include "unit.h"

#define ALG_RSA 0x0001
#define ALG_NULL 0x0010
#define ALG_RSASSA 0x0014
#define ALG_RSAPSS 0x0016
#define ALG_ECDSA 0x0018
#define ALG_ECC 0x0023

void
fixture_u16(struct buf *b, unsigned v)
{
	buf_addc(b, (int)(v >> 8 & 0xff));
	buf_addc(b, (int)(v & 0xff));
}

void
fixture_u32(struct buf *b, uint32_t v)
{
	fixture_u16(b, v >> 16);
	fixture_u16(b, v & 0xffff);
}

void
fixture_2b(struct buf *b, const void *data, size_t len)
{
	fixture_u16(b, (unsigned)len);
	buf_add(b, data, len);
}

static enum hash_alg
fixture_hash(unsigned alg)
{
	return alg == 0x000b ? HASH_SHA256 : alg == 0x000c ? HASH_SHA384 :
	    alg == 0x000d ? HASH_SHA512 : HASH_SHA1;
}

static unsigned
fixture_alg(enum hash_alg hash)
{
	return hash == HASH_SHA256 ? 0x000b : hash == HASH_SHA384 ? 0x000c :
	    hash == HASH_SHA512 ? 0x000d : 0x0004;
}

void
fixture_public(const struct pki *pki, unsigned scheme, unsigned hash, uint32_t attributes,
    struct buf *ret)
{
	CLEANUP(key_freep) struct key *k = pki_key(pki);
	CLEANUP(buf_free) struct buf spki = BUF_INIT;
	bool rsa = key_kind(k) == KEY_RSA;
	struct err e;

	UNIT_OK(key_spki(k, &spki, &e), &e);
	fixture_u16(ret, rsa ? ALG_RSA : ALG_ECC);
	fixture_u16(ret, 0x000b);
	fixture_u32(ret, attributes);
	fixture_u16(ret, 0);            /* authPolicy */
	fixture_u16(ret, ALG_NULL);     /* symmetric */
	fixture_u16(ret, scheme);
	if (scheme != ALG_NULL)
		fixture_u16(ret, hash);
	if (rsa) {
		fixture_u16(ret, 2048);
		fixture_u32(ret, 0);
		fixture_2b(ret, spki.data + 33, 256);
	} else {
		fixture_u16(ret, 0x0003);       /* TPM_ECC_NIST_P256 */
		fixture_u16(ret, ALG_NULL);     /* kdf */
		fixture_2b(ret, spki.data + 27, 32);
		fixture_2b(ret, spki.data + 59, 32);
	}
}

/* One INTEGER of a DER signature as TPM2B of 32 bytes; the rest is returned. */
static const unsigned char *
fixture_der_number(const unsigned char *p, struct buf *ret)
{
	unsigned char n[32] = {0};
	size_t len = p[1], skip = len > 32 ? len - 32 : 0;

	memcpy(n + 32 - (len - skip), p + 2 + skip, len - skip);
	fixture_2b(ret, n, 32);
	return p + 2 + len;
}

void
fixture_sign(const struct pki *pki, unsigned scheme, unsigned hash, const struct buf *attest,
    struct buf *ret)
{
	CLEANUP(buf_free) struct buf raw = BUF_INIT;
	enum key_scheme s = scheme == ALG_RSASSA ? KEY_RSASSA : scheme == ALG_RSAPSS ? KEY_RSAPSS :
	    KEY_ECDSA;

	pki_sign(pki, s, fixture_hash(hash), attest->data, attest->len, &raw);
	fixture_u16(ret, scheme);
	fixture_u16(ret, hash);
	if (s == KEY_ECDSA)
		fixture_der_number(fixture_der_number(raw.data + 2, ret), ret);
	else
		fixture_2b(ret, raw.data, raw.len);
}

void
fixture_attest(const struct attest *a, struct buf *ret)
{
	fixture_u32(ret, 0xff544347);
	fixture_u16(ret, 0x8018);
	fixture_2b(ret, a->signer, a->signer_len);
	fixture_2b(ret, a->extra, a->extra_len);
	fixture_u32(ret, (uint32_t)(a->clock.clock >> 32));
	fixture_u32(ret, (uint32_t)a->clock.clock);
	fixture_u32(ret, a->clock.reset_count);
	fixture_u32(ret, a->clock.restart_count);
	buf_addc(ret, a->clock.safe);
	fixture_u32(ret, (uint32_t)(a->firmware >> 32));
	fixture_u32(ret, (uint32_t)a->firmware);
	fixture_u32(ret, (uint32_t)a->selection_count);
	for (size_t i = 0; i < a->selection_count; i++) {
		fixture_u16(ret, fixture_alg(a->selection[i].bank));
		buf_addc(ret, 3);
		for (unsigned b = 0; b < 3; b++)
			buf_addc(ret, (int)(a->selection[i].mask >> (8 * b) & 0xff));
	}
	fixture_2b(ret, a->pcr_digest, a->pcr_digest_len);
}

static void
fixture_fill(struct fixture_quote *q, enum hash_alg alg)
{
	unsigned char all[24 * 32 + 24 * 48];
	struct attest a = {.extra_len = 32, .selection_count = 2, .firmware = 0x20240125001200ULL,
	    .selection = {{HASH_SHA256, 0xffffff}, {HASH_SHA384, 0xffffff}},
	    .clock = {.clock = 123456789012ULL, .reset_count = 7, .restart_count = 2, .safe = true}};
	struct err e;

	for (size_t i = 0; i < 24; i++) {
		memset(q->sha256[i], (int)i, 32);
		memset(q->sha384[i], (int)(i + 100), 48);
	}
	memcpy(all, q->sha256, sizeof q->sha256);
	memcpy(all + sizeof q->sha256, q->sha384, sizeof q->sha384);
	memset(q->extra, 0xee, sizeof q->extra);
	memcpy(a.extra, q->extra, 32);
	a.pcr_digest_len = hash_size(alg);
	UNIT_OK(hash_once(alg, all, sizeof all, a.pcr_digest, &e), &e);
	UNIT_OK(ak_public_qualified(&q->ak, AK_ENDORSEMENT, a.signer, &a.signer_len, &e), &e);
	fixture_attest(&a, &q->attest);
	q->pcrs = (struct quote_check_pcrs){true, true,
	    (const unsigned char (*)[32])q->sha256, (const unsigned char (*)[48])q->sha384};
}

void
fixture_make(struct fixture_quote *q, enum pki_key key, unsigned scheme, unsigned hash)
{
	struct err e;

	memset(q, 0, sizeof *q);
	q->pki = pki_make(&(struct pki_options){.name = "ak", .key = key,
	    .usage = "digitalSignature"});
	fixture_public(q->pki, scheme, hash, FIXTURE_ATTRIBUTES, &q->public);
	UNIT_OK(ak_public_decode(q->public.data, q->public.len, &q->ak, &e), &e);
	fixture_fill(q, fixture_hash(hash));
	fixture_sign(q->pki, scheme, hash, &q->attest, &q->signature);
}

void
fixture_free(struct fixture_quote *q)
{
	pki_free(q->pki);
	ak_public_free(&q->ak);
	buf_free(&q->public);
	buf_free(&q->attest);
	buf_free(&q->signature);
}
