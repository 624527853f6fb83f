#include "object/certificate-scan.h"

#include <fcntl.h>
#include <string.h>
#include "unit.h"
#include "base/fd.h"
#include "object/certificate.h"

struct items {
	const struct certificate *c;
	int inputs, outputs, wrong, stop_at;
};

static int
item(void *arg, const struct certificate_scan_item *i)
{
	struct items *n = arg;
	const struct resource *r = NULL;
	int at = 0;

	for (size_t k = 0; k < n->c->event_count; k++) {
		const struct event *ev = &n->c->events[k];

		if (i->output && ev->kind == EVENT_OUTPUT_RESOURCE && at++ == n->outputs)
			r = &ev->u.output.output;
		else if (!i->output && ev->kind == EVENT_INPUT_RESOURCE && at++ == n->inputs)
			r = &ev->u.input.thing;
	}
	if (r == NULL || r->type != i->type || !oid_equal(&r->digests.sha256, &i->id) ||
	    (i->output && (strlen(r->path) != i->path_len || memcmp(r->path, i->path, i->path_len) != 0)))
		n->wrong++;
	*(i->output ? &n->outputs : &n->inputs) += 1;
	return n->inputs + n->outputs == n->stop_at;
}

static void
load(struct buf *text, struct certificate *c)
{
	struct err e;

	UNIT_OK(fd_read_file(AT_FDCWD, TEST_DATA "/object/certificate-ok.json", 1000000, text, &e), &e);
	UNIT_OK(certificate_decode(text->data, text->len, c, &e), &e);
}

static void
rename_output(struct certificate *c, const char *path)
{
	struct err e;

	for (size_t k = 0; k < c->event_count; k++)
		if (c->events[k].kind == EVENT_OUTPUT_RESOURCE) {
			free(c->events[k].u.output.output.path);
			c->events[k].u.output.output.path = strdup(path);
			UNIT_OK(event_encode(&c->events[k], &e), &e);
			return;
		}
}

START_TEST(certificate_scan_finds_all)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(certificate_free) struct certificate c = {0};
	struct items n = {.c = &c};

	load(&text, &c);
	ck_assert_int_eq(certificate_scan(text.data, text.len, item, &n), 0);
	ck_assert_int_eq(n.inputs, 3);
	ck_assert_int_eq(n.outputs, 2);
	ck_assert_int_eq(n.wrong, 0);
	n = (struct items){.c = &c, .stop_at = 2};
	ck_assert_int_eq(certificate_scan(text.data, text.len, item, &n), -1);
	ck_assert_int_eq(n.inputs + n.outputs, 2);
}
END_TEST

/* Names that look like the end of something, or like another event. */
START_TEST(certificate_scan_names)
{
	static const char *const escaped[] = {"a\"b", "a\\b", "\",\"pcr\":",
	    "{\"data\":\"{\\\"digests\\\":{", "x\",\"type\":\"tree\",\"v\":1}"};
	static const char *const plain[] = {"a,b:{c}", "sha256:", "\xc3\xa4\xe2\x82\xac", "output_resource"};

	for (size_t i = 0; i < sizeof escaped / sizeof *escaped + sizeof plain / sizeof *plain; i++) {
		size_t many = sizeof escaped / sizeof *escaped;
		CLEANUP(buf_free) struct buf text = BUF_INIT, again = BUF_INIT;
		CLEANUP(certificate_free) struct certificate c = {0};
		struct items n = {.c = &c};
		struct err e;

		load(&text, &c);
		rename_output(&c, i < many ? escaped[i] : plain[i - many]);
		UNIT_OK(certificate_encode(&c, &again, &e), &e);
		ck_assert_int_eq(certificate_scan(again.data, again.len, item, &n), i < many ? 1 : 0);
		ck_assert_int_eq(n.wrong, 0);
	}
}
END_TEST

/* Cut anywhere: nothing beyond the end is read (under the sanitizers), nothing hangs. */
START_TEST(certificate_scan_cut)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(certificate_free) struct certificate c = {0};

	load(&text, &c);
	for (size_t len = 0; len < text.len; len += 7) {
		unsigned char *copy = malloc(len + 1);
		struct items n = {.c = &c};

		memcpy(copy, text.data, len);
		ck_assert_int_ge(certificate_scan(copy, len, item, &n), 0);
		ck_assert_int_eq(n.wrong, 0);
		free(copy);
	}
}
END_TEST

struct links {
	struct object_ref refs[16];
	uint64_t sizes[16];
	size_t count, stop_at;
};

static int
link_(void *arg, const struct certificate_scan_link *l)
{
	struct links *k = arg;

	ck_assert_uint_lt(k->count, 16);
	k->refs[k->count] = l->ref;
	k->sizes[k->count++] = l->size;
	return k->count == k->stop_at;
}

static bool
linked(const struct links *k, enum object_type type, const struct oid *id, uint64_t size)
{
	for (size_t i = 0; i < k->count; i++)
		if (k->refs[i].type == type && oid_equal(&k->refs[i].id, id) && k->sizes[i] == size)
			return true;
	return false;
}

static void
linked_event(const struct links *k, const struct event *ev)
{
	const struct resource *r = ev->kind == EVENT_OUTPUT_RESOURCE ? &ev->u.output.output :
	    ev->kind == EVENT_INPUT_RESOURCE ? &ev->u.input.thing : NULL;

	if (r != NULL)
		ck_assert(linked(k, r->type, &r->digests.sha256, r->size));
	if (ev->kind == EVENT_INPUT_RESOURCE && ev->u.input.made_by != NULL)
		ck_assert(linked(k, OBJECT_CERTIFICATE, &ev->u.input.made_by->certificate, 0));
	if (ev->kind == EVENT_RUN_FINISHED)
		ck_assert(linked(k, OBJECT_BLOB, &ev->u.finished.log, ev->u.finished.log_size));
}

/* The same as decoding it tells. */
START_TEST(certificate_scan_links_all)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(certificate_free) struct certificate c = {0};
	struct links k = {.count = 0};

	load(&text, &c);
	ck_assert_int_eq(certificate_scan_links(text.data, text.len, link_, &k), 0);
	for (size_t i = 0; i < c.event_count; i++)
		linked_event(&k, &c.events[i]);
	ck_assert(linked(&k, OBJECT_BLOB, &c.boot_log.id, c.boot_log.size));
	ck_assert_uint_eq(k.count, 3 + 1 + 2 + 1 + 1);
	k = (struct links){.stop_at = 2};
	ck_assert_int_eq(certificate_scan_links(text.data, text.len, link_, &k), -1);
	ck_assert_uint_eq(k.count, 2);
	for (size_t len = 0; len < text.len; len += 11) {
		unsigned char *copy = malloc(len + 1);

		memcpy(copy, text.data, len);
		k = (struct links){.count = 0};
		ck_assert_int_ge(certificate_scan_links(copy, len, link_, &k), 0);
		free(copy);
	}
}
END_TEST

UNIT_SUITE(certificate_scan)
{
	tcase_add_test(tc, certificate_scan_links_all);
	tcase_add_test(tc, certificate_scan_finds_all);
	tcase_add_test(tc, certificate_scan_names);
	tcase_add_test(tc, certificate_scan_cut);
}
