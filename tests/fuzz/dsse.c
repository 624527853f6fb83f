/* Envelopes: what is read has one text, and one encoding before authentication. */
#include "fuzz.h"

#include <stdio.h>
#include "object/dsse.h"

#define FUZZ_PREFIX "DSSEv1 28 application/vnd.in-toto+json "

static void
fuzz_pae(const struct dsse *d)
{
	CLEANUP(buf_free) struct buf pae = BUF_INIT;
	char head[96];
	size_t len;

	len = (size_t)snprintf(head, sizeof head, FUZZ_PREFIX "%zu ", d->payload.len);
	dsse_pae(&pae, d->payload.data, d->payload.len);
	if (pae.failed || pae.len != len + d->payload.len || memcmp(pae.data, head, len) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	CLEANUP(jcs_freep) struct jcs *out = NULL;
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct dsse d;

	if (jcs_decode(data, len, 1u << 20, &v, NULL) != 0 || dsse_from_jcs(v, &d, NULL) != 0)
		return 0;
	fuzz_pae(&d);
	out = dsse_to_jcs(&d);
	if (jcs_encode(out, &again, NULL) != 0)
		abort();
	fuzz_same(data, len, again.data, again.len);
	dsse_free(&d);
	return 0;
}
