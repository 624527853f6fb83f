/* Event types, and which of them carry the very bytes that were hashed. */
#include "evidence/event-log.h"

#include <string.h>

enum event_log_rule {
	RULE_DESCRIBED,      /* the payload describes what was hashed; it may be the same */
	RULE_PAYLOAD,        /* the payload was hashed */
	RULE_SEPARATOR,      /* the payload, or the number 1 where it tells of an error */
	RULE_IPL,            /* a boot loader's words: see event_log_matches_ipl() */
	RULE_VARIABLE_BOOT,  /* the payload, or the variable's data alone */
	RULE_AUTHORITY,      /* the payload, where its lengths agree: old shims log other bytes */
	RULE_NOTHING         /* nothing was extended */
};

/* TCG PC Client Platform Firmware Profile 1.06, section 10.4.1. */
static const struct {
	uint32_t type;
	enum event_log_rule rule;
	const char *name;
} event_log_types[] = {
	{0x00000000, RULE_DESCRIBED, "EV_PREBOOT_CERT"},
	{0x00000001, RULE_DESCRIBED, "EV_POST_CODE"},
	{0x00000002, RULE_DESCRIBED, "EV_UNUSED"},
	{0x00000003, RULE_NOTHING, "EV_NO_ACTION"},
	{0x00000004, RULE_SEPARATOR, "EV_SEPARATOR"},
	{0x00000005, RULE_PAYLOAD, "EV_ACTION"},
	{0x00000006, RULE_DESCRIBED, "EV_EVENT_TAG"},
	{0x00000007, RULE_DESCRIBED, "EV_S_CRTM_CONTENTS"},
	{0x00000008, RULE_PAYLOAD, "EV_S_CRTM_VERSION"},
	{0x00000009, RULE_DESCRIBED, "EV_CPU_MICROCODE"},
	{0x0000000a, RULE_DESCRIBED, "EV_PLATFORM_CONFIG_FLAGS"},
	{0x0000000b, RULE_DESCRIBED, "EV_TABLE_OF_DEVICES"},
	{0x0000000c, RULE_DESCRIBED, "EV_COMPACT_HASH"},
	{0x0000000d, RULE_IPL, "EV_IPL"},
	{0x0000000e, RULE_DESCRIBED, "EV_IPL_PARTITION_DATA"},
	{0x0000000f, RULE_DESCRIBED, "EV_NONHOST_CODE"},
	{0x00000010, RULE_DESCRIBED, "EV_NONHOST_CONFIG"},
	{0x00000011, RULE_DESCRIBED, "EV_NONHOST_INFO"},
	{0x00000012, RULE_PAYLOAD, "EV_OMIT_BOOT_DEVICE_EVENTS"},
	{0x00000013, RULE_DESCRIBED, "EV_POST_CODE2"},
	{0x80000001, RULE_PAYLOAD, "EV_EFI_VARIABLE_DRIVER_CONFIG"},
	{0x80000002, RULE_VARIABLE_BOOT, "EV_EFI_VARIABLE_BOOT"},
	{0x80000003, RULE_DESCRIBED, "EV_EFI_BOOT_SERVICES_APPLICATION"},
	{0x80000004, RULE_DESCRIBED, "EV_EFI_BOOT_SERVICES_DRIVER"},
	{0x80000005, RULE_DESCRIBED, "EV_EFI_RUNTIME_SERVICES_DRIVER"},
	{0x80000006, RULE_PAYLOAD, "EV_EFI_GPT_EVENT"},
	{0x80000007, RULE_PAYLOAD, "EV_EFI_ACTION"},
	{0x80000008, RULE_DESCRIBED, "EV_EFI_PLATFORM_FIRMWARE_BLOB"},
	{0x80000009, RULE_DESCRIBED, "EV_EFI_HANDOFF_TABLES"},
	{0x8000000a, RULE_DESCRIBED, "EV_EFI_PLATFORM_FIRMWARE_BLOB2"},
	{0x8000000b, RULE_DESCRIBED, "EV_EFI_HANDOFF_TABLES2"},
	{0x8000000c, RULE_PAYLOAD, "EV_EFI_VARIABLE_BOOT2"},
	{0x8000000d, RULE_PAYLOAD, "EV_EFI_GPT_EVENT2"},
	{0x80000010, RULE_DESCRIBED, "EV_EFI_HCRTM_EVENT"},
	{0x800000e0, RULE_AUTHORITY, "EV_EFI_VARIABLE_AUTHORITY"},
	{0x800000e1, RULE_DESCRIBED, "EV_EFI_SPDM_FIRMWARE_BLOB"},
	{0x800000e2, RULE_DESCRIBED, "EV_EFI_SPDM_FIRMWARE_CONFIG"},
	{0x800000e3, RULE_DESCRIBED, "EV_EFI_SPDM_DEVICE_POLICY"},
	{0x800000e4, RULE_DESCRIBED, "EV_EFI_SPDM_DEVICE_AUTHORITY"},
};
#define EVENT_LOG_TYPES (sizeof event_log_types / sizeof *event_log_types)

/* UEFI_VARIABLE_DATA: a GUID, two lengths, the name in UTF-16LE, the data. */
#define EVENT_LOG_VARIABLE_HEAD 32

struct event_log_variable {
	const unsigned char *name, *data;
	size_t name_len, data_len;  /* in bytes */
	size_t rest;                /* bytes after the data */
};

static bool
event_log_variable(const struct event_log_event *ev, struct event_log_variable *ret)
{
	uint64_t n[2] = {0};
	size_t left;

	if (ev->len < EVENT_LOG_VARIABLE_HEAD)
		return false;
	for (size_t i = 0; i < 16; i++)
		n[i / 8] |= (uint64_t)ev->data[16 + i] << (8 * (i % 8));
	left = ev->len - EVENT_LOG_VARIABLE_HEAD;
	if (n[0] > left / 2 || n[1] > left - 2 * (size_t)n[0])
		return false;
	ret->name = ev->data + EVENT_LOG_VARIABLE_HEAD;
	ret->name_len = 2 * (size_t)n[0];
	ret->data = ret->name + ret->name_len;
	ret->data_len = (size_t)n[1];
	ret->rest = left - ret->name_len - ret->data_len;
	return true;
}

static enum event_log_rule
event_log_rule(uint32_t type)
{
	for (size_t i = 0; i < EVENT_LOG_TYPES; i++) {
		if (event_log_types[i].type == type)
			return event_log_types[i].rule;
	}
	return RULE_DESCRIBED;
}

static bool
event_log_is_variable(uint32_t type)
{
	enum event_log_rule rule = event_log_rule(type);

	return rule == RULE_VARIABLE_BOOT || rule == RULE_AUTHORITY || type == 0x80000001 ||
	    type == 0x8000000c;
}

void
event_log_type_name(uint32_t type, char ret[EVENT_LOG_NAME_SIZE])
{
	for (size_t i = 0; i < EVENT_LOG_TYPES; i++) {
		if (event_log_types[i].type == type) {
			snprintf(ret, EVENT_LOG_NAME_SIZE, "%s", event_log_types[i].name);
			return;
		}
	}
	snprintf(ret, EVENT_LOG_NAME_SIZE, "0x%08x", type);
}

bool
event_log_type_parse(const char *name, uint32_t *ret)
{
	char again[EVENT_LOG_NAME_SIZE];
	uint32_t type;

	for (size_t i = 0; i < EVENT_LOG_TYPES; i++) {
		if (strcmp(event_log_types[i].name, name) == 0) {
			*ret = event_log_types[i].type;
			return true;
		}
	}
	type = (uint32_t)strtoul(name, NULL, 16);
	event_log_type_name(type, again);
	if (strcmp(name, again) != 0) /* a type has one spelling */
		return false;
	*ret = type;
	return true;
}

void
event_log_bank_name(const struct event_log_bank *b, char ret[EVENT_LOG_NAME_SIZE])
{
	if (b->known)
		snprintf(ret, EVENT_LOG_NAME_SIZE, "%s", hash_name(b->hash));
	else
		snprintf(ret, EVENT_LOG_NAME_SIZE, "0x%04x", b->alg);
}

/* Characters every `step` bytes, zeros between; a NUL at the end is no text. */
static bool
event_log_text_of(const unsigned char *p, size_t len, size_t step, char ret[EVENT_LOG_TEXT_MAX])
{
	size_t n = 0;

	if (len >= step && len % step == 0 && p[len - step] == 0 && (step == 1 || p[len - 1] == 0))
		len -= step;
	if (len == 0 || len % step != 0)
		return false;
	for (size_t i = 0; i < len; i += step) {
		if (p[i] < 0x20 || p[i] > 0x7e || (step == 2 && p[i + 1] != 0))
			return false;
		if (n < EVENT_LOG_TEXT_MAX - 1)
			ret[n++] = (char)p[i];
	}
	ret[n] = '\0';
	return true;
}

void
event_log_text(const struct event_log_event *ev, char ret[EVENT_LOG_TEXT_MAX])
{
	const unsigned char *p = ev->data;
	struct event_log_variable v;
	size_t len = ev->len;

	if (event_log_is_variable(ev->type) && event_log_variable(ev, &v)) {
		p = v.name;
		len = v.name_len;
	}
	if (!event_log_text_of(p, len, 1, ret) && !event_log_text_of(p, len, 2, ret))
		ret[0] = '\0';
}

static int
event_log_is_digest(const struct event_log_bank *b, const unsigned char *digest, const void *data,
    size_t len, bool *ret, struct err *e)
{
	unsigned char computed[HASH_SIZE_MAX];

	if (hash_once(b->hash, data, len, computed, e) != 0)
		return -1;
	*ret = memcmp(computed, digest, b->size) == 0;
	return 0;
}

/*
 * Of its commands and command lines GRUB measures the words and logs them behind a prefix;
 * of what others log as EV_IPL (files, shim's lists) only a description is there.  Words
 * that were not measured are told by the prefix alone.
 */
static int
event_log_matches_ipl(const struct event_log_bank *b, const unsigned char *digest,
    const struct event_log_event *ev, enum event_log_match *ret, struct err *e)
{
	static const char *const prefixes[] = {"grub_cmd", "kernel_cmdline", "module_cmdline"};
	size_t len = ev->len > 0 && ev->data[ev->len - 1] == '\0' ? ev->len - 1 : ev->len, skip = 0;
	bool ok = false;

	for (size_t i = 0; skip == 0 && i < sizeof prefixes / sizeof *prefixes; i++) {
		size_t n = strlen(prefixes[i]);

		if (len <= n || memcmp(ev->data, prefixes[i], n) != 0)
			continue;
		if (len >= n + 2 && memcmp(ev->data + n, ": ", 2) == 0)
			skip = n + 2;
		else if (ev->data[n] == ' ')
			skip = n + 1;
	}
	if (event_log_is_digest(b, digest, ev->data, len, &ok, e) != 0 ||
	    (!ok && skip > 0 && event_log_is_digest(b, digest, ev->data + skip, len - skip, &ok, e) != 0) ||
	    (!ok && skip > 0 && event_log_is_digest(b, digest, ev->data + skip, ev->len - skip, &ok, e) != 0))
		return -1;
	*ret = ok ? EVENT_LOG_MATCHES : skip > 0 ? EVENT_LOG_DIFFERS : EVENT_LOG_UNKNOWN;
	return 0;
}

/* Not the digest of the payload: of something else that the type allows? */
static int
event_log_matches_else(const struct event_log_bank *b, const unsigned char *digest,
    const struct event_log_event *ev, enum event_log_match *ret, struct err *e)
{
	static const unsigned char error[4] = {1, 0, 0, 0}, none[4];
	struct event_log_variable v = {0};
	bool ok = false, whole = event_log_variable(ev, &v);

	switch (event_log_rule(ev->type)) {
	case RULE_DESCRIBED:
	case RULE_NOTHING:
		*ret = EVENT_LOG_UNKNOWN;
		return 0;
	case RULE_PAYLOAD:
		*ret = EVENT_LOG_DIFFERS;
		return 0;
	case RULE_SEPARATOR:
		if (event_log_is_digest(b, digest, error, sizeof error, &ok, e) != 0)
			return -1;
		*ret = ok && (ev->len != sizeof none || memcmp(ev->data, none, sizeof none) != 0) ?
		    EVENT_LOG_UNKNOWN : EVENT_LOG_DIFFERS;
		return 0;
	case RULE_IPL:
		return event_log_matches_ipl(b, digest, ev, ret, e);
	case RULE_VARIABLE_BOOT:
		if (whole && event_log_is_digest(b, digest, v.data, v.data_len, &ok, e) != 0)
			return -1;
		*ret = ok ? EVENT_LOG_MATCHES : EVENT_LOG_DIFFERS;
		return 0;
	case RULE_AUTHORITY:
		*ret = whole && v.rest == 0 ? EVENT_LOG_DIFFERS : EVENT_LOG_UNKNOWN;
		return 0;
	}
	return err_set(e, ERR_INTERNAL, "event type 0x%08x has no rule", ev->type);
}

static int
event_log_matches_bank(const struct event_log_bank *b, const unsigned char *digest,
    const struct event_log_event *ev, enum event_log_match *ret, struct err *e)
{
	bool ok;

	if (event_log_is_digest(b, digest, ev->data, ev->len, &ok, e) != 0)
		return -1;
	if (ok) {
		*ret = EVENT_LOG_MATCHES;
		return 0;
	}
	return event_log_matches_else(b, digest, ev, ret, e);
}

/* One bank that differs is enough; all have to match. */
int
event_log_matches(const struct event_log *l, const struct event_log_event *ev,
    enum event_log_match *ret, struct err *e)
{
	enum event_log_match all = EVENT_LOG_UNKNOWN, one = EVENT_LOG_UNKNOWN;
	bool unknown = false;

	for (size_t i = 0; ev->type != EVENT_LOG_NO_ACTION && i < l->bank_count; i++) {
		if (ev->digest[i] == NULL || !l->banks[i].known)
			continue;
		if (event_log_matches_bank(&l->banks[i], ev->digest[i], ev, &one, e) != 0)
			return -1;
		unknown = unknown || one == EVENT_LOG_UNKNOWN;
		if (all != EVENT_LOG_DIFFERS)
			all = one;
	}
	*ret = unknown && all == EVENT_LOG_MATCHES ? EVENT_LOG_UNKNOWN : all;
	return 0;
}

int
event_log_altered(const struct event_log *l, size_t *ret_count, size_t *ret_first, struct err *e)
{
	size_t count = 0, first = 0;

	for (size_t k = 0; k < l->count; k++) {
		enum event_log_match match;

		if (event_log_matches(l, &l->events[k], &match, e) != 0)
			return -1;
		if (match != EVENT_LOG_DIFFERS)
			continue;
		if (count++ == 0)
			first = k;
	}
	*ret_count = count;
	*ret_first = first;
	return 0;
}
