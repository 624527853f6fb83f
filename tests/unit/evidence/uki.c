#include "evidence/uki.h"

#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "base/hex.h"
#include "evidence/boot-log.h"
#include "evidence/pe-forge.h"
#include "unit.h"

static struct pe_forge kernel, image;

static void
made(struct uki *u)
{
	struct err e;

	pe_forge_kernel(&kernel);
	pe_forge_uki(&image, &kernel, PE_FORGE_CMDLINE);
	UNIT_OK(uki_decode(image.bytes.data, image.bytes.len, u, &e), &e);
}

static void
done(void)
{
	pe_forge_free(&kernel);
	pe_forge_free(&image);
}

START_TEST(sections)
{
	char text[UKI_TEXT_MAX];
	struct uki u;

	made(&u);
	ck_assert_uint_eq(u.sections[UKI_LINUX].len, kernel.bytes.len);
	ck_assert_mem_eq(u.sections[UKI_CMDLINE].data, PE_FORGE_CMDLINE, strlen(PE_FORGE_CMDLINE));
	ck_assert_ptr_null(u.sections[UKI_SPLASH].data);
	ck_assert(uki_osrel(&u, "IMAGE_ID", text));
	ck_assert_str_eq(text, "a base");
	ck_assert(uki_osrel(&u, "IMAGE_VERSION", text));
	ck_assert_str_eq(text, "7");
	ck_assert(!uki_osrel(&u, "IMAGE", text));
	ck_assert(!uki_osrel(&u, "VERSION", text));
	done();
}
END_TEST

static void
refused(enum err_code code, const char *words)
{
	struct uki u;
	struct err e;

	pe_forge_make(&image);
	UNIT_FAILS(uki_decode(image.bytes.data, image.bytes.len, &u, &e), &e, code);
	ck_assert_msg(strstr(e.msg, words) != NULL, "%s", e.msg);
}

START_TEST(wrong)
{
	struct uki u;

	made(&u);
	image.sections[2].name = ".other";
	refused(ERR_FORMAT, "no section .cmdline");
	image.sections[2].name = ".initrd";
	refused(ERR_FORMAT, "two sections .initrd");
	image.sections[2].name = ".cmdline";
	pe_forge_section(&image, ".pcrsig", "{}", 2);
	refused(ERR_UNSUPPORTED, ".pcrsig");
	image.count--;
	for (size_t i = 0; i < 3; i++) {
		static const char *const lines[] = {"quiet\n", "caf\xc3\xa9", "a\tb"};

		image.sections[2].data = lines[i];
		image.sections[2].len = strlen(lines[i]);
		refused(ERR_UNSUPPORTED, "command line");
	}
	image.sections[2].data = PE_FORGE_CMDLINE;
	image.sections[4].data = "no kernel";
	image.sections[4].len = 9;
	refused(ERR_FORMAT, "the kernel in it");
	done();
}
END_TEST

/* The stub would read zeros that are in no file. */
START_TEST(larger_in_memory)
{
	struct uki u;
	struct err e;

	made(&u);
	pe_forge_u32(image.bytes.data + PE_FORGE_TABLE + 3 * 40 + 8, 4096);
	UNIT_FAILS(uki_decode(image.bytes.data, image.bytes.len, &u, &e), &e, ERR_FORMAT);
	done();
}
END_TEST

static void
replays(const struct boot_log *b, const struct uki_prediction *p, size_t expected)
{
	CLEANUP(event_log_free) struct event_log l = {0};
	struct err e;

	UNIT_OK(event_log_decode(b->bytes.data, b->bytes.len, &l, &e), &e);
	for (size_t bank = 0; bank < UKI_BANKS; bank++) {
		CLEANUP(uki_comparison_free) struct uki_comparison c = {0};
		struct event_log_pcrs v;
		size_t i;

		ck_assert(event_log_bank(&l, uki_banks[bank], &i));
		UNIT_OK(event_log_replay(&l, i, &v, &e), &e);
		UNIT_OK(uki_compare(p, bank, &l, i, &c, &e), &e);
		ck_assert_uint_eq(c.differ, expected);
		for (unsigned pcr = 0; pcr < UKI_PCRS && expected == 0; pcr++) {
			if ((UKI_PCRS_PREDICTED >> pcr & 1) != 0)
				ck_assert_mem_eq(v.value[pcr], p->pcrs[bank][pcr], hash_size(uki_banks[bank]));
		}
	}
}

START_TEST(predicted)
{
	static const struct uki_boot boots[] = {{false, false}, {true, false}};
	static const unsigned char zero[48];

	for (size_t i = 0; i < 2; i++) {
		struct uki_prediction p;
		struct boot_log b;
		struct uki u;
		struct err e;

		made(&u);
		UNIT_OK(uki_predict(&u, &boots[i], &p, &e), &e);
		pe_forge_boot(&b, &u, &boots[i]);
		replays(&b, &p, 0);
		ck_assert_mem_eq(p.pcrs[0][8], zero, 32);
		ck_assert_mem_eq(p.pcrs[1][12], zero, 48);
		ck_assert_mem_eq(p.pcrs[1][13], zero, 48);
		boot_log_free(&b);
		done();
	}
}
END_TEST

/* The digests of image and kernel are those of pe_authenticode(), and in this order. */
START_TEST(order)
{
	static const struct uki_boot first = {false, true};
	struct uki_prediction p;
	unsigned char digest[48];
	struct uki u;
	struct err e;

	made(&u);
	UNIT_OK(uki_predict(&u, &first, &p, &e), &e);
	UNIT_OK(pe_authenticode(&u.pe, HASH_SHA384, digest, &e), &e);
	ck_assert_mem_eq(p.events[0].digest[1], digest, 48);
	UNIT_OK(pe_authenticode(&u.kernel, HASH_SHA256, digest, &e), &e);
	ck_assert_str_eq(p.events[3].what, "the kernel in it");
	ck_assert_mem_eq(p.events[3].digest[0], digest, 32);
	done();
}
END_TEST

static const struct uki_finding *
finding(const struct uki_comparison *c, unsigned pcr, enum uki_finding_kind kind)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->findings[i].pcr == pcr && c->findings[i].kind == kind)
			return &c->findings[i];
	}
	ck_abort_msg("no finding of kind %d in PCR %u", kind, pcr);
}

static void
compared(const struct boot_log *b, const struct uki_prediction *p, struct event_log *l,
    struct uki_comparison *c)
{
	struct err e;
	size_t i;

	UNIT_OK(event_log_decode(b->bytes.data, b->bytes.len, l, &e), &e);
	ck_assert(event_log_bank(l, HASH_SHA256, &i));
	UNIT_OK(uki_compare(p, 0, l, i, c, &e), &e);
}

/* Credentials on the ESP, another command line, a PCR that nobody may extend. */
START_TEST(explained)
{
	static const struct uki_boot how = {false, false};
	CLEANUP(event_log_free) struct event_log l = {0};
	CLEANUP(uki_comparison_free) struct uki_comparison c = {0};
	struct pe_forge other;
	struct uki_prediction p;
	struct boot_log b;
	struct uki u, v;
	struct err e;

	made(&u);
	pe_forge_boot(&b, &u, &how);
	boot_log_text(&b, 12, 0xd, "Credentials initrd");
	pe_forge_uki(&other, &kernel, PE_FORGE_CMDLINE " init=/bin/sh");
	UNIT_OK(uki_decode(other.bytes.data, other.bytes.len, &v, &e), &e);
	UNIT_OK(uki_predict(&v, &how, &p, &e), &e);
	compared(&b, &p, &l, &c);
	ck_assert_uint_eq(c.differ, 4); /* image, command line twice, credentials */
	ck_assert_str_eq(finding(&c, 4, UKI_CHANGED)->predicted->what, "the image");
	ck_assert_str_eq(finding(&c, 9, UKI_CHANGED)->predicted->what, "the kernel's command line");
	ck_assert_str_eq(finding(&c, 11, UKI_CHANGED)->predicted->what, "the command line (.cmdline)");
	ck_assert_ptr_null(finding(&c, 12, UKI_ADDED)->predicted);
	boot_log_free(&b);
	pe_forge_free(&other);
	done();
}
END_TEST

/* Secure Boot on where off was predicted, and the other way round. */
START_TEST(explained_secure_boot)
{
	static const struct uki_boot off = {false, false}, on = {true, false};
	const struct uki_boot *boots[] = {&off, &on};

	for (size_t i = 0; i < 2; i++) {
		CLEANUP(event_log_free) struct event_log l = {0};
		CLEANUP(uki_comparison_free) struct uki_comparison c = {0};
		struct uki_prediction p;
		struct boot_log b;
		struct uki u;
		struct err e;

		made(&u);
		pe_forge_boot(&b, &u, boots[i]);
		UNIT_OK(uki_predict(&u, boots[1 - i], &p, &e), &e);
		compared(&b, &p, &l, &c);
		ck_assert_uint_eq(c.differ, 1);
		finding(&c, 4, i == 0 ? UKI_ADDED : UKI_MISSING);
		boot_log_free(&b);
		done();
	}
}
END_TEST

/* systemd's own tool, where it is, over the same files. */
static void
measured_by_systemd(const struct uki *u, const char *bank, char *ret, size_t cap)
{
	static const char tool[] = "/usr/lib/systemd/systemd-measure";
	static const struct { enum uki_section s; const char *option; } files[] = {
		{UKI_LINUX, "linux"}, {UKI_OSREL, "osrel"}, {UKI_CMDLINE, "cmdline"},
		{UKI_INITRD, "initrd"},
	};
	CLEANUP(buf_free) struct buf command = BUF_INIT;
	char *line = NULL;
	size_t size = 0;
	FILE *out;

	buf_addf(&command, "%s calculate --bank=%s", tool, bank);
	for (size_t i = 0; i < 4; i++) {
		char path[256];
		FILE *f;

		snprintf(path, sizeof path, "%s/%s", unit_dir(), files[i].option);
		f = fopen(path, "w");
		ck_assert_ptr_nonnull(f);
		ck_assert_uint_eq(fwrite(u->sections[files[i].s].data, 1, u->sections[files[i].s].len, f),
		    u->sections[files[i].s].len);
		ck_assert_int_eq(fclose(f), 0);
		buf_addf(&command, " --%s=%s", files[i].option, path);
	}
	buf_adds(&command, " 2>/dev/null");
	out = popen(buf_str(&command), "r");
	ck_assert_ptr_nonnull(out);
	*ret = '\0';
	while (getline(&line, &size, out) > 0) { /* "11:sha256=HEX", one a boot phase */
		char *equals = strchr(line, '=');

		if (*ret == '\0' && equals != NULL && strncmp(line, "11:", 3) == 0)
			snprintf(ret, cap, "%.*s", (int)strcspn(equals + 1, "\n"), equals + 1);
	}
	free(line);
	pclose(out);
}

/* The tool adds the phase "enter-initrd", which our image does not measure. */
START_TEST(systemd_agrees)
{
	static const struct uki_boot how = {false, false};
	static const char *const names[] = {"sha256", "sha384"};
	struct uki_prediction p;
	char want[2 * 48 + 1], got[2 * 48 + 1];
	struct uki u;
	struct err e;

	made(&u);
	UNIT_OK(uki_predict(&u, &how, &p, &e), &e);
	for (size_t i = 0; i < UKI_BANKS; i++) {
		unsigned char joined[2 * 48], value[48];
		size_t size = hash_size(uki_banks[i]);

		measured_by_systemd(&u, names[i], want, sizeof want);
		memcpy(joined, p.pcrs[i][11], size);
		UNIT_OK(hash_once(uki_banks[i], "enter-initrd", 12, joined + size, &e), &e);
		UNIT_OK(hash_once(uki_banks[i], joined, 2 * size, value, &e), &e);
		hex_encode(got, value, size);
		ck_assert_str_eq(got, want);
	}
	done();
}
END_TEST

UNIT_SUITE(uki)
{
	tcase_add_test(tc, sections);
	tcase_add_test(tc, wrong);
	tcase_add_test(tc, larger_in_memory);
	tcase_add_test(tc, predicted);
	tcase_add_test(tc, order);
	tcase_add_test(tc, explained);
	tcase_add_test(tc, explained_secure_boot);
	if (access("/usr/lib/systemd/systemd-measure", X_OK) == 0)
		tcase_add_test(tc, systemd_agrees);
}
