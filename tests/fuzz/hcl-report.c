#include "fuzz.h"

#include "evidence/hardware.h"

static void
never_passes(const uint8_t *data, size_t len)
{
	CLEANUP(hardware_free) struct hardware h = {0};
	struct hardware_request rq = {.format = HARDWARE_HCL, .report = data, .len = len};
	enum hardware_part part;
	struct err e;

	if (hardware_judge(&rq, &h, &e) != 0 || hardware_result(&h, &part) != HARDWARE_FAILED)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(key_freep) struct key *ak = NULL;
	struct hcl_report h;
	bool bound;
	struct err e;

	never_passes(data, len);
	if (hcl_report_decode(data, len, &h, &e) != 0)
		return 0;
	if (h.len > len || (const uint8_t *)h.runtime + h.runtime_len != data + h.len)
		abort();
	if (hcl_report_bound(&h, h.hardware + 0x50, &bound, &e) != 0)
		abort();
	if (hcl_report_ak(&h, &ak, &e) == 0 && (key_kind(ak) != KEY_RSA || key_bits(ak) < 2048))
		abort();
	return 0;
}
