/* PCR values: what is read has the length of its bank, and gives one digest. */
#include "fuzz.h"

#include "evidence/pcr-values.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct attest a = {.selection_count = 2,
	    .selection = {{HASH_SHA256, 0x800001}, {HASH_SHA384, 1}}};
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	unsigned char digest[HASH_SIZE_MAX];
	struct pcr_values v;
	struct err e;
	bool ok;

	if (pcr_values_decode(data, len, &v, &e) != 0)
		return 0;
	for (unsigned bank = 0; bank < PCR_VALUES_BANKS; bank++) {
		for (unsigned pcr = 0; pcr <= ATTEST_PCRS; pcr++) {
			if ((pcr_values_get(&v, (enum hash_alg)bank, pcr) != NULL) !=
			    (pcr < ATTEST_PCRS && (v.given[bank] >> pcr & 1) != 0))
				abort();
		}
	}
	if (pcr_values_digest(&v, &a, HASH_SHA256, digest, &ok, &reason, &e) != 0 ||
	    ok != (reason.len == 0))
		abort();
	return 0;
}
