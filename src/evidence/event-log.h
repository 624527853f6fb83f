/*
 * Boot logs: TCG PC Client event logs, as firmware leaves them and Linux shows
 * them in securityfs (binary_bios_measurements).  Two formats: TCG_PCR_EVENT of
 * the TPM 1.2 (SHA-1 alone) and TCG_PCR_EVENT2 after a Spec ID Event03
 * (crypto-agile).  TCG PC Client Platform Firmware Profile, section 10.
 *
 * A log claims nothing by itself: what counts is that it replays to values
 * which a TPM has signed.
 *
 * event-log.c reads one, event-log-name.c knows the event types and which of
 * them carry what was hashed, event-log-replay.c computes PCRs and compares.
 */
#ifndef EVIDENCE_EVENT_LOG_H
#define EVIDENCE_EVENT_LOG_H

#include <stdint.h>
#include "base/buf.h"
#include "crypto/hash.h"

#define EVENT_LOG_BYTES_MAX (16u * 1024 * 1024)
#define EVENT_LOG_EVENTS_MAX 65536
#define EVENT_LOG_BANKS_MAX 8
#define EVENT_LOG_PCRS 24
#define EVENT_LOG_NAME_SIZE 48
#define EVENT_LOG_TEXT_MAX 200

/* What boot.log compares whether logged or not: PCR 0-9 and 11-13. */
#define EVENT_LOG_PCRS_BOOT 0x3bffu

enum event_log_format { EVENT_LOG_SHA1, EVENT_LOG_CRYPTO_AGILE };
enum event_log_match { EVENT_LOG_UNKNOWN, EVENT_LOG_MATCHES, EVENT_LOG_DIFFERS };

enum event_log_type {           /* those that the code names; others have names only */
	EVENT_LOG_NO_ACTION = 0x3,
	EVENT_LOG_SEPARATOR = 0x4,
	EVENT_LOG_EFI_HCRTM = 0x80000010
};

struct event_log_bank {
	uint16_t alg;               /* TPM_ALG_ID */
	uint16_t size;
	bool known;                 /* hash is set: the bank can be computed */
	enum hash_alg hash;
};

struct event_log_event {
	size_t offset;              /* of its first byte in the log */
	uint32_t pcr, type;
	const unsigned char *digest[EVENT_LOG_BANKS_MAX]; /* by bank; NULL: none */
	const unsigned char *data;  /* the payload */
	size_t len;
};

/* The events are in the order of the log, without the Spec ID Event03 that
 * heads a crypto-agile one.  digest and data point into the bytes decoded. */
struct event_log {
	enum event_log_format format;
	struct event_log_bank banks[EVENT_LOG_BANKS_MAX];
	size_t bank_count;
	struct event_log_event *events;
	size_t count;
	bool has_locality;          /* a StartupLocality event says */
	unsigned locality;          /* 0, 3 or 4; 4 also when an H-CRTM event comes first */
	size_t end;                 /* offset of the end marker, or the length of the log */
	size_t trailing;            /* bytes from there on */
	bool padding;               /* all of them 0x00 or all 0xff, or there are none */
};

/*
 * data is borrowed as long as ret is used.  ERR_FORMAT names the byte offset of
 * the event that is malformed or cut short; ERR_UNSUPPORTED says "not a TPM
 * log" of a CCEL, the log of a confidential VM's RTMRs.  An empty log is
 * malformed; a log of SHA-1 alone is read, and it is event_log_compare() that
 * finds no bank in it.
 */
int event_log_decode(const void *data, size_t len, struct event_log *ret, struct err *e) MUST_CHECK;
void event_log_free(struct event_log *l);

/* "EV_SEPARATOR", or "0x12345678". */
void event_log_type_name(uint32_t type, char ret[EVENT_LOG_NAME_SIZE]);
/* False for a name that is no event type's and no "0x" with 8 digits. */
bool event_log_type_parse(const char *name, uint32_t *ret);
/* "sha256", "sm3", or "0x0027". */
void event_log_bank_name(const struct event_log_bank *b, char ret[EVENT_LOG_NAME_SIZE]);
/* The payload as printable ASCII where it is ASCII or UTF-16LE text; "" else.  Of a
 * UEFI variable, its name. */
void event_log_text(const struct event_log_event *ev, char ret[EVENT_LOG_TEXT_MAX]);

/*
 * Is the digest, in every bank that can be computed, that of the payload?  For
 * types whose payload is what was hashed EVENT_LOG_MATCHES or _DIFFERS; for
 * others, which describe it, MATCHES where it happens to be so, else UNKNOWN.
 */
int event_log_matches(const struct event_log *l, const struct event_log_event *ev,
    enum event_log_match *ret, struct err *e) MUST_CHECK;

/* How many events say another thing than what was measured (DIFFERS), and the first of
 * them.  It proves no attack, since some firmware logs other bytes than it hashes; but what
 * such an event says is nobody's word. */
int event_log_altered(const struct event_log *l, size_t *ret_count, size_t *ret_first,
    struct err *e) MUST_CHECK;

struct event_log_pcrs {
	uint32_t extended;          /* bit n: the log has events that extend PCR n */
	unsigned char value[EVENT_LOG_PCRS][HASH_SIZE_MAX]; /* the first bytes of each */
};

/* PCR values after the log, of bank number i; ERR_UNSUPPORTED unless it is known. */
int event_log_replay(const struct event_log *l, size_t i, struct event_log_pcrs *ret,
    struct err *e) MUST_CHECK;
/* False when the log has no such bank. */
bool event_log_bank(const struct event_log *l, enum hash_alg bank, size_t *ret_i);

/*
 * Does the log give these PCR values?  values: EVENT_LOG_PCRS of hash_size(bank)
 * bytes, one after the other; given: bit n, PCR n is among them.  Compared are
 * EVENT_LOG_PCRS_BOOT, and of the other PCRs, but for 16 and 23 which anyone
 * can reset, those that the log extends.  Every one compared must be given, and every event
 * that measures anything must have a digest of the bank.
 * false: reason names the PCR, and the event where it can be found out.
 * Of several logs of one boot, offer each: one that gives the values is the one.
 */
int event_log_compare(const struct event_log *l, enum hash_alg bank, const unsigned char *values,
    uint32_t given, bool *ret_ok, struct buf *reason, struct err *e) MUST_CHECK;

#endif
