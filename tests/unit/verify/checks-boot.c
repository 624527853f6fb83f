/* Boot logs, reference records, and who tries to reach a level that is not theirs. */
#include "verify/machine.h"

#include <string.h>
#include "object/statement.h"
#include "unit.h"

static struct machine m;
static const struct pki_options leaf = {.name = "ak", .key = PKI_P256, .usage = "digitalSignature"};

/* Everything in order: vtpm. */
static void
good(void)
{
	struct reference r;

	machine_new(&m);
	machine_pcrs(&m);
	machine_log(&m);
	machine_chain(&m, &leaf);
	machine_record(&m, HASH_SHA256, "a platform", &r);
	machine_know(&m, &r, 1);
	machine_finish(&m);
}

/* The machine as it is reaches no more than simulated, and is refused at vtpm. */
static void
stays_simulated(enum verdict_check c, const char *found)
{
	machine_finish(&m);
	machine_is(&m, LEVEL_SIMULATED, ANSWER_FAIL);
	machine_check(&m, c, VERDICT_SKIP, found);
	m.rq.required = LEVEL_SIMULATED;
	machine_is(&m, LEVEL_SIMULATED, ANSWER_PASS);
	machine_free(&m);
}

/* Refused at every level. */
static void
refused(enum verdict_check c, const char *found)
{
	machine_finish(&m);
	m.rq.required = LEVEL_SIMULATED;
	machine_is(&m, LEVEL_NONE, ANSWER_FAIL);
	machine_check(&m, c, VERDICT_FAIL, found);
	machine_free(&m);
}

START_TEST(everything_in_order)
{
	struct verdict *v;

	good();
	machine_is(&m, LEVEL_VTPM, ANSWER_PASS);
	v = forge_judge(&m.rq);
	ck_assert_int_eq(v->checks[CHECK_BOOT_LOG].result, VERDICT_PASS);
	ck_assert_str_eq(v->checks[CHECK_BOOT_REFERENCE].found, "base 1 on a platform");
	ck_assert_mem_eq(&v->reference_digest, &m.references.digest, OID_SIZE);
	ck_assert_ptr_nonnull(strstr(v->notes[0], "PCR 1"));
	for (size_t i = 0; i < v->note_count; i++)
		ck_assert_ptr_null(strstr(v->notes[i], "not what was measured"));
	verdict_free(v);
	/* an entry that grants less, and one that cannot grant confidential */
	m.entry.grants = LEVEL_DEVICE;
	machine_is(&m, LEVEL_DEVICE, ANSWER_FAIL);
	m.entry.grants = LEVEL_SIMULATED;
	machine_is(&m, LEVEL_SIMULATED, ANSWER_FAIL);
	m.entry.grants = LEVEL_CONFIDENTIAL;
	machine_is(&m, LEVEL_VTPM, ANSWER_PASS);
	m.rq.required = LEVEL_CONFIDENTIAL;
	machine_is(&m, LEVEL_VTPM, ANSWER_FAIL);
	machine_free(&m);
}
END_TEST

/* --- boot.log --- */

START_TEST(log_missing)
{
	good();
	m.rq.fetch = NULL;
	machine_is(&m, LEVEL_NONE, ANSWER_UNDECIDED);
	machine_check(&m, CHECK_BOOT_LOG, VERDICT_SKIP, "missing blob sha256:");
	m.rq.fetch = forge_fetch;
	m.objects.all[0].data.data[40] ^= 1;
	machine_check(&m, CHECK_BOOT_LOG, VERDICT_FAIL, "another digest");
	machine_free(&m);
}
END_TEST

START_TEST(log_of_another_boot)
{
	good();
	boot_log_text(&m.log, 4, 0x80000007, "one more");
	machine_log(&m);
	refused(CHECK_BOOT_LOG, "PCR 4 (sha256)");
	good();
	boot_log_text(&m.log, 13, 0xd, "an extension");
	machine_log(&m);
	refused(CHECK_BOOT_LOG, "event 18 (EV_IPL an extension, byte offset");
}
END_TEST

START_TEST(log_malformed)
{
	good();
	buf_addc(&m.log.bytes, 0);
	machine_log(&m);
	refused(CHECK_BOOT_LOG, "byte offset");
	good();
	m.f.cert.boot_log.size--;
	refused(CHECK_BOOT_LOG, "bytes, not");
	good();
	m.f.cert.boot_log.size = EVENT_LOG_BYTES_MAX + 1;
	refused(CHECK_BOOT_LOG, "more than");
}
END_TEST

static void
log_followed_by(const char *bytes, size_t len, bool said)
{
	struct verdict *v;
	bool noted = false;

	good();
	buf_add(&m.log.bytes, bytes, len);
	machine_log(&m);
	machine_finish(&m);
	machine_is(&m, LEVEL_VTPM, ANSWER_PASS);
	v = forge_judge(&m.rq);
	for (size_t i = 0; i < v->note_count; i++)
		noted = noted || strstr(v->notes[i], "after the end of the boot log") != NULL;
	ck_assert(noted == said);
	verdict_free(v);
	machine_free(&m);
}

START_TEST(log_with_more_behind_it)
{
	log_followed_by("", 0, false);
	log_followed_by("\377\377\377\377\377\377\377\377", 8, false);
	log_followed_by("\377\377\377\377\377\377\377\377and more", 16, true);
}
END_TEST

/* The digests are the machine's, the words somebody else's. */
START_TEST(log_with_other_words)
{
	static const char *const words[] = {
		"1 event of the boot log has a payload that is not what was measured (first: event 18, PCR 7)",
		"2 events of the boot log have payloads that are not what was measured (first: event 18, PCR 7)",
	};

	for (size_t i = 0; i < 2; i++) {
		struct verdict *v;
		bool noted = false;

		good();
		boot_log_add(&m.log, 7, 0x80000007, "as measured", 11, "as somebody would like it", 25);
		if (i == 1)
			boot_log_add(&m.log, 5, 0x5, "also", 4, "other", 5);
		machine_pcrs(&m);
		machine_log(&m);
		machine_finish(&m);
		m.rq.required = LEVEL_SIMULATED;
		v = forge_judge(&m.rq);
		ck_assert_int_eq(v->checks[CHECK_BOOT_LOG].result, VERDICT_PASS);
		for (size_t k = 0; k < v->note_count; k++)
			noted = noted || strstr(v->notes[k], words[i]) != NULL;
		ck_assert(noted);
		verdict_free(v);
		machine_free(&m);
	}
}
END_TEST

START_TEST(log_of_sha1)
{
	good();
	boot_log_free(&m.log);
	boot_log_new_sha1(&m.log);
	boot_log_typical(&m.log);
	machine_log(&m);
	refused(CHECK_BOOT_LOG, "only SHA-1");
}
END_TEST

/* Without a log fixed values carry vtpm, but not a device. */
START_TEST(log_absent)
{
	for (int empty = 0; empty < 2; empty++) {
		good();
		m.f.cert.boot_log.present = empty;
		m.f.cert.boot_log.size = 0;
		machine_finish(&m);
		machine_check(&m, CHECK_BOOT_LOG, VERDICT_SKIP, empty ? "is empty" : "no boot log");
		machine_is(&m, LEVEL_VTPM, ANSWER_PASS);
		m.entry.grants = LEVEL_DEVICE;
		machine_is(&m, LEVEL_SIMULATED, ANSWER_FAIL);
		machine_free(&m);
	}
}
END_TEST

/* --- boot.reference --- */

START_TEST(nearest_record_is_named)
{
	struct verdict *v;
	struct reference r;

	good();
	reference_set_free(&m.references);
	machine_record(&m, HASH_SHA256, "far away", &r);
	r.pcrs[0].value[0] ^= 1;
	r.pcrs[9].value[0] ^= 1;
	machine_know(&m, &r, 1);
	machine_record(&m, HASH_SHA256, "near", &r);
	r.pcrs[7].value[0] ^= 1;
	machine_know(&m, &r, 1);
	machine_record(&m, HASH_SHA384, "another bank", &r);
	machine_know(&m, &r, 1);
	machine_is(&m, LEVEL_SIMULATED, ANSWER_FAIL);
	v = forge_judge(&m.rq);
	ck_assert_int_eq(v->checks[CHECK_BOOT_REFERENCE].result, VERDICT_SKIP);
	ck_assert_ptr_nonnull(strstr(v->checks[CHECK_BOOT_REFERENCE].expected, "base 1 on near: PCR 7 "));
	ck_assert_int_eq(strncmp(v->checks[CHECK_BOOT_REFERENCE].found, "PCR 7 ", 6), 0);
	ck_assert_ptr_null(strstr(v->checks[CHECK_BOOT_REFERENCE].found, "PCR 9"));
	verdict_free(v);
	/* asked for, and not matched */
	m.rq.reference_required = true;
	m.rq.required = LEVEL_SIMULATED;
	machine_check(&m, CHECK_BOOT_REFERENCE, VERDICT_FAIL, "no reference record"); /* of those */
	m.references.documents[0].demanded = m.references.documents[1].demanded = true;
	machine_is(&m, LEVEL_NONE, ANSWER_FAIL);
	machine_check(&m, CHECK_BOOT_REFERENCE, VERDICT_FAIL, "PCR 7 ");
	reference_set_free(&m.references);
	machine_free(&m);
}
END_TEST

/* Every PCR that a record fixes counts; the others do not. */
START_TEST(every_fixed_pcr)
{
	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		struct reference r;

		good();
		reference_set_free(&m.references);
		machine_record(&m, HASH_SHA256, "a platform", &r);
		r.pcrs[pcr].value[31] ^= 0x80;
		machine_know(&m, &r, 1);
		if ((REFERENCE_ANY >> pcr & 1) != 0)
			machine_is(&m, LEVEL_VTPM, ANSWER_PASS);
		else
			machine_is(&m, LEVEL_SIMULATED, ANSWER_FAIL);
		machine_free(&m);
	}
}
END_TEST

/* Firmware of one platform and image values of another are in no one record. */
START_TEST(records_are_not_mixed)
{
	struct reference two[2];

	good();
	reference_set_free(&m.references);
	machine_record(&m, HASH_SHA256, "one", &two[0]);
	machine_record(&m, HASH_SHA256, "two", &two[1]);
	two[0].pcrs[0].value[0] ^= 1;  /* right but for the firmware */
	two[1].pcrs[11].value[0] ^= 1; /* right but for the image */
	machine_know(&m, two, 2);
	machine_is(&m, LEVEL_SIMULATED, ANSWER_FAIL);
	machine_check(&m, CHECK_BOOT_REFERENCE, VERDICT_SKIP, "PCR 0 ");
	machine_free(&m);
}
END_TEST

static void
knows_event(bool forbidden, const char *text, uint32_t type)
{
	struct reference r;
	struct err e;

	good();
	reference_set_free(&m.references);
	machine_record(&m, HASH_SHA256, "a platform", &r);
	r.events = calloc(1, sizeof *r.events);
	r.event_count = 1;
	r.events[0] = (struct reference_event){.forbidden = forbidden, .pcr = 5, .type = type,
	    .text = strdup(text)};
	UNIT_OK(hash_once(HASH_SHA256, text, strlen(text), r.events[0].digest, &e), &e);
	machine_know(&m, &r, 1);
}

START_TEST(events_of_a_record)
{
	static const char there[] = "Exit Boot Services Invocation";

	knows_event(false, there, 0x80000007);
	machine_is(&m, LEVEL_VTPM, ANSWER_PASS);
	/* a record that needs the log does not match without one */
	m.f.cert.boot_log.present = false;
	machine_finish(&m);
	machine_is(&m, LEVEL_SIMULATED, ANSWER_FAIL);
	machine_check(&m, CHECK_BOOT_REFERENCE, VERDICT_SKIP, "none");
	machine_free(&m);
	knows_event(false, "not there", 0x80000007);
	machine_check(&m, CHECK_BOOT_REFERENCE, VERDICT_SKIP, "not in the log");
	machine_free(&m);
	knows_event(false, there, 0xd); /* as another type */
	machine_check(&m, CHECK_BOOT_REFERENCE, VERDICT_SKIP, "not in the log");
	machine_free(&m);
	knows_event(true, "not there", 0x80000007);
	machine_is(&m, LEVEL_VTPM, ANSWER_PASS);
	machine_free(&m);
	/* logged as another type it is still there: the type is not in the TPM */
	knows_event(true, there, 0xd);
	machine_check(&m, CHECK_BOOT_REFERENCE, VERDICT_SKIP, "it is in the log");
	machine_free(&m);
}
END_TEST

/* --- levels that are not deserved --- */

/* A genuine AK and a stock image: root on it extends 14 and 15 as it likes. */
START_TEST(stock_image)
{
	good();
	reference_set_free(&m.references);
	stays_simulated(CHECK_BOOT_REFERENCE, "no reference record");
}
END_TEST

/* The log tells of the known image, the PCRs do not. */
START_TEST(log_of_the_known_image)
{
	good();
	m.f.pcrs.sha256[11][0] ^= 1;
	m.f.start_pcrs.sha256[11][0] ^= 1;
	machine_finish(&m);
	machine_check(&m, CHECK_BOOT_REFERENCE, VERDICT_SKIP, "PCR 11 ");
	refused(CHECK_BOOT_LOG, "PCR 11 (sha256)");
}
END_TEST

/* SHA-384 left at zero by firmware, and only that bank quoted. */
START_TEST(bank_left_at_zero)
{
	good();
	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		memset(m.f.pcrs.sha384[pcr], 0, 48);
		memset(m.f.start_pcrs.sha384[pcr], 0, 48);
	}
	m.f.sha256 = false;
	m.f.cert.boot_log.present = false;
	stays_simulated(CHECK_BOOT_REFERENCE, "in the sha384 bank");
	/* beside a bank that was measured it carries nothing */
	good();
	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		memset(m.f.pcrs.sha384[pcr], 0, 48);
		memset(m.f.start_pcrs.sha384[pcr], 0, 48);
	}
	machine_finish(&m);
	machine_is(&m, LEVEL_VTPM, ANSWER_PASS);
	machine_free(&m);
}
END_TEST

/* The other way round: SHA-384 carries the proof, and is named. */
START_TEST(only_sha384_measured)
{
	struct verdict *v;
	struct reference r;

	good();
	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		memset(m.f.pcrs.sha256[pcr], 0, 32);
		memset(m.f.start_pcrs.sha256[pcr], 0, 32);
	}
	machine_finish(&m);
	machine_is(&m, LEVEL_SIMULATED, ANSWER_FAIL);
	machine_record(&m, HASH_SHA384, "a platform", &r);
	machine_know(&m, &r, 1);
	machine_is(&m, LEVEL_VTPM, ANSWER_PASS);
	v = forge_judge(&m.rq);
	ck_assert_str_eq(v->bank, "sha384");
	verdict_free(v);
	machine_free(&m);
}
END_TEST

START_TEST(chain_unpinned)
{
	good();
	m.trust.count = 0;
	m.rq.trust = &m.trust;
	stays_simulated(CHECK_AK_CHAIN, "no trust entry");
	good();
	m.entry.purpose = TRUST_TSA; /* another purpose is another trust */
	stays_simulated(CHECK_AK_CHAIN, "no trust entry");
	good();
	m.entry.purpose = TRUST_EK;
	stays_simulated(CHECK_AK_CHAIN, "no trust entry");
	good();
	m.entry.not_after = FORGE_TIME - 1; /* no longer believed */
	stays_simulated(CHECK_AK_CHAIN, "no trust entry");
}
END_TEST

START_TEST(chain_broken)
{
	good();
	m.f.cert.ak_chain[0].data[m.f.cert.ak_chain[0].len - 3] ^= 1;
	refused(CHECK_AK_CHAIN, "");
	/* broken, and nobody pinned: no less broken */
	good();
	m.f.cert.ak_chain[0].data[m.f.cert.ak_chain[0].len - 3] ^= 1;
	m.trust.count = 0;
	refused(CHECK_AK_CHAIN, "");
}
END_TEST

START_TEST(ek_as_signer)
{
	static const struct pki_options ek = {.name = "ek", .key = PKI_P256, .usage = "keyAgreement"};

	good();
	for (int i = 0; i < 2; i++)
		buf_free(&m.f.cert.ak_chain[i]);
	machine_chain(&m, &ek);
	refused(CHECK_AK_KEY, "");
}
END_TEST

START_TEST(software_tpm)
{
	static const enum event_tpm kinds[] = {EVENT_TPM_EMBEDDED, EVENT_TPM_SWTPM, EVENT_TPM_MSSIM};

	good();
	m.f.events[FORGE_REQUEST].u.request.tpm = kinds[_i];
	m.entry.grants = LEVEL_CONFIDENTIAL;
	machine_finish(&m);
	machine_is(&m, LEVEL_SIMULATED, ANSWER_FAIL);
	machine_free(&m);
}
END_TEST

/* A pinned root and a record that fits are not enough where the TPM is a program. */
START_TEST(emulated_machine)
{
	CLEANUP(forge_verdict_freep) struct verdict *v = NULL;
	struct reference r;

	good();
	reference_set_free(&m.references);
	machine_record(&m, HASH_SHA256, "qemu-ovmf, 1 processor, Secure Boot off", &r);
	machine_know(&m, &r, 1);
	machine_finish(&m);
	machine_check(&m, CHECK_BOOT_REFERENCE, VERDICT_PASS, "base 1 on qemu-ovmf");
	machine_is(&m, LEVEL_SIMULATED, ANSWER_FAIL);
	m.rq.required = LEVEL_SIMULATED;
	machine_is(&m, LEVEL_SIMULATED, ANSWER_PASS);
	v = forge_judge(&m.rq);
	ck_assert(v->emulated);
	ck_assert_ptr_nonnull(strstr(v->notes[v->note_count - 2], "a program of whoever"));
	machine_free(&m);
}
END_TEST

START_TEST(image_not_measured)
{
	good();
	m.f.events[FORGE_IMAGE].u.image.has_verity = false;
	machine_finish(&m);
	machine_is(&m, LEVEL_SIMULATED, ANSWER_FAIL);
	machine_free(&m);
}
END_TEST

/* --- during the run --- */

START_TEST(pcrs_during_the_run)
{
	/* IMA goes on measuring */
	good();
	m.f.pcrs.sha256[10][0] ^= 1;
	m.f.pcrs.sha384[10][0] ^= 1;
	machine_finish(&m);
	machine_is(&m, LEVEL_VTPM, ANSWER_PASS);
	machine_free(&m);
	good();
	m.f.start_pcrs.sha256[11][0] ^= 1;
	refused(CHECK_QUOTE_START, "PCR 11 changed");
}
END_TEST

/* --- identities --- */

static void
identity_extra(struct attest *start, struct attest *final UNUSED)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	static const unsigned char nonce[32];
	struct oid spki = {{0}};
	struct err e;

	statement_identity_text(&text, nonce, &spki);
	UNIT_OK(hash_once(HASH_SHA256, text.data, text.len, start->extra, &e), &e);
}

static void
identity_is(const struct verify_identity *id, enum verdict_level level, enum verdict_check failed)
{
	struct verdict *v;
	struct err e;

	UNIT_OK(verify_identity(id, &v, &e), &e);
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++)
		ck_assert_msg((v->checks[c].result == VERDICT_FAIL) == (c == failed), "%s: %s",
		    verdict_check_name(c), v->checks[c].found);
	ck_assert_int_eq(v->level, level);
	verdict_free(v);
}

/* Something was measured into our registers before anybody asked; of a run of ours that
 * goes on, it was us. */
START_TEST(identity_of_a_used_boot)
{
	struct verify_identity id = {
		.tpm = EVENT_TPM_DEVICE, .required = LEVEL_SIMULATED, .time = FORGE_TIME,
	};

	for (unsigned pcr = 14; pcr <= 15; pcr++) {
		good();
		m.f.tweak = identity_extra;
		m.f.start_pcrs.sha256[pcr][31] = 1;
		machine_finish(&m);
		id.quote = &m.f.cert.start_quote;
		id.ak_public = &m.f.ak_public;
		id.trust = &m.trust;
		id.in_use = false;
		identity_is(&id, LEVEL_NONE, CHECK_QUOTE_PCRS);
		id.in_use = true;
		identity_is(&id, LEVEL_SIMULATED, CHECK_COUNT);
		machine_free(&m);
	}
}
END_TEST

START_TEST(identity)
{
	struct verify_identity id = {
		.tpm = EVENT_TPM_DEVICE, .required = LEVEL_VTPM, .time = FORGE_TIME,
	};

	good();
	m.f.tweak = identity_extra;
	machine_finish(&m);
	id.quote = &m.f.cert.start_quote;
	id.ak_public = &m.f.ak_public;
	id.ak_chain = m.f.cert.ak_chain;
	id.ak_chain_count = 2;
	id.trust = &m.trust;
	identity_is(&id, LEVEL_SIMULATED, CHECK_COUNT);
	id.references = &m.references;
	identity_is(&id, LEVEL_VTPM, CHECK_COUNT);
	id.boot_log = &m.log.bytes;
	identity_is(&id, LEVEL_VTPM, CHECK_COUNT);
	m.entry.grants = LEVEL_DEVICE;
	identity_is(&id, LEVEL_DEVICE, CHECK_COUNT);
	m.log.bytes.data[m.log.offset + 20] ^= 1;
	identity_is(&id, LEVEL_NONE, CHECK_BOOT_LOG);
	machine_free(&m);
}
END_TEST

UNIT_SUITE(checks_boot)
{
	tcase_add_test(tc, everything_in_order);
	tcase_add_test(tc, log_missing);
	tcase_add_test(tc, log_of_another_boot);
	tcase_add_test(tc, log_malformed);
	tcase_add_test(tc, log_with_more_behind_it);
	tcase_add_test(tc, log_with_other_words);
	tcase_add_test(tc, log_of_sha1);
	tcase_add_test(tc, log_absent);
	tcase_add_test(tc, nearest_record_is_named);
	tcase_add_test(tc, every_fixed_pcr);
	tcase_add_test(tc, records_are_not_mixed);
	tcase_add_test(tc, events_of_a_record);
	tcase_add_test(tc, stock_image);
	tcase_add_test(tc, log_of_the_known_image);
	tcase_add_test(tc, bank_left_at_zero);
	tcase_add_test(tc, only_sha384_measured);
	tcase_add_test(tc, chain_unpinned);
	tcase_add_test(tc, chain_broken);
	tcase_add_test(tc, ek_as_signer);
	tcase_add_loop_test(tc, software_tpm, 0, 3);
	tcase_add_test(tc, emulated_machine);
	tcase_add_test(tc, image_not_measured);
	tcase_add_test(tc, pcrs_during_the_run);
	tcase_add_test(tc, identity_of_a_used_boot);
	tcase_add_test(tc, identity);
}
