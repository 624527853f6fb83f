/* TPMS_ATTEST: what is accepted is given back byte for byte. */
#include "fuzz.h"

#include "evidence/quote-check.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	static const unsigned char zero[ATTEST_PCRS][48], extra[32];
	struct quote_check_pcrs pcrs = {.has_sha384 = true, .sha384 = zero};
	struct attest a;
	struct err e;
	bool ok;

	if (attest_decode(data, len, &a, &e) == 0) {
		if (attest_encode(&a, &again, &e) != 0)
			abort();
		fuzz_same(data, len, again.data, again.len);
	}
	if (quote_check_structure(data, len, extra, &pcrs, HASH_SHA256, &ok, &reason, &e) != 0 ||
	    ok != (reason.len == 0))
		abort();
	return 0;
}
