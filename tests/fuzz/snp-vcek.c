/* What a VCEK's certificate says of a chip; the bytes of its extensions are the input too. */
#include "fuzz.h"

#include "evidence/snp-vcek.h"

static void
fuzz_cert_freep(struct x509_cert **c)
{
	x509_free(*c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(fuzz_cert_freep) struct x509_cert *cert = NULL;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct snp_report r = {0};
	struct snp_vcek v = {0};
	struct err e;

	if (x509_decode(data, len, &cert, &e) != 0)
		return 0;
	if (snp_vcek_read(cert, &v, &e) != 0) {
		if (e.code != ERR_FORMAT && e.code != ERR_UNSUPPORTED)
			abort(); /* bytes are an answer, never a failure to look */
		return 0;
	}
	if (v.product < SNP_MILAN || v.product > SNP_TURIN)
		abort();
	/* a report of the same chip and levels, of no processor that there is */
	memcpy(r.chip_id, v.chip_id, sizeof r.chip_id);
	memcpy(r.reported_tcb, v.tcb, sizeof r.reported_tcb);
	r.has_cpuid = true;
	r.cpuid_family = 0xff;
	if (snp_vcek_matches(&v, &r, &reason) || reason.len == 0)
		abort();
	return 0;
}
