#include "cmd/learn.h"

#include <string.h>
#include "cmd/cmd.h"
#include "cmd/judging.h"
#include "cmd/references.h"
#include "cmd/subject.h"
#include "verify/verify.h"

#define LEARN_REASON "not judged while it is learnt"

struct learn {
	struct store *s;
	struct subject subject;
	struct trust trust;
	struct buf bytes;
	struct certificate certificate;
	bool has_image;             /* --image was given */
	struct reference_document image;
	char *platform;
};

static void
learn_free(struct learn *l)
{
	subject_free(&l->subject);
	trust_free(&l->trust);
	buf_free(&l->bytes);
	certificate_free(&l->certificate);
	reference_free(&l->image);
	free(l->platform);
	store_close(l->s);
}

static const unsigned char *
learn_values(const struct certificate *c, enum hash_alg bank)
{
	const struct certificate_pcrs *p = &c->quote.pcrs;

	return bank == HASH_SHA256 ? p->has_sha256 ? p->sha256[0] : NULL :
	    p->has_sha384 ? p->sha384[0] : NULL;
}

/* The record of this part that the certificate itself would match. */
static int
learn_record(const struct learn *l, enum reference_part part, enum hash_alg bank,
    struct reference *ret, struct err *e)
{
	const unsigned char *values = learn_values(&l->certificate, bank);
	size_t size = hash_size(bank);

	ret->part = part;
	ret->bank = bank;
	ret->platform = buf_strdup(l->platform, e);
	if (ret->platform == NULL)
		return -1;
	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		if ((reference_part_pcrs(part) >> pcr & 1) == 0)
			continue;
		ret->pcrs[pcr].present = true;
		memcpy(ret->pcrs[pcr].value, values + pcr * size, size);
		if (pcr == 10 && (ret->pcrs[pcr].any = buf_strdup(LEARN_REASON, e)) == NULL)
			return -1;
	}
	return 0;
}

/* Firmware that left a bank alone: nothing can be learnt of that bank. */
static bool
learn_measured(const unsigned char *values, size_t size)
{
	static const unsigned char zero[48];

	for (unsigned pcr = 1; pcr < 8; pcr++) {
		if (memcmp(values + pcr * size, zero, size) == 0)
			return false;
	}
	return true;
}

static int
learn_document(const struct learn *l, enum reference_part part, struct reference_document *ret,
    struct err *e)
{
	static const enum hash_alg banks[] = {HASH_SHA256, HASH_SHA384};
	CLEANUP(reference_free) struct reference_document d = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	d.records = calloc(2, sizeof *d.records);
	if (d.records == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < 2; i++) {
		const unsigned char *values = learn_values(&l->certificate, banks[i]);

		if (values == NULL || !learn_measured(values, hash_size(banks[i])))
			continue;
		if (learn_record(l, part, banks[i], &d.records[d.count++], e) != 0)
			return -1;
	}
	if (d.count == 0)
		return err_set(e, ERR_REFUSED, "no bank of this certificate has values in PCR 1 to 7:"
		    " firmware measured nothing");
	d.has_image = part != REFERENCE_FIRMWARE;
	if (d.has_image && ((d.image.name = buf_strdup("learnt", e)) == NULL ||
	    (d.image.version = buf_strdup("-", e)) == NULL ||
	    (d.image.commit = buf_strdup("unknown", e)) == NULL))
		return -1;
	if (reference_encode(&d, &text, e) != 0)
		return -1;
	return reference_decode(text.data, text.len, ret, e);
}

static int
learn_refused(const struct verdict *v, struct err *e)
{
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		if (v->checks[c].result == VERDICT_FAIL || v->checks[c].missing)
			return err_set(e, v->checks[c].missing ? ERR_NOTFOUND : ERR_REFUSED,
			    "nothing is learnt from this certificate: %s: %s", verdict_check_name(c),
			    v->checks[c].found);
	}
	return err_set(e, ERR_REFUSED, "nothing is learnt from this certificate: it reaches level %s"
	    " at most, and %s is required (--min-level)", verdict_level_name(v->level),
	    verdict_level_name(v->required));
}

/* Everything but boot.reference, which is given the certificate's own values. */
static int
learn_judge(const struct learn *l, const struct learn_options *o, struct err *e)
{
	CLEANUP(reference_free) struct reference_document self = {0};
	struct reference_set set = {.documents = &self, .count = 1};
	struct verify_request rq = {
		.id = l->subject.certificate, .data = l->bytes.data, .len = l->bytes.len,
		.fetch = cmd_fetch, .fetch_arg = l->s, .trust = &l->trust, .references = &set,
	};
	struct verdict *v;
	int rc = 0;

	if (judging_time(o->at, &rq, e) != 0 || judging_level(o->min_level, l->s, &rq.required, e) != 0 ||
	    learn_document(l, REFERENCE_WHOLE, &self, e) != 0)
		return -1;
	self.demanded = rq.reference_required = true;
	if (verify_certificate(&rq, &v, e) != 0)
		return -1;
	if (v->answer != ANSWER_PASS)
		rc = learn_refused(v, e);
	verdict_free(v);
	return rc;
}

static bool
learn_is_part(const struct learn *l, const struct reference *r, unsigned *ret_differs)
{
	const unsigned char *values = learn_values(&l->certificate, r->bank);
	size_t size = hash_size(r->bank);

	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		if (r->pcrs[pcr].present && memcmp(r->pcrs[pcr].value, values + pcr * size, size) != 0) {
			*ret_differs = pcr;
			return false;
		}
	}
	return true;
}

/* Parts of one bank that are alike, as of two platforms: the first will do. */
static bool
learn_is_first(const struct learn *l, size_t i)
{
	const struct reference *r = &l->image.records[i];

	for (size_t k = 0; k < i; k++) {
		if (l->image.records[k].bank == r->bank)
			return false;
	}
	return true;
}

/* What the image alone decides must be so already: of its parts of this bank, which may be
 * of several platforms, those that the certificate shows stay. */
static int
learn_check_bank(struct learn *l, enum hash_alg bank, struct err *e)
{
	bool any = false, kept = false;
	unsigned differs = 0;

	for (size_t i = l->image.count; i > 0; i--) {
		const struct reference *r = &l->image.records[i - 1];
		unsigned pcr = 0;
		bool same;

		if (r->bank != bank || r->part != REFERENCE_IMAGE)
			continue;
		same = learn_is_part(l, r, &pcr);
		any = true;
		kept = kept || same;
		differs = pcr > differs ? pcr : differs;
		if (!same)
			reference_drop(&l->image, i - 1);
	}
	if (any && !kept)
		return err_set(e, ERR_REFUSED, "the certificate is not of the image %s %s: PCR %u"
		    " (%s) differs", l->image.image.name, l->image.image.version, differs, hash_name(bank));
	return 0;
}

static int
learn_check_image(struct learn *l, struct err *e)
{
	static const enum hash_alg banks[] = {HASH_SHA256, HASH_SHA384};

	for (size_t i = l->image.count; i > 0; i--) {
		if (l->image.records[i - 1].part != REFERENCE_IMAGE)
			reference_drop(&l->image, i - 1); /* whole ones are of other boots */
	}
	for (size_t i = 0; i < 2; i++) {
		const unsigned char *values = learn_values(&l->certificate, banks[i]);

		if (values != NULL && learn_measured(values, hash_size(banks[i])) &&
		    learn_check_bank(l, banks[i], e) != 0)
			return -1;
	}
	for (size_t i = l->image.count; i > 0; i--) {
		if (!learn_is_first(l, i - 1))
			reference_drop(&l->image, i - 1);
	}
	return 0;
}

static int
learn_print(const struct learn *l, struct err *e)
{
	CLEANUP(reference_free) struct reference_document firmware = {0};
	CLEANUP(reference_free) struct reference_document whole = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	bool made = l->has_image;

	if (learn_document(l, REFERENCE_FIRMWARE, &firmware, e) != 0 ||
	    (made && reference_merge(&l->image, &firmware, &whole, e) != 0) ||
	    reference_encode(made ? &whole : &firmware, &text, e) != 0)
		return -1;
	printf("%s\n", buf_str(&text));
	return 0;
}

static int
learn_open(struct learn *l, const struct learn_options *o, const char *arg, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char id[CMD_SHORT_SIZE];

	if (o->image != NULL && references_read(o->image, &l->image, &text, e) != 0)
		return -1;
	l->has_image = o->image != NULL;
	if (cmd_store(STORE_READ_ONLY, &l->s, e) != 0 || cmd_trust(&l->trust, e) != 0 ||
	    subject_find(l->s, arg, &l->subject, e) != 0)
		return -1;
	if (!l->subject.has_certificate)
		return cmd_no_run(l->s, "reference from-certificate", arg, &l->subject.object, e);
	if (cmd_fetch(l->s, &l->subject.certificate, CERTIFICATE_BYTES_MAX, &l->bytes, e) != 0 ||
	    certificate_decode(l->bytes.data, l->bytes.len, &l->certificate, e) != 0)
		return -1;
	cmd_short(&l->subject.certificate, id);
	l->platform = o->platform != NULL ? buf_strdup(o->platform, e) :
	    buf_strfmt(e, "learnt from certificate %s", id);
	return l->platform != NULL ? 0 : -1;
}

int
learn_from_certificate(const struct learn_options *o, const char *arg, struct err *e)
{
	CLEANUP(learn_free) struct learn l = {0};

	if (learn_open(&l, o, arg, e) != 0 || learn_judge(&l, o, e) != 0 ||
	    learn_check_image(&l, e) != 0)
		return -1;
	return learn_print(&l, e);
}
