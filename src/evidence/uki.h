/*
 * What booting a Unified Kernel Image measures, out of its file alone: a PE file
 * with systemd's stub, whose sections hold a kernel, its command line and its
 * initramfs (aicert-image(1)).
 *
 *     PCR 4   firmware: how it boots, the image, and, with Secure Boot off, the kernel
 *     PCR 8   nothing; a boot loader that is not ours would
 *     PCR 9   the kernel's own stub: command line, initramfs
 *     PCR 11  systemd's stub: name and content of each section
 *     PCR 12, 13  nothing; load options, credentials and extensions would
 *
 * uki.c reads and predicts, uki-compare.c compares with the log of a boot.
 */
#ifndef EVIDENCE_UKI_H
#define EVIDENCE_UKI_H

#include "evidence/event-log.h"
#include "evidence/pe.h"

#define UKI_TEXT_MAX 256
#define UKI_EVENTS_MAX 24
#define UKI_PCRS 14
#define UKI_BANKS 2
#define UKI_DIGEST_MAX 48

/* In the order in which the stub measures them. */
enum uki_section {
	UKI_LINUX, UKI_OSREL, UKI_CMDLINE, UKI_INITRD, UKI_SPLASH, UKI_DTB, UKI_PCRPKEY, UKI_SECTIONS
};

struct uki {
	struct pe pe, kernel;
	struct {
		const unsigned char *data;  /* NULL: there is no such section */
		size_t len;
	} sections[UKI_SECTIONS];
};

/*
 * data is borrowed as long as ret is used.  ERR_FORMAT: no UKI, two sections of one
 * name, a section that is larger in memory than in the file; ERR_UNSUPPORTED:
 * sections that make the stub change the initramfs, a command line that is not
 * printable ASCII.
 */
int uki_decode(const void *data, size_t len, struct uki *ret, struct err *e) MUST_CHECK;
/* A value of the section .osrel, unquoted; false when there is none that fits. */
bool uki_osrel(const struct uki *u, const char *name, char ret[UKI_TEXT_MAX]);

/* What firmware does before and between. */
struct uki_boot {
	bool secure_boot;       /* it has verified the image, and the kernel is not measured */
	bool image_first;       /* the image is measured before the boot is announced */
};

struct uki_event {
	unsigned pcr;
	const char *what;       /* words for people, static */
	unsigned char digest[UKI_BANKS][UKI_DIGEST_MAX];
};

struct uki_prediction {
	struct uki_event events[UKI_EVENTS_MAX];
	size_t count;
	/* PCR 4, 8, 9, 11, 12 and 13; the others are left zero */
	unsigned char pcrs[UKI_BANKS][UKI_PCRS][UKI_DIGEST_MAX];
};

extern const enum hash_alg uki_banks[UKI_BANKS];    /* SHA-256, SHA-384 */
#define UKI_PCRS_PREDICTED 0x3b10u                  /* as a mask */

int uki_predict(const struct uki *u, const struct uki_boot *boot, struct uki_prediction *ret,
    struct err *e) MUST_CHECK;

/* One line of a comparison. */
struct uki_finding {
	enum uki_finding_kind {
		UKI_SAME,           /* as predicted */
		UKI_CHANGED,        /* another digest in the place of the predicted event */
		UKI_ADDED,          /* logged, and not predicted */
		UKI_MISSING         /* predicted, and not logged */
	} kind;
	unsigned pcr;
	size_t logged;              /* index of the log's event; SIZE_MAX: none */
	const struct uki_event *predicted; /* NULL: none */
};

struct uki_comparison {
	struct uki_finding *findings;   /* PCR by PCR, in the log's order */
	size_t count, differ;
};

/* PCR 4, 8, 9 and 11 to 13 of one bank (0 or 1 of uki_banks), which is number log_bank
 * of the log.  The prediction must outlive *ret. */
int uki_compare(const struct uki_prediction *p, size_t bank, const struct event_log *l,
    size_t log_bank, struct uki_comparison *ret, struct err *e) MUST_CHECK;
void uki_comparison_free(struct uki_comparison *c);

#endif
