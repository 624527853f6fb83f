/* Boot logs: whatever is accepted has events in order and replays. */
#include "fuzz.h"

#include "evidence/event-log.h"

static void
fuzz_bank(const struct event_log *l, size_t i)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	unsigned char values[EVENT_LOG_PCRS * HASH_SIZE_MAX];
	struct event_log_pcrs p;
	struct err e;
	bool ok;

	if (!l->banks[i].known)
		return;
	if (event_log_replay(l, i, &p, &e) != 0)
		abort();
	for (size_t pcr = 0; pcr < EVENT_LOG_PCRS; pcr++)
		memcpy(values + pcr * l->banks[i].size, p.value[pcr], l->banks[i].size);
	if (event_log_compare(l, l->banks[i].hash, values, 0xffffff, &ok, &reason, &e) != 0 ||
	    ok != (l->banks[i].hash != HASH_SHA1))
		abort();
	values[0] ^= 1; /* PCR 0 is always compared */
	if (event_log_compare(l, l->banks[i].hash, values, 0xffffff, &ok, &reason, &e) != 0 || ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(event_log_free) struct event_log l = {0};
	char name[EVENT_LOG_NAME_SIZE], text[EVENT_LOG_TEXT_MAX];
	enum event_log_match match;
	size_t last = 0;
	uint32_t type;
	struct err e;

	if (event_log_decode(data, len, &l, &e) != 0)
		return 0;
	if (l.end + l.trailing != len)
		abort();
	for (size_t i = 0; i < l.count; i++) {
		if ((i > 0 && l.events[i].offset <= last) || l.events[i].offset >= l.end)
			abort();
		last = l.events[i].offset;
		event_log_type_name(l.events[i].type, name);
		event_log_text(&l.events[i], text);
		if (!event_log_type_parse(name, &type) || type != l.events[i].type ||
		    event_log_matches(&l, &l.events[i], &match, &e) != 0)
			abort();
	}
	for (size_t i = 0; i < l.bank_count; i++)
		fuzz_bank(&l, i);
	return 0;
}
