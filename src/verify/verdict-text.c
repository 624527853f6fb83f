#include "verify/verdict-internal.h"

#include <string.h>
#include "base/array.h"
#include "base/timestamp.h"

#define VERDICT_WIDTH 78
#define VERDICT_NOTES_SHOWN 12       /* of one kind, unless everything is asked for */
#define VERDICT_UNPROVEN "Unproven origin: "
#define VERDICT_NOT_PROVED "Not proved: "    /* the sentence of a pass says it too */

static const char *const verdict_words[] = {
	[VERDICT_SKIP] = "skip",
	[VERDICT_PASS] = "pass",
	[VERDICT_FAIL] = "FAIL",
};

static const char *const verdict_heads[] = {
	[ANSWER_FAIL] = "FAIL",
	[ANSWER_UNDECIDED] = "UNDECIDED",
	[ANSWER_PASS] = "PASS",
};

/* What a check that failed means for the reader; NULL: the certificate is no proof. */
static const char *const verdict_advice[CHECK_COUNT] = {
	[CHECK_OBJECT_ID] = "The stored certificate is damaged or was replaced: fetch it again from"
	    " where it came from.",
	[CHECK_CERTIFICATE_CANONICAL] = "These bytes are not a certificate as a runner makes it: fetch"
	    " it again from where it came from.",
	[CHECK_AK_CHAIN] = "The certificates of the machine's key do not hold at this time: if they"
	    " expired since the run, judge at the time of the run with --at.",
	[CHECK_RUN_EXIT] = "The proof may be good, but the run it proves did not succeed: its outputs"
	    " count for nothing. Run it again.",
	[CHECK_FILES_OUTPUTS] = "The file is not what the run made: restore it from the store or from"
	    " where it came from, or commit a run that makes it.",
	[CHECK_FILES_INPUTS] = "The work tree's input is not the one the run read: restore it, or commit"
	    " a new run.",
	[CHECK_CHAIN_INPUTS] = "A certificate this one builds on is no proof: see the lineage; without"
	    " it nothing is known of where that input came from.",
};

static void
verdict_subject(const struct verdict *v, struct buf *b)
{
	char hex[OID_HEX_SIZE];

	oid_hex(&v->certificate, hex);
	buf_adds(b, v->subject != NULL ? v->subject : hex);
}

void
verdict_wrap(struct buf *b, const char *text, size_t indent)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (column > 0 && column + 1 + len > VERDICT_WIDTH) {
			buf_adds(b, "\n");
			column = 0;
		}
		if (column == 0) {
			buf_addf(b, "%*s", (int)indent, "");
			column = indent;
		} else {
			buf_adds(b, " ");
			column++;
		}
		buf_add(b, text, len);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	buf_adds(b, "\n");
}

const struct verdict_item *
verdict_first_failed(const struct verdict *v, enum verdict_check *ret)
{
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		if (v->checks[c].result == VERDICT_FAIL) {
			*ret = c;
			return &v->checks[c];
		}
	}
	return NULL;
}

static void
verdict_failed(enum verdict_check c, const struct verdict_item *item, struct buf *b)
{
	buf_addf(b, "%s (%s)\n", verdict_check_name(c), verdict_check_clause(c));
	if (item->expected != NULL)
		buf_addf(b, "      expected  %s\n", item->expected);
	if (item->found != NULL)
		buf_addf(b, "      found     %s\n", item->found);
}

/* The first line: all there is to know for most readers. */
static void
verdict_head(const struct verdict *v, struct buf *b)
{
	const struct verdict_item *item;
	enum verdict_check c = CHECK_OBJECT_ID;

	buf_addf(b, "%s  ", verdict_heads[v->answer]);
	verdict_subject(v, b);
	item = verdict_first_failed(v, &c);
	if (item != NULL) {
		buf_adds(b, ": ");
		verdict_failed(c, item, b);
		return;
	}
	if (v->answer == ANSWER_FAIL)
		buf_adds(b, ": the level is too low");
	else if (v->answer == ANSWER_PASS)
		buf_addf(b, "  (level: %s)", verdict_level_name(v->level));
	buf_adds(b, "\n");
}

/* The checks that are not in the first line, or all of them. */
static void
verdict_table(const struct verdict *v, bool all, struct buf *b)
{
	enum verdict_check first = CHECK_COUNT;
	bool any = false;

	verdict_first_failed(v, &first);
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		const struct verdict_item *item = &v->checks[c];

		if (!all && (c == first || (item->result != VERDICT_FAIL && !item->missing)))
			continue;
		if (!any)
			buf_adds(b, "\n");
		any = true;
		if (!all && item->result == VERDICT_FAIL) {
			buf_adds(b, "  also: ");
			verdict_failed(c, item, b);
			continue;
		}
		buf_addf(b, "  %-22s %s", verdict_check_name(c), verdict_words[item->result]);
		if (item->result != VERDICT_FAIL && item->found != NULL)
			buf_addf(b, "  %s", item->found);
		buf_adds(b, "\n");
	}
}

static void
verdict_certificate(const struct verdict *v, struct buf *b)
{
	char hex[OID_HEX_SIZE];

	oid_hex(&v->certificate, hex);
	buf_addf(b, "\n  certificate  %.12s", hex);
	if (v->bank != NULL && v->answer == ANSWER_PASS)
		buf_addf(b, ", proof in the %s bank", v->bank);
	buf_adds(b, "\n");
}

static const char *
verdict_short_answer(const struct verdict *v)
{
	return v->answer == ANSWER_UNDECIDED ? "undecided" :
	    v->level == LEVEL_NONE ? "no proof" : verdict_level_name(v->level);
}

static void
verdict_lineage(const struct verdict *v, struct buf *b)
{
	size_t width = 0;

	if (v->chain_count == 0)
		return;
	for (size_t i = 0; i < v->chain_count; i++) {
		const char *name = v->chain[i]->subject;

		if (name != NULL && strlen(name) > width)
			width = strlen(name);
	}
	width = width > 40 ? 40 : width;
	buf_adds(b, "\nMade from, nearest first:\n");
	for (size_t i = 0; i < v->chain_count; i++) {
		const struct verdict *a = v->chain[i];
		enum verdict_check c = CHECK_OBJECT_ID;
		char hex[OID_HEX_SIZE];

		oid_hex(&a->certificate, hex);
		buf_addf(b, "  %-*s  %.12s  %s", (int)width, a->subject != NULL ? a->subject : "", hex,
		    verdict_short_answer(a));
		if (verdict_first_failed(a, &c) != NULL)
			buf_addf(b, ": %s fails", verdict_check_name(c));
		buf_adds(b, "\n");
	}
}

static bool
verdict_is_unproven(const char *note)
{
	return strncmp(note, VERDICT_UNPROVEN, strlen(VERDICT_UNPROVEN)) == 0;
}

/* The notes in the order they came in, each once: runs share inputs. */
struct verdict_unproven {
	struct verdict_unproven_note {
		const char *text;
		size_t place;
	} *notes;
	size_t count, cap;
};

static void
verdict_unproven_free(struct verdict_unproven *u)
{
	free(u->notes);
}

static int
verdict_unproven_text(const void *a, const void *b)
{
	const struct verdict_unproven_note *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static int
verdict_unproven_place(const void *a, const void *b)
{
	const struct verdict_unproven_note *x = a, *y = b;

	return (x->place > y->place) - (x->place < y->place);
}

static int
verdict_unproven_of(const struct verdict *v, struct verdict_unproven *u, struct err *e)
{
	for (size_t i = 0; i < v->note_count; i++) {
		if (!verdict_is_unproven(v->notes[i]))
			continue;
		if (ARRAY_ROOM(u->notes, u->count, u->cap, e) != 0)
			return -1;
		u->notes[u->count] = (struct verdict_unproven_note){
			v->notes[i] + strlen(VERDICT_UNPROVEN), u->count};
		u->count++;
	}
	return 0;
}

static void
verdict_unproven_once(struct verdict_unproven *u)
{
	size_t kept = 1;

	qsort(u->notes, u->count, sizeof *u->notes, verdict_unproven_text);
	for (size_t i = 1; i < u->count; i++)
		if (strcmp(u->notes[i].text, u->notes[kept - 1].text) != 0)
			u->notes[kept++] = u->notes[i];
	u->count = kept;
	qsort(u->notes, u->count, sizeof *u->notes, verdict_unproven_place);
}

static int
verdict_unproven(const struct verdict *v, bool all, struct buf *b, struct err *e)
{
	CLEANUP(verdict_unproven_free) struct verdict_unproven u = {0};

	if (verdict_unproven_of(v, &u, e) != 0)
		return -1;
	for (size_t i = 0; i < v->chain_count; i++)
		if (verdict_unproven_of(v->chain[i], &u, e) != 0)
			return -1;
	if (u.count == 0)
		return 0;
	verdict_unproven_once(&u);
	buf_adds(b, "\nInputs whose origin no certificate proves:\n");
	for (size_t i = 0; i < u.count && (all || i < VERDICT_NOTES_SHOWN); i++)
		buf_addf(b, "  %s\n", u.notes[i].text);
	if (!all && u.count > VERDICT_NOTES_SHOWN)
		buf_addf(b, "  and %zu more\n", u.count - VERDICT_NOTES_SHOWN);
	return 0;
}

static void
verdict_meaning_level(const struct verdict *v, struct buf *b)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (v->level < LEVEL_SIMULATED)
		buf_addf(&text, "Every check passed, but no level is reached and %s is required.",
		    verdict_level_name(v->required));
	else
		buf_addf(&text, "Every check passed, but the level is %s and %s is required"
		    " (--min-level %s accepts it).", verdict_level_name(v->level),
		    verdict_level_name(v->required), verdict_level_name(v->level));
	verdict_wrap(b, buf_str(&text), 0);
}

/* What follows from it, in a sentence. */
static void
verdict_meaning(const struct verdict *v, struct buf *b)
{
	enum verdict_check c = CHECK_OBJECT_ID;

	if (v->answer == ANSWER_UNDECIDED) {
		verdict_wrap(b, "Nothing speaks against it, but what is missing was needed: fetch it and"
		    " verify again.", 0);
		return;
	}
	if (verdict_first_failed(v, &c) == NULL) {
		verdict_meaning_level(v, b);
		return;
	}
	verdict_wrap(b, verdict_advice[c] != NULL ? verdict_advice[c] :
	    "The certificate is not a proof: do not rely on it. Whoever made or changed it has to"
	    " explain this.", 0);
}

static int
verdict_time(const struct verdict *v, struct buf *b, struct err *e)
{
	const char *source = v->time_source != NULL ? v->time_source : "now";
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char time[TIMESTAMP_SIZE];

	if (timestamp_format(time, v->time, e) != 0)
		return -1;
	buf_addf(&text, "Judged at %s (%s).", time, strcmp(source, "now") == 0 ?
	    "the present time; nothing proves when the run was" : source);
	verdict_wrap(b, buf_str(&text), 0);
	return 0;
}

int
verdict_to_text(const struct verdict *v, bool all, struct buf *ret, struct err *e)
{
	verdict_head(v, ret);
	if (!all)
		verdict_summary(v, ret);
	verdict_table(v, all, ret);
	verdict_certificate(v, ret);
	verdict_lineage(v, ret);
	if (verdict_unproven(v, all, ret, e) != 0)
		return -1;
	buf_adds(ret, "\n");
	if (v->answer != ANSWER_PASS)
		verdict_meaning(v, ret);
	else if (verdict_sentence(v, ret, e) != 0)
		return -1;
	for (size_t i = 0; i < v->note_count; i++) {
		if (!verdict_is_unproven(v->notes[i]) && (v->answer != ANSWER_PASS ||
		    strncmp(v->notes[i], VERDICT_NOT_PROVED, strlen(VERDICT_NOT_PROVED)) != 0))
			verdict_wrap(ret, v->notes[i], 0);
	}
	if (verdict_time(v, ret, e) != 0)
		return -1;
	return buf_check(ret, e);
}
