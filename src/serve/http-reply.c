#include <errno.h>
#include <string.h>
#include "serve/http-internal.h"

#define HTTP_RETRY_AFTER "5"            /* seconds, with every 429 that says nothing else */
#define HTTP_BLOCK (256u * 1024)        /* over TLS larger blocks are faster than the library's own */

const char *
http_header(const struct http_call *c, const char *name)
{
	const struct http_exchange *x = (const struct http_exchange *)c;

	return MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND, name);
}

int
http_answer_header(struct http_call *c, const char *name, const char *value, struct err *e)
{
	struct http_exchange *x = http_exchange(c);
	struct http_answer_header *h = &x->headers[x->header_count];

	if (x->header_count == HTTP_ANSWER_HEADERS || strlen(value) >= sizeof h->value)
		return err_set(e, ERR_INTERNAL, "header %s does not fit", name);
	h->name = name;
	snprintf(h->value, sizeof h->value, "%s", value);
	x->header_count++;
	return 0;
}

static int
http_answer(struct http_call *c, int status, struct MHD_Response *r, const char *type,
    struct err *e)
{
	struct http_exchange *x = http_exchange(c);

	if (r == NULL)
		return err_nomem(e);
	if (x->response != NULL)
		MHD_destroy_response(x->response);
	x->response = r;
	x->status = (unsigned)status;
	if (MHD_add_response_header(r, "X-Request-Id", c->request_id) != MHD_YES)
		return err_nomem(e);
	if (type != NULL && MHD_add_response_header(r, "Content-Type", type) != MHD_YES)
		return err_nomem(e);
	for (size_t i = 0; i < x->header_count; i++)
		if (MHD_add_response_header(r, x->headers[i].name, x->headers[i].value) != MHD_YES)
			return err_nomem(e);
	x->header_count = 0;
	return 0;
}

int
http_reply(struct http_call *c, int status, const char *type, const void *data, size_t len,
    struct err *e)
{
	struct MHD_Response *r;

	if (len > HTTP_DOCUMENT_SMALL && http_reserve(http_exchange(c), len, e) != 0)
		return -1;
	/* libmicrohttpd copies; its parameter is not const for other modes */
	r = MHD_create_response_from_buffer(len,
	    len > 0 ? (void *)(uintptr_t)data : (void *)(uintptr_t)"", MHD_RESPMEM_MUST_COPY);
	http_exchange(c)->out = len;
	return http_answer(c, status, r, type, e);
}

static int
http_reply_encoded(struct http_call *c, int status, const char *type, const struct jcs *v,
    struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (jcs_encode(v, &text, e) != 0)
		return -1;
	return http_reply(c, status, type, text.data, text.len, e);
}

int
http_reply_json(struct http_call *c, int status, const struct jcs *v, struct err *e)
{
	const char *type = jcs_get_string(v, "mediaType");

	return http_reply_encoded(c, status, type != NULL ? type : "application/json", v, e);
}

static bool
http_has_answer_header(const struct http_exchange *x, const char *name)
{
	for (size_t i = 0; i < x->header_count; i++)
		if (strcmp(x->headers[i].name, name) == 0)
			return true;
	return false;
}

int
http_reply_problem(struct http_call *c, int status, const struct err *problem, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	char type[64];

	if (status == 0)
		status = err_http_status(problem->code);
	snprintf(type, sizeof type, "urn:aicert:error:%s", err_name(problem->code));
	jcs_set_string(v, "type", type);
	jcs_set_string(v, "title", err_name(problem->code));
	jcs_set_int(v, "status", status);
	jcs_set_string(v, "detail", problem->msg);
	if (status == 429 && !http_has_answer_header(http_exchange(c), "Retry-After") &&
	    http_answer_header(c, "Retry-After", HTTP_RETRY_AFTER, e) != 0)
		return -1;
	if (http_reply_encoded(c, status, "application/problem+json", v, e) == 0)
		return 0;
	/* a message that is not UTF-8: the code alone */
	return http_reply(c, status, "text/plain", err_name(problem->code),
	    strlen(err_name(problem->code)), e);
}

struct http_file {
	int fd;
	uint64_t offset;
};

static ssize_t
http_file_read(void *arg, uint64_t position, char *ret, size_t cap)
{
	const struct http_file *f = arg;
	ssize_t n;

	do
		n = pread(f->fd, ret, cap, (off_t)(f->offset + position));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return MHD_CONTENT_READER_END_WITH_ERROR; /* the file is shorter than it was */
	return n;
}

static void
http_file_free(void *arg)
{
	struct http_file *f = arg;

	close(f->fd);
	free(f);
}

/* sendfile(2) needs no copy; TLS has to copy anyway. */
int
http_reply_file(struct http_call *c, int status, int fd, uint64_t offset, uint64_t len,
    struct err *e)
{
	struct http_exchange *x = http_exchange(c);
	struct http_file *f = NULL;
	struct MHD_Response *r;

	x->out = len;
	if (c->local || len == 0 || (f = malloc(sizeof *f)) == NULL) {
		r = MHD_create_response_from_fd_at_offset64(len, fd, offset);
	} else {
		*f = (struct http_file){.fd = fd, .offset = offset};
		r = MHD_create_response_from_callback(len, HTTP_BLOCK, http_file_read, f,
		    http_file_free);
	}
	if (r == NULL) {
		close(fd);
		free(f);
	}
	return http_answer(c, status, r, "application/octet-stream", e);
}

struct http_source_copy {
	struct http_source source;
	struct http_exchange *x;        /* lives until the answer is sent, as the response does not
	                                 * outlive it */
};

static ssize_t
http_source_read(void *arg, uint64_t position, char *ret, size_t cap)
{
	const struct http_source_copy *s = arg;
	ssize_t n;

	(void)position;
	/* all that there was has been sent; for what comes now the peer has its time again */
	http_peer_phase(s->x->peer, HTTP_FOLLOW);
	n = s->source.read(s->source.arg, ret, cap);
	if (n > 0) {
		s->x->out += (uint64_t)n;
		http_peer_phase(s->x->peer, HTTP_ANSWER);
	}
	return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static void
http_source_free(void *arg)
{
	struct http_source_copy *s = arg;

	s->source.release(s->source.arg);
	free(s);
}

int
http_reply_source(struct http_call *c, int status, const char *type,
    const struct http_source *source, struct err *e)
{
	struct http_source_copy *copy = malloc(sizeof *copy);
	struct MHD_Response *r;

	if (copy == NULL) {
		source->release(source->arg);
		return err_nomem(e);
	}
	*copy = (struct http_source_copy){.source = *source, .x = http_exchange(c)};
	copy->x->out = 0;
	r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 65536, http_source_read, copy,
	    http_source_free);
	if (r == NULL) {
		http_source_free(copy);
	} else {
		http_exchange(c)->follows = true;
	}
	return http_answer(c, status, r, type, e);
}
