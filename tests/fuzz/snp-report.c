#include "fuzz.h"

#include "evidence/hardware.h"

/* Without a chain nothing is proven, whatever the bytes are. */
static void
never_passes(const uint8_t *data, size_t len)
{
	CLEANUP(hardware_free) struct hardware h = {0};
	struct hardware_request rq = {.format = HARDWARE_SNP, .report = data, .len = len};
	enum hardware_part part;
	struct err e;

	if (hardware_judge(&rq, &h, &e) != 0 || hardware_result(&h, &part) != HARDWARE_FAILED)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct snp_report r;
	struct snp_tcb t;
	struct err e;

	never_passes(data, len);
	if (snp_report_decode(data, len, &r, &e) != 0)
		return 0;
	if (len != SNP_REPORT_SIZE || memcmp(r.chip_id, data + 0x1a0, 64) != 0)
		abort();
	for (enum snp_product p = SNP_MILAN; p <= SNP_TURIN; p++) {
		if (snp_report_tcb(r.reported_tcb, p, &t, &e) == 0 && !snp_report_tcb_at_least(&t, &t))
			abort();
	}
	return 0;
}
