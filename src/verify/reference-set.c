/* Documents together, and parts made whole. */
#include "verify/reference.h"

#include <string.h>
#include "object/oid-list.h"

/* As that of the trust entries. */
static int
reference_set_digest(const struct reference_document *d, size_t n, struct oid *ret, struct err *e)
{
	CLEANUP(oid_list_free) struct oid_list digests = {0};

	for (size_t i = 0; i < n; i++)
		if (oid_list_add(&digests, &d[i].digest, e) != 0)
			return -1;
	return oid_list_digest(&digests, ret, e);
}

int
reference_set_add(struct reference_set *s, const void *json, size_t len, struct err *e)
{
	CLEANUP(reference_free) struct reference_document d = {0};
	struct reference_document *documents;

	if (reference_decode(json, len, &d, e) != 0)
		return -1;
	for (size_t i = 0; i < s->count; i++) {
		if (oid_equal(&s->documents[i].digest, &d.digest))
			return 0;
	}
	documents = realloc(s->documents, (s->count + 1) * sizeof *documents);
	if (documents == NULL)
		return err_nomem(e);
	s->documents = documents;
	documents[s->count] = d;
	if (reference_set_digest(documents, s->count + 1, &s->digest, e) != 0)
		return -1;
	s->count++;
	d = (struct reference_document){0};
	return 0;
}

void
reference_set_free(struct reference_set *s)
{
	for (size_t i = 0; i < s->count; i++)
		reference_free(&s->documents[i]);
	free(s->documents);
	*s = (struct reference_set){0};
}

static int
reference_copy_text(const char *text, char **ret, struct err *e)
{
	if (text == NULL)
		return 0;
	*ret = buf_strdup(text, e);
	return *ret != NULL ? 0 : -1;
}

/* PCRs and events of one part, added to a whole record. */
static int
reference_copy_part(const struct reference *part, struct reference *r, struct err *e)
{
	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		if (!part->pcrs[pcr].present)
			continue;
		r->pcrs[pcr] = part->pcrs[pcr];
		r->pcrs[pcr].any = NULL;
		if (reference_copy_text(part->pcrs[pcr].any, &r->pcrs[pcr].any, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < part->event_count; i++) {
		struct reference_event *ev = &r->events[r->event_count++];

		*ev = part->events[i];
		ev->text = NULL;
		if (reference_copy_text(part->events[i].text, &ev->text, e) != 0)
			return -1;
	}
	return 0;
}

static int
reference_merge_pair(const struct reference *image, const struct reference *firmware,
    struct reference *r, struct err *e)
{
	r->part = REFERENCE_WHOLE;
	r->bank = image->bank;
	r->events = calloc(image->event_count + firmware->event_count + 1, sizeof *r->events);
	if (r->events == NULL)
		return err_nomem(e);
	if (reference_copy_text(firmware->platform, &r->platform, e) != 0 ||
	    reference_copy_part(image, r, e) != 0 || reference_copy_part(firmware, r, e) != 0)
		return -1;
	r->pcrs[10].present = true;
	return reference_copy_text("the kernel measures into it while it runs", &r->pcrs[10].any, e);
}

static int
reference_merge_image(const struct reference_document *from, struct reference_document *d,
    struct err *e)
{
	d->has_image = from->has_image;
	d->image.has_packages = from->image.has_packages;
	d->image.packages = from->image.packages;
	if (reference_copy_text(from->image.name, &d->image.name, e) != 0 ||
	    reference_copy_text(from->image.version, &d->image.version, e) != 0 ||
	    reference_copy_text(from->image.commit, &d->image.commit, e) != 0)
		return -1;
	return 0;
}

static int
reference_merge_pairs(const struct reference_document *image,
    const struct reference_document *firmware, struct reference_document *d, struct err *e)
{
	size_t pairs = image->count * firmware->count;

	if (pairs > REFERENCE_RECORDS_MAX)
		return err_set(e, ERR_LIMIT, "reference records: %zu pairs of parts", pairs);
	d->records = calloc(pairs + 1, sizeof *d->records);
	if (d->records == NULL)
		return err_nomem(e);
	for (size_t k = 0; k < pairs; k++) {
		const struct reference *i = &image->records[k / firmware->count];
		const struct reference *f = &firmware->records[k % firmware->count];

		if (i->part != REFERENCE_IMAGE || f->part != REFERENCE_FIRMWARE || i->bank != f->bank)
			continue;
		if (reference_merge_pair(i, f, &d->records[d->count++], e) != 0)
			return -1;
	}
	if (d->count == 0)
		return err_set(e, ERR_FORMAT,
		    "reference records: no image part and firmware part of the same bank");
	return 0;
}

int
reference_merge(const struct reference_document *image,
    const struct reference_document *firmware, struct reference_document *ret, struct err *e)
{
	CLEANUP(reference_free) struct reference_document d = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (reference_merge_image(image, &d, e) != 0 ||
	    reference_merge_pairs(image, firmware, &d, e) != 0 || reference_encode(&d, &text, e) != 0)
		return -1;
	/* what comes out obeys every rule of what comes in, and has a digest */
	return reference_decode(text.data, text.len, ret, e);
}

static bool
reference_same_image(const struct reference_document *a, const struct reference_document *b)
{
	const struct reference_image *x = &a->image, *y = &b->image;

	if (a->has_image != b->has_image)
		return false;
	return !a->has_image || (strcmp(x->name, y->name) == 0 && strcmp(x->version, y->version) == 0 &&
	    strcmp(x->commit, y->commit) == 0 && x->has_packages == y->has_packages &&
	    (!x->has_packages || oid_equal(&x->packages, &y->packages)));
}

static int
reference_join_record(const struct reference *from, struct reference *r, struct err *e)
{
	r->part = from->part;
	r->bank = from->bank;
	r->events = calloc(from->event_count + 1, sizeof *r->events);
	if (r->events == NULL)
		return err_nomem(e);
	return reference_copy_text(from->platform, &r->platform, e) != 0 ? -1 :
	    reference_copy_part(from, r, e);
}

int
reference_join(const struct reference_document *documents, size_t n,
    struct reference_document *ret, struct err *e)
{
	CLEANUP(reference_free) struct reference_document d = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		count += documents[i].count;
		if (count > REFERENCE_RECORDS_MAX)
			return err_set(e, ERR_LIMIT, "reference records: more than %d", REFERENCE_RECORDS_MAX);
		if (!reference_same_image(&documents[0], &documents[i]))
			return err_set(e, ERR_FORMAT, "reference records: of different images");
	}
	d.records = calloc(count + 1, sizeof *d.records);
	if (d.records == NULL)
		return err_nomem(e);
	if (n > 0 && documents[0].has_image && reference_merge_image(&documents[0], &d, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < documents[i].count; k++)
			if (reference_join_record(&documents[i].records[k], &d.records[d.count++], e) != 0)
				return -1;
	}
	if (reference_encode(&d, &text, e) != 0)
		return -1;
	return reference_decode(text.data, text.len, ret, e);
}
