/*
 * TPMT_PUBLIC of an attestation key (TPM 2.0 Library part 2, section 12.2.4).
 * The signing scheme and its hash are required members: nothing is guessed
 * from the signature.
 */
#include "evidence/ak-public.h"

#include <string.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tpm2_types.h>
#include "evidence/tpm-alg.h"

#define AK_PUBLIC_RSA_BITS_MIN 2048
#define AK_PUBLIC_RSA_EXPONENT 65537 /* what the TPM's 0 stands for */

static int
ak_public_take_scheme(uint16_t scheme, uint16_t hash, struct ak_public *a, struct err *e)
{
	if (scheme == TPM2_ALG_NULL)
		return err_set(e, ERR_UNSUPPORTED, "TPMT_PUBLIC: the key states no signing scheme");
	if (!tpm_alg_to_scheme(scheme, &a->scheme))
		return err_set(e, ERR_UNSUPPORTED, "TPMT_PUBLIC: signing scheme 0x%04x", scheme);
	if (!tpm_alg_to_hash(hash, &a->scheme_hash))
		return err_set(e, ERR_UNSUPPORTED, "TPMT_PUBLIC: scheme hash 0x%04x", hash);
	if (a->scheme_hash == HASH_SHA1)
		return err_set(e, ERR_UNSUPPORTED, "TPMT_PUBLIC: the key signs with SHA-1");
	return 0;
}

static int
ak_public_take_rsa(const TPMT_PUBLIC *p, struct ak_public *a, struct err *e)
{
	const TPMS_RSA_PARMS *r = &p->parameters.rsaDetail;

	if (ak_public_take_scheme(r->scheme.scheme, r->scheme.details.anySig.hashAlg, a, e) != 0)
		return -1;
	if (a->scheme != KEY_RSASSA && a->scheme != KEY_RSAPSS)
		return err_set(e, ERR_FORMAT, "TPMT_PUBLIC: an RSA key with scheme %s",
		    tpm_alg_scheme_name(a->scheme));
	if (r->symmetric.algorithm != TPM2_ALG_NULL)
		return err_set(e, ERR_FORMAT, "TPMT_PUBLIC: a symmetric algorithm: not a signing key");
	if (r->keyBits < AK_PUBLIC_RSA_BITS_MIN)
		return err_set(e, ERR_UNSUPPORTED, "TPMT_PUBLIC: RSA of %u bits is too short",
		    r->keyBits);
	if (r->keyBits % 8 != 0 || p->unique.rsa.size != r->keyBits / 8 ||
	    (p->unique.rsa.buffer[0] & 0x80) == 0)
		return err_set(e, ERR_FORMAT, "TPMT_PUBLIC: the modulus has not %u bits", r->keyBits);
	return key_from_rsa(p->unique.rsa.buffer, p->unique.rsa.size,
	    r->exponent != 0 ? r->exponent : AK_PUBLIC_RSA_EXPONENT, &a->key, e);
}

static int
ak_public_take_ecc(const TPMT_PUBLIC *p, struct ak_public *a, struct err *e)
{
	const TPMS_ECC_PARMS *c = &p->parameters.eccDetail;
	const TPMS_ECC_POINT *u = &p->unique.ecc;
	enum key_kind kind;

	if (ak_public_take_scheme(c->scheme.scheme, c->scheme.details.anySig.hashAlg, a, e) != 0)
		return -1;
	if (a->scheme != KEY_ECDSA)
		return err_set(e, ERR_FORMAT, "TPMT_PUBLIC: an ECC key with scheme %s",
		    tpm_alg_scheme_name(a->scheme));
	if (c->symmetric.algorithm != TPM2_ALG_NULL || c->kdf.scheme != TPM2_ALG_NULL)
		return err_set(e, ERR_FORMAT,
		    "TPMT_PUBLIC: a symmetric algorithm or key derivation: not a signing key");
	if (c->curveID == TPM2_ECC_NIST_P256)
		kind = KEY_P256;
	else if (c->curveID == TPM2_ECC_NIST_P384)
		kind = KEY_P384;
	else
		return err_set(e, ERR_UNSUPPORTED, "TPMT_PUBLIC: curve 0x%04x", c->curveID);
	return key_from_point(kind, u->x.buffer, u->x.size, u->y.buffer, u->y.size, &a->key, e);
}

/* Name = nameAlg || H(TPMT_PUBLIC), part 1 section 16. */
static int
ak_public_take_name(uint16_t name_alg, const void *data, size_t len, struct ak_public *a,
    struct err *e)
{
	enum hash_alg alg;

	if (!tpm_alg_to_hash(name_alg, &alg) || alg == HASH_SHA1)
		return err_set(e, ERR_UNSUPPORTED, "TPMT_PUBLIC: name algorithm 0x%04x", name_alg);
	a->name[0] = (unsigned char)(name_alg >> 8);
	a->name[1] = (unsigned char)(name_alg & 0xff);
	a->name_len = 2 + hash_size(alg);
	return hash_once(alg, data, len, a->name + 2, e);
}

static int
ak_public_unmarshal(const void *data, size_t len, TPMT_PUBLIC *ret, struct err *e)
{
	unsigned char again[sizeof(TPMT_PUBLIC)];
	size_t offset = 0, written = 0;

	if (Tss2_MU_TPMT_PUBLIC_Unmarshal(data, len, &offset, ret) != TSS2_RC_SUCCESS)
		return err_set(e, ERR_FORMAT, "TPMT_PUBLIC: cut short or malformed");
	if (offset != len)
		return err_set(e, ERR_FORMAT, "TPMT_PUBLIC: %zu bytes after the structure",
		    len - offset);
	if (Tss2_MU_TPMT_PUBLIC_Marshal(ret, again, sizeof again, &written) != TSS2_RC_SUCCESS ||
	    written != len || memcmp(again, data, len) != 0)
		return err_set(e, ERR_FORMAT, "TPMT_PUBLIC: not its one encoding");
	return 0;
}

int
ak_public_decode(const void *data, size_t len, struct ak_public *ret, struct err *e)
{
	CLEANUP(ak_public_free) struct ak_public a = {0};
	TPMT_PUBLIC p = {0};

	if (ak_public_unmarshal(data, len, &p, e) != 0)
		return -1;
	switch (p.type) {
	case TPM2_ALG_RSA:
		if (ak_public_take_rsa(&p, &a, e) != 0)
			return -1;
		break;
	case TPM2_ALG_ECC:
		if (ak_public_take_ecc(&p, &a, e) != 0)
			return -1;
		break;
	default:
		return err_set(e, ERR_UNSUPPORTED, "TPMT_PUBLIC: key type 0x%04x", p.type);
	}
	if (key_check(a.key, e) != 0)
		return err_prefix(e, "TPMT_PUBLIC");
	if (ak_public_take_name(p.nameAlg, data, len, &a, e) != 0)
		return -1;
	a.attributes = p.objectAttributes;
	*ret = a;
	a.key = NULL;
	return 0;
}

void
ak_public_free(struct ak_public *a)
{
	key_free(a->key);
	a->key = NULL;
}

static const struct {
	uint32_t bit;
	bool wanted;
	const char *name;
} ak_public_rules[] = {
	{TPMA_OBJECT_FIXEDTPM, true, "fixedTPM"},
	{TPMA_OBJECT_FIXEDPARENT, true, "fixedParent"},
	{TPMA_OBJECT_SENSITIVEDATAORIGIN, true, "sensitiveDataOrigin"},
	{TPMA_OBJECT_RESTRICTED, true, "restricted"},
	{TPMA_OBJECT_SIGN_ENCRYPT, true, "sign"},
	{TPMA_OBJECT_DECRYPT, false, "decrypt"},
	{TPMA_OBJECT_ENCRYPTEDDUPLICATION, false, "encryptedDuplication"},
};

/* TPMA_OBJECT, part 2 section 8.3: 0, 3, 12 to 15 and 20 to 31. */
#define AK_PUBLIC_RESERVED 0xfff0f009u

bool
ak_public_attributes_ok(const struct ak_public *a, struct buf *reason)
{
	bool ok = (a->attributes & AK_PUBLIC_RESERVED) == 0;

	if (!ok)
		buf_adds(reason, "reserved attributes are set");

	for (size_t i = 0; i < sizeof ak_public_rules / sizeof *ak_public_rules; i++) {
		bool set = (a->attributes & ak_public_rules[i].bit) != 0;

		if (set == ak_public_rules[i].wanted)
			continue;
		buf_addf(reason, "%s%s is %s", ok ? "" : ", ", ak_public_rules[i].name,
		    set ? "set" : "not set");
		ok = false;
	}
	return ok;
}

static uint32_t
ak_public_handle(enum ak_hierarchy h)
{
	switch (h) {
	case AK_OWNER:
		return TPM2_RH_OWNER;
	case AK_ENDORSEMENT:
		return TPM2_RH_ENDORSEMENT;
	case AK_PLATFORM:
		return TPM2_RH_PLATFORM;
	case AK_NULL:
		return TPM2_RH_NULL;
	}
	return TPM2_RH_UNASSIGNED;
}

int
ak_public_qualified(const struct ak_public *a, enum ak_hierarchy h, unsigned char ret[68],
    size_t *ret_len, struct err *e)
{
	unsigned char joined[4 + sizeof a->name], digest[HASH_SIZE_MAX];
	uint32_t handle = ak_public_handle(h);
	enum hash_alg alg;

	if (a->name_len < 2 ||
	    !tpm_alg_to_hash((uint16_t)(a->name[0] << 8 | a->name[1]), &alg) ||
	    a->name_len != 2 + hash_size(alg))
		return err_set(e, ERR_USAGE, "the key has no Name");
	for (unsigned i = 0; i < 4; i++)
		joined[i] = (unsigned char)(handle >> (24 - 8 * i));
	memcpy(joined + 4, a->name, a->name_len);
	if (hash_once(alg, joined, 4 + a->name_len, digest, e) != 0)
		return -1;
	memcpy(ret, a->name, 2);
	memcpy(ret + 2, digest, hash_size(alg));
	*ret_len = a->name_len;
	return 0;
}
