/* TPMT_PUBLIC: what is accepted is a whole attestation key. */
#include "fuzz.h"

#include "evidence/ak-public.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(ak_public_free) struct ak_public ak = {0};
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	unsigned char qualified[68];
	size_t qualified_len;
	struct err e;

	if (ak_public_decode(data, len, &ak, &e) != 0)
		return 0;
	if (ak.key == NULL || key_kind(ak.key) == KEY_OTHER || ak.scheme_hash == HASH_SHA1 ||
	    (ak.scheme == KEY_ECDSA) != (key_kind(ak.key) != KEY_RSA) ||
	    ak_public_attributes_ok(&ak, &reason) != (reason.len == 0) ||
	    ak_public_qualified(&ak, AK_ENDORSEMENT, qualified, &qualified_len, &e) != 0 ||
	    qualified_len != ak.name_len)
		abort();
	return 0;
}
