#include "evidence/uki.h"

#include <string.h>

const enum hash_alg uki_banks[UKI_BANKS] = {HASH_SHA256, HASH_SHA384};

static const struct {
	const char *name;
	const char *name_what, *what;
} uki_sections[UKI_SECTIONS] = {
	[UKI_LINUX] = {".linux", "the name .linux", "the kernel (.linux)"},
	[UKI_OSREL] = {".osrel", "the name .osrel", "the system's name and version (.osrel)"},
	[UKI_CMDLINE] = {".cmdline", "the name .cmdline", "the command line (.cmdline)"},
	[UKI_INITRD] = {".initrd", "the name .initrd", "the initramfs (.initrd)"},
	[UKI_SPLASH] = {".splash", "the name .splash", "the picture (.splash)"},
	[UKI_DTB] = {".dtb", "the name .dtb", "the device tree (.dtb)"},
	[UKI_PCRPKEY] = {".pcrpkey", "the name .pcrpkey", "the key of PCR signatures (.pcrpkey)"},
};

/* The stub looks at what is in memory, which the file has to fill. */
static int
uki_take(struct uki *u, size_t i, const struct pe_section *s, struct err *e)
{
	if (u->sections[i].data != NULL)
		return err_set(e, ERR_FORMAT, "UKI: two sections %s", uki_sections[i].name);
	if (s->memory_size > s->size)
		return err_set(e, ERR_FORMAT, "UKI: section %s is larger in memory than in the file",
		    uki_sections[i].name);
	u->sections[i].data = u->pe.data + s->offset;
	u->sections[i].len = s->memory_size;
	return 0;
}

static int
uki_take_sections(struct uki *u, struct err *e)
{
	for (size_t k = 0; k < u->pe.count; k++) {
		const struct pe_section *s = &u->pe.sections[k];

		if (strcmp(s->name, ".pcrsig") == 0 || strcmp(s->name, ".pcrpkey") == 0)
			return err_set(e, ERR_UNSUPPORTED, "UKI: with a section %s the stub adds files to the"
			    " initramfs; PCR 9 cannot be predicted", s->name);
		for (size_t i = 0; i < UKI_SECTIONS; i++) {
			if (s->memory_size > 0 && strcmp(s->name, uki_sections[i].name) == 0 &&
			    uki_take(u, i, s, e) != 0)
				return -1;
		}
	}
	for (size_t i = 0; i < UKI_SECTIONS; i++) {
		if (u->sections[i].data == NULL && (i == UKI_LINUX || i == UKI_CMDLINE || i == UKI_INITRD))
			return err_set(e, ERR_FORMAT, "UKI: no section %s", uki_sections[i].name);
	}
	return 0;
}

/* What the stub makes of other characters is not ours to guess. */
static int
uki_check_cmdline(const struct uki *u, struct err *e)
{
	for (size_t i = 0; i < u->sections[UKI_CMDLINE].len; i++) {
		unsigned char c = u->sections[UKI_CMDLINE].data[i];

		if (c < 0x20 || c > 0x7e)
			return err_set(e, ERR_UNSUPPORTED, "UKI: byte %zu of the command line is 0x%02x, not"
			    " printable ASCII", i, c);
	}
	return 0;
}

int
uki_decode(const void *data, size_t len, struct uki *ret, struct err *e)
{
	struct uki u = {0};

	if (pe_decode(data, len, &u.pe, e) != 0)
		return err_prefix(e, "UKI");
	if (uki_take_sections(&u, e) != 0 || uki_check_cmdline(&u, e) != 0)
		return -1;
	if (pe_decode(u.sections[UKI_LINUX].data, u.sections[UKI_LINUX].len, &u.kernel, e) != 0)
		return err_prefix(e, "UKI: the kernel in it");
	*ret = u;
	return 0;
}

/* One line NAME=VALUE or NAME="VALUE". */
static bool
uki_osrel_value(const char *line, size_t len, const char *name, char ret[UKI_TEXT_MAX])
{
	size_t skip = strlen(name);

	if (len <= skip || memcmp(line, name, skip) != 0 || line[skip] != '=')
		return false;
	line += skip + 1;
	len -= skip + 1;
	if (len >= 2 && line[0] == '"' && line[len - 1] == '"') {
		line++;
		len -= 2;
	}
	if (len == 0 || len >= UKI_TEXT_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (line[i] < 0x20 || line[i] > 0x7e || strchr("\"'\\$`", line[i]) != NULL)
			return false;
	}
	memcpy(ret, line, len);
	ret[len] = '\0';
	return true;
}

bool
uki_osrel(const struct uki *u, const char *name, char ret[UKI_TEXT_MAX])
{
	const char *p = (const char *)u->sections[UKI_OSREL].data;
	size_t left = u->sections[UKI_OSREL].len;

	while (p != NULL && left > 0) {
		const char *end = memchr(p, '\n', left);
		size_t len = end != NULL ? (size_t)(end - p) : left;

		if (uki_osrel_value(p, len, name, ret))
			return true;
		p = end != NULL ? end + 1 : NULL;
		left -= end != NULL ? len + 1 : len;
	}
	return false;
}

static int
uki_extend(enum hash_alg alg, unsigned char *value, const unsigned char *digest, struct err *e)
{
	unsigned char joined[2 * UKI_DIGEST_MAX];
	size_t size = hash_size(alg);

	memcpy(joined, value, size);
	memcpy(joined + size, digest, size);
	return hash_once(alg, joined, 2 * size, value, e);
}

/* The event whose digests are filled in, at the end. */
static int
uki_add_event(struct uki_prediction *p, unsigned pcr, const char *what, struct err *e)
{
	struct uki_event *ev = &p->events[p->count++];

	ev->pcr = pcr;
	ev->what = what;
	for (size_t i = 0; i < UKI_BANKS; i++) {
		if (uki_extend(uki_banks[i], p->pcrs[i][pcr], ev->digest[i], e) != 0)
			return -1;
	}
	return 0;
}

static int
uki_add_bytes(struct uki_prediction *p, unsigned pcr, const char *what, const void *data,
    size_t len, struct err *e)
{
	for (size_t i = 0; i < UKI_BANKS; i++) {
		if (hash_once(uki_banks[i], data, len, p->events[p->count].digest[i], e) != 0)
			return -1;
	}
	return uki_add_event(p, pcr, what, e);
}

static int
uki_add_pe(struct uki_prediction *p, const char *what, const struct pe *pe, struct err *e)
{
	for (size_t i = 0; i < UKI_BANKS; i++) {
		if (pe_authenticode(pe, uki_banks[i], p->events[p->count].digest[i], e) != 0)
			return -1;
	}
	return uki_add_event(p, 4, what, e);
}

static int
uki_predict_firmware(const struct uki *u, const struct uki_boot *b, struct uki_prediction *p,
    struct err *e)
{
	static const char action[] = "Calling EFI Application from Boot Option";
	static const unsigned char separator[4];
	static const char image[] = "the image";

	if (b->image_first && uki_add_pe(p, image, &u->pe, e) != 0)
		return -1;
	if (uki_add_bytes(p, 4, "the boot is announced", action, sizeof action - 1, e) != 0 ||
	    uki_add_bytes(p, 4, "separator", separator, sizeof separator, e) != 0)
		return -1;
	if (!b->image_first && uki_add_pe(p, image, &u->pe, e) != 0)
		return -1;
	return b->secure_boot ? 0 : uki_add_pe(p, "the kernel in it", &u->kernel, e);
}

/* The kernel sees the command line as UTF-16LE with a NUL at its end. */
static int
uki_predict_kernel(const struct uki *u, struct uki_prediction *p, struct err *e)
{
	CLEANUP(buf_free) struct buf wide = BUF_INIT;

	for (size_t i = 0; i < u->sections[UKI_CMDLINE].len; i++) {
		buf_addc(&wide, u->sections[UKI_CMDLINE].data[i]);
		buf_addc(&wide, 0);
	}
	buf_add(&wide, "\0", 2);
	if (buf_check(&wide, e) != 0)
		return -1;
	if (uki_add_bytes(p, 9, "the kernel's command line", wide.data, wide.len, e) != 0)
		return -1;
	return uki_add_bytes(p, 9, "the kernel's initramfs", u->sections[UKI_INITRD].data,
	    u->sections[UKI_INITRD].len, e);
}

static int
uki_predict_stub(const struct uki *u, struct uki_prediction *p, struct err *e)
{
	for (size_t i = 0; i < UKI_SECTIONS; i++) {
		if (u->sections[i].data == NULL)
			continue;
		if (uki_add_bytes(p, 11, uki_sections[i].name_what, uki_sections[i].name,
		    strlen(uki_sections[i].name) + 1, e) != 0 ||
		    uki_add_bytes(p, 11, uki_sections[i].what, u->sections[i].data, u->sections[i].len,
		    e) != 0)
			return -1;
	}
	return 0;
}

int
uki_predict(const struct uki *u, const struct uki_boot *boot, struct uki_prediction *ret,
    struct err *e)
{
	struct uki_prediction p = {0};

	if (uki_predict_firmware(u, boot, &p, e) != 0 || uki_predict_kernel(u, &p, e) != 0 ||
	    uki_predict_stub(u, &p, e) != 0)
		return -1;
	*ret = p;
	return 0;
}
