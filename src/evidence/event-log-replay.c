/* PCR values out of a log, and what differs when they are not those quoted. */
#include "evidence/event-log.h"

#include <string.h>
#include "base/hex.h"

#define EVENT_LOG_RESETTABLE (1u << 16 | 1u << 23)
#define EVENT_LOG_TRY_MAX 256        /* events of a PCR among which one is looked for */
#define EVENT_LOG_ALL ((size_t)-1)

/* What a PCR is replayed with, to find the one event that makes the difference. */
struct event_log_try {
	size_t leave_out;           /* index of an event, or EVENT_LOG_ALL: none */
	size_t end;                 /* first event that is left out with all after it */
	size_t rehash;              /* the event whose payload is hashed instead */
};

/* PCR 0 starts from the locality, PCR 17-22 from ones until a D-RTM resets them. */
static void
event_log_initial(const struct event_log *l, size_t size, uint32_t pcr, unsigned char *ret)
{
	memset(ret, pcr >= 17 && pcr <= 22 ? 0xff : 0, size);
	if (pcr == 0)
		ret[size - 1] = (unsigned char)l->locality;
}

static int
event_log_extend(enum hash_alg alg, unsigned char *value, const unsigned char *digest,
    struct err *e)
{
	unsigned char joined[2 * HASH_SIZE_MAX];
	size_t size = hash_size(alg);

	memcpy(joined, value, size);
	memcpy(joined + size, digest, size);
	return hash_once(alg, joined, 2 * size, value, e);
}

static bool
event_log_extends(const struct event_log_event *ev, size_t bank)
{
	return ev->type != EVENT_LOG_NO_ACTION && ev->digest[bank] != NULL;
}

int
event_log_replay(const struct event_log *l, size_t i, struct event_log_pcrs *ret, struct err *e)
{
	const struct event_log_bank *b;
	struct event_log_pcrs p = {0};

	if (i >= l->bank_count || !l->banks[i].known)
		return err_set(e, ERR_UNSUPPORTED, "event log: this bank cannot be computed");
	b = &l->banks[i];
	for (uint32_t pcr = 0; pcr < EVENT_LOG_PCRS; pcr++)
		event_log_initial(l, b->size, pcr, p.value[pcr]);
	for (size_t k = 0; k < l->count; k++) {
		const struct event_log_event *ev = &l->events[k];

		if (!event_log_extends(ev, i))
			continue;
		p.extended |= 1u << ev->pcr;
		if (event_log_extend(b->hash, p.value[ev->pcr], ev->digest[i], e) != 0)
			return -1;
	}
	*ret = p;
	return 0;
}

bool
event_log_bank(const struct event_log *l, enum hash_alg bank, size_t *ret_i)
{
	for (size_t i = 0; i < l->bank_count; i++) {
		if (l->banks[i].known && l->banks[i].hash == bank) {
			*ret_i = i;
			return true;
		}
	}
	return false;
}

/* One PCR alone, with a change. */
static int
event_log_replay_one(const struct event_log *l, size_t bank, uint32_t pcr,
    const struct event_log_try *t, unsigned char *ret, struct err *e)
{
	const struct event_log_bank *b = &l->banks[bank];
	unsigned char digest[HASH_SIZE_MAX];

	event_log_initial(l, b->size, pcr, ret);
	for (size_t k = 0; k < l->count && k < t->end; k++) {
		const struct event_log_event *ev = &l->events[k];

		if (ev->pcr != pcr || k == t->leave_out || !event_log_extends(ev, bank))
			continue;
		memcpy(digest, ev->digest[bank], b->size);
		if (k == t->rehash && hash_once(b->hash, ev->data, ev->len, digest, e) != 0)
			return -1;
		if (event_log_extend(b->hash, ret, digest, e) != 0)
			return -1;
	}
	return 0;
}

static void
event_log_name_event(const struct event_log *l, size_t k, struct buf *reason)
{
	char type[EVENT_LOG_NAME_SIZE], text[EVENT_LOG_TEXT_MAX];

	event_log_type_name(l->events[k].type, type);
	event_log_text(&l->events[k], text);
	buf_addf(reason, "event %zu (%s%s%s, byte offset %zu)", k, type, text[0] != '\0' ? " " : "",
	    text, l->events[k].offset);
}

/* The first event that, changed in one of three ways, gives the quoted value. */
static int
event_log_find(const struct event_log *l, size_t bank, uint32_t pcr, const unsigned char *value,
    bool *ret_found, struct buf *reason, struct err *e)
{
	static const char *const words[] = {
		" is not in the TPM, nor any after it", " is not in the TPM",
		": the TPM has the digest of its payload, not the one logged",
	};
	unsigned char got[HASH_SIZE_MAX];

	for (size_t k = 0; k < l->count; k++) {
		const struct event_log_try tries[] = {
			{EVENT_LOG_ALL, k, EVENT_LOG_ALL}, {k, EVENT_LOG_ALL, EVENT_LOG_ALL},
			{EVENT_LOG_ALL, EVENT_LOG_ALL, k},
		};

		if (l->events[k].pcr != pcr || !event_log_extends(&l->events[k], bank))
			continue;
		for (size_t i = 0; i < 3; i++) {
			if (event_log_replay_one(l, bank, pcr, &tries[i], got, e) != 0)
				return -1;
			if (memcmp(got, value, l->banks[bank].size) != 0)
				continue;
			event_log_name_event(l, k, reason);
			buf_adds(reason, words[i]);
			*ret_found = true;
			return 0;
		}
	}
	*ret_found = false;
	return 0;
}

/* Nothing fits: the first event of the PCR that is wrong by itself, else all it has. */
static int
event_log_suspect(const struct event_log *l, size_t bank, uint32_t pcr, struct buf *reason,
    struct err *e)
{
	enum event_log_match match;
	size_t n = 0, first = 0;

	for (size_t k = 0; k < l->count; k++) {
		if (l->events[k].pcr != pcr || !event_log_extends(&l->events[k], bank))
			continue;
		if (n++ == 0)
			first = k;
		if (event_log_matches(l, &l->events[k], &match, e) != 0)
			return -1;
		if (match == EVENT_LOG_DIFFERS) {
			event_log_name_event(l, k, reason);
			buf_adds(reason, " has not the digest of its payload");
			return 0;
		}
	}
	if (n == 0) {
		buf_adds(reason, "the log has no event for it");
		return 0;
	}
	buf_addf(reason, "one of its %zu events differs or one is missing, the first is ", n);
	event_log_name_event(l, first, reason);
	return 0;
}

static int
event_log_explain(const struct event_log *l, size_t bank, uint32_t pcr, const unsigned char *value,
    struct buf *reason, struct err *e)
{
	bool found = false;
	size_t n = 0;

	for (size_t k = 0; k < l->count; k++)
		n += l->events[k].pcr == pcr;
	if (n <= EVENT_LOG_TRY_MAX && l->count <= 16 * EVENT_LOG_TRY_MAX &&
	    event_log_find(l, bank, pcr, value, &found, reason, e) != 0)
		return -1;
	return found ? 0 : event_log_suspect(l, bank, pcr, reason, e);
}

static int
event_log_differs(const struct event_log *l, size_t bank, uint32_t pcr,
    const unsigned char *got, const unsigned char *value, struct buf *reason, struct err *e)
{
	char hex[2 * HASH_SIZE_MAX + 1];

	hex_encode(hex, got, l->banks[bank].size);
	buf_addf(reason, "PCR %u (%s): the log gives %s; ", pcr, hash_name(l->banks[bank].hash), hex);
	return event_log_explain(l, bank, pcr, value, reason, e);
}

/* The first event that the bank knows nothing of: whatever it says, no PCR speaks for it. */
static bool
event_log_unmeasured(const struct event_log *l, size_t bank, struct buf *reason)
{
	for (size_t k = 0; k < l->count; k++) {
		if (l->events[k].type == EVENT_LOG_NO_ACTION || l->events[k].digest[bank] != NULL)
			continue;
		event_log_name_event(l, k, reason);
		buf_addf(reason, " has no %s digest: it is not in the TPM", hash_name(l->banks[bank].hash));
		return true;
	}
	return false;
}

int
event_log_compare(const struct event_log *l, enum hash_alg bank, const unsigned char *values,
    uint32_t given, bool *ret_ok, struct buf *reason, struct err *e)
{
	size_t size = hash_size(bank), i;
	struct event_log_pcrs p;
	uint32_t compared;

	*ret_ok = false;
	if (bank == HASH_SHA1 || !event_log_bank(l, bank, &i)) {
		buf_addf(reason, "the log has no %s bank that counts%s", hash_name(bank),
		    l->format == EVENT_LOG_SHA1 ? ", only SHA-1, which proves nothing" : "");
		return buf_check(reason, e);
	}
	if (event_log_unmeasured(l, i, reason))
		return buf_check(reason, e);
	if (event_log_replay(l, i, &p, e) != 0)
		return -1;
	compared = EVENT_LOG_PCRS_BOOT | (p.extended & ~EVENT_LOG_RESETTABLE);
	for (uint32_t pcr = 0; pcr < EVENT_LOG_PCRS; pcr++) {
		const unsigned char *value = values + pcr * size;

		if ((compared >> pcr & 1) == 0)
			continue;
		if ((given >> pcr & 1) == 0) {
			buf_addf(reason, "PCR %u (%s) is needed and not given", pcr, hash_name(bank));
			return buf_check(reason, e);
		}
		if (memcmp(p.value[pcr], value, size) == 0)
			continue;
		if (event_log_differs(l, i, pcr, p.value[pcr], value, reason, e) != 0)
			return -1;
		return buf_check(reason, e);
	}
	*ret_ok = true;
	return buf_check(reason, e);
}
