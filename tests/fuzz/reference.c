/* Reference records: what is accepted is given back byte for byte. */
#include "fuzz.h"

#include "verify/reference.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const unsigned char zero[EVENT_LOG_PCRS * 48];
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	CLEANUP(reference_free) struct reference_document d = {0};
	CLEANUP(reference_free) struct reference_document whole = {0};
	struct err e;

	if (reference_decode(data, len, &d, &e) != 0)
		return 0;
	if (reference_encode(&d, &again, &e) != 0)
		abort();
	fuzz_same(data, len, again.data, again.len);
	for (size_t i = 0; i < d.count; i++) {
		CLEANUP(buf_free) struct buf expected = BUF_INIT;
		CLEANUP(buf_free) struct buf found = BUF_INIT;
		struct reference_found f = {d.records[i].bank, zero, NULL};
		size_t differ;
		bool ok;

		/* no record matches a machine that measured nothing */
		if (reference_match(&d.records[i], &f, &ok, &differ, &expected, &found, &e) != 0 || ok)
			abort();
	}
	if (reference_merge(&d, &d, &whole, &e) == 0 && whole.records[0].part != REFERENCE_WHOLE)
		abort();
	return 0;
}
