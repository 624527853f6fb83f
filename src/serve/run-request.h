/* The body of POST /v1/runs (aicert-protocol(5)). */
#ifndef SERVE_RUN_REQUEST_H
#define SERVE_RUN_REQUEST_H

#include "object/run-spec.h"

#define RUN_REQUEST_MEDIA_TYPE "application/vnd.aicert.run-request.v1+json"

int run_request_decode(const void *data, size_t len, unsigned char ret_nonce[32],
    struct run_spec *ret, struct err *e) MUST_CHECK;

#endif
