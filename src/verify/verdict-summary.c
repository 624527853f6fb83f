/* The verdict as a table of questions that a reader has. */
#include "verify/verdict-internal.h"

#include <string.h>
#include "base/timestamp.h"

#define SUMMARY_CHECKS_MAX 5

struct summary_row {
	const char *label;
	const char *good;           /* what it means that all of it passed; NULL: said by summary_good() */
	const char *skipped;        /* said when none was looked at; NULL: the check's reason; "": no row */
	enum verdict_check checks[SUMMARY_CHECKS_MAX];
	size_t count;
};

static const struct summary_row summary_rows[] = {
	{"certificate", "whole, and sealed by the run's own key", NULL,
	    {CHECK_OBJECT_ID, CHECK_CERTIFICATE_CANONICAL, CHECK_EVENTS_GRAMMAR, CHECK_ENVELOPE_STATEMENT,
	    CHECK_ENVELOPE_SIGNATURE}, 5},
	{"signature", "a TPM signed it, for this very run", NULL,
	    {CHECK_AK_KEY, CHECK_QUOTE_STRUCTURE, CHECK_QUOTE_SIGNATURE, CHECK_QUOTE_BINDING,
	    CHECK_QUOTE_PCRS}, 5},
	{"machine", NULL, NULL, {CHECK_AK_CHAIN, CHECK_REVOCATION}, 2},
	{"hardware", "the processor vouches for the memory's encryption", NULL, {CHECK_HARDWARE_REPORT}, 1},
	{"image", NULL, NULL, {CHECK_BOOT_LOG, CHECK_BOOT_REFERENCE}, 2},
	{"inputs", NULL, NULL, {CHECK_QUOTE_START, CHECK_INPUTS_LOG, CHECK_FILES_INPUTS}, 3},
	{"run", NULL, NULL, {CHECK_RUN_EXIT}, 1},
	{"outputs", NULL, NULL, {CHECK_OUTPUTS_LOG, CHECK_FILES_OUTPUTS}, 2},
	{"origins", NULL, NULL, {CHECK_CHAIN_INPUTS}, 1},
	{"time", "proven by evidence", "as the host claims", {CHECK_TIME_PROOF}, 1},
	{"author", "the commit is signed", "", {CHECK_COMMIT_SIGNATURE}, 1},
	{"policy", "satisfied", "", {CHECK_POLICY}, 1},
};

enum summary_state { SUMMARY_SKIP, SUMMARY_OK, SUMMARY_MISSING, SUMMARY_FAIL };

static const char *const summary_words[] = {
	[SUMMARY_SKIP] = "-", [SUMMARY_OK] = "ok", [SUMMARY_MISSING] = "?", [SUMMARY_FAIL] = "NO",
};

/* The row's worst check; it is good when one passed and none is worse. */
static enum summary_state
summary_state(const struct verdict *v, const struct summary_row *row, enum verdict_check *ret)
{
	enum summary_state state = SUMMARY_SKIP;

	*ret = row->checks[0];
	for (size_t i = 0; i < row->count; i++) {
		const struct verdict_item *item = &v->checks[row->checks[i]];
		enum summary_state s = item->result == VERDICT_FAIL ? SUMMARY_FAIL :
		    item->missing ? SUMMARY_MISSING : item->result == VERDICT_PASS ? SUMMARY_OK : SUMMARY_SKIP;

		if (s > state) {
			state = s;
			*ret = row->checks[i];
		}
	}
	/* a log says which image it was; that it is a good one, only a record does */
	if (*ret == CHECK_BOOT_LOG && state == SUMMARY_OK &&
	    v->checks[CHECK_BOOT_REFERENCE].result != VERDICT_PASS)
		return SUMMARY_SKIP;
	return state;
}

static void
summary_things(struct buf *b, size_t n, const char *word)
{
	buf_addf(b, "%zu %s%s", n, word, n == 1 ? "" : "s");
}

static bool
summary_passed(const struct verdict *v, enum verdict_check c)
{
	return v->checks[c].result == VERDICT_PASS;
}

static void
summary_machine(const struct verdict *v, struct buf *b)
{
	buf_addf(b, "vouched for by %s", v->root != NULL ? v->root : "a trust entry");
}

static void
summary_image(const struct verdict *v, struct buf *b)
{
	if (!summary_passed(v, CHECK_BOOT_REFERENCE))
		buf_adds(b, "its boot log fits what was signed, but no reference record knows it");
	else if (v->checks[CHECK_BOOT_REFERENCE].found != NULL)
		buf_adds(b, v->checks[CHECK_BOOT_REFERENCE].found);
	else
		buf_adds(b, "booted as a reference record says");
}

static void
summary_inputs(const struct verdict *v, struct buf *b)
{
	summary_things(b, v->run.inputs, "input");
	buf_adds(b, ", measured before the command ran");
	if (summary_passed(v, CHECK_FILES_INPUTS))
		buf_adds(b, "; the work tree has the same");
}

static void
summary_outputs(const struct verdict *v, struct buf *b)
{
	summary_things(b, v->run.outputs, "output");
	if (v->run.missing > 0)
		buf_addf(b, ", of which %zu %s not there when the command had ended", v->run.missing,
		    v->run.missing == 1 ? "was" : "were");
	else
		buf_adds(b, ", measured when the command had ended");
	if (summary_passed(v, CHECK_FILES_OUTPUTS))
		buf_adds(b, "; the file asked about is one, or in one");
	else if (v->checks[CHECK_FILES_OUTPUTS].result == VERDICT_SKIP)
		buf_adds(b, "; no file was compared with them");
}

static void
summary_origins(const struct verdict *v, struct buf *b)
{
	if (v->chain_count == 0) {
		buf_adds(b, "no input claims an earlier run");
		return;
	}
	summary_things(b, v->chain_count, "earlier run");
	buf_adds(b, ", judged below");
}

static void
summary_good(const struct verdict *v, const struct summary_row *row, struct buf *b)
{
	if (row->good != NULL)
		buf_adds(b, row->good);
	else if (row->checks[0] == CHECK_AK_CHAIN)
		summary_machine(v, b);
	else if (row->checks[0] == CHECK_BOOT_LOG)
		summary_image(v, b);
	else if (row->checks[0] == CHECK_QUOTE_START)
		summary_inputs(v, b);
	else if (row->checks[0] == CHECK_RUN_EXIT)
		buf_addf(b, "succeeded: %s", v->run.command);
	else if (row->checks[0] == CHECK_OUTPUTS_LOG)
		summary_outputs(v, b);
	else
		summary_origins(v, b);
}

void
verdict_summary(const struct verdict *v, struct buf *b)
{
	if (!v->run.known)
		return;
	buf_adds(b, "\n");
	for (size_t i = 0; i < sizeof summary_rows / sizeof *summary_rows; i++) {
		const struct summary_row *row = &summary_rows[i];
		enum verdict_check c;
		enum summary_state state = summary_state(v, row, &c);
		const struct verdict_item *item = &v->checks[c];

		if (state == SUMMARY_SKIP && row->skipped != NULL && *row->skipped == '\0')
			continue;
		buf_addf(b, "  %-12s %-3s ", row->label, summary_words[state]);
		if (state == SUMMARY_OK || summary_passed(v, c))
			summary_good(v, row, b);
		else if (state == SUMMARY_SKIP && row->skipped != NULL)
			buf_adds(b, row->skipped);
		else if (state == SUMMARY_FAIL)
			buf_addf(b, "%s fails", verdict_check_name(c));
		else
			buf_adds(b, item->found != NULL ? item->found : "not looked at");
		buf_adds(b, "\n");
	}
}

/* By whom, in words that promise no more than the level does. */
static void
sentence_who(const struct verdict *v, struct buf *b)
{
	if (v->level == LEVEL_SIMULATED)
		buf_adds(b, "As far as a TPM that nobody vouches for can prove");
	else if (v->root == NULL)
		buf_adds(b, "By the word of the processor itself");
	else
		buf_addf(b, "By the word of a TPM that %s vouches for", v->root);
	if (v->level == LEVEL_DEVICE)
		buf_adds(b, ", if you trust whoever holds the machine");
}

/* The name in the run's events is its own word: only a reference record proves an image. */
static void
sentence_image(const struct verdict *v, struct buf *b)
{
	const char *known = v->checks[CHECK_BOOT_REFERENCE].found;

	if (summary_passed(v, CHECK_BOOT_REFERENCE))
		buf_addf(b, "the image %s", known != NULL ? known : "of a reference record");
	else if (strcmp(v->run.image, "unmeasured") == 0)
		buf_adds(b, "an image that no reference record knows");
	else
		buf_addf(b, "an image that it calls %s and no reference record knows", v->run.image);
}

static int
sentence_when(const struct verdict *v, struct buf *b, struct err *e)
{
	char started[TIMESTAMP_SIZE], finished[TIMESTAMP_SIZE];

	if (!v->run.has_times)
		return 0;
	if (timestamp_format(started, v->run.started, e) != 0 ||
	    timestamp_format(finished, v->run.finished, e) != 0)
		return -1;
	buf_addf(b, " between %s and %s by the host's clock", started, finished);
	return 0;
}

int
verdict_sentence(const struct verdict *v, struct buf *b, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	sentence_who(v, &text);
	if (!v->run.known) { /* an identity */
		buf_adds(&text, ", this machine booted what its registers say and holds the key of this"
		    " connection.");
		verdict_wrap(b, buf_str(&text), 0);
		return buf_check(&text, e);
	}
	buf_addf(&text, ", \"%s\" ran on ", v->run.command);
	sentence_image(v, &text);
	if (sentence_when(v, &text, e) != 0)
		return -1;
	buf_adds(&text, ", without a network, read exactly the ");
	summary_things(&text, v->run.inputs, "recorded input");
	buf_adds(&text, " and made exactly the ");
	summary_things(&text, v->run.outputs, "recorded output");
	buf_adds(&text, "; not proved is where randomness came from, what the firmware of CPU and GPU"
	    " did, the host's clock, and whether the data is good.");
	verdict_wrap(b, buf_str(&text), 0);
	return buf_check(&text, e);
}
