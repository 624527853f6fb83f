#include "evidence/event-log.h"

#include <stdarg.h>
#include <string.h>
#include "evidence/tpm-alg.h"

#define EVENT_LOG_SHA1_HEAD 32       /* TCG_PCR_EVENT up to its payload */
#define EVENT_LOG_AGILE_HEAD 12      /* TCG_PCR_EVENT2 up to its digests */
#define EVENT_LOG_MARKER 8           /* pcrIndex and eventType all ones */
#define EVENT_LOG_ALG_SHA1 0x0004
#define EVENT_LOG_ALG_SHA384 0x000c
#define EVENT_LOG_ALG_SM3 0x0012

static const char event_log_spec_id[16] = "Spec ID Event03";
static const char event_log_locality[16] = "StartupLocality";

/* Little-endian bytes that are read once, front to back. */
struct event_log_reader {
	const unsigned char *data;
	size_t len, pos;
	size_t event;               /* where the event being read began */
};

static int PRINTF(3, 4)
event_log_bad(const struct event_log_reader *r, struct err *e, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return err_set(e, ERR_FORMAT, "event log: the event at byte offset %zu %s", r->event, what);
}

static int
event_log_take(struct event_log_reader *r, size_t n, const unsigned char **ret, struct err *e)
{
	if (n > r->len - r->pos) {
		event_log_bad(r, e, "is cut short: %zu bytes are needed at byte offset %zu,"
		    " %zu are left", n, r->pos, r->len - r->pos);
		return -1;
	}
	*ret = r->data + r->pos;
	r->pos += n;
	return 0;
}

static int
event_log_number(struct event_log_reader *r, size_t bytes, uint32_t *ret, struct err *e)
{
	const unsigned char *p = NULL;
	uint32_t n = 0;

	if (event_log_take(r, bytes, &p, e) != 0)
		return -1;
	for (size_t i = bytes; i > 0; i--)
		n = n << 8 | p[i - 1];
	*ret = n;
	return 0;
}

static int
event_log_payload(struct event_log_reader *r, struct event_log_event *ev, struct err *e)
{
	uint32_t len;

	if (event_log_number(r, 4, &len, e) != 0 || event_log_take(r, len, &ev->data, e) != 0)
		return -1;
	ev->len = len;
	return 0;
}

/* TCG_PCR_EVENT: pcrIndex, eventType, SHA-1 digest, payload. */
static int
event_log_event_sha1(struct event_log_reader *r, struct event_log_event *ev, struct err *e)
{
	*ev = (struct event_log_event){.offset = r->pos};
	r->event = r->pos;
	if (event_log_number(r, 4, &ev->pcr, e) != 0 || event_log_number(r, 4, &ev->type, e) != 0 ||
	    event_log_take(r, hash_size(HASH_SHA1), &ev->digest[0], e) != 0)
		return -1;
	return event_log_payload(r, ev, e);
}

static int
event_log_digest(struct event_log_reader *r, const struct event_log *l, struct event_log_event *ev,
    struct err *e)
{
	uint32_t alg;

	if (event_log_number(r, 2, &alg, e) != 0)
		return -1;
	for (size_t i = 0; i < l->bank_count; i++) {
		if (l->banks[i].alg != alg)
			continue;
		if (ev->digest[i] != NULL)
			return event_log_bad(r, e, "has two digests of algorithm 0x%04x", alg);
		return event_log_take(r, l->banks[i].size, &ev->digest[i], e);
	}
	return event_log_bad(r, e, "has a digest of algorithm 0x%04x, which the log's head lacks", alg);
}

/* TCG_PCR_EVENT2: pcrIndex, eventType, TPML_DIGEST_VALUES, payload. */
static int
event_log_event_agile(struct event_log_reader *r, const struct event_log *l,
    struct event_log_event *ev, struct err *e)
{
	uint32_t count;

	*ev = (struct event_log_event){.offset = r->pos};
	r->event = r->pos;
	if (event_log_number(r, 4, &ev->pcr, e) != 0 || event_log_number(r, 4, &ev->type, e) != 0 ||
	    event_log_number(r, 4, &count, e) != 0)
		return -1;
	if (count == 0 || count > l->bank_count)
		return event_log_bad(r, e, "has %u digests, the log's head %zu algorithms", count,
		    l->bank_count);
	for (uint32_t i = 0; i < count; i++) {
		if (event_log_digest(r, l, ev, e) != 0)
			return -1;
	}
	return event_log_payload(r, ev, e);
}

/* False for a size that the algorithm does not have. */
static bool
event_log_bank_fill(struct event_log_bank *b, uint32_t alg, uint32_t size)
{
	*b = (struct event_log_bank){.alg = (uint16_t)alg, .size = (uint16_t)size};
	b->known = tpm_alg_to_hash(b->alg, &b->hash);
	if (!b->known && alg == EVENT_LOG_ALG_SM3) {
		b->known = true;
		b->hash = HASH_SM3;
	}
	return b->known ? size == hash_size(b->hash) : size > 0 && size <= HASH_SIZE_MAX;
}

static int
event_log_head_bank(struct event_log_reader *r, struct event_log *l, struct err *e)
{
	uint32_t alg, size;

	if (event_log_number(r, 2, &alg, e) != 0 || event_log_number(r, 2, &size, e) != 0)
		return -1;
	for (size_t i = 0; i < l->bank_count; i++) {
		if (l->banks[i].alg == alg)
			return event_log_bad(r, e, "names algorithm 0x%04x twice", alg);
	}
	if (!event_log_bank_fill(&l->banks[l->bank_count], alg, size))
		return event_log_bad(r, e, "has digests of %u bytes for algorithm 0x%04x", size, alg);
	l->bank_count++;
	return 0;
}

/* TCG_EfiSpecIDEvent, the payload of the first event. */
static int
event_log_head(const struct event_log_event *ev, size_t payload, struct event_log *l, struct err *e)
{
	struct event_log_reader r = {ev->data - payload, payload + ev->len, payload, ev->offset};
	const unsigned char *skipped;
	uint32_t count, vendor;

	if (event_log_take(&r, sizeof event_log_spec_id + 8, &skipped, e) != 0 ||
	    event_log_number(&r, 4, &count, e) != 0)
		return -1;
	if (count == 0 || count > EVENT_LOG_BANKS_MAX)
		return event_log_bad(&r, e, "names %u algorithms, not 1 to %d", count,
		    EVENT_LOG_BANKS_MAX);
	for (uint32_t i = 0; i < count; i++) {
		if (event_log_head_bank(&r, l, e) != 0)
			return -1;
	}
	if (event_log_number(&r, 1, &vendor, e) != 0 || event_log_take(&r, vendor, &skipped, e) != 0)
		return -1;
	if (r.pos != r.len)
		return event_log_bad(&r, e, "has %zu bytes after its vendor information", r.len - r.pos);
	return 0;
}

static int
event_log_not_tpm(struct err *e, const char *what)
{
	return err_set(e, ERR_UNSUPPORTED, "event log: not a TPM log: %s; it holds measurement"
	    " registers of a confidential VM, not PCRs", what);
}

/* The first event says which format the log has. */
static int
event_log_start(struct event_log_reader *r, struct event_log *l, struct err *e)
{
	struct event_log_event first;

	if (r->len >= 4 && memcmp(r->data, "CCEL", 4) == 0)
		return event_log_not_tpm(e, "an ACPI CCEL table");
	if (r->len == 0)
		return err_set(e, ERR_FORMAT, "event log: empty (byte offset 0)");
	if (event_log_event_sha1(r, &first, e) != 0)
		return -1;
	if (first.type != EVENT_LOG_NO_ACTION || first.len < sizeof event_log_spec_id ||
	    memcmp(first.data, event_log_spec_id, sizeof event_log_spec_id) != 0) {
		l->format = EVENT_LOG_SHA1;
		event_log_bank_fill(&l->banks[0], EVENT_LOG_ALG_SHA1, (uint32_t)hash_size(HASH_SHA1));
		l->bank_count = 1;
		r->pos = 0;
		return 0;
	}
	if (first.pcr != 0)
		return event_log_not_tpm(e, "its head is not for PCR 0, as in a CCEL");
	l->format = EVENT_LOG_CRYPTO_AGILE;
	return event_log_head(&first, (size_t)(first.data - r->data), l, e);
}

/* A run of one byte value. */
static size_t
event_log_run(const unsigned char *p, size_t len, unsigned char byte)
{
	size_t n = 0;

	while (n < len && p[n] == byte)
		n++;
	return n;
}

/* Firmware fills the rest of its buffer with 0xff or 0x00: no event begins so. */
static bool
event_log_ends(const struct event_log_reader *r, struct event_log *l)
{
	size_t left = r->len - r->pos;
	size_t zeros = l->format == EVENT_LOG_SHA1 ? EVENT_LOG_SHA1_HEAD : EVENT_LOG_AGILE_HEAD;
	size_t ones = event_log_run(r->data + r->pos, left, 0xff);
	size_t run = ones > 0 ? ones : event_log_run(r->data + r->pos, left, 0x00);

	if (left > 0 && run < (ones > 0 ? EVENT_LOG_MARKER : zeros))
		return false;
	l->end = r->pos;
	l->trailing = left;
	l->padding = run == left;
	return true;
}

static int
event_log_append(struct event_log *l, size_t *cap, const struct event_log_event *ev, struct err *e)
{
	struct event_log_event *events;

	if (l->count == *cap) {
		*cap = *cap == 0 ? 64 : *cap * 2;
		events = realloc(l->events, *cap * sizeof *events);
		if (events == NULL)
			return err_nomem(e);
		l->events = events;
	}
	l->events[l->count++] = *ev;
	return 0;
}

/* "StartupLocality" and the locality of TPM2_Startup: what PCR 0 starts from. */
static int
event_log_startup(const struct event_log_reader *r, const struct event_log_event *ev,
    struct event_log *l, struct err *e)
{
	unsigned locality;

	if (ev->type != EVENT_LOG_NO_ACTION || ev->len < sizeof event_log_locality ||
	    memcmp(ev->data, event_log_locality, sizeof event_log_locality) != 0)
		return 0;
	if (ev->pcr != 0 || ev->len != sizeof event_log_locality + 1)
		return event_log_bad(r, e, "is a StartupLocality for PCR %u with %zu bytes", ev->pcr,
		    ev->len);
	locality = ev->data[sizeof event_log_locality];
	if (locality != 0 && locality != 3 && locality != 4)
		return event_log_bad(r, e, "is a StartupLocality of %u, not 0, 3 or 4", locality);
	if (l->has_locality && l->locality != locality)
		return event_log_bad(r, e, "is a second StartupLocality, another one");
	l->has_locality = true;
	l->locality = locality;
	return 0;
}

static int
event_log_events(struct event_log_reader *r, struct event_log *l, struct err *e)
{
	struct event_log_event ev;
	size_t cap = 0;

	while (!event_log_ends(r, l)) {
		if ((l->format == EVENT_LOG_SHA1 ? event_log_event_sha1(r, &ev, e) :
		    event_log_event_agile(r, l, &ev, e)) != 0)
			return -1;
		if (ev.pcr >= EVENT_LOG_PCRS && ev.type != EVENT_LOG_NO_ACTION)
			return event_log_bad(r, e, "is for PCR %u; there is none above %d", ev.pcr,
			    EVENT_LOG_PCRS - 1);
		if (l->count == EVENT_LOG_EVENTS_MAX)
			return event_log_bad(r, e, "is one too many: at most %d", EVENT_LOG_EVENTS_MAX);
		if (event_log_startup(r, &ev, l, e) != 0 || event_log_append(l, &cap, &ev, e) != 0)
			return -1;
	}
	return 0;
}

/* PCR 0 after an H-CRTM sequence starts from 4 (TPM 2.0 Library part 1, "H-CRTM"). */
static void
event_log_hcrtm(struct event_log *l)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->events[i].pcr != 0 || l->events[i].type == EVENT_LOG_NO_ACTION)
			continue;
		if (l->events[i].type == EVENT_LOG_EFI_HCRTM)
			l->locality = 4;
		return;
	}
}

/* A CCEL whose head claims PCR 0: SHA-384 alone, registers 1 to 4 alone. */
static bool
event_log_is_ccel(const struct event_log *l)
{
	bool first = false;

	if (l->bank_count != 1 || l->banks[0].alg != EVENT_LOG_ALG_SHA384)
		return false;
	for (size_t i = 0; i < l->count; i++) {
		if (l->events[i].pcr < 1 || l->events[i].pcr > 4)
			return false;
		first = first || l->events[i].pcr == 1;
	}
	return first;
}

int
event_log_decode(const void *data, size_t len, struct event_log *ret, struct err *e)
{
	struct event_log_reader r = {.data = data, .len = len};
	CLEANUP(event_log_free) struct event_log l = {0};

	if (len > EVENT_LOG_BYTES_MAX)
		return err_set(e, ERR_LIMIT, "event log: %zu bytes, more than %u", len,
		    EVENT_LOG_BYTES_MAX);
	if (event_log_start(&r, &l, e) != 0 || event_log_events(&r, &l, e) != 0)
		return -1;
	if (event_log_is_ccel(&l))
		return event_log_not_tpm(e, "it has SHA-384 alone and indexes from 1 to 4, as a CCEL");
	event_log_hcrtm(&l);
	*ret = l;
	l = (struct event_log){0};
	return 0;
}

void
event_log_free(struct event_log *l)
{
	free(l->events);
	*l = (struct event_log){0};
}
