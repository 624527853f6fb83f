/* The texts of a request: the first byte says which parser gets the rest. */
#include "fuzz.h"

#include <string.h>
#include "serve/hub.h"
#include "serve/objects.h"
#include "serve/principal.h"
#include "serve/session.h"

static void
request_range(const char *text)
{
	static const uint64_t sizes[] = {0, 1, 100, (uint64_t)JCS_INT_MAX};
	uint64_t start, length;

	for (size_t i = 0; i < 4; i++)
		if (objects_range(text, sizes[i], &start, &length) &&
		    (length == 0 || start >= sizes[i] || length > sizes[i] - start))
			abort();
}

static void
request_content_range(const char *text)
{
	struct upload_range r;
	struct err e;

	if (objects_content_range(text, 50000, &r, &e) == 0 &&
	    (r.length != 50000 || r.start > r.total || r.length > r.total - r.start))
		abort();
}

static void
request_query(const char *text)
{
	static const char *const names[] = {"nonce", "offset", "follow", NULL};
	struct http_call c = {.query = text};
	char *value = NULL;
	struct err e;

	if (session_query(&c, names, "offset", &value, &e) == 0 && value != NULL &&
	    strpbrk(value, "/%&= \"'<>") != NULL)
		abort();
	free(value);
}

static void
request_path(const char *text)
{
	const char *arg = NULL;
	size_t len = 0;

	if (!http_path_plain(text))
		return;
	if (strchr(text, '%') != NULL || strstr(text, "//") != NULL || strstr(text, "/../") != NULL)
		abort();
	if (http_route_matches("/v1/refs/**", text, &arg, &len) && strlen(arg) != len)
		abort();
	if (http_route_matches("/v1/runs/*/log", text, &arg, &len) && memchr(arg, '/', len) != NULL)
		abort();
}

static void
request_bearer(const char *text)
{
	const char *token;
	size_t len;

	if (principal_bearer(text, &token, &len) &&
	    (len == 0 || len > PRINCIPAL_TOKEN_MAX || token + len != text + strlen(text)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[8192];
	struct oid id;

	if (len == 0 || len > sizeof text)
		return 0;
	memcpy(text, data + 1, len - 1);
	text[len - 1] = '\0';
	switch (data[0]) {
	case 'r':
		request_range(text);
		break;
	case 'c':
		request_content_range(text);
		break;
	case 'q':
		request_query(text);
		break;
	case 'p':
		request_path(text);
		break;
	case 'b':
		request_bearer(text);
		break;
	default:
		if (hub_etag(text, &id) && strlen(text) != 66)
			abort();
	}
	return 0;
}
