/*
 * A large object in parts.  Nothing is kept here of an upload that was broken off: the
 * server lists it and its parts, whose size follows from the object's, so any later
 * attempt, by anybody, goes on with it.  The object is read once to be hashed, as a whole and
 * in parts, and ahead of what is sent: the server takes nothing for a part but the bytes that
 * were hashed, and the upload is only completed when all of them together had the digest.
 */
#include <string.h>
#include "base/fd.h"
#include "crypto/hash.h"
#include "remote/s3-internal.h"

#define S3_PART_MIN (16u * 1024 * 1024)
#define S3_PARTS_MAX 10000u
#define S3_PARTS_PAGES 12           /* of a thousand */
#define S3_ETAG_MAX 256
#define S3_BLOCK (128u * 1024)      /* still in the processor's cache for the second digest */

struct s3_part {
	uint64_t size;              /* as the server has it; 0: it has not */
	char etag[S3_ETAG_MAX];
};

struct s3_upload {
	struct s3 *s;
	struct remote_item *item;
	int fd;
	uint64_t size, part_size;
	char key[BUCKET_KEY_MAX];
	char id[S3_UPLOAD_ID_MAX];
	struct s3_part *parts;
	size_t count, next;
	struct hash *hash;          /* of the object as far as it was read */
	struct hash *part_hash;
	unsigned char *block;
};

struct s3_part_job {
	struct s3_job job;          /* first */
	size_t number;              /* from 0 */
	struct oid digest;
	char etag[S3_ETAG_MAX];
};

static void
s3_upload_free(struct s3_upload *u)
{
	free(u->parts);
	hash_free(u->hash);
	hash_free(u->part_hash);
	free(u->block);
}

static uint64_t
s3_upload_part_size(const struct s3_upload *u, size_t number)
{
	uint64_t begin = number * u->part_size;

	return u->size - begin < u->part_size ? u->size - begin : u->part_size;
}

/* Whole MiB, so many that the parts are few enough. */
static void
s3_upload_plan(struct s3_upload *u)
{
	const uint64_t mib = 1024 * 1024;

	u->part_size = S3_PART_MIN;
	if (u->size / S3_PARTS_MAX >= u->part_size)
		u->part_size = (u->size / S3_PARTS_MAX / mib + 1) * mib;
	u->count = (size_t)((u->size + u->part_size - 1) / u->part_size);
}

static int
s3_upload_call(struct s3_upload *u, const struct s3_call *c, struct http_response *ret, struct err *e)
{
	if (s3_request(u->s, u->s->http, c, ret, e) != 0)
		return -1;
	if (http_ok(ret))
		return 0;
	s3_request_problem(u->s, ret, u->key, e);
	http_response_free(ret);
	return -1;
}

/* --- going on with what is there --- */

/* The id of an upload of this key that was begun; "": there is none. */
static int
s3_upload_find(struct s3_upload *u, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	CLEANUP(buf_free) struct buf query = BUF_INIT;
	struct s3_call c = {.method = "GET", .key = "", .max = S3_ANSWER_MAX};
	char full[S3_PATH_SIZE], key[S3_PATH_SIZE];
	struct s3_xml x, upload;

	snprintf(full, sizeof full, "%s%s", u->s->place.prefix, u->key);
	buf_adds(&query, "prefix=");
	s3_request_escape(full, &query);
	buf_adds(&query, "&uploads=");
	c.query = buf_str(&query);
	if (buf_check(&query, e) != 0 || s3_upload_call(u, &c, &rs, e) != 0)
		return -1;
	x = (struct s3_xml){(const char *)rs.body.data, rs.body.len};
	while (s3_xml_next(&x, "Upload", &upload))
		if (s3_xml_text(upload, "Key", key, sizeof key) && strcmp(key, full) == 0 &&
		    s3_xml_text(upload, "UploadId", u->id, sizeof u->id))
			return 0;
	u->id[0] = '\0';
	return 0;
}

/* Only parts that are as long as ours would be. */
static void
s3_upload_take_parts(struct s3_upload *u, struct s3_xml x)
{
	struct s3_xml part;
	uint64_t number, size;
	char etag[S3_ETAG_MAX];

	while (s3_xml_next(&x, "Part", &part))
		if (s3_xml_number(part, "PartNumber", &number) && s3_xml_number(part, "Size", &size) &&
		    s3_xml_text(part, "ETag", etag, sizeof etag) && number >= 1 && number <= u->count &&
		    size == s3_upload_part_size(u, (size_t)number - 1)) {
			u->parts[number - 1].size = size;
			memcpy(u->parts[number - 1].etag, etag, sizeof etag);
		}
}

static int
s3_upload_parts(struct s3_upload *u, struct err *e)
{
	uint64_t marker = 0;

	for (unsigned page = 0; page < S3_PARTS_PAGES; page++) {
		CLEANUP(http_response_free) struct http_response rs = {0};
		CLEANUP(buf_free) struct buf query = BUF_INIT;
		struct s3_call c = {.method = "GET", .key = u->key, .max = S3_ANSWER_MAX};
		char more[8];

		buf_addf(&query, "max-parts=1000&part-number-marker=%llu&uploadId=", (unsigned long long)marker);
		s3_request_escape(u->id, &query);
		c.query = buf_str(&query);
		if (buf_check(&query, e) != 0 || s3_upload_call(u, &c, &rs, e) != 0)
			return -1;
		s3_upload_take_parts(u, (struct s3_xml){(const char *)rs.body.data, rs.body.len});
		if (!s3_xml_text((struct s3_xml){(const char *)rs.body.data, rs.body.len}, "IsTruncated", more,
		    sizeof more) || strcmp(more, "true") != 0 ||
		    !s3_xml_number((struct s3_xml){(const char *)rs.body.data, rs.body.len},
		    "NextPartNumberMarker", &marker))
			break;
	}
	return 0;
}

/* Whoever may not list uploads, or a server that cannot, begins anew. */
static int
s3_upload_resume(struct s3_upload *u, struct err *e)
{
	if (s3_upload_find(u, e) == 0 && (u->id[0] == '\0' || s3_upload_parts(u, e) == 0))
		return 0;
	if (e->code != ERR_DENIED && e->code != ERR_UNSUPPORTED && e->code != ERR_NOTFOUND)
		return -1;
	for (size_t i = 0; i < u->count; i++)
		u->parts[i].size = 0;
	u->id[0] = '\0';
	return 0;
}

static int
s3_upload_begin(struct s3_upload *u, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	const struct s3_call c = {.method = "POST", .key = u->key, .query = "uploads=", .max = S3_ANSWER_MAX};

	if (s3_upload_call(u, &c, &rs, e) != 0)
		return -1;
	if (!s3_xml_text((struct s3_xml){(const char *)rs.body.data, rs.body.len}, "UploadId", u->id,
	    sizeof u->id) || u->id[0] == '\0')
		return err_set(e, ERR_FORMAT, "%s: the server began no upload", u->key);
	return 0;
}

/* --- parts --- */

/* Read again, from what the system has in memory; the server compares the digest. */
static int
s3_part_send(struct s3_job *j, struct http *h, struct err *e)
{
	struct s3_part_job *p = (struct s3_part_job *)j;
	const struct s3_upload *u = j->arg;
	CLEANUP(http_response_free) struct http_response rs = {0};
	CLEANUP(buf_free) struct buf query = BUF_INIT;
	char hex[OID_HEX_SIZE];
	struct s3_call c = {
		.method = "PUT", .key = u->key, .body_fd = u->fd, .body_fd_offset = p->number * u->part_size,
		.body_fd_size = s3_upload_part_size(u, p->number), .payload = hex, .max = S3_ANSWER_MAX,
		.moved = s3_jobs_moved, .moved_arg = j,
	};

	oid_hex(&p->digest, hex);
	buf_addf(&query, "partNumber=%zu&uploadId=", p->number + 1);
	s3_request_escape(u->id, &query);
	c.query = buf_str(&query);
	if (buf_check(&query, e) != 0 || s3_request(u->s, h, &c, &rs, e) != 0)
		return -1;
	if (http_ok(&rs) && rs.etag[0] != '\0') {
		memcpy(p->etag, rs.etag, sizeof p->etag);
		return 0;
	}
	s3_request_problem(u->s, &rs, u->key, e);
	/* of this object alone, as in s3-put.c */
	if (rs.status == 400)
		e->code = ERR_REFUSED;
	return -1;
}

/* The next part, as a piece of the whole and, when it is to be sent, by itself. */
static int
s3_part_hash(struct s3_upload *u, bool alone, struct oid *ret, struct err *e)
{
	uint64_t left = s3_upload_part_size(u, u->next);

	while (left > 0) {
		size_t n;

		if (fd_read_upto(u->fd, u->block, left < S3_BLOCK ? (size_t)left : S3_BLOCK, &n, u->key, e) != 0)
			return -1;
		if (n == 0)
			return err_set(e, ERR_CORRUPT, "%s: is shorter than it was", u->key);
		if (hash_update(u->hash, u->block, n, e) != 0 ||
		    (alone && hash_update(u->part_hash, u->block, n, e) != 0))
			return -1;
		left -= n;
	}
	return alone ? hash_final(u->part_hash, ret->b, e) : 0;
}

static int
s3_part_next(void *arg, struct s3_job **ret, struct err *e)
{
	struct s3_upload *u = arg;

	for (; u->next < u->count; u->next++) {
		CLEANUP(cleanup_free) struct s3_part_job *p = calloc(1, sizeof *p);
		bool there = u->parts[u->next].size != 0;

		if (p == NULL)
			return err_nomem(e);
		if (s3_part_hash(u, !there, &p->digest, e) != 0)
			return -1;
		if (there)
			continue;
		p->number = u->next++;
		p->job.run = s3_part_send;
		p->job.arg = u;
		p->job.item = u->item;
		*ret = &p->job;
		p = NULL;
		return 1;
	}
	return 0;
}

static int
s3_part_done(void *arg, struct s3_job *j, struct err *e)
{
	struct s3_part_job *p = (struct s3_part_job *)j;
	struct s3_upload *u = arg;
	int rc = j->rc;

	if (rc == 0) {
		u->parts[p->number].size = s3_upload_part_size(u, p->number);
		memcpy(u->parts[p->number].etag, p->etag, sizeof p->etag);
	} else {
		*e = j->error;
	}
	free(p);
	return rc;
}

/* --- the end --- */

static int
s3_upload_complete(struct s3_upload *u, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	CLEANUP(buf_free) struct buf query = BUF_INIT;
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	char hex[OID_HEX_SIZE], code[64];
	struct oid digest;
	struct s3_call c = {.method = "POST", .key = u->key, .payload = hex, .max = S3_ANSWER_MAX};

	buf_adds(&body, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (size_t i = 0; i < u->count; i++) {
		buf_addf(&body, "<Part><PartNumber>%zu</PartNumber><ETag>", i + 1);
		s3_xml_escape(u->parts[i].etag, &body);
		buf_adds(&body, "</ETag></Part>");
	}
	buf_adds(&body, "</CompleteMultipartUpload>");
	buf_adds(&query, "uploadId=");
	s3_request_escape(u->id, &query);
	if (buf_check(&body, e) != 0 || buf_check(&query, e) != 0 ||
	    oid_from_data(&digest, body.data, body.len, e) != 0)
		return -1;
	oid_hex(&digest, hex);
	c.body = body.data;
	c.body_len = body.len;
	c.query = buf_str(&query);
	if (s3_upload_call(u, &c, &rs, e) != 0)
		return -1;
	/* 200 was sent before it was known */
	if (s3_xml_text((struct s3_xml){(const char *)rs.body.data, rs.body.len}, "Code", code, sizeof code))
		return s3_request_problem(u->s, &rs, u->key, e);
	return 0;
}

static void
s3_upload_abort(struct s3_upload *u)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	CLEANUP(buf_free) struct buf query = BUF_INIT;
	struct s3_call c = {.method = "DELETE", .key = u->key, .max = S3_ANSWER_MAX};
	struct err ignored;

	buf_adds(&query, "uploadId=");
	s3_request_escape(u->id, &query);
	c.query = buf_str(&query);
	if (!query.failed)
		(void)!s3_request(u->s, u->s->http, &c, &rs, &ignored);
}

static int
s3_upload_run(struct s3_upload *u, struct err *e)
{
	struct s3_feed f = {
		.s = u->s, .r = u->s->bucket.remote, .label = "sending", .next = s3_part_next,
		.done = s3_part_done, .arg = u, .total = u->size,
	};
	struct oid got;

	for (size_t i = 0; i < u->count; i++)
		f.total -= u->parts[i].size;
	if (s3_jobs_run(&f, e) != 0 || hash_final(u->hash, got.b, e) != 0)
		return -1;
	if (!oid_equal(&got, &u->item->ref.id)) {
		s3_upload_abort(u);
		return err_set(e, ERR_CORRUPT, "%s: is damaged in this store (aicert fsck)", u->key);
	}
	return s3_upload_complete(u, e);
}

int
s3_multipart(struct s3 *s, struct remote_item *item, int fd, uint64_t size, struct err *e)
{
	CLEANUP(s3_upload_free) struct s3_upload u = {.s = s, .item = item, .fd = fd, .size = size};
	struct s3_job whole = {.item = item};

	s3_jobs_key(&item->ref.id, u.key);
	s3_upload_plan(&u);
	u.parts = calloc(u.count, sizeof *u.parts);
	u.block = malloc(S3_BLOCK);
	if (u.parts == NULL || u.block == NULL)
		return err_nomem(e);
	if (hash_new(HASH_SHA256, &u.hash, e) != 0 || hash_new(HASH_SHA256, &u.part_hash, e) != 0 ||
	    s3_upload_resume(&u, e) != 0 ||
	    (u.id[0] == '\0' && s3_upload_begin(&u, e) != 0) || s3_upload_run(&u, e) != 0) {
		whole.error = *e;
		if (e->code == ERR_NOTFOUND)
			whole.error.code = ERR_IO;
		return s3_jobs_outcome(s->bucket.remote, &whole, e);
	}
	item->state = REMOTE_HAS;
	return 0;
}
