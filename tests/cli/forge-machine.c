/*
 * forge-machine [VARIANT]: commits, in the store of the current directory, the
 * certificate of a machine with a TPM that booted a known image, and writes what a
 * verifier may know of it: trust.json, image.json (parts), whole.json.
 * "other": the same with another command line in PCR 9.  "uki", "uki-secure-boot",
 * "uki-other", "uki-credentials": the boot of a UKI, as it should be or not, whose image
 * is image.efi, its log boot.log.
 */
#include <fcntl.h>
#include <string.h>
#include "base/atomic-file.h"
#include "cmd/commit-record.h"
#include "codec/base64.h"
#include "evidence/pe-forge.h"
#include "store/odb.h"
#include "unit.h"
#include "verify/machine.h"

static const struct commit_record record = {
	.author_name = "Test Author", .author_email = "test@localhost", .message = "a machine",
};

static void
write_file(const char *name, const struct buf *text)
{
	struct err e;

	UNIT_OK(atomic_file_write(AT_FDCWD, name, text->data, text->len, 0644, &e), &e);
}

static void
write_trust(const struct machine *m)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	pki_der(m->root, &der);
	buf_adds(&text, "{\"certificate\":\"");
	base64_encode(&text, der.data, der.len);
	buf_adds(&text, "\",\"grants\":\"vtpm\",\"mediaType\":\"application/vnd.aicert.trust.v1+json\","
	    "\"name\":\"root\",\"notAfter\":\"2040-01-01T00:00:00Z\",\"notBefore\":"
	    "\"2020-01-01T00:00:00Z\",\"purpose\":\"ak\"}");
	write_file("trust.json", &text);
}

static void
write_records(const struct machine *m, enum reference_part part, const char *name)
{
	static const enum hash_alg banks[] = {HASH_SHA256, HASH_SHA384};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct reference r[2];

	for (size_t i = 0; i < 2; i++) {
		machine_record(m, banks[i], "any", &r[i]);
		r[i].part = part;
		for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
			if ((reference_part_pcrs(part) >> pcr & 1) != 0)
				continue;
			free(r[i].pcrs[pcr].any);
			r[i].pcrs[pcr] = (struct reference_pcr){0};
		}
	}
	machine_document(r, 2, &text);
	write_file(name, &text);
}

static void
commit(struct machine *m)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct commit_run_result result = {.run_ok = true};
	struct oid id;
	struct err e;

	UNIT_OK(store_discover(".", 0, &s, &e), &e);
	UNIT_OK(odb_put(s, m->log.bytes.data, m->log.bytes.len, &m->f.cert.boot_log.id, &e), &e);
	result.bytes = m->f.bytes;
	result.id = m->f.id;
	UNIT_OK(commit_record(s, &result, &record, &id, &e), &e);
}

static const char *variant = "";

/* The log of a boot of image.efi, or of what the attacker put in its place. */
static void
boot_uki(struct machine *m)
{
	const struct uki_boot how = {.secure_boot = strcmp(variant, "uki-secure-boot") == 0};
	const char *cmdline = strcmp(variant, "uki-other") == 0 ? PE_FORGE_CMDLINE " init=/bin/sh" :
	    PE_FORGE_CMDLINE;
	struct pe_forge kernel, image;
	struct uki u;
	struct err e;

	pe_forge_kernel(&kernel);
	pe_forge_uki(&image, &kernel, PE_FORGE_CMDLINE);
	write_file("image.efi", &image.bytes);
	pe_forge_free(&image);
	pe_forge_uki(&image, &kernel, cmdline);
	UNIT_OK(uki_decode(image.bytes.data, image.bytes.len, &u, &e), &e);
	boot_log_free(&m->log);
	pe_forge_boot(&m->log, &u, &how);
	if (strcmp(variant, "uki-credentials") == 0)
		boot_log_text(&m->log, 12, 0xd, "Credentials initrd");
	write_file("boot.log", &m->log.bytes);
	pe_forge_free(&image);
	pe_forge_free(&kernel);
}

START_TEST(machine)
{
	static const struct pki_options leaf = {
		.name = "ak", .key = PKI_P256, .usage = "digitalSignature",
	};
	static struct machine m;

	machine_new(&m);
	if (strcmp(variant, "other") == 0)
		boot_log_add(&m.log, 9, 0x6, "another command line", 20, "tag", 3);
	else if (strncmp(variant, "uki", 3) == 0)
		boot_uki(&m);
	machine_pcrs(&m);
	machine_log(&m);
	machine_chain(&m, &leaf);
	machine_finish(&m);
	commit(&m);
	write_trust(&m);
	write_records(&m, REFERENCE_IMAGE, "image.json");
	write_records(&m, REFERENCE_WHOLE, "whole.json");
	machine_free(&m);
}
END_TEST

/* What forges asserts as a test does. */
int
main(int argc, char **argv)
{
	Suite *suite = suite_create("forge-machine");
	SRunner *runner = srunner_create(suite);
	TCase *tc = tcase_create("machine");
	int failed;

	if (argc > 1)
		variant = argv[1];
	tcase_add_test(tc, machine);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_MINIMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
