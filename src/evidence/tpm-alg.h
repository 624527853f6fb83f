/* Names of the TPM's algorithms (TPM 2.0 Library part 2, section 6.3). */
#ifndef EVIDENCE_TPM_ALG_H
#define EVIDENCE_TPM_ALG_H

#include <stdbool.h>
#include <stdint.h>
#include "crypto/key.h"

/* False for an algorithm that is no hash of ours. */
bool tpm_alg_to_hash(uint16_t alg, enum hash_alg *ret);
uint16_t tpm_alg_from_hash(enum hash_alg alg);
bool tpm_alg_to_scheme(uint16_t alg, enum key_scheme *ret);
const char *tpm_alg_scheme_name(enum key_scheme scheme);

#endif
