/* PE files of our own making: a UKI with a kernel in it, whole or wrong. */
#ifndef UNIT_EVIDENCE_PE_FORGE_H
#define UNIT_EVIDENCE_PE_FORGE_H

#include "evidence/boot-log.h"
#include "evidence/uki.h"

#define PE_FORGE_SECTIONS_MAX 12
#define PE_FORGE_HEADERS 1024       /* SizeOfHeaders */
#define PE_FORGE_OPTIONAL 88        /* offset of the optional header */
#define PE_FORGE_CHECKSUM (PE_FORGE_OPTIONAL + 64)
#define PE_FORGE_SIGNATURE (PE_FORGE_OPTIONAL + 112 + 32) /* the directory's entry */
#define PE_FORGE_TABLE (PE_FORGE_OPTIONAL + 240)

struct pe_forge {
	struct {
		const char *name;
		const void *data;
		size_t len;
	} sections[PE_FORGE_SECTIONS_MAX];
	size_t count;
	const char *trailing;           /* after the last section; NULL: none */
	const char *signature;          /* at the end, and in the directory; NULL: none */
	struct buf bytes;
};

void pe_forge_section(struct pe_forge *f, const char *name, const void *data, size_t len);
/* bytes, out of the rest: sections 512-aligned in the file. */
void pe_forge_make(struct pe_forge *f);
void pe_forge_free(struct pe_forge *f);
void pe_forge_u32(unsigned char *p, uint32_t v);

#define PE_FORGE_CMDLINE "console=ttyS0 aicert.root=00"
#define PE_FORGE_INITRD "an initramfs"
#define PE_FORGE_OSREL "ID=debian\nIMAGE_ID=\"a base\"\nIMAGE_VERSION=7\n"
/* A UKI of five sections; kernel must outlive it. */
void pe_forge_kernel(struct pe_forge *kernel);
void pe_forge_uki(struct pe_forge *f, const struct pe_forge *kernel, const char *cmdline);
/* The log of its boot, SHA-256 and SHA-384, event by event as firmware, kernel and stub
 * make them, with the rest of a typical one around. */
void pe_forge_boot(struct boot_log *b, const struct uki *u, const struct uki_boot *how);

#endif
