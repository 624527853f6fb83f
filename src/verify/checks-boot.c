/* What was booted: the boot log against the quote, the quote against reference records. */
#include "verify/checks.h"

#include "verify/reference.h"
#include "verify/verdict-internal.h"

/* The values quoted in the bank that carries the proof; NULL: there is none. */
static const unsigned char *
checks_boot_values(const struct check_ctx *x, enum hash_alg *ret_bank)
{
	const struct quote_check_pcrs *p = &x->quote.pcrs;

	*ret_bank = x->bank;
	if (x->bank == HASH_SHA256 && p->has_sha256)
		return p->sha256[0];
	if (x->bank == HASH_SHA384 && p->has_sha384)
		return p->sha384[0];
	return NULL;
}

/* The log into x->boot_log; *ret_there is false when a result was written instead. */
static int
checks_boot_fetch(struct check_ctx *x, bool *ret_there, struct err *e)
{
	const struct certificate_blob_ref *ref = x->cert != NULL ? &x->cert->boot_log : NULL;
	struct object_ref object = {.type = OBJECT_BLOB};

	*ret_there = false;
	if (x->cert == NULL && x->identity_log != NULL && x->identity_log->len > 0) {
		*ret_there = true;
		buf_add(&x->boot_bytes, x->identity_log->data, x->identity_log->len);
		return buf_check(&x->boot_bytes, e);
	}
	if (ref == NULL || !ref->present)
		return checks_skip(x, CHECK_BOOT_LOG, "no boot log", e);
	if (ref->size == 0)
		return checks_skip(x, CHECK_BOOT_LOG, "the boot log is empty", e);
	if (ref->size > EVENT_LOG_BYTES_MAX)
		return checks_fail(x, CHECK_BOOT_LOG, "a boot log", e, "%llu bytes, more than %u",
		    (unsigned long long)ref->size, EVENT_LOG_BYTES_MAX);
	object.id = ref->id;
	if (checks_fetch(x, CHECK_BOOT_LOG, &object, &x->boot_bytes, ret_there, e) != 0)
		return -1;
	if (!*ret_there || x->boot_bytes.len == ref->size)
		return 0;
	*ret_there = false;
	return checks_fail(x, CHECK_BOOT_LOG, "the size stated", e, "%zu bytes, not %llu",
	    x->boot_bytes.len, (unsigned long long)ref->size);
}

static int
checks_boot_replay(struct check_ctx *x, struct err *e)
{
	static const char wanted[] = "a log that replays to PCR 0-9, 11-13 and what else it extends";
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	const unsigned char *values;
	enum hash_alg bank;
	struct err why;
	bool ok;

	values = checks_boot_values(x, &bank);
	if (values == NULL)
		return checks_fail(x, CHECK_BOOT_LOG, wanted, e, "no values of the %s bank",
		    hash_name(bank));
	if (event_log_compare(&x->boot_log, bank, values, 0xffffffu, &ok, &reason, &why) != 0)
		return checks_error(x, CHECK_BOOT_LOG, wanted, &why, e);
	if (!ok)
		return checks_fail(x, CHECK_BOOT_LOG, wanted, e, "%s", buf_str(&reason));
	if (!x->boot_log.padding && verdict_note(x->v, e, "%zu bytes after the end of the boot log were"
	    " not judged.", x->boot_log.trailing) != 0)
		return -1;
	return verdict_note_altered(x->v, &x->boot_log, e) != 0 ? -1 :
	    checks_pass(x, CHECK_BOOT_LOG, e);
}

int
checks_boot_log(struct check_ctx *x, struct err *e)
{
	bool there;
	struct err why;

	if (checks_boot_fetch(x, &there, e) != 0)
		return -1;
	if (!there)
		return 0;
	if (event_log_decode(x->boot_bytes.data, x->boot_bytes.len, &x->boot_log, &why) != 0)
		return checks_error(x, CHECK_BOOT_LOG, "a TCG event log", &why, e);
	return checks_boot_replay(x, e);
}

/* The record that differs least, so that the verdict can say in what. */
struct checks_boot_nearest {
	const struct reference_document *document;
	const struct reference *record;
	size_t differ;
	struct buf expected, found;
};

static void
checks_boot_nearest_free(struct checks_boot_nearest *n)
{
	buf_free(&n->expected);
	buf_free(&n->found);
}

static int
checks_boot_try(const struct reference_document *d, const struct reference *r,
    const struct reference_found *f, struct checks_boot_nearest *n, bool *ret_ok, struct err *e)
{
	CLEANUP(checks_boot_nearest_free) struct checks_boot_nearest one = {
		.document = d, .record = r,
	};
	struct checks_boot_nearest last = *n;

	if (reference_match(r, f, ret_ok, &one.differ, &one.expected, &one.found, e) != 0)
		return -1;
	if (one.differ == REFERENCE_INCOMPARABLE || (n->record != NULL && one.differ >= n->differ))
		return 0;
	*n = one;
	one = last;
	return 0;
}

static int
checks_boot_matched(struct check_ctx *x, const struct checks_boot_nearest *n, struct err *e)
{
	const struct reference_image *image = &n->document->image;
	char found[768];

	snprintf(found, sizeof found, "%.200s %.100s on %.200s", image->name, image->version,
	    n->record->platform);
	x->facts.emulated = x->v->emulated = reference_is_emulated(n->record);
	x->image = image->name;
	x->facts.boot_fixed = true; /* what is not fixed may be any by its rules */
	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		if (n->record->pcrs[pcr].any != NULL && verdict_note(x->v, e, "The reference record lets"
		    " PCR %u have any value: %s.", pcr, n->record->pcrs[pcr].any) != 0)
			return -1;
	}
	return verdict_set(x->v, CHECK_BOOT_REFERENCE, VERDICT_PASS, NULL, found, e);
}

/* No record: the image is unknown.  That is a fail only where one was asked for. */
static int
checks_boot_unmatched(struct check_ctx *x, const struct checks_boot_nearest *n, struct err *e)
{
	enum verdict_result result = x->rq->reference_required ? VERDICT_FAIL : VERDICT_SKIP;
	CLEANUP(buf_free) struct buf expected = BUF_INIT;
	CLEANUP(buf_free) struct buf found = BUF_INIT;

	if (n->document == NULL || n->record == NULL) {
		buf_addf(&found, "no reference record for this image in the %s bank", hash_name(x->bank));
	} else {
		buf_addf(&expected, "nearest record, %s %s on %s: %s", n->document->image.name,
		    n->document->image.version, n->record->platform, buf_str(&n->expected));
		buf_addf(&found, "%s", buf_str(&n->found));
	}
	if (buf_check(&expected, e) != 0 || buf_check(&found, e) != 0)
		return -1;
	return verdict_set(x->v, CHECK_BOOT_REFERENCE, result,
	    expected.len > 0 ? buf_str(&expected) : NULL, buf_str(&found), e);
}

static int
checks_boot_search(struct check_ctx *x, const struct reference_found *f, struct err *e)
{
	CLEANUP(checks_boot_nearest_free) struct checks_boot_nearest nearest = {0};
	const struct reference_set *s = x->rq->references;

	for (size_t i = 0; i < s->count; i++) {
		if (x->rq->reference_required && !s->documents[i].demanded)
			continue;
		for (size_t k = 0; k < s->documents[i].count; k++) {
			bool ok = false;

			if (checks_boot_try(&s->documents[i], &s->documents[i].records[k], f, &nearest, &ok,
			    e) != 0)
				return -1;
			if (ok && nearest.document != NULL && nearest.record != NULL)
				return checks_boot_matched(x, &nearest, e);
		}
	}
	return checks_boot_unmatched(x, &nearest, e);
}

int
checks_boot_reference(struct check_ctx *x, struct err *e)
{
	struct reference_found f = {0};

	if (x->rq->references == NULL || x->rq->references->count == 0)
		return checks_skip(x, CHECK_BOOT_REFERENCE, "no reference record for this image", e);
	f.values = checks_boot_values(x, &f.bank);
	if (f.values == NULL)
		return checks_skip(x, CHECK_BOOT_REFERENCE, "the quote has no values", e);
	if (x->v->checks[CHECK_BOOT_LOG].result == VERDICT_PASS)
		f.log = &x->boot_log;
	return checks_boot_search(x, &f, e);
}
