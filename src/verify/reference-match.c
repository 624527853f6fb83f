/* One record against one machine. */
#include "verify/reference.h"

#include <string.h>
#include "base/hex.h"

bool
reference_is_emulated(const struct reference *r)
{
	static const char prefix[] = "qemu-";

	return strncmp(r->platform, prefix, sizeof prefix - 1) == 0;
}

static void
reference_differs(struct buf *b, unsigned pcr, const unsigned char *value, size_t size)
{
	char hex[2 * 48 + 1];

	hex_encode(hex, value, size);
	buf_addf(b, "%sPCR %u %s", b->len > 0 ? ", " : "", pcr, hex);
}

/* Is there an event in this PCR with this digest?  What a log says of its type and
 * payload is not in the TPM: an event that must not be there is found by its digest. */
static bool
reference_logged(const struct event_log *l, size_t bank, const struct reference_event *ev,
    size_t size)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct event_log_event *k = &l->events[i];

		if (k->pcr == ev->pcr && k->type != EVENT_LOG_NO_ACTION && k->digest[bank] != NULL &&
		    (ev->forbidden || k->type == ev->type) &&
		    memcmp(k->digest[bank], ev->digest, size) == 0)
			return true;
	}
	return false;
}

static void
reference_event_name(const struct reference_event *ev, size_t size, struct buf *b)
{
	char type[EVENT_LOG_NAME_SIZE], hex[2 * 48 + 1];

	event_log_type_name(ev->type, type);
	hex_encode(hex, ev->digest, size);
	buf_addf(b, "%s%s %s in PCR %u", ev->forbidden ? "no " : "", type,
	    ev->text != NULL ? ev->text : hex, ev->pcr);
}

static size_t
reference_match_events(const struct reference *r, const struct reference_found *f,
    struct buf *expected, struct buf *found)
{
	size_t size = hash_size(r->bank), bank = 0, differ = 0;
	bool log = f->log != NULL && event_log_bank(f->log, r->bank, &bank);

	if (r->event_count > 0 && !log) {
		buf_addf(expected, "%sa boot log that replays", expected->len > 0 ? ", " : "");
		buf_addf(found, "%snone", found->len > 0 ? ", " : "");
		return 1;
	}
	for (size_t i = 0; i < r->event_count; i++) {
		const struct reference_event *ev = &r->events[i];

		if (reference_logged(f->log, bank, ev, size) != ev->forbidden)
			continue;
		buf_adds(expected, expected->len > 0 ? ", " : "");
		reference_event_name(ev, size, expected);
		buf_addf(found, "%s%s", found->len > 0 ? ", " : "",
		    ev->forbidden ? "it is in the log" : "it is not in the log");
		differ++;
	}
	return differ;
}

int
reference_match(const struct reference *r, const struct reference_found *f, bool *ret_ok,
    size_t *ret_differ, struct buf *expected, struct buf *found, struct err *e)
{
	size_t size = hash_size(r->bank), differ = 0;

	if (r->part != REFERENCE_WHOLE || r->bank != f->bank) {
		*ret_ok = false;
		*ret_differ = REFERENCE_INCOMPARABLE;
		return 0;
	}
	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		const unsigned char *value = f->values + pcr * size;

		if (r->pcrs[pcr].any != NULL || memcmp(r->pcrs[pcr].value, value, size) == 0)
			continue;
		reference_differs(expected, pcr, r->pcrs[pcr].value, size);
		reference_differs(found, pcr, value, size);
		differ++;
	}
	differ += reference_match_events(r, f, expected, found);
	if (buf_check(expected, e) != 0 || buf_check(found, e) != 0)
		return -1;
	*ret_ok = differ == 0;
	*ret_differ = differ;
	return 0;
}
