/* A bucket that a web server hands out: to be read only. */
#include <string.h>
#include "remote/bucket.h"
#include "remote/https.h"
#include "remote/web.h"
#include "runner/transfer-objects.h"

struct web {
	struct bucket bucket;   /* first */
	struct https https;
	char *objects;          /* what stands before an object's digits */
};

static void
web_close(struct remote *r)
{
	struct web *w = r->state;

	bucket_end(&w->bucket);
	https_close(&w->https);
	free(w->objects);
	free(w);
	r->state = NULL;
}

/* Versions are of no use to who cannot write. */
static int
web_read(void *self, const char *key, size_t max, struct buf *ret, char ret_tag[BUCKET_TAG_SIZE],
    struct err *e)
{
	struct web *w = self;
	CLEANUP(http_response_free) struct http_response rs = HTTP_RESPONSE_INIT;
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/%s", w->https.prefix, key);
	struct http_request rq = {.method = "GET", .path = path, .body_fd = -1, .max = max};

	if (path == NULL)
		return -1;
	if (ret_tag != NULL)
		ret_tag[0] = '\0';
	if (https_do(&w->https, &rq, &rs, e) != 0)
		return -1;
	if (rs.status >= 300 && rs.status < 400)
		return err_set(e, ERR_REFUSED, "%s: the server sends elsewhere (status %d); redirects are not"
		    " followed", path, rs.status);
	if (!http_ok(&rs))
		return http_problem(&rs, path, e);
	buf_free(ret);
	*ret = rs.body;
	rs.body = (struct buf)BUF_INIT;
	return 0;
}

static int
web_get(void *self, struct remote_item *items, size_t n, struct err *e)
{
	struct web *w = self;
	CLEANUP(cleanup_free) struct transfer_object *o = calloc(n + 1, sizeof *o);
	static const enum remote_state states[] = {[TRANSFER_OPEN] = REMOTE_FAILED,
	    [TRANSFER_DONE] = REMOTE_HAS, [TRANSFER_ABSENT] = REMOTE_LACKS, [TRANSFER_FAILED] = REMOTE_FAILED};

	if (o == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		o[i] = (struct transfer_object){items[i].ref.id, items[i].size, items[i].exact, TRANSFER_OPEN};
	if (transfer_objects_get(&w->https.link, w->bucket.remote->store, o, n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		items[i].state = states[o[i].outcome];
	return 0;
}

static const struct bucket_ops web_bucket = {.read = web_read, .get = web_get};

static int
web_open(struct remote *r, struct err *e)
{
	struct web *w = calloc(1, sizeof *w);

	if (w == NULL)
		return err_nomem(e);
	w->bucket = (struct bucket){.ops = &web_bucket, .self = w, .remote = r};
	r->state = w;
	if (https_open(r, &w->https, e) != 0)
		return -1;
	w->objects = buf_strfmt(e, "%s/objects/", w->https.prefix);
	w->https.link.objects = w->objects;
	return w->objects != NULL ? 0 : -1;
}

const struct remote_ops web_ops = {
	.name = "web", .read_only = true, .open = web_open, .close = web_close, .refs = bucket_refs,
	.missing = bucket_missing, .read = bucket_read, .get = bucket_get, .put = bucket_put,
	.update = bucket_update,
};
