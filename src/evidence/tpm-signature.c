#include "evidence/tpm-signature.h"

#include <string.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tpm2_types.h>
#include "evidence/tpm-alg.h"

static int
tpm_signature_unmarshal(const void *sig, size_t len, TPMT_SIGNATURE *ret, struct err *e)
{
	unsigned char again[sizeof(TPMT_SIGNATURE)];
	size_t offset = 0, written = 0;

	if (Tss2_MU_TPMT_SIGNATURE_Unmarshal(sig, len, &offset, ret) != TSS2_RC_SUCCESS)
		return err_set(e, ERR_FORMAT, "TPMT_SIGNATURE: cut short or malformed");
	if (offset != len)
		return err_set(e, ERR_FORMAT, "TPMT_SIGNATURE: %zu bytes after the structure",
		    len - offset);
	if (Tss2_MU_TPMT_SIGNATURE_Marshal(ret, again, sizeof again, &written) != TSS2_RC_SUCCESS ||
	    written != len || memcmp(again, sig, len) != 0)
		return err_set(e, ERR_FORMAT, "TPMT_SIGNATURE: not its one encoding");
	return 0;
}

static int
tpm_signature_algorithms(const TPMT_SIGNATURE *t, struct tpm_signature *ret, struct err *e)
{
	if (!tpm_alg_to_scheme(t->sigAlg, &ret->scheme))
		return err_set(e, ERR_UNSUPPORTED, "TPMT_SIGNATURE: scheme 0x%04x", t->sigAlg);
	if (!tpm_alg_to_hash(t->signature.any.hashAlg, &ret->hash))
		return err_set(e, ERR_UNSUPPORTED, "TPMT_SIGNATURE: hash 0x%04x",
		    t->signature.any.hashAlg);
	if (ret->hash == HASH_SHA1)
		return err_set(e, ERR_UNSUPPORTED, "TPMT_SIGNATURE: signed with SHA-1");
	return 0;
}

static int
tpm_signature_number(const TPM2B_ECC_PARAMETER *n, unsigned char ret[TPM_SIGNATURE_ECC_MAX],
    size_t *ret_len, struct err *e)
{
	if (n->size == 0 || n->size > TPM_SIGNATURE_ECC_MAX)
		return err_set(e, ERR_FORMAT, "TPMT_SIGNATURE: a number of %u bytes", n->size);
	memcpy(ret, n->buffer, n->size);
	*ret_len = n->size;
	return 0;
}

int
tpm_signature_decode(const void *data, size_t len, struct tpm_signature *ret, struct err *e)
{
	struct tpm_signature s = {0};
	TPMT_SIGNATURE t = {0};

	/* before anything else: tss2-mu would read other kinds of signature */
	if (len < 4)
		return err_set(e, ERR_FORMAT, "TPMT_SIGNATURE: %zu bytes are too few", len);
	if (tpm_signature_unmarshal(data, len, &t, e) != 0 ||
	    tpm_signature_algorithms(&t, &s, e) != 0)
		return -1;
	if (s.scheme == KEY_ECDSA) {
		if (tpm_signature_number(&t.signature.ecdsa.signatureR, s.r, &s.r_len, e) != 0 ||
		    tpm_signature_number(&t.signature.ecdsa.signatureS, s.s, &s.s_len, e) != 0)
			return -1;
	} else {
		const TPM2B_PUBLIC_KEY_RSA *r = &t.signature.rsassa.sig; /* RSAPSS: the same layout */

		if (r->size == 0 || r->size > sizeof s.rsa)
			return err_set(e, ERR_FORMAT, "TPMT_SIGNATURE: %u bytes", r->size);
		memcpy(s.rsa, r->buffer, r->size);
		s.rsa_len = r->size;
	}
	*ret = s;
	return 0;
}

static int
tpm_signature_size_ok(const unsigned char *n, size_t len, const struct key *k, struct err *e)
{
	size_t field = key_bits(k) / 8;

	if (len == field || (len < field && n[0] != 0))
		return 0;
	return err_set(e, ERR_FORMAT, "TPMT_SIGNATURE: a number of %zu bytes for a curve of %u bits",
	    len, key_bits(k));
}

int
tpm_signature_raw(const struct tpm_signature *s, const struct key *k, struct buf *ret,
    struct err *e)
{
	bool rsa = key_kind(k) == KEY_RSA;

	if (rsa == (s->scheme == KEY_ECDSA))
		return err_set(e, ERR_FORMAT, "TPMT_SIGNATURE: %s, but the key is %s",
		    tpm_alg_scheme_name(s->scheme), rsa ? "RSA" : "an elliptic curve's");
	if (s->scheme == KEY_ECDSA) {
		if (tpm_signature_size_ok(s->r, s->r_len, k, e) != 0 ||
		    tpm_signature_size_ok(s->s, s->s_len, k, e) != 0)
			return -1;
		return key_ecdsa_der(s->r, s->r_len, s->s, s->s_len, ret, e);
	}
	if (s->rsa_len * 8 != key_bits(k))
		return err_set(e, ERR_FORMAT, "TPMT_SIGNATURE: %zu bytes for a key of %u bits",
		    s->rsa_len, key_bits(k));
	buf_add(ret, s->rsa, s->rsa_len);
	return buf_check(ret, e);
}

static const struct {
	const char *prefix, *suffix;
	enum key_scheme scheme;
} tpm_signature_names[] = {
	{"rsassa-", "", KEY_RSASSA},
	{"rsapss-", "", KEY_RSAPSS},
	{"ecdsa-", "-der", KEY_ECDSA},
};

int
tpm_signature_format(const char *name, struct tpm_signature_format *ret, struct err *e)
{
	static const enum hash_alg hashes[] = {HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512};
	char text[64];

	if (strcmp(name, "tpmt") == 0) {
		*ret = (struct tpm_signature_format){.tpmt = true};
		return 0;
	}
	for (size_t i = 0; i < sizeof tpm_signature_names / sizeof *tpm_signature_names; i++) {
		for (size_t h = 0; h < sizeof hashes / sizeof *hashes; h++) {
			snprintf(text, sizeof text, "%s%s%s", tpm_signature_names[i].prefix,
			    hash_name(hashes[h]), tpm_signature_names[i].suffix);
			if (strcmp(name, text) != 0)
				continue;
			*ret = (struct tpm_signature_format){
			    .scheme = tpm_signature_names[i].scheme, .hash = hashes[h]};
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "%s: no signature format; they are tpmt, rsassa-HASH,"
	    " rsapss-HASH and ecdsa-HASH-der, HASH one of sha256, sha384, sha512", name);
}

/* The bare bytes; a bare RSA signature is as long as its key. */
static int
tpm_signature_bare(const struct tpm_signature_format *format, const struct key *k,
    const struct buf *sig, struct buf *ret, struct err *e)
{
	if (format->hash == HASH_SHA1)
		return err_set(e, ERR_UNSUPPORTED, "signed with SHA-1");
	if (format->scheme != KEY_ECDSA && sig->len * 8 != key_bits(k))
		return err_set(e, ERR_FORMAT, "%zu bytes for a key of %u bits", sig->len, key_bits(k));
	buf_add(ret, sig->data, sig->len);
	return buf_check(ret, e);
}

static int
tpm_signature_read(const struct tpm_signature_format *format, const struct key *k,
    const struct buf *sig, struct tpm_signature *s, struct buf *ret_raw, struct err *e)
{
	if (!format->tpmt) {
		s->scheme = format->scheme;
		s->hash = format->hash;
		return tpm_signature_bare(format, k, sig, ret_raw, e);
	}
	if (tpm_signature_decode(sig->data, sig->len, s, e) != 0)
		return -1;
	return tpm_signature_raw(s, k, ret_raw, e);
}

/* Bytes that are no signature are an answer; only what kept us from looking is an error. */
static int
tpm_signature_refuse(const struct err *found, struct buf *reason, struct err *e)
{
	if (found->code != ERR_FORMAT && found->code != ERR_UNSUPPORTED) {
		*e = *found;
		return -1;
	}
	buf_adds(reason, found->msg);
	return buf_check(reason, e);
}

int
tpm_signature_judge(const struct tpm_signature_format *format, const struct key *k,
    const struct buf *data, const struct buf *sig, struct tpm_signature_found *ret,
    struct buf *reason, struct err *e)
{
	CLEANUP(buf_free) struct buf raw = BUF_INIT;
	struct tpm_signature s = {0};
	struct err found;
	bool good;

	*ret = (struct tpm_signature_found){0};
	if (tpm_signature_read(format, k, sig, &s, &raw, &found) != 0)
		return tpm_signature_refuse(&found, reason, e);
	ret->hash_known = true;
	ret->hash = s.hash;
	if (key_verify(k, s.scheme, s.hash, false, data->data, data->len, raw.data, raw.len, &good,
	    e) != 0)
		return -1;
	ret->ok = good;
	if (!good)
		buf_addf(reason, "no %s signature with %s of this key over these bytes",
		    tpm_alg_scheme_name(s.scheme), hash_name(s.hash));
	return buf_check(reason, e);
}
