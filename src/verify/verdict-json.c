#include "verify/verdict.h"

#include "base/cleanup.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include "codec/jcs.h"

static const char *const verdict_results[] = {
	[VERDICT_SKIP] = "skip",
	[VERDICT_PASS] = "pass",
	[VERDICT_FAIL] = "fail",
};

static const char *const verdict_answers[] = {
	[ANSWER_FAIL] = "fail",
	[ANSWER_UNDECIDED] = "undecided",
	[ANSWER_PASS] = "pass",
};

/* All zero bytes: there was nothing to digest. */
static void
verdict_set_oid(struct jcs *o, const char *name, const struct oid *id)
{
	static const struct oid none;
	char text[OID_TEXT_SIZE];

	oid_text(id, text);
	jcs_set_string(o, name, oid_equal(id, &none) ? NULL : text);
}

static struct jcs *
verdict_checks_jcs(const struct verdict *v)
{
	struct jcs *checks = jcs_new_array();

	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		const struct verdict_item *item = &v->checks[c];
		struct jcs *o;

		if (v->partial && !v->asked[c])
			continue;
		o = jcs_new_object();
		jcs_set_string(o, "name", verdict_check_name(c));
		jcs_set_string(o, "result", verdict_results[item->result]);
		jcs_set_string(o, "clause", verdict_check_clause(c));
		jcs_set_string(o, "expected", item->expected);
		jcs_set_string(o, "found", item->found);
		jcs_append(checks, o);
	}
	return checks;
}

static struct jcs *
verdict_digests_jcs(const struct verdict *v)
{
	struct jcs *o = jcs_new_object();

	verdict_set_oid(o, "trust", &v->trust_digest);
	verdict_set_oid(o, "reference", &v->reference_digest);
	verdict_set_oid(o, "policy", &v->policy_digest);
	return o;
}

static struct jcs *
verdict_verifier_jcs(void)
{
	struct jcs *o = jcs_new_object();

	jcs_set_string(o, "name", "aicert");
	jcs_set_string(o, "version", AICERT_VERSION);
	return o;
}

static struct jcs *
verdict_notes_jcs(const struct verdict *v)
{
	struct jcs *notes = jcs_new_array();

	for (size_t i = 0; i < v->note_count; i++)
		jcs_append(notes, jcs_new_string(v->notes[i]));
	return notes;
}

static const char *
verdict_level_or_null(enum verdict_level level)
{
	return level < LEVEL_SIMULATED ? NULL : verdict_level_name(level);
}

/* Without its chain: ancestors stand in one list, under the verdict asked for. */
static struct jcs *
verdict_members_jcs(const struct verdict *v, struct err *e)
{
	char time[TIMESTAMP_SIZE], id[OID_TEXT_SIZE];
	CLEANUP(cleanup_free) char *subject = NULL;
	struct jcs *o;

	if (timestamp_format(time, v->time, e) != 0)
		return NULL;
	oid_text(&v->certificate, id);
	subject = printable(v->subject != NULL ? v->subject : id, e); /* a file's name is any bytes */
	if (subject == NULL)
		return NULL;
	o = jcs_new_object();
	jcs_set_string(o, "verdict", verdict_answers[v->answer]);
	jcs_set_string(o, "level", verdict_level_or_null(v->level));
	jcs_set_string(o, "required", verdict_level_or_null(v->required));
	jcs_set_string(o, "subject", subject);
	verdict_set_oid(o, "certificate", &v->certificate);
	jcs_set(o, "checks", verdict_checks_jcs(v));
	jcs_set_string(o, "bank", v->bank);
	jcs_set_string(o, "time", time);
	jcs_set_string(o, "timeSource", v->time_source);
	jcs_set(o, "notes", verdict_notes_jcs(v));
	jcs_set(o, "digests", verdict_digests_jcs(v));
	jcs_set(o, "verifier", verdict_verifier_jcs());
	return o;
}

int
verdict_to_json(const struct verdict *v, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *o = verdict_members_jcs(v, e);
	struct jcs *chain;

	if (o == NULL)
		return -1;
	chain = jcs_new_array();
	for (size_t i = 0; i < v->chain_count; i++) {
		struct jcs *ancestor = verdict_members_jcs(v->chain[i], e);

		jcs_set(ancestor, "chain", jcs_new_array());
		jcs_append(chain, ancestor);
	}
	jcs_set(o, "chain", chain);
	return jcs_encode(o, ret, e);
}
