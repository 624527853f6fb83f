/* The verdict as data.  verdict-json.c and verdict-text.c write it out. */
#include "verify/verdict-internal.h"

#include <stdarg.h>
#include <string.h>
#include "base/printable.h"

#define VERDICT_CLAUSE(n) "aicert-certificate(5) section " n

static const struct {
	const char *name;
	const char *clause;
} verdict_checks[CHECK_COUNT] = {
	[CHECK_OBJECT_ID] = {"object.id", VERDICT_CLAUSE("2")},
	[CHECK_CERTIFICATE_CANONICAL] = {"certificate.canonical", VERDICT_CLAUSE("3")},
	[CHECK_EVENTS_GRAMMAR] = {"events.grammar", VERDICT_CLAUSE("4")},
	[CHECK_AK_CHAIN] = {"ak.chain", VERDICT_CLAUSE("5")},
	[CHECK_AK_KEY] = {"ak.key", VERDICT_CLAUSE("5")},
	[CHECK_QUOTE_STRUCTURE] = {"quote.structure", VERDICT_CLAUSE("5")},
	[CHECK_QUOTE_SIGNATURE] = {"quote.signature", VERDICT_CLAUSE("5")},
	[CHECK_QUOTE_BINDING] = {"quote.binding", VERDICT_CLAUSE("5")},
	[CHECK_QUOTE_PCRS] = {"quote.pcrs", VERDICT_CLAUSE("5")},
	[CHECK_QUOTE_START] = {"quote.start", VERDICT_CLAUSE("5")},
	[CHECK_BOOT_LOG] = {"boot.log", VERDICT_CLAUSE("5")},
	[CHECK_BOOT_REFERENCE] = {"boot.reference", VERDICT_CLAUSE("5")},
	[CHECK_INPUTS_LOG] = {"inputs.log", VERDICT_CLAUSE("5")},
	[CHECK_OUTPUTS_LOG] = {"outputs.log", VERDICT_CLAUSE("5")},
	[CHECK_RUN_EXIT] = {"run.exit", VERDICT_CLAUSE("4")},
	[CHECK_ENVELOPE_STATEMENT] = {"envelope.statement", VERDICT_CLAUSE("6")},
	[CHECK_ENVELOPE_SIGNATURE] = {"envelope.signature", VERDICT_CLAUSE("6")},
	[CHECK_HARDWARE_REPORT] = {"hardware.report", VERDICT_CLAUSE("7")},
	[CHECK_TIME_PROOF] = {"time.proof", VERDICT_CLAUSE("7")},
	[CHECK_COMMIT_SIGNATURE] = {"commit.signature", VERDICT_CLAUSE("7")},
	[CHECK_FILES_OUTPUTS] = {"files.outputs", VERDICT_CLAUSE("7")},
	[CHECK_FILES_INPUTS] = {"files.inputs", VERDICT_CLAUSE("7")},
	[CHECK_CHAIN_INPUTS] = {"chain.inputs", VERDICT_CLAUSE("7")},
	[CHECK_REVOCATION] = {"revocation", VERDICT_CLAUSE("7")},
	[CHECK_POLICY] = {"policy", VERDICT_CLAUSE("7")},
};

static const char *const verdict_levels[] = {
	[LEVEL_NONE] = "none",
	[LEVEL_SIMULATED] = "simulated",
	[LEVEL_DEVICE] = "device",
	[LEVEL_VTPM] = "vtpm",
	[LEVEL_CONFIDENTIAL] = "confidential",
};

const char *
verdict_check_name(enum verdict_check c)
{
	return c < CHECK_COUNT ? verdict_checks[c].name : "unknown";
}

const char *
verdict_check_clause(enum verdict_check c)
{
	return c < CHECK_COUNT ? verdict_checks[c].clause : "unknown";
}

const char *
verdict_level_name(enum verdict_level l)
{
	return l <= LEVEL_CONFIDENTIAL ? verdict_levels[l] : "unknown";
}

int
verdict_check_parse(const char *name, enum verdict_check *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf all = BUF_INIT;

	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		if (strcmp(name, verdict_checks[c].name) == 0) {
			*ret = c;
			return 0;
		}
		buf_addf(&all, " %s", verdict_checks[c].name);
	}
	return err_set(e, ERR_USAGE, "%s: no check; they are%s", name, buf_str(&all));
}

int
verdict_level_parse(const char *name, enum verdict_level *ret, struct err *e)
{
	for (enum verdict_level l = LEVEL_SIMULATED; l <= LEVEL_CONFIDENTIAL; l++) {
		if (strcmp(name, verdict_levels[l]) == 0) {
			*ret = l;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE,
	    "%s: no claim level; they are simulated, device, vtpm and confidential", name);
}

int
verdict_new(struct verdict **ret, struct err *e)
{
	struct verdict *v = calloc(1, sizeof *v);

	if (v == NULL)
		return err_nomem(e);
	*ret = v;
	return 0;
}

void
verdict_free(struct verdict *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < CHECK_COUNT; i++) {
		free(v->checks[i].expected);
		free(v->checks[i].found);
	}
	for (size_t i = 0; i < v->note_count; i++)
		free(v->notes[i]);
	for (size_t i = 0; i < v->chain_count; i++)
		verdict_free(v->chain[i]);
	free(v->notes);
	free(v->chain);
	free(v->subject);
	free(v->bank);
	free(v->time_source);
	free(v->run.command);
	free(v->run.image);
	free(v->root);
	free(v);
}

/* What was found first stays: a check that failed keeps its first reason. */
int
verdict_set(struct verdict *v, enum verdict_check c, enum verdict_result r,
    const char *expected, const char *found, struct err *e)
{
	struct verdict_item *item = &v->checks[c];
	char *new_expected = NULL, *new_found = NULL;

	if (item->result == VERDICT_FAIL)
		return 0;
	if ((expected != NULL && (new_expected = printable(expected, e)) == NULL) ||
	    (found != NULL && (new_found = printable(found, e)) == NULL)) {
		free(new_expected);
		return -1;
	}
	free(item->expected);
	free(item->found);
	item->result = r;
	item->missing = false;
	item->expected = new_expected;
	item->found = new_found;
	return 0;
}

int
verdict_missing(struct verdict *v, enum verdict_check c, const char *what, struct err *e)
{
	CLEANUP(cleanup_free) char *found = NULL;

	if (v->checks[c].result == VERDICT_FAIL)
		return 0;
	found = buf_strfmt(e, "missing %s", what);
	if (found == NULL || verdict_set(v, c, VERDICT_SKIP, NULL, found, e) != 0)
		return -1;
	v->checks[c].missing = true;
	return 0;
}

int
verdict_note(struct verdict *v, struct err *e, const char *fmt, ...)
{
	char **notes, *note, raw[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	note = printable(raw, e);
	if (note == NULL)
		return -1;
	notes = realloc(v->notes, (v->note_count + 1) * sizeof *notes);
	if (notes == NULL) {
		free(note);
		return err_nomem(e);
	}
	v->notes = notes;
	notes[v->note_count++] = note;
	return 0;
}

int
verdict_note_altered(struct verdict *v, const struct event_log *l, struct err *e)
{
	size_t count, first;

	if (event_log_altered(l, &count, &first, e) != 0)
		return -1;
	if (count == 0)
		return 0;
	return verdict_note(v, e, "%zu event%s of the boot log %s not what was measured (first: event %zu,"
	    " PCR %lu): what %s is nobody's word.", count, count == 1 ? "" : "s",
	    count == 1 ? "has a payload that is" : "have payloads that are", first,
	    (unsigned long)l->events[first].pcr, count == 1 ? "it says" : "they say");
}
