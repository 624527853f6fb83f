/* PEM: the reader itself, then as certificates and as a key. */
#include "fuzz.h"

#include "crypto/pem.h"
#include "crypto/x509.h"

#define FUZZ_CERTS 4

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct x509_cert *certs[FUZZ_CERTS] = {NULL};
	CLEANUP(key_freep) struct key *key = NULL;
	char label[PEM_LABEL_SIZE];
	size_t offset = 0, n = 0;
	bool found = true;
	struct err e;

	while (found) {
		CLEANUP(buf_free) struct buf der = BUF_INIT;
		size_t before = offset;

		if (pem_next(data, len, &offset, label, &der, &found, &e) != 0)
			break;
		if (offset > len || (found && (offset <= before || der.len == 0)))
			abort();
	}
	if (x509_decode_pem(data, len, FUZZ_CERTS, certs, &n, &e) == 0 && n == 0)
		abort();
	while (n > 0)
		x509_free(certs[--n]);
	(void)!key_from_pem(data, len, &key, &e);
	return 0;
}
