#include "fuzz.h"

#include "object/certificate.h"
#include "object/certificate-scan.h"

/* What the scan finds, against the certificate once it was decoded. */
struct scanned {
	const struct certificate *c; /* NULL: only read every byte */
	size_t at, sum;
};

static int
scan_item(void *arg, const struct certificate_scan_item *item)
{
	struct scanned *s = arg;
	const struct resource *r;
	const struct event *ev;

	for (size_t i = 0; i < item->path_len; i++)
		s->sum += (unsigned char)item->path[i];
	if (s->c == NULL)
		return 0;
	do
		if (s->at == s->c->event_count)
			abort();
	while (s->c->events[s->at++].kind != EVENT_INPUT_RESOURCE &&
	    s->c->events[s->at - 1].kind != EVENT_OUTPUT_RESOURCE);
	ev = &s->c->events[s->at - 1];
	r = ev->kind == EVENT_INPUT_RESOURCE ? &ev->u.input.thing : &ev->u.output.output;
	if (item->output != (ev->kind == EVENT_OUTPUT_RESOURCE) || item->type != r->type ||
	    !oid_equal(&item->id, &r->digests.sha256))
		abort();
	if (item->output)
		fuzz_same((const uint8_t *)r->path, strlen(r->path), item->path, item->path_len);
	return 0;
}

static void
scan_same(const struct certificate *c, const uint8_t *data, size_t len)
{
	struct scanned s = {.c = c};

	if (certificate_scan(data, len, scan_item, &s) != 0)
		return; /* it says that it cannot tell */
	for (; s.at < c->event_count; s.at++)
		if (c->events[s.at].kind == EVENT_INPUT_RESOURCE ||
		    c->events[s.at].kind == EVENT_OUTPUT_RESOURCE)
			abort();
}

static int
scan_link(void *arg, const struct certificate_scan_link *l)
{
	*(size_t *)arg += l->ref.id.b[0] + l->size;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct scanned any = {.c = NULL};
	struct certificate v;

	if (certificate_scan(data, len, scan_item, &any) < 0 ||
	    certificate_scan_links(data, len, scan_link, &any.sum) < 0)
		abort();
	if (certificate_decode(data, len, &v, NULL) != 0)
		return 0;
	scan_same(&v, data, len);
	if (certificate_encode(&v, &again, NULL) != 0)
		abort();
	fuzz_same(data, len, again.data, again.len);
	certificate_free(&v);
	return 0;
}
