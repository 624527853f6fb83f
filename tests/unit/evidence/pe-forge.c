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

		strncpy((char *)entry, f->sections[i].name, 8);
		pe_forge_u32(entry + 8, (uint32_t)f->sections[i].len);
		pe_forge_u32(entry + 20, (uint32_t)b.len);
		buf_add(&b, f->sections[i].data, f->sections[i].len);
		pe_forge_pad(&b);
		pe_forge_u32(entry + 16, (uint32_t)(b.len - (entry[20] | entry[21] << 8 | entry[22] << 16)));
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
