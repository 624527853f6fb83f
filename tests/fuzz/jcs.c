#include "fuzz.h"

#include "codec/jcs.h"

#define JCS_MAX (1u << 20)

/* What is sure is so. */
static void
check_sure(const uint8_t *data, size_t len, const struct jcs *strict, const struct jcs *any)
{
	const char *type = jcs_get_string(any, "mediaType"), *found = jcs_get_string(strict, "mediaType");

	if (type != NULL && jcs_sure(data, len, JCS_MAX, "mediaType", type) &&
	    (found == NULL || strcmp(found, type) != 0))
		abort();
	if (jcs_sure(data, len, JCS_MAX, "mediaType", "another"))
		if (found == NULL || strcmp(found, "another") != 0)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(jcs_freep) struct jcs *any = NULL;
	CLEANUP(jcs_freep) struct jcs *strict = NULL;
	CLEANUP(jcs_freep) struct jcs *reread = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	bool canonical = jcs_decode(data, len, JCS_MAX, &strict, NULL) == 0;

	if (jcs_decode_any(data, len, JCS_MAX, &any, NULL) != 0) {
		if (canonical)
			abort();
		return 0;
	}
	check_sure(data, len, strict, any);
	/* what any text says has one canonical spelling, and that one is accepted */
	if (jcs_encode(any, &text, NULL) != 0 ||
	    jcs_decode(text.data, text.len, 6 * JCS_MAX, &reread, NULL) != 0)
		abort();
	if (!canonical && text.len == len && memcmp(text.data, data, len) == 0)
		abort();
	if (canonical)
		fuzz_same(data, len, text.data, text.len);
	return 0;
}
