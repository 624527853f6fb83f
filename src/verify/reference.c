#include "verify/reference.h"

#include <string.h>
#include "base/hex.h"
#include "codec/jcs.h"
#include "codec/shape.h"

#define REFERENCE_TEXT_MAX 256
/* PCRs that firmware and image always extend: zero means that nobody measured. */
#define REFERENCE_NEVER_ZERO 0x009du /* 0, 2, 3, 4, 7 */

static const struct shape reference_shape[] = {
	{"image", SHAPE_OBJECT, SHAPE_NULLABLE},
	{"mediaType", SHAPE_STRING, 0},
	{"records", SHAPE_ARRAY, 0},
	{0},
};

static const struct shape reference_image_shape[] = {
	{"commit", SHAPE_STRING, 0},
	{"name", SHAPE_STRING, 0},
	{"packages", SHAPE_ID, SHAPE_NULLABLE},
	{"version", SHAPE_STRING, 0},
	{0},
};

static const struct shape reference_record_shape[] = {
	{"bank", SHAPE_STRING, 0},
	{"events", SHAPE_ARRAY, 0},
	{"part", SHAPE_STRING, 0},
	{"pcrs", SHAPE_OBJECT, 0},
	{"platform", SHAPE_STRING, 0},
	{0},
};

static const struct shape reference_any_shape[] = {
	{"any", SHAPE_STRING, 0},
	{0},
};

static const struct shape reference_event_shape[] = {
	{"digest", SHAPE_STRING, SHAPE_OPTIONAL},
	{"must", SHAPE_STRING, 0},
	{"pcr", SHAPE_INT, 0},
	{"text", SHAPE_STRING, SHAPE_OPTIONAL},
	{"type", SHAPE_STRING, 0},
	{0},
};

static const struct {
	const char *name;
	uint32_t pcrs;
} reference_parts[] = {
	[REFERENCE_WHOLE] = {"whole", REFERENCE_PCRS_WHOLE},
	[REFERENCE_IMAGE] = {"image", REFERENCE_PCRS_IMAGE},
	[REFERENCE_FIRMWARE] = {"firmware", REFERENCE_PCRS_FIRMWARE},
};

const char *
reference_part_name(enum reference_part part)
{
	return reference_parts[part].name;
}

uint32_t
reference_part_pcrs(enum reference_part part)
{
	return reference_parts[part].pcrs;
}

static void
reference_record_free(struct reference *r)
{
	for (size_t i = 0; i < REFERENCE_PCRS; i++)
		free(r->pcrs[i].any);
	for (size_t i = 0; i < r->event_count; i++)
		free(r->events[i].text);
	free(r->events);
	free(r->platform);
	*r = (struct reference){0};
}

void
reference_free(struct reference_document *d)
{
	for (size_t i = 0; i < d->count; i++)
		reference_record_free(&d->records[i]);
	free(d->records);
	free(d->image.name);
	free(d->image.version);
	free(d->image.commit);
	*d = (struct reference_document){0};
}

void
reference_drop(struct reference_document *d, size_t i)
{
	reference_record_free(&d->records[i]);
	d->count--;
	memmove(&d->records[i], &d->records[i + 1], (d->count - i) * sizeof *d->records);
	d->records[d->count] = (struct reference){0};
}

/* Words for people: printable ASCII, so that no verdict can be drawn over. */
static int
reference_words(const struct jcs *o, const char *name, char **ret, struct err *e)
{
	const char *text = jcs_get_string(o, name);
	size_t len = strlen(text);

	if (len == 0 || len > REFERENCE_TEXT_MAX)
		return err_set(e, ERR_FORMAT, "\"%s\": 1 to %d bytes", name, REFERENCE_TEXT_MAX);
	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x20 || text[i] > 0x7e)
			return err_set(e, ERR_FORMAT, "\"%s\": printable ASCII only", name);
	}
	*ret = buf_strdup(text, e);
	return *ret != NULL ? 0 : -1;
}

static int
reference_image_decode(const struct jcs *v, struct reference_image *image, struct err *e)
{
	const char *packages;

	if (shape_check(v, reference_image_shape, "image", e) != 0 ||
	    reference_words(v, "name", &image->name, e) != 0 ||
	    reference_words(v, "version", &image->version, e) != 0 ||
	    reference_words(v, "commit", &image->commit, e) != 0)
		return -1;
	packages = jcs_get_string(v, "packages");
	image->has_packages = packages != NULL;
	return packages == NULL ? 0 : oid_from_text(&image->packages, packages, e);
}

/* Zero but for the last byte, where PCR 0 has the locality it started from. */
static bool
reference_unmeasured(const unsigned char *value, size_t size)
{
	unsigned char all = 0;

	for (size_t i = 0; i + 1 < size; i++)
		all |= value[i];
	return all == 0 && value[size - 1] <= 4;
}

static int
reference_pcr_decode(const struct jcs *v, enum hash_alg bank, unsigned pcr,
    struct reference_pcr *ret, struct err *e)
{
	size_t size = hash_size(bank);

	ret->present = true;
	if (jcs_type(v) == JCS_OBJECT) {
		if ((REFERENCE_ANY >> pcr & 1) == 0)
			return err_set(e, ERR_FORMAT, "PCR %u must be fixed", pcr);
		if (shape_check(v, reference_any_shape, "any", e) != 0)
			return -1;
		return reference_words(v, "any", &ret->any, e);
	}
	if (jcs_string(v) == NULL || hex_decode(ret->value, size, jcs_string(v), NULL) != 0)
		return err_set(e, ERR_FORMAT, "PCR %u: %zu digits of hex", pcr, 2 * size);
	if ((REFERENCE_NEVER_ZERO >> pcr & 1) != 0 && reference_unmeasured(ret->value, size))
		return err_set(e, ERR_FORMAT, "PCR %u is zero: firmware did not measure into this bank,"
		    " and such a record would prove nothing", pcr);
	return 0;
}

static int
reference_pcrs_decode(const struct jcs *v, struct reference *r, struct err *e)
{
	size_t count = 0;
	char name[8];

	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		const struct jcs *value;

		snprintf(name, sizeof name, "%u", pcr);
		value = jcs_get(v, name);
		if ((reference_part_pcrs(r->part) >> pcr & 1) == 0)
			continue;
		if (value == NULL)
			return err_set(e, ERR_FORMAT, "PCR %u is missing", pcr);
		if (reference_pcr_decode(value, r->bank, pcr, &r->pcrs[pcr], e) != 0)
			return -1;
		count++;
	}
	if (count != jcs_length(v))
		return err_set(e, ERR_FORMAT, "PCRs that a record of part \"%s\" has not",
		    reference_part_name(r->part));
	return 0;
}

/* By what was hashed or by its digest: types and payloads are not in the TPM. */
static int
reference_event_decode(const struct jcs *v, enum hash_alg bank, struct reference_event *ev,
    struct err *e)
{
	const char *must, *text, *digest;
	int64_t pcr = 0;

	if (shape_check(v, reference_event_shape, "event", e) != 0)
		return -1;
	must = jcs_get_string(v, "must");
	text = jcs_get_string(v, "text");
	digest = jcs_get_string(v, "digest");
	ev->forbidden = strcmp(must, "not occur") == 0;
	if (!ev->forbidden && strcmp(must, "occur") != 0)
		return err_set(e, ERR_FORMAT, "event: \"must\" is \"occur\" or \"not occur\"");
	if (jcs_int(jcs_get(v, "pcr"), &pcr) != 0 || pcr >= REFERENCE_PCRS)
		return err_set(e, ERR_FORMAT, "event: PCR 0 to %d", REFERENCE_PCRS - 1);
	ev->pcr = (unsigned)pcr;
	if (!event_log_type_parse(jcs_get_string(v, "type"), &ev->type) ||
	    ev->type == EVENT_LOG_NO_ACTION)
		return err_set(e, ERR_FORMAT, "event: no type of an event that is extended");
	if ((text == NULL) == (digest == NULL))
		return err_set(e, ERR_FORMAT, "event: either \"text\" or \"digest\"");
	if (digest != NULL)
		return hex_decode(ev->digest, hash_size(bank), digest, e);
	if (reference_words(v, "text", &ev->text, e) != 0)
		return -1;
	return hash_once(bank, text, strlen(text), ev->digest, e);
}

static int
reference_events_decode(const struct jcs *v, struct reference *r, struct err *e)
{
	size_t n = jcs_length(v);

	if (n > REFERENCE_EVENTS_MAX)
		return err_set(e, ERR_FORMAT, "more than %d events", REFERENCE_EVENTS_MAX);
	if (n == 0)
		return 0;
	r->events = calloc(n, sizeof *r->events);
	if (r->events == NULL)
		return err_nomem(e);
	for (r->event_count = 0; r->event_count < n; ) {
		size_t i = r->event_count++;

		if (reference_event_decode(jcs_at(v, i), r->bank, &r->events[i], e) != 0)
			return -1;
	}
	return 0;
}

static int
reference_part_parse(const char *name, enum reference_part *ret, struct err *e)
{
	for (size_t i = 0; i < sizeof reference_parts / sizeof *reference_parts; i++) {
		if (strcmp(reference_parts[i].name, name) == 0) {
			*ret = (enum reference_part)i;
			return 0;
		}
	}
	return err_set(e, ERR_FORMAT, "\"part\" is not whole, image or firmware");
}

static int
reference_record_decode(const struct jcs *v, struct reference *r, struct err *e)
{
	const char *bank;

	if (shape_check(v, reference_record_shape, "record", e) != 0 ||
	    reference_part_parse(jcs_get_string(v, "part"), &r->part, e) != 0 ||
	    reference_words(v, "platform", &r->platform, e) != 0)
		return -1;
	bank = jcs_get_string(v, "bank");
	if (strcmp(bank, "sha256") == 0)
		r->bank = HASH_SHA256;
	else if (strcmp(bank, "sha384") == 0)
		r->bank = HASH_SHA384;
	else
		return err_set(e, ERR_UNSUPPORTED, "\"bank\" is not sha256 or sha384");
	if (reference_pcrs_decode(jcs_get(v, "pcrs"), r, e) != 0)
		return -1;
	return reference_events_decode(jcs_get(v, "events"), r, e);
}

static int
reference_records_decode(const struct jcs *v, struct reference_document *d, struct err *e)
{
	size_t n = jcs_length(v);

	if (n == 0 || n > REFERENCE_RECORDS_MAX)
		return err_set(e, ERR_FORMAT, "1 to %d records", REFERENCE_RECORDS_MAX);
	d->records = calloc(n, sizeof *d->records);
	if (d->records == NULL)
		return err_nomem(e);
	while (d->count < n) {
		size_t i = d->count++;

		if (reference_record_decode(jcs_at(v, i), &d->records[i], e) != 0)
			return err_prefix(e, "record %zu", i);
		if (!d->has_image && d->records[i].part != REFERENCE_FIRMWARE)
			return err_set(e, ERR_FORMAT, "record %zu: of no image", i);
	}
	return 0;
}

static int
reference_members_decode(const struct jcs *v, struct reference_document *d, struct err *e)
{
	const char *media = jcs_get_string(v, "mediaType");

	if (media == NULL || strcmp(media, REFERENCE_MEDIA_TYPE) != 0)
		return err_set(e, ERR_UNSUPPORTED, "mediaType is not %s", REFERENCE_MEDIA_TYPE);
	if (shape_check(v, reference_shape, "document", e) != 0)
		return -1;
	d->has_image = !jcs_is_null(jcs_get(v, "image"));
	if (d->has_image && reference_image_decode(jcs_get(v, "image"), &d->image, e) != 0)
		return -1;
	return reference_records_decode(jcs_get(v, "records"), d, e);
}

int
reference_decode(const void *json, size_t len, struct reference_document *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct reference_document d = {0};

	if (jcs_decode(json, len, REFERENCE_BYTES_MAX, &v, e) != 0)
		return err_prefix(e, "reference records");
	if (oid_from_data(&d.digest, json, len, e) != 0 || reference_members_decode(v, &d, e) != 0) {
		reference_free(&d);
		return err_prefix(e, "reference records");
	}
	*ret = d;
	return 0;
}

static struct jcs *
reference_image_jcs(const struct reference_document *d)
{
	struct jcs *o;
	char packages[OID_TEXT_SIZE];

	if (!d->has_image)
		return jcs_new_null();
	o = jcs_new_object();
	oid_text(&d->image.packages, packages);
	jcs_set_string(o, "name", d->image.name);
	jcs_set_string(o, "version", d->image.version);
	jcs_set_string(o, "commit", d->image.commit);
	jcs_set_string(o, "packages", d->image.has_packages ? packages : NULL);
	return o;
}

static struct jcs *
reference_pcrs_jcs(const struct reference *r)
{
	char name[8], hex[2 * 48 + 1];
	struct jcs *o = jcs_new_object();

	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		struct jcs *any;

		if (!r->pcrs[pcr].present)
			continue;
		snprintf(name, sizeof name, "%u", pcr);
		if (r->pcrs[pcr].any != NULL) {
			any = jcs_new_object();
			jcs_set_string(any, "any", r->pcrs[pcr].any);
			jcs_set(o, name, any);
			continue;
		}
		hex_encode(hex, r->pcrs[pcr].value, hash_size(r->bank));
		jcs_set_string(o, name, hex);
	}
	return o;
}

static struct jcs *
reference_event_jcs(const struct reference_event *ev, enum hash_alg bank)
{
	char type[EVENT_LOG_NAME_SIZE], hex[2 * 48 + 1];
	struct jcs *o = jcs_new_object();

	event_log_type_name(ev->type, type);
	hex_encode(hex, ev->digest, hash_size(bank));
	jcs_set_string(o, "must", ev->forbidden ? "not occur" : "occur");
	jcs_set_int(o, "pcr", ev->pcr);
	jcs_set_string(o, "type", type);
	jcs_set_string(o, ev->text != NULL ? "text" : "digest", ev->text != NULL ? ev->text : hex);
	return o;
}

static struct jcs *
reference_record_jcs(const struct reference *r)
{
	struct jcs *o = jcs_new_object(), *events = jcs_new_array();

	for (size_t i = 0; i < r->event_count; i++)
		jcs_append(events, reference_event_jcs(&r->events[i], r->bank));
	jcs_set_string(o, "part", reference_part_name(r->part));
	jcs_set_string(o, "platform", r->platform);
	jcs_set_string(o, "bank", hash_name(r->bank));
	jcs_set(o, "pcrs", reference_pcrs_jcs(r));
	jcs_set(o, "events", events);
	return o;
}

int
reference_encode(const struct reference_document *d, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *o = jcs_new_object();
	struct jcs *records = jcs_new_array();

	jcs_set_string(o, "mediaType", REFERENCE_MEDIA_TYPE);
	jcs_set(o, "image", reference_image_jcs(d));
	for (size_t i = 0; i < d->count; i++)
		jcs_append(records, reference_record_jcs(&d->records[i]));
	jcs_set(o, "records", records);
	return jcs_encode(o, ret, e);
}
