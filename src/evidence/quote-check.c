/*
 * Judging a quote: the expected TPMS_ATTEST is built and compared as a whole,
 * so that a member nobody thought of cannot differ unnoticed.
 */
#include "evidence/quote-check.h"

#include <string.h>
#include "evidence/tpm-alg.h"
#include "evidence/tpm-signature.h"

#define QUOTE_CHECK_ALL_PCRS 0xffffffu

/* Bytes that are no quote are an answer; only what kept us from looking is an error. */
static int
quote_check_undecodable(const struct err *found, struct buf *reason, bool *ret_ok, struct err *e)
{
	if (found->code != ERR_FORMAT && found->code != ERR_UNSUPPORTED) {
		*e = *found;
		return -1;
	}
	buf_adds(reason, found->msg);
	*ret_ok = false;
	return 0;
}

/* NULL when the bank has no values here. */
static const unsigned char *
quote_check_value(const struct quote_check_pcrs *pcrs, enum hash_alg bank, unsigned pcr)
{
	if (bank == HASH_SHA256 && pcrs->has_sha256)
		return pcrs->sha256[pcr];
	if (bank == HASH_SHA384 && pcrs->has_sha384)
		return pcrs->sha384[pcr];
	return NULL;
}

/* *ret_whole is false when a selected value is not among pcrs. */
static int
quote_check_compute(const struct attest *a, const struct quote_check_pcrs *pcrs,
    enum hash_alg alg, unsigned char *ret_digest, bool *ret_whole, struct err *e)
{
	CLEANUP(hash_freep) struct hash *h = NULL;

	if (hash_new(alg, &h, e) != 0)
		return -1;
	for (size_t i = 0; i < a->selection_count; i++) {
		const struct attest_selection *s = &a->selection[i];

		for (unsigned pcr = 0; pcr < ATTEST_PCRS; pcr++) {
			const unsigned char *value = quote_check_value(pcrs, s->bank, pcr);

			if ((s->mask >> pcr & 1) == 0)
				continue;
			if (value == NULL) {
				*ret_whole = false;
				return 0;
			}
			if (hash_update(h, value, hash_size(s->bank), e) != 0)
				return -1;
		}
	}
	*ret_whole = true;
	return hash_final(h, ret_digest, e);
}

int
quote_check_digest(const struct attest *a, const struct quote_check_pcrs *pcrs,
    enum hash_alg digest_alg, bool *ret_ok, struct err *e)
{
	unsigned char digest[HASH_SIZE_MAX];
	bool whole;

	if (digest_alg == HASH_SHA1)
		return err_set(e, ERR_UNSUPPORTED, "a PCR digest in SHA-1 is not accepted");
	if (quote_check_compute(a, pcrs, digest_alg, digest, &whole, e) != 0)
		return -1;
	*ret_ok = whole && a->pcr_digest_len == hash_size(digest_alg) &&
	    hash_equal(digest, a->pcr_digest, a->pcr_digest_len);
	return 0;
}

static void
quote_check_select(struct attest *a, const struct quote_check_pcrs *pcrs)
{
	memset(a->selection, 0, sizeof a->selection);
	a->selection_count = 0;
	if (pcrs->has_sha256)
		a->selection[a->selection_count++] =
		    (struct attest_selection){HASH_SHA256, QUOTE_CHECK_ALL_PCRS};
	if (pcrs->has_sha384)
		a->selection[a->selection_count++] =
		    (struct attest_selection){HASH_SHA384, QUOTE_CHECK_ALL_PCRS};
}

static bool
quote_check_same_selection(const struct attest *a, const struct attest *b)
{
	if (a->selection_count != b->selection_count)
		return false;
	for (size_t i = 0; i < a->selection_count; i++) {
		if (a->selection[i].bank != b->selection[i].bank ||
		    a->selection[i].mask != b->selection[i].mask)
			return false;
	}
	return true;
}

/* Words for people; the judgement was the comparison of the bytes. */
static void
quote_check_explain(const struct attest *found, const struct attest *wanted, struct buf *reason)
{
	size_t before = reason->len;

	for (size_t i = 0; i < found->selection_count; i++) {
		if (found->selection[i].bank == HASH_SHA1)
			buf_adds(reason, "the SHA-1 bank is quoted; ");
	}
	if (found->extra_len != wanted->extra_len ||
	    !hash_equal(found->extra, wanted->extra, wanted->extra_len))
		buf_adds(reason, "extraData is not the expected one; ");
	if (!quote_check_same_selection(found, wanted))
		buf_adds(reason, "the selection is not PCR 0-23 of each bank in order; ");
	if (found->pcr_digest_len != wanted->pcr_digest_len ||
	    !hash_equal(found->pcr_digest, wanted->pcr_digest, wanted->pcr_digest_len))
		buf_adds(reason, "pcrDigest is not the digest of the values; ");
	if (reason->len == before)
		buf_adds(reason, "TPMS_ATTEST is not the expected bytes; ");
	if (!reason->failed) {
		reason->len -= 2;
		reason->data[reason->len] = '\0';
	}
}

int
quote_check_structure(const void *attest, size_t len, const unsigned char extra[32],
    const struct quote_check_pcrs *pcrs, enum hash_alg digest_alg, bool *ret_ok,
    struct buf *reason, struct err *e)
{
	CLEANUP(buf_free) struct buf expected = BUF_INIT;
	struct attest found, wanted;
	struct err decode;
	bool whole;

	if (digest_alg == HASH_SHA1 || (!pcrs->has_sha256 && !pcrs->has_sha384)) {
		buf_adds(reason, digest_alg == HASH_SHA1 ? "the signature's hash is SHA-1" :
		    "no values of the SHA-256 or SHA-384 bank");
		*ret_ok = false;
		return buf_check(reason, e);
	}
	if (attest_decode(attest, len, &found, &decode) != 0)
		return quote_check_undecodable(&decode, reason, ret_ok, e);
	wanted = found;
	memset(wanted.extra, 0, sizeof wanted.extra);
	memcpy(wanted.extra, extra, HASH_SHA256_SIZE);
	wanted.extra_len = HASH_SHA256_SIZE;
	quote_check_select(&wanted, pcrs);
	wanted.pcr_digest_len = hash_size(digest_alg);
	if (quote_check_compute(&wanted, pcrs, digest_alg, wanted.pcr_digest, &whole, e) != 0 ||
	    attest_encode(&wanted, &expected, e) != 0)
		return -1;
	*ret_ok = whole && expected.len == len && hash_equal(expected.data, attest, len);
	if (!*ret_ok)
		quote_check_explain(&found, &wanted, reason);
	return buf_check(reason, e);
}

/* Scheme and hash are the key's, not the signature's, to say. */
static int
quote_check_agree(const struct ak_public *ak, const struct tpm_signature *s, struct err *e)
{
	if (s->scheme != ak->scheme || s->hash != ak->scheme_hash)
		return err_set(e, ERR_FORMAT, "TPMT_SIGNATURE: %s with %s, but the key signs %s with %s",
		    tpm_alg_scheme_name(s->scheme), hash_name(s->hash),
		    tpm_alg_scheme_name(ak->scheme), hash_name(ak->scheme_hash));
	return 0;
}

int
quote_check_signature(const struct ak_public *ak, const void *attest, size_t attest_len,
    const void *sig, size_t sig_len, bool *ret_ok, struct buf *reason, struct err *e)
{
	CLEANUP(buf_free) struct buf raw = BUF_INIT;
	struct tpm_signature s = {0};
	struct err found;

	if (tpm_signature_decode(sig, sig_len, &s, &found) != 0 ||
	    quote_check_agree(ak, &s, &found) != 0 ||
	    tpm_signature_raw(&s, ak->key, &raw, &found) != 0)
		return quote_check_undecodable(&found, reason, ret_ok, e);
	if (key_verify(ak->key, ak->scheme, ak->scheme_hash, false, attest, attest_len, raw.data,
	    raw.len, ret_ok, e) != 0)
		return -1;
	if (!*ret_ok)
		buf_adds(reason, "the signature is not one of the attestation key over the quote");
	return buf_check(reason, e);
}
