/* /v1/objects: what is here, and its bytes in and out (aicert-protocol(5)). */
#ifndef SERVE_OBJECTS_H
#define SERVE_OBJECTS_H

#include "serve/http.h"
#include "serve/upload.h"

#define OBJECTS_MEDIA_TYPE "application/vnd.aicert.object-list.v1+json"
#define OBJECTS_MAX 100000

/* {"mediaType":...,"objects":["sha256:..."]} in; those not here, in the same form, out. */
int objects_missing(struct http_call *c, struct err *e) MUST_CHECK;
/* HEAD and GET, with Range; HEAD of a part-sent object: 404 with Upload-Offset. */
int objects_get(struct http_call *c, struct err *e) MUST_CHECK;
/* 201 stored, 200 was here, 202 with Upload-Offset when more is to come, 409 with
 * Upload-Offset when the range does not continue what is here, 422 wrong hash. */
int objects_put(struct http_call *c, struct err *e) MUST_CHECK;
int objects_put_begin(struct http_call *c, struct err *e) MUST_CHECK;
int objects_put_data(struct http_call *c, const void *data, size_t len, struct err *e) MUST_CHECK;
void objects_put_drop(void *stream);

/* The parsers of requests.  objects_decode: the document's "objects" may still hold
 * anything but is an array of at most OBJECTS_MAX. */
int objects_decode(const void *data, size_t len, struct jcs **ret, struct err *e) MUST_CHECK;
/* RFC 9110 section 14.2, one range of bytes: "bytes=a-b", "bytes=a-", "bytes=-n".
 * False: cannot be satisfied, or is none of these. */
bool objects_range(const char *text, uint64_t size, uint64_t *ret_start, uint64_t *ret_length);
/* "bytes N-M/T", RFC 9110 section 14.4; text NULL: the whole object comes. */
int objects_content_range(const char *text, uint64_t length, struct upload_range *ret,
    struct err *e) MUST_CHECK;

#endif
