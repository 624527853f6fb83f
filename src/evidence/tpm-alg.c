#include "evidence/tpm-alg.h"

#include <stddef.h>
#include <tss2/tss2_tpm2_types.h>

static const struct {
	uint16_t alg;
	enum hash_alg hash;
} tpm_alg_hashes[] = {
	{TPM2_ALG_SHA1, HASH_SHA1},
	{TPM2_ALG_SHA256, HASH_SHA256},
	{TPM2_ALG_SHA384, HASH_SHA384},
	{TPM2_ALG_SHA512, HASH_SHA512},
};

static const struct {
	uint16_t alg;
	enum key_scheme scheme;
	const char *name;
} tpm_alg_schemes[] = {
	{TPM2_ALG_RSASSA, KEY_RSASSA, "RSASSA"},
	{TPM2_ALG_RSAPSS, KEY_RSAPSS, "RSAPSS"},
	{TPM2_ALG_ECDSA, KEY_ECDSA, "ECDSA"},
};

bool
tpm_alg_to_hash(uint16_t alg, enum hash_alg *ret)
{
	for (size_t i = 0; i < sizeof tpm_alg_hashes / sizeof *tpm_alg_hashes; i++) {
		if (tpm_alg_hashes[i].alg == alg) {
			*ret = tpm_alg_hashes[i].hash;
			return true;
		}
	}
	return false;
}

uint16_t
tpm_alg_from_hash(enum hash_alg alg)
{
	for (size_t i = 0; i < sizeof tpm_alg_hashes / sizeof *tpm_alg_hashes; i++) {
		if (tpm_alg_hashes[i].hash == alg)
			return tpm_alg_hashes[i].alg;
	}
	return TPM2_ALG_ERROR;
}

bool
tpm_alg_to_scheme(uint16_t alg, enum key_scheme *ret)
{
	for (size_t i = 0; i < sizeof tpm_alg_schemes / sizeof *tpm_alg_schemes; i++) {
		if (tpm_alg_schemes[i].alg == alg) {
			*ret = tpm_alg_schemes[i].scheme;
			return true;
		}
	}
	return false;
}

const char *
tpm_alg_scheme_name(enum key_scheme scheme)
{
	for (size_t i = 0; i < sizeof tpm_alg_schemes / sizeof *tpm_alg_schemes; i++) {
		if (tpm_alg_schemes[i].scheme == scheme)
			return tpm_alg_schemes[i].name;
	}
	return "unknown";
}
