#include "evidence/pcr-values.h"

#include <string.h>
#include "base/hex.h"
#include "codec/jcs.h"

static int
pcr_values_index(const char *name, unsigned *ret, struct err *e)
{
	char again[8];

	for (unsigned pcr = 0; pcr < ATTEST_PCRS; pcr++) {
		snprintf(again, sizeof again, "%u", pcr);
		if (strcmp(name, again) == 0) {
			*ret = pcr;
			return 0;
		}
	}
	return err_set(e, ERR_FORMAT, "PCR values: %s is not one of 0 to %d", name, ATTEST_PCRS - 1);
}

static int
pcr_values_bank(const struct jcs *o, enum hash_alg bank, struct pcr_values *v, struct err *e)
{
	if (jcs_type(o) != JCS_OBJECT)
		return err_set(e, ERR_FORMAT, "PCR values: bank %s is not an object", hash_name(bank));
	for (size_t i = 0; i < jcs_length(o); i++) {
		const char *name, *text = jcs_string(jcs_member(o, i, &name));
		unsigned pcr = 0;

		if (pcr_values_index(name, &pcr, e) != 0)
			return -1;
		if (text == NULL)
			return err_set(e, ERR_FORMAT, "PCR values: %s:%u is not a string",
			    hash_name(bank), pcr);
		if (hex_decode_any(v->value[bank][pcr], hash_size(bank), text, e) != 0)
			return err_prefix(e, "PCR values: %s:%u", hash_name(bank), pcr);
		v->given[bank] |= 1u << pcr;
	}
	return 0;
}

int
pcr_values_decode(const void *json, size_t len, struct pcr_values *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *o = NULL;
	struct pcr_values v = {0};

	if (jcs_decode_any(json, len, PCR_VALUES_BYTES_MAX, &o, e) != 0)
		return err_prefix(e, "PCR values");
	if (jcs_type(o) != JCS_OBJECT)
		return err_set(e, ERR_FORMAT, "PCR values: not an object of banks");
	for (size_t i = 0; i < jcs_length(o); i++) {
		const char *name;
		const struct jcs *values = jcs_member(o, i, &name);
		enum hash_alg bank = HASH_SHA1;

		if (hash_from_name(name, &bank, NULL) != 0 || bank >= PCR_VALUES_BANKS) {
			if (v.unknown[0] == '\0')
				snprintf(v.unknown, sizeof v.unknown, "%s", name);
			continue;
		}
		if (pcr_values_bank(values, bank, &v, e) != 0)
			return -1;
	}
	*ret = v;
	return 0;
}

const unsigned char *
pcr_values_get(const struct pcr_values *v, enum hash_alg bank, unsigned pcr)
{
	if (bank >= PCR_VALUES_BANKS || pcr >= ATTEST_PCRS || (v->given[bank] >> pcr & 1) == 0)
		return NULL;
	return v->value[bank][pcr];
}

static int
pcr_values_feed(const struct pcr_values *v, const struct attest_selection *s, struct hash *h,
    bool *ret_ok, struct buf *reason, struct err *e)
{
	for (unsigned pcr = 0; pcr < ATTEST_PCRS; pcr++) {
		const unsigned char *value = pcr_values_get(v, s->bank, pcr);

		if ((s->mask >> pcr & 1) == 0)
			continue;
		if (value == NULL) {
			buf_addf(reason, "the quote covers %s:%u, whose value is not given",
			    hash_name(s->bank), pcr);
			*ret_ok = false;
			return buf_check(reason, e);
		}
		if (hash_update(h, value, hash_size(s->bank), e) != 0)
			return -1;
	}
	*ret_ok = true;
	return 0;
}

int
pcr_values_digest(const struct pcr_values *v, const struct attest *a, enum hash_alg alg,
    unsigned char ret[HASH_SIZE_MAX], bool *ret_ok, struct buf *reason, struct err *e)
{
	CLEANUP(hash_freep) struct hash *h = NULL;
	bool ok = true;

	if (hash_new(alg, &h, e) != 0)
		return -1;
	for (size_t i = 0; ok && i < a->selection_count; i++) {
		if (pcr_values_feed(v, &a->selection[i], h, &ok, reason, e) != 0)
			return -1;
	}
	*ret_ok = ok;
	return ok ? hash_final(h, ret, e) : 0;
}
