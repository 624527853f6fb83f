#include "evidence/pe-forge.h"

#include <string.h>
#include "unit.h"

void
pe_forge_u32(unsigned char *p, uint32_t v)
{
	for (size_t i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (8 * i) & 0xff);
}

void
pe_forge_section(struct pe_forge *f, const char *name, const void *data, size_t len)
{
	ck_assert_uint_lt(f->count, PE_FORGE_SECTIONS_MAX);
	f->sections[f->count].name = name;
	f->sections[f->count].data = data;
	f->sections[f->count++].len = len;
}

static void
pe_forge_pad(struct buf *b)
{
	while (b->len % 512 != 0)
		buf_addc(b, 0);
}

static void
pe_forge_headers(const struct pe_forge *f, unsigned char h[PE_FORGE_HEADERS])
{
	memset(h, 0, PE_FORGE_HEADERS);
	memcpy(h, "MZ", 2);
	h[0x3c] = 64;
	memcpy(h + 64, "PE\0\0\x64\x86", 6);
	h[70] = (unsigned char)f->count;
	h[84] = 240;                    /* SizeOfOptionalHeader */
	memcpy(h + PE_FORGE_OPTIONAL, "\x0b\x02", 2);
	pe_forge_u32(h + PE_FORGE_OPTIONAL + 60, PE_FORGE_HEADERS);
	pe_forge_u32(h + PE_FORGE_CHECKSUM, 0x12345678);
	pe_forge_u32(h + PE_FORGE_OPTIONAL + 108, 16);
}

void
pe_forge_make(struct pe_forge *f)
{
	unsigned char h[PE_FORGE_HEADERS];
	struct buf b = BUF_INIT;

	pe_forge_headers(f, h);
	buf_add(&b, h, sizeof h);
	for (size_t i = 0; i < f->count; i++) {
		unsigned char *entry = h + PE_FORGE_TABLE + 40 * i;
		size_t offset = b.len;

		strncpy((char *)entry, f->sections[i].name, 8);
		pe_forge_u32(entry + 8, (uint32_t)f->sections[i].len);
		pe_forge_u32(entry + 20, (uint32_t)offset);
		buf_add(&b, f->sections[i].data, f->sections[i].len);
		pe_forge_pad(&b);
		pe_forge_u32(entry + 16, (uint32_t)(b.len - offset));
	}
	if (f->trailing != NULL)
		buf_adds(&b, f->trailing);
	if (f->signature != NULL) {
		pe_forge_u32(h + PE_FORGE_SIGNATURE, (uint32_t)b.len);
		pe_forge_u32(h + PE_FORGE_SIGNATURE + 4, (uint32_t)strlen(f->signature));
		buf_adds(&b, f->signature);
	}
	ck_assert(!b.failed);
	memcpy(b.data, h, sizeof h);
	buf_free(&f->bytes);
	f->bytes = b;
}

void
pe_forge_free(struct pe_forge *f)
{
	buf_free(&f->bytes);
}

void
pe_forge_kernel(struct pe_forge *kernel)
{
	static const char setup[] = "setup", text[] = "the kernel's text";

	*kernel = (struct pe_forge){0};
	pe_forge_section(kernel, ".setup", setup, sizeof setup);
	pe_forge_section(kernel, ".text", text, sizeof text);
	pe_forge_make(kernel);
}

void
pe_forge_uki(struct pe_forge *f, const struct pe_forge *kernel, const char *cmdline)
{
	*f = (struct pe_forge){0};
	pe_forge_section(f, ".text", "the stub", 8);
	pe_forge_section(f, ".osrel", PE_FORGE_OSREL, strlen(PE_FORGE_OSREL));
	pe_forge_section(f, ".cmdline", cmdline, strlen(cmdline));
	pe_forge_section(f, ".initrd", PE_FORGE_INITRD, strlen(PE_FORGE_INITRD));
	pe_forge_section(f, ".linux", kernel->bytes.data, kernel->bytes.len);
	pe_forge_make(f);
}

/* Authenticode has tests of its own: here the digests are taken as they are. */
static void
pe_forge_application(struct boot_log *b, const struct pe *pe)
{
	unsigned char digests[EVENT_LOG_BANKS_MAX][HASH_SIZE_MAX] = {{0}};
	struct err e;

	for (size_t i = 0; i < b->bank_count; i++)
		UNIT_OK(pe_authenticode(pe, b->banks[i], digests[i], &e), &e);
	boot_log_digests(b, 4, 0x80000003, digests, "path", 4);
}

static void
pe_forge_boot_firmware(struct boot_log *b, const struct uki *u, const struct uki_boot *how)
{
	if (how->image_first)
		pe_forge_application(b, &u->pe);
	boot_log_add(b, 0, 0x8, "\0", 2, "\0", 2);
	boot_log_variable(b, 7, 0x80000001, "SecureBoot", how->secure_boot ? "1" : "0", true);
	boot_log_text(b, 4, 0x80000007, "Calling EFI Application from Boot Option");
	for (uint32_t pcr = 0; pcr < 8; pcr++)
		boot_log_separator(b, pcr);
	if (!how->image_first)
		pe_forge_application(b, &u->pe);
	if (!how->secure_boot)
		pe_forge_application(b, &u->kernel);
}

void
pe_forge_boot(struct boot_log *b, const struct uki *u, const struct uki_boot *how)
{
	static const enum hash_alg banks[] = {HASH_SHA256, HASH_SHA384};
	static const struct {
		enum uki_section section;
		const char *name;
	} order[] = {
		{UKI_LINUX, ".linux"}, {UKI_OSREL, ".osrel"}, {UKI_CMDLINE, ".cmdline"},
		{UKI_INITRD, ".initrd"},
	};
	CLEANUP(buf_free) struct buf wide = BUF_INIT;

	boot_log_new(b, banks, 2);
	pe_forge_boot_firmware(b, u, how);
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		boot_log_add(b, 11, 0xd, order[i].name, strlen(order[i].name) + 1, "n", 1);
		boot_log_add(b, 11, 0xd, u->sections[order[i].section].data,
		    u->sections[order[i].section].len, "s", 1);
	}
	for (size_t i = 0; i < u->sections[UKI_CMDLINE].len; i++)
		boot_log_number(&wide, u->sections[UKI_CMDLINE].data[i], 2);
	boot_log_number(&wide, 0, 2);
	boot_log_add(b, 9, 0x6, wide.data, wide.len, "LoadOptions", 11);
	boot_log_add(b, 9, 0x6, u->sections[UKI_INITRD].data, u->sections[UKI_INITRD].len, "initrd", 6);
	boot_log_text(b, 5, 0x80000007, "Exit Boot Services Invocation");
}
