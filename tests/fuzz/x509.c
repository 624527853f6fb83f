/* Certificates, alone and as chains of themselves. */
#include "fuzz.h"

#include "evidence/ak-chain.h"

static void
fuzz_cert_freep(struct x509_cert **c)
{
	x509_free(*c);
}

static void
fuzz_chain(const struct buf *der, const struct x509_cert *cert)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	const struct buf chain[] = {*der, *der};
	enum ak_chain_result result;
	struct err e;

	for (size_t n = 1; n <= 2; n++) {
		CLEANUP(ak_chain_path_free) struct ak_chain_path path = {0};

		if (ak_chain_judge(&(struct ak_chain_request){.chain = chain, .n = n, .anchors = &cert,
		    .anchor_count = 1, .helpers = &cert, .helper_count = 1, .time = 1763900000},
		    &result, &path, &reason, &e) != 0)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(fuzz_cert_freep) struct x509_cert *cert = NULL;
	CLEANUP(key_freep) struct key *key = NULL;
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	CLEANUP(buf_free) struct buf subject = BUF_INIT;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct x509_profile profile;
	struct err e;
	bool ok;

	if (x509_decode(data, len, &cert, &e) != 0)
		return 0;
	if (x509_der(cert, &der, &e) != 0)
		abort();
	(void)!x509_profile(cert, &profile, &e);
	(void)!x509_subject(cert, &subject, &e);
	for (size_t i = 0; i < subject.len; i++) {
		if (subject.data[i] < 0x20 || subject.data[i] > 0x7e)
			abort();
	}
	if (x509_key(cert, &key, &e) == 0 && ak_chain_leaf_ok(&der, key, &ok, &reason, &e) != 0)
		abort();
	fuzz_chain(&der, cert);
	return 0;
}
