/*
 * s3://BUCKET/PREFIX: the layout of bucket.h in a bucket of Amazon's S3, or of a server
 * that speaks the same.  The manifest is changed by conditional writes; where a server
 * does not know them, nothing is written.
 */
#include <string.h>
#include "crypto/hash.h"
#include "remote/s3-internal.h"

#define S3_PROBE "probe"                /* a piece beside the manifest */
#define S3_PROBE_TEXT "aicert bucket: are writes conditional?\n"

/* The digest that is signed. */
static int
s3_payload(const void *data, size_t len, char ret[OID_HEX_SIZE], struct err *e)
{
	struct oid digest;

	if (oid_from_data(&digest, data, len, e) != 0)
		return -1;
	oid_hex(&digest, ret);
	return 0;
}

/* condition: "If-Match: ..." or NULL.  The answer's status is the caller's. */
static int
s3_put_piece(struct s3 *s, const char *key, const struct buf *data, const char *condition,
    struct http_response *ret, struct err *e)
{
	char hex[OID_HEX_SIZE];
	const struct s3_call c = {
		.method = "PUT", .key = key, .body = data->len > 0 ? data->data : (const void *)"",
		.body_len = data->len, .payload = hex, .header = condition, .max = S3_ANSWER_MAX,
		.once = condition != NULL,
	};

	return s3_payload(c.body, data->len, hex, e) != 0 ? -1 : s3_request(s, s->http, &c, ret, e);
}

static int
s3_read(void *self, const char *key, size_t max, struct buf *ret, char ret_tag[BUCKET_TAG_SIZE],
    struct err *e)
{
	struct s3 *s = self;
	CLEANUP(http_response_free) struct http_response rs = {0};
	const struct s3_call c = {.method = "GET", .key = key, .max = max};

	if (s3_request(s, s->http, &c, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return s3_request_problem(s, &rs, key, e);
	buf_add(ret, rs.body.data, rs.body.len);
	if (ret_tag != NULL)
		memcpy(ret_tag, rs.etag, BUCKET_TAG_SIZE);
	return buf_check(ret, e);
}

/* --- conditional writes --- */

/* A write whose condition cannot hold must be refused. */
static int
s3_probe_one(struct s3 *s, const char *condition, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	const struct buf text = {.data = (unsigned char *)(uintptr_t)S3_PROBE_TEXT,
	    .len = strlen(S3_PROBE_TEXT)};

	if (s3_put_piece(s, S3_PROBE, &text, condition, &rs, e) != 0)
		return -1;
	if (rs.status == 412)
		return 0;
	if (!http_ok(&rs) && rs.status != 501 && rs.status != 400)
		return s3_request_problem(s, &rs, S3_PROBE, e);
	return err_set(e, ERR_UNSUPPORTED, "s3://%s: the server at %s %s conditional writes (%.*s), without"
	    " which two pushes at once would lose one of them; nothing was pushed", s->place.bucket,
	    s->place.base, http_ok(&rs) ? "ignores" : "refuses", (int)strcspn(condition, ":"), condition);
}

int
s3_probe(struct s3 *s, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	const struct buf text = {.data = (unsigned char *)(uintptr_t)S3_PROBE_TEXT,
	    .len = strlen(S3_PROBE_TEXT)};

	if (s->probed)
		return 0;
	if (s3_put_piece(s, S3_PROBE, &text, NULL, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return s3_request_problem(s, &rs, S3_PROBE, e);
	if (s3_probe_one(s, "If-None-Match: *", e) != 0 ||
	    s3_probe_one(s, "If-Match: \"00000000000000000000000000000000\"", e) != 0)
		return -1;
	s->probed = true;
	return 0;
}

/* The answer was lost: is what is there now ours? */
static int
s3_write_lost(struct s3 *s, const char *key, const struct buf *data, struct err *e)
{
	CLEANUP(buf_free) struct buf there = BUF_INIT;
	struct err lost = *e, ignored;

	if (s3_read(s, key, data->len + 1, &there, NULL, &ignored) == 0 && there.len == data->len &&
	    memcmp(buf_str(&there), buf_str(data), data->len) == 0)
		return 0;
	*e = lost;
	return -1;
}

static int
s3_write(void *self, const char *key, const void *data, size_t len, const char *tag, struct err *e)
{
	struct s3 *s = self;
	CLEANUP(http_response_free) struct http_response rs = {0};
	CLEANUP(cleanup_free) char *condition = NULL;
	const struct buf bytes = {.data = (unsigned char *)(uintptr_t)data, .len = len};

	if (s3_probe(s, e) != 0)
		return -1;
	if (strcmp(key, BUCKET_MANIFEST) == 0) {
		condition = tag == NULL ? buf_strdup("If-None-Match: *", e) : buf_strfmt(e, "If-Match: %s", tag);
		if (condition == NULL)
			return -1;
		if (tag != NULL && *tag == '\0')
			return err_set(e, ERR_UNSUPPORTED, "s3://%s: the server at %s gives no ETag", s->place.bucket,
			    s->place.base);
	}
	if (s3_put_piece(s, key, &bytes, condition, &rs, e) != 0)
		return e->code == ERR_NETWORK ? s3_write_lost(s, key, &bytes, e) : -1;
	if (http_ok(&rs))
		return 0;
	s3_request_problem(s, &rs, key, e);
	if (condition != NULL && rs.status == 404) /* the manifest was removed */
		e->code = ERR_CONFLICT;
	/* an attempt that was answered with an error may have been the one that wrote */
	return e->code == ERR_CONFLICT && condition != NULL ? s3_write_lost(s, key, &bytes, e) : -1;
}

/* --- the remote --- */

static const struct bucket_ops s3_bucket = {
	.read = s3_read, .write = s3_write, .missing = s3_missing, .get = s3_get, .put = s3_put,
};

static int
s3_connect(struct s3 *s, bool writing, struct err *e)
{
	struct http_options o = {
		.peer = s->place.local ? HTTP_PEER_LOCAL : HTTP_PEER_CA, .base = s->place.base,
		.ca_file = s->place.local ? NULL : s->place.ca_file,
	};
	struct s3_credentials c = {0};
	int rc;

	if (http_new_with(&o, &s->http, e) != 0 || s3_credentials_find(s->place.profile, &c, e) != 0)
		return -1;
	s->anonymous = c.key_id == NULL;
	if (s->anonymous) {
		s3_credentials_free(&c);
		return !writing ? 0 : err_set(e, ERR_DENIED, "s3://%s: no key was found to write with:"
		    " AWS_ACCESS_KEY_ID, ~/.aws/credentials or the machine's role", s->place.bucket);
	}
	rc = http_set_sigv4(s->http, &(struct http_sigv4){c.key_id, c.secret, c.session, s->place.region}, e);
	s3_credentials_free(&c);
	return rc;
}

static int
s3_open(struct remote *r, struct err *e)
{
	struct s3 *s = calloc(1, sizeof *s);

	if (s == NULL)
		return err_nomem(e);
	r->state = s;
	pthread_mutex_init(&s->lock, NULL);
	s->bucket = (struct bucket){.ops = &s3_bucket, .self = s, .remote = r};
	return s3_place_find(r->url, r->config, &s->place, e) != 0 ? -1 : s3_connect(s, r->writing, e);
}

static void
s3_close(struct remote *r)
{
	struct s3 *s = r->state;

	bucket_end(&s->bucket);
	while (s->idle_count > 0)
		http_free(s->idle[--s->idle_count]);
	http_free(s->http);
	s3_place_free(&s->place);
	pthread_mutex_destroy(&s->lock);
	free(s);
	r->state = NULL;
}

const struct remote_ops s3_ops = {
	.name = "s3", .open = s3_open, .close = s3_close, .refs = bucket_refs, .missing = bucket_missing,
	.read = bucket_read, .get = bucket_get, .put = bucket_put,
	.update = bucket_update,
};
