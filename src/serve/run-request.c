#include "serve/run-request.h"

#include <string.h>
#include "base/hex.h"
#include "codec/shape.h"
#include "serve/http.h"

static const struct shape run_request_shape[] = {
	{"mediaType", SHAPE_STRING, 0},
	{"nonce", SHAPE_HEX32, 0},
	{"spec", SHAPE_OBJECT, 0},
	{NULL, SHAPE_STRING, 0},
};

int
run_request_decode(const void *data, size_t len, unsigned char ret_nonce[32],
    struct run_spec *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const char *type;

	if (jcs_decode(data, len, HTTP_DOCUMENT_MAX, &v, e) != 0)
		return -1;
	type = jcs_get_string(v, "mediaType");
	if (type == NULL || strcmp(type, RUN_REQUEST_MEDIA_TYPE) != 0)
		return err_set(e, ERR_FORMAT, "the body is not a run request");
	if (shape_check(v, run_request_shape, "run request", e) != 0 ||
	    hex_decode(ret_nonce, 32, jcs_get_string(v, "nonce"), e) != 0)
		return -1;
	return run_spec_from_jcs(jcs_get(v, "spec"), ret, e);
}
