/* Revocation lists: two bytes of length, a certificate, and a list judged with it as the
 * certificate and as the issuer. */
#include "fuzz.h"

#include "crypto/x509-crl.h"

static void
fuzz_cert_freep(struct x509_cert **c)
{
	x509_free(*c);
}

static void
fuzz_crl_freep(struct x509_crl **c)
{
	x509_crl_free(*c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(fuzz_cert_freep) struct x509_cert *cert = NULL;
	CLEANUP(fuzz_crl_freep) struct x509_crl *crl = NULL;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	enum x509_crl_answer answer;
	size_t cert_len;
	struct err e;

	if (len < 2)
		return 0;
	cert_len = (size_t)data[0] << 8 | data[1];
	data += 2;
	len -= 2;
	if (cert_len > len || x509_crl_decode(data + cert_len, len - cert_len, &crl, &e) != 0 ||
	    x509_decode(data, cert_len, &cert, &e) != 0)
		return 0;
	for (int64_t time = 0; time < 3000000000; time += 1000000000) {
		if (x509_crl_judge(crl, cert, cert, time, &answer, &reason, &e) != 0)
			abort();
	}
	return 0;
}
