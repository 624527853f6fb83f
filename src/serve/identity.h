/* GET /v1/identity?nonce=HEX: a quote that binds the nonce and the channel key. */
#ifndef SERVE_IDENTITY_H
#define SERVE_IDENTITY_H

#include "serve/http.h"

#define IDENTITY_MEDIA_TYPE "application/vnd.aicert.identity.v1+json"

int identity_get(struct http_call *c, struct err *e) MUST_CHECK;

#endif
