/*
 * The hardware report of the certificate.  It is not under the envelope's
 * signature and need not be: it speaks for itself, and for this certificate only
 * because it names the key that signed the quotes.
 */
#include "verify/checks.h"

#include "evidence/hardware.h"

/* Trust entries for hardware reports, valid at this time; *ret_index maps back. */
static size_t
checks_hardware_pins(const struct check_ctx *x, struct hardware_pin *pins, size_t *ret_index)
{
	size_t n = 0;

	for (size_t i = 0; x->trust != NULL && i < x->trust->count; i++) {
		const struct trust_entry *t = &x->trust->entries[i];

		if (t->purpose != TRUST_SNP || x->time < t->not_before || x->time > t->not_after)
			continue;
		pins[n] = (struct hardware_pin){.ark = t->cert, .launch = t->launch,
		    .launch_count = t->launch_count, .has_minimum = t->has_minimum_tcb,
		    .minimum = t->minimum_tcb};
		ret_index[n++] = i;
	}
	return n;
}

/* What nobody pinned is not wrong: it is no proof either, so it lifts no level. */
static int
checks_hardware_answer(struct check_ctx *x, const struct hardware *h, const size_t *index,
    struct err *e)
{
	enum hardware_part part = HARDWARE_REPORT;
	const struct hardware_finding *f;

	switch (hardware_result(h, &part)) {
	case HARDWARE_PASSED:
		if (h->parts[HARDWARE_AK].result != HARDWARE_PASSED ||
		    h->parts[HARDWARE_BINDING].result != HARDWARE_PASSED)
			return err_set(e, ERR_INTERNAL, "a hardware report that was not bound");
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		x->facts.hardware_grant = x->trust->entries[index[h->pin]].grants;
		return checks_pass(x, CHECK_HARDWARE_REPORT, e);
	case HARDWARE_UNPINNED:
		return checks_skip(x, CHECK_HARDWARE_REPORT, part == HARDWARE_CHAIN ?
		    "the chain of the report ends at no trust entry" :
		    "no trust entry pins what was launched: a report proves a CPU, not who emulates"
		    " the TPM", e);
	case HARDWARE_SKIPPED:
	case HARDWARE_FAILED:
		break;
	}
	f = &h->parts[part];
	return checks_fail(x, CHECK_HARDWARE_REPORT, buf_str(&f->expected), e, "%s: %s",
	    hardware_part_name(part), buf_str(&f->found));
}

static int
checks_hardware_judge(struct check_ctx *x, struct hardware_pin *pins, size_t *index, struct err *e)
{
	CLEANUP(hardware_free) struct hardware h = {0};
	const struct certificate_hardware *c = &x->cert->hardware;
	struct hardware_request rq = {
		.format = HARDWARE_HCL,
		.report = c->report.data,
		.len = c->report.len,
		.exact = true,
		.chain = c->chain,
		.chain_count = CERTIFICATE_HARDWARE_CHAIN,
		.pins = pins,
		.pin_count = checks_hardware_pins(x, pins, index),
		.ak = x->ak->key,
		.time = x->time,
	};
	struct err why;

	if (hardware_judge(&rq, &h, &why) != 0)
		return checks_error(x, CHECK_HARDWARE_REPORT, "a hardware report", &why, e);
	return checks_hardware_answer(x, &h, index, e);
}

int
checks_hardware_report(struct check_ctx *x, struct err *e)
{
	CLEANUP(cleanup_free) struct hardware_pin *pins = NULL;
	CLEANUP(cleanup_free) size_t *index = NULL;
	size_t count = x->trust != NULL ? x->trust->count : 0;

	if (x->cert == NULL || !x->cert->hardware.present)
		return checks_skip(x, CHECK_HARDWARE_REPORT, "no hardware report", e);
	if (x->ak == NULL)
		return checks_skip(x, CHECK_HARDWARE_REPORT, "the AK it must name cannot be read", e);
	pins = calloc(count + 1, sizeof *pins);
	index = calloc(count + 1, sizeof *index);
	if (pins == NULL || index == NULL)
		return err_nomem(e);
	return checks_hardware_judge(x, pins, index, e);
}
