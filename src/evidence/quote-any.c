#include "evidence/quote-any.h"

#include <string.h>
#include "evidence/tpm-alg.h"

/* One decimal number without leading zeros; *p is moved behind it. */
static bool
quote_any_number(const char **p, unsigned *ret)
{
	const char *s = *p;
	unsigned n = 0;

	if (*s < '0' || *s > '9' || (s[0] == '0' && s[1] >= '0' && s[1] <= '9'))
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		n = n * 10 + (unsigned)(*s - '0');
		if (n >= ATTEST_PCRS)
			return false;
	}
	*p = s;
	*ret = n;
	return true;
}

int
quote_any_require(const char *text, uint32_t ret[PCR_VALUES_BANKS], struct err *e)
{
	const char *p = strchr(text, ':');
	enum hash_alg bank;
	uint32_t mask = 0;
	char name[16];

	if (p == NULL || (size_t)(p - text) >= sizeof name)
		return err_set(e, ERR_USAGE, "%s: not BANK:PCR,PCR,... as in sha256:0,1,7", text);
	memcpy(name, text, (size_t)(p - text));
	name[p - text] = '\0';
	if (hash_from_name(name, &bank, e) != 0 || bank >= PCR_VALUES_BANKS)
		return err_set(e, ERR_USAGE, "%s: the banks are sha256, sha384 and sha512", text);
	do {
		unsigned pcr;

		p++;
		if (!quote_any_number(&p, &pcr))
			return err_set(e, ERR_USAGE, "%s: a PCR is a number from 0 to %d", text,
			    ATTEST_PCRS - 1);
		mask |= 1u << pcr;
	} while (*p == ',');
	if (*p != '\0')
		return err_set(e, ERR_USAGE, "%s: not BANK:PCR,PCR,...", text);
	ret[bank] |= mask;
	return 0;
}

/* TPM2B_NAME of an object: nameAlg and a digest of it (part 1, section 16). */
static bool
quote_any_signer_ok(const struct attest *a)
{
	enum hash_alg alg;

	return a->signer_len > 2 && tpm_alg_to_hash((uint16_t)(a->signer[0] << 8 | a->signer[1]), &alg) &&
	    a->signer_len == 2 + hash_size(alg);
}

static bool
quote_any_strong_bank(const struct attest *a)
{
	for (size_t i = 0; i < a->selection_count; i++) {
		if (a->selection[i].bank != HASH_SHA1)
			return true;
	}
	return false;
}

static void
quote_any_required(const struct attest *a, const uint32_t require[PCR_VALUES_BANKS],
    struct buf *reason)
{
	for (enum hash_alg bank = HASH_SHA1; bank <= HASH_SHA512; bank++) {
		for (unsigned pcr = 0; pcr < ATTEST_PCRS; pcr++) {
			if ((require[bank] >> pcr & 1) == 0)
				continue;
			if (bank == HASH_SHA1) {
				buf_adds(reason, "a PCR of the SHA-1 bank is required, which proves nothing; ");
				break;
			}
			if (!attest_selects(a, bank, pcr))
				buf_addf(reason, "%s:%u is not quoted; ", hash_name(bank), pcr);
		}
	}
}

static void
quote_any_digest_size(const struct attest *a, const enum hash_alg *alg, struct buf *reason)
{
	size_t len = a->pcr_digest_len;

	if (alg != NULL && len != hash_size(*alg))
		buf_addf(reason, "pcrDigest has %zu bytes, a digest of the signature's %s has %zu; ", len,
		    hash_name(*alg), hash_size(*alg));
	else if (len == hash_size(HASH_SHA1))
		buf_adds(reason, "pcrDigest is a SHA-1 digest; ");
	else if (len != hash_size(HASH_SHA256) && len != hash_size(HASH_SHA384) &&
	    len != hash_size(HASH_SHA512))
		buf_addf(reason, "pcrDigest of %zu bytes; ", len);
}

int
quote_any_structure(const struct attest *a, const uint32_t require[PCR_VALUES_BANKS],
    const enum hash_alg *alg, bool *ret_ok, struct buf *reason, struct err *e)
{
	size_t before = reason->len;

	if (!quote_any_signer_ok(a))
		buf_adds(reason, "qualifiedSigner is not the Name of a key; ");
	if (!quote_any_strong_bank(a))
		buf_adds(reason, "only the SHA-1 bank is quoted, which proves nothing; ");
	quote_any_required(a, require, reason);
	quote_any_digest_size(a, alg, reason);
	*ret_ok = reason->len == before;
	if (reason->len > before) {
		reason->len -= 2;
		reason->data[reason->len] = '\0';
	}
	return buf_check(reason, e);
}

int
quote_any_pcrs(const struct attest *a, const struct pcr_values *v, enum hash_alg alg,
    bool *ret_ok, struct buf *reason, struct err *e)
{
	unsigned char digest[HASH_SIZE_MAX];
	bool ok;

	if (alg == HASH_SHA1)
		return err_set(e, ERR_UNSUPPORTED, "a PCR digest in SHA-1 is not accepted");
	if (pcr_values_digest(v, a, alg, digest, &ok, reason, e) != 0)
		return -1;
	if (ok && (a->pcr_digest_len != hash_size(alg) ||
	    !hash_equal(digest, a->pcr_digest, a->pcr_digest_len))) {
		buf_addf(reason, "pcrDigest is not the %s of the given values in the selection's order",
		    hash_name(alg));
		ok = false;
	}
	*ret_ok = ok;
	return buf_check(reason, e);
}
