#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "base/hex.h"
#include "codec/base64.h"
#include "codec/jcs.h"
#include "evidence/event-log.h"

#define EVENT_LOG_SHOWN 8           /* bytes of a digest in the table */

static const char *const event_log_formats[] = {
	[EVENT_LOG_SHA1] = "sha1",
	[EVENT_LOG_CRYPTO_AGILE] = "crypto-agile",
};

static struct jcs *
event_log_digests_jcs(const struct event_log *l, const struct event_log_event *ev)
{
	char bank[EVENT_LOG_NAME_SIZE], hex[2 * HASH_SIZE_MAX + 1];
	struct jcs *o = jcs_new_object();

	for (size_t i = 0; i < l->bank_count; i++) {
		if (ev->digest[i] == NULL)
			continue;
		event_log_bank_name(&l->banks[i], bank);
		hex_encode(hex, ev->digest[i], l->banks[i].size);
		jcs_set_string(o, bank, hex);
	}
	return o;
}

static struct jcs *
event_log_event_jcs(const struct event_log *l, const struct event_log_event *ev,
    enum event_log_match match)
{
	CLEANUP(buf_free) struct buf data = BUF_INIT;
	char type[EVENT_LOG_NAME_SIZE], text[EVENT_LOG_TEXT_MAX];
	struct jcs *o = jcs_new_object();

	event_log_type_name(ev->type, type);
	event_log_text(ev, text);
	base64_encode(&data, ev->data, ev->len);
	jcs_set_int(o, "pcr", ev->pcr);
	jcs_set_string(o, "type", type);
	jcs_set_int(o, "offset", (int64_t)ev->offset);
	jcs_set(o, "digests", event_log_digests_jcs(l, ev));
	jcs_set(o, "digestMatches", match == EVENT_LOG_UNKNOWN ? jcs_new_null() :
	    jcs_new_bool(match == EVENT_LOG_MATCHES));
	jcs_set(o, "data", data.failed ? NULL : jcs_new_string(buf_str(&data)));
	jcs_set_string(o, "text", text[0] != '\0' ? text : NULL);
	return o;
}

static int
event_log_pcrs_jcs(const struct event_log *l, struct jcs *ret, struct err *e)
{
	char bank[EVENT_LOG_NAME_SIZE], hex[2 * HASH_SIZE_MAX + 1], pcr[8];

	for (size_t i = 0; i < l->bank_count; i++) {
		struct event_log_pcrs p;
		struct jcs *o;

		if (!l->banks[i].known)
			continue;
		if (event_log_replay(l, i, &p, e) != 0)
			return -1;
		o = jcs_new_object();
		for (unsigned k = 0; k < EVENT_LOG_PCRS; k++) {
			if ((p.extended >> k & 1) == 0)
				continue;
			snprintf(pcr, sizeof pcr, "%u", k);
			hex_encode(hex, p.value[k], l->banks[i].size);
			jcs_set_string(o, pcr, hex);
		}
		event_log_bank_name(&l->banks[i], bank);
		jcs_set(ret, bank, o);
	}
	return 0;
}

static struct jcs *
event_log_trailing_jcs(const struct event_log *l)
{
	struct jcs *o;

	if (l->trailing == 0)
		return jcs_new_null();
	o = jcs_new_object();
	jcs_set_int(o, "offset", (int64_t)l->end);
	jcs_set_int(o, "size", (int64_t)l->trailing);
	jcs_set_bool(o, "padding", l->padding);
	return o;
}

static int
event_log_print_json(const struct event_log *l, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *o = jcs_new_object();
	struct jcs *events = jcs_new_array(), *pcrs = jcs_new_object();

	jcs_set_string(o, "format", event_log_formats[l->format]);
	jcs_set(o, "startupLocality", l->has_locality ? jcs_new_int(l->locality) : jcs_new_null());
	jcs_set(o, "trailing", event_log_trailing_jcs(l));
	jcs_set(o, "events", events);
	jcs_set(o, "pcrs", pcrs);
	if (events == NULL || pcrs == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < l->count; i++) {
		enum event_log_match match;

		if (event_log_matches(l, &l->events[i], &match, e) != 0)
			return -1;
		jcs_append(events, event_log_event_jcs(l, &l->events[i], match));
	}
	if (event_log_pcrs_jcs(l, pcrs, e) != 0)
		return -1;
	return cmd_print_json(o, e);
}

/* The first bank with a digest, of those that count for more than SHA-1. */
static size_t
event_log_best(const struct event_log *l, const struct event_log_event *ev)
{
	size_t best = 0;

	for (size_t i = 1; i < l->bank_count; i++) {
		if (ev->digest[i] != NULL && (ev->digest[best] == NULL ||
		    (l->banks[best].known && l->banks[best].hash == HASH_SHA1)))
			best = i;
	}
	return best;
}

static void
event_log_print_event(const struct event_log *l, size_t k, enum event_log_match match)
{
	const struct event_log_event *ev = &l->events[k];
	char type[EVENT_LOG_NAME_SIZE], text[EVENT_LOG_TEXT_MAX], hex[2 * EVENT_LOG_SHOWN + 1];
	size_t best = event_log_best(l, ev), size = l->banks[best].size;

	event_log_type_name(ev->type, type);
	event_log_text(ev, text);
	hex_encode(hex, ev->digest[best], size < EVENT_LOG_SHOWN ? size : EVENT_LOG_SHOWN);
	if (ev->pcr < EVENT_LOG_PCRS)
		printf("%4zu  %3u  ", k, ev->pcr);
	else
		printf("%4zu    -  ", k);
	printf("%-34s  %*s", type, match != EVENT_LOG_DIFFERS && *text == '\0' ? 0 : -2 * EVENT_LOG_SHOWN,
	    ev->type == EVENT_LOG_NO_ACTION ? "-" : hex);
	if (match == EVENT_LOG_DIFFERS)
		printf("  DIGEST DIFFERS FROM PAYLOAD");
	printf("%s%s\n", *text != '\0' ? "  " : "", text);
}

static int
event_log_print_pcrs(const struct event_log *l, struct err *e)
{
	char bank[EVENT_LOG_NAME_SIZE], hex[2 * HASH_SIZE_MAX + 1];

	for (size_t i = 0; i < l->bank_count; i++) {
		struct event_log_pcrs p;

		event_log_bank_name(&l->banks[i], bank);
		if (!l->banks[i].known) {
			printf("\nPCRs of bank %s: not computed\n", bank);
			continue;
		}
		if (event_log_replay(l, i, &p, e) != 0)
			return -1;
		printf("\nPCRs of bank %s:\n", bank);
		for (unsigned k = 0; k < EVENT_LOG_PCRS; k++) {
			hex_encode(hex, p.value[k], l->banks[i].size);
			if ((p.extended >> k & 1) != 0)
				printf("%4u  %s\n", k, hex);
		}
	}
	return 0;
}

static int
event_log_print(const struct event_log *l, struct err *e)
{
	size_t differ = 0;

	puts("   #  PCR  TYPE                                DIGEST            WHAT");
	for (size_t k = 0; k < l->count; k++) {
		enum event_log_match match;

		if (event_log_matches(l, &l->events[k], &match, e) != 0)
			return -1;
		event_log_print_event(l, k, match);
		differ += match == EVENT_LOG_DIFFERS;
	}
	if (event_log_print_pcrs(l, e) != 0)
		return -1;
	printf("\nFormat %s", event_log_formats[l->format]);
	if (l->locality != 0 || l->has_locality)
		printf(", PCR 0 starts from locality %u", l->locality);
	printf(".\n");
	if (differ > 0)
		printf("%zu digests are not those of their payloads.\n", differ);
	if (l->trailing > 0)
		printf("%zu byte%s the last event at byte offset %zu%s.\n", l->trailing,
		    l->trailing == 1 ? " follows" : "s follow", l->end,
		    l->padding ? ", all padding" : ": not padding, and not judged");
	puts("A log proves nothing until its PCR values are those of a quote.");
	return 0;
}

/* A log that is no log is a definite answer. */
static int
event_log_refused(const char *path, struct err *e)
{
	if (e->code == ERR_FORMAT || e->code == ERR_UNSUPPORTED)
		e->code = ERR_REFUSED;
	return err_prefix(e, "%s", path);
}

int
event_log_command(int argc, char **argv, struct err *e)
{
	bool help = false, json = false;
	const struct option table[] = {
		{OPTION_FLAG, 0, "json", &json, NULL, "one JSON document"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(buf_free) struct buf data = BUF_INIT;
	CLEANUP(event_log_free) struct event_log l = {0};
	int rc = cmd_parse("event-log", "[--json] FILE", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("event-log", argc, 1, 1, e) != 0 ||
	    fd_read_named(argv[0], EVENT_LOG_BYTES_MAX, &data, e) != 0)
		return -1;
	if (event_log_decode(data.data, data.len, &l, e) != 0)
		return event_log_refused(argv[0], e);
	return json ? event_log_print_json(&l, e) : event_log_print(&l, e);
}
