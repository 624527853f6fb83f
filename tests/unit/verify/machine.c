#include "verify/machine.h"

#include <string.h>
#include "evidence/fixture.h"
#include "unit.h"

static const enum hash_alg machine_banks[] = {HASH_SHA256, HASH_SHA384};

void
machine_new(struct machine *m)
{
	memset(m, 0, sizeof *m);
	forge_new(&m->f);
	m->f.events[FORGE_REQUEST].u.request.tpm = EVENT_TPM_DEVICE;
	m->f.events[FORGE_IMAGE].u.image.has_verity = true;
	memset(m->f.events[FORGE_IMAGE].u.image.verity, 7, 32);
	boot_log_new(&m->log, machine_banks, 2);
	boot_log_typical(&m->log);
	m->root = pki_root("root");
	m->ca = pki_ca("intermediate", m->root);
	m->entry = (struct trust_entry){.name = "root", .purpose = TRUST_AK, .grants = LEVEL_VTPM,
	    .not_before = 0, .not_after = INT64_MAX, .cert = pki_cert(m->root)};
	m->trust = (struct trust){.entries = &m->entry, .count = 1};
}

void
machine_free(struct machine *m)
{
	forge_free(&m->f);
	boot_log_free(&m->log);
	forge_objects_free(&m->objects);
	x509_free(m->entry.cert);
	pki_free(m->root);
	pki_free(m->ca);
	reference_set_free(&m->references);
}

void
machine_pcrs(struct machine *m)
{
	struct certificate_pcrs *all[] = {&m->f.start_pcrs, &m->f.pcrs};

	for (size_t i = 0; i < 2; i++) {
		for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
			memcpy(all[i]->sha256[pcr], m->log.pcrs[0][pcr], 32);
			memcpy(all[i]->sha384[pcr], m->log.pcrs[1][pcr], 48);
		}
	}
}

void
machine_log(struct machine *m)
{
	struct certificate_blob_ref *ref = &m->f.cert.boot_log;

	free(ref->media_type);
	ref->present = true;
	ref->media_type = strdup("application/octet-stream");
	ref->size = m->log.bytes.len;
	forge_keep(&m->objects, m->log.bytes.data, m->log.bytes.len, &ref->id);
}

void
machine_chain(struct machine *m, const struct pki_options *leaf)
{
	struct pki_options o = *leaf;

	if (o.issuer == NULL)
		o.issuer = m->ca;
	pki_free(m->f.ak);
	m->f.ak = pki_make(&o);
	buf_reset(&m->f.ak_public);
	fixture_public(m->f.ak, 0x0018, 0x000b, FIXTURE_ATTRIBUTES, &m->f.ak_public);
	pki_der(m->f.ak, &m->f.cert.ak_chain[0]);
	pki_der(m->ca, &m->f.cert.ak_chain[1]);
	m->f.cert.ak_chain_count = 2;
}

void
machine_record(const struct machine *m, enum hash_alg bank, const char *platform,
    struct reference *ret)
{
	*ret = (struct reference){.part = REFERENCE_WHOLE, .bank = bank, .platform = strdup(platform)};
	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		ret->pcrs[pcr].present = true;
		memcpy(ret->pcrs[pcr].value, m->log.pcrs[bank == HASH_SHA384][pcr], hash_size(bank));
		if ((REFERENCE_ANY >> pcr & 1) != 0)
			ret->pcrs[pcr].any = strdup("a reason");
	}
}

void
machine_document(struct reference *records, size_t n, struct buf *ret)
{
	struct reference_document d = {
		.has_image = true,
		.image = {strdup("base"), strdup("1"), strdup("unknown"), false, {{0}}},
		.records = malloc(n * sizeof *records),
		.count = n,
	};
	struct err e;

	memcpy(d.records, records, n * sizeof *records);
	UNIT_OK(reference_encode(&d, ret, &e), &e);
	reference_free(&d);
}

void
machine_know(struct machine *m, struct reference *records, size_t n)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;

	machine_document(records, n, &text);
	UNIT_OK(reference_set_add(&m->references, text.data, text.len, &e), &e);
}

void
machine_finish(struct machine *m)
{
	forge_finish(&m->f);
	m->rq = forge_request(&m->f);
	m->rq.required = LEVEL_VTPM;
	m->rq.trust = &m->trust;
	m->rq.references = &m->references;
	m->rq.fetch = forge_fetch;
	m->rq.fetch_arg = &m->objects;
}

void
machine_is(struct machine *m, enum verdict_level level, enum verdict_answer answer)
{
	CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&m->rq);

	for (enum verdict_check c = 0; c < CHECK_COUNT; c++)
		ck_assert_msg(answer == ANSWER_FAIL || v->checks[c].result != VERDICT_FAIL, "%s: %s",
		    verdict_check_name(c), v->checks[c].found);
	ck_assert_msg(v->level == level, "level %s", verdict_level_name(v->level));
	ck_assert_int_eq(v->answer, answer);
}

void
machine_check(struct machine *m, enum verdict_check c, enum verdict_result r, const char *found)
{
	CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&m->rq);

	ck_assert_msg(v->checks[c].result == r, "%s: %d: %s", verdict_check_name(c),
	    v->checks[c].result, v->checks[c].found);
	ck_assert_ptr_nonnull(v->checks[c].found);
	ck_assert_msg(strstr(v->checks[c].found, found) != NULL, "%s: %s lacks %s",
	    verdict_check_name(c), v->checks[c].found, found);
}
