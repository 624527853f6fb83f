#include "verify/verdict.h"

#include <string.h>
#include "codec/jcs.h"
#include "unit.h"

static void
verdict_freep(struct verdict **v)
{
	verdict_free(*v);
}

static struct verdict *
make(void)
{
	struct verdict *v;
	struct err e;

	UNIT_OK(verdict_new(&v, &e), &e);
	v->subject = strdup("model.safetensors");
	v->time_source = strdup("--at");
	v->time = 1795000000;
	v->required = LEVEL_SIMULATED;
	memset(v->certificate.b, 0xab, OID_SIZE);
	return v;
}

START_TEST(names_and_clauses)
{
	static const char *const order[] = {
		"object.id", "certificate.canonical", "events.grammar", "ak.chain", "ak.key",
		"quote.structure", "quote.signature", "quote.binding", "quote.pcrs", "quote.start",
		"boot.log", "boot.reference", "inputs.log", "outputs.log", "run.exit",
		"envelope.statement", "envelope.signature", "hardware.report", "time.proof",
		"commit.signature", "files.outputs", "files.inputs", "chain.inputs", "revocation", "policy",
	};

	ck_assert_uint_eq(sizeof order / sizeof *order, CHECK_COUNT);
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		const char *clause = verdict_check_clause(c);

		ck_assert_str_eq(verdict_check_name(c), order[c]);
		ck_assert_int_eq(strncmp(clause, "aicert-certificate(5) section ", 30), 0);
		ck_assert(clause[30] >= '1' && clause[30] <= '8' && clause[31] == '\0');
	}
	ck_assert_str_eq(verdict_check_name(CHECK_COUNT), "unknown");
}
END_TEST

START_TEST(levels)
{
	static const char *const bad[] = {"none", "", "VTPM", "vtpm ", "best"};
	enum verdict_level l;
	struct err e;

	for (enum verdict_level i = LEVEL_SIMULATED; i <= LEVEL_CONFIDENTIAL; i++) {
		UNIT_OK(verdict_level_parse(verdict_level_name(i), &l, &e), &e);
		ck_assert_int_eq(l, i);
	}
	ck_assert_str_eq(verdict_level_name(LEVEL_NONE), "none");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		UNIT_FAILS(verdict_level_parse(bad[i], &l, &e), &e, ERR_USAGE);
}
END_TEST

START_TEST(a_fail_stays)
{
	CLEANUP(verdict_freep) struct verdict *v = make();
	struct verdict_item *item = &v->checks[CHECK_QUOTE_PCRS];
	struct err e;

	ck_assert_int_eq(item->result, VERDICT_SKIP);
	UNIT_OK(verdict_set(v, CHECK_QUOTE_PCRS, VERDICT_PASS, NULL, NULL, &e), &e);
	UNIT_OK(verdict_missing(v, CHECK_QUOTE_PCRS, "tree x", &e), &e);
	ck_assert(item->missing);
	ck_assert_str_eq(item->found, "missing tree x");
	UNIT_OK(verdict_set(v, CHECK_QUOTE_PCRS, VERDICT_FAIL, "a", "b\033", &e), &e);
	ck_assert(!item->missing);
	UNIT_OK(verdict_set(v, CHECK_QUOTE_PCRS, VERDICT_PASS, NULL, NULL, &e), &e);
	UNIT_OK(verdict_missing(v, CHECK_QUOTE_PCRS, "y", &e), &e);
	UNIT_OK(verdict_set(v, CHECK_QUOTE_PCRS, VERDICT_FAIL, "c", "d", &e), &e);
	ck_assert_int_eq(item->result, VERDICT_FAIL);
	ck_assert(!item->missing);
	ck_assert_str_eq(item->expected, "a");
	ck_assert_str_eq(item->found, "b\\x1b");
}
END_TEST

START_TEST(json_document)
{
	static const char *const members[] = {
		"bank", "certificate", "chain", "checks", "digests", "level", "notes", "required",
		"subject", "time", "timeSource", "verdict", "verifier",
	};
	CLEANUP(verdict_freep) struct verdict *v = make();
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(jcs_freep) struct jcs *doc = NULL;
	const struct jcs *check;
	const char *name;
	struct err e;

	v->bank = strdup("sha256");
	v->chain = calloc(1, sizeof *v->chain);
	v->chain[v->chain_count++] = make();
	v->answer = ANSWER_FAIL;
	v->trust_digest.b[0] = 1;
	UNIT_OK(verdict_set(v, CHECK_RUN_EXIT, VERDICT_FAIL, "exited with 0", "exited with 1", &e), &e);
	UNIT_OK(verdict_note(v, &e, "a %s\n", "note"), &e);
	UNIT_OK(verdict_to_json(v, &text, &e), &e);
	UNIT_OK(jcs_decode(text.data, text.len, text.len, &doc, &e), &e); /* canonical */
	ck_assert_uint_eq(jcs_length(doc), sizeof members / sizeof *members);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		jcs_member(doc, i, &name);
		ck_assert_str_eq(name, members[i]);
	}
	ck_assert_str_eq(jcs_get_string(doc, "verdict"), "fail");
	ck_assert(jcs_is_null(jcs_get(doc, "level")));
	ck_assert_str_eq(jcs_get_string(doc, "required"), "simulated");
	ck_assert_str_eq(jcs_get_string(doc, "subject"), "model.safetensors");
	ck_assert_str_eq(jcs_get_string(doc, "time"), "2026-11-18T11:06:40Z");
	ck_assert_str_eq(jcs_string(jcs_at(jcs_get(doc, "notes"), 0)), "a note\\x0a");
	ck_assert(jcs_is_null(jcs_get(jcs_get(doc, "digests"), "policy")));
	ck_assert_int_eq(strncmp(jcs_get_string(jcs_get(doc, "digests"), "trust"), "sha256:01", 9), 0);
	ck_assert_uint_eq(jcs_length(jcs_get(doc, "checks")), CHECK_COUNT);
	check = jcs_at(jcs_get(doc, "checks"), CHECK_RUN_EXIT);
	ck_assert_uint_eq(jcs_length(check), 5);
	ck_assert_str_eq(jcs_get_string(check, "name"), "run.exit");
	ck_assert_str_eq(jcs_get_string(check, "result"), "fail");
	ck_assert_str_eq(jcs_get_string(check, "clause"), verdict_check_clause(CHECK_RUN_EXIT));
	ck_assert_str_eq(jcs_get_string(check, "expected"), "exited with 0");
	ck_assert_str_eq(jcs_get_string(check, "found"), "exited with 1");
	ck_assert_uint_eq(jcs_length(jcs_get(doc, "chain")), 1);
	ck_assert_uint_eq(jcs_length(jcs_get(jcs_at(jcs_get(doc, "chain"), 0), "chain")), 0);
}
END_TEST

START_TEST(json_level_and_subject)
{
	CLEANUP(verdict_freep) struct verdict *v = make();
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;

	free(v->subject);
	v->subject = NULL;
	v->level = LEVEL_VTPM;
	v->answer = ANSWER_UNDECIDED;
	UNIT_OK(verdict_to_json(v, &text, &e), &e);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "\"level\":\"vtpm\""));
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "\"subject\":\"sha256:abab"));
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "\"verdict\":\"undecided\""));
}
END_TEST

static const char *
words(const struct verdict *v, bool all)
{
	static struct buf text;
	struct err e;

	buf_reset(&text);
	UNIT_OK(verdict_to_text(v, all, &text, &e), &e);
	return buf_str(&text);
}

static void
says(const struct verdict *v, bool all, const char *what)
{
	const char *text = words(v, all);

	ck_assert_msg(strstr(text, what) != NULL, "\"%s\" is not in:\n%s", what, text);
}

START_TEST(text_of_a_pass)
{
	CLEANUP(verdict_freep) struct verdict *v = make();
	struct err e;

	v->answer = ANSWER_PASS;
	v->level = LEVEL_SIMULATED;
	v->chain = calloc(1, sizeof *v->chain);
	v->chain[v->chain_count] = make();
	v->chain[v->chain_count]->level = LEVEL_SIMULATED;
	v->chain[v->chain_count++]->answer = ANSWER_PASS;
	UNIT_OK(verdict_set(v, CHECK_OBJECT_ID, VERDICT_PASS, NULL, NULL, &e), &e);
	UNIT_OK(verdict_note(v->chain[0], &e, "Unproven origin: words.txt (dataset, sha256:00)"), &e);
	ck_assert_int_eq(strncmp(words(v, false), "PASS  model.safetensors  (level: simulated)\n", 44), 0);
	ck_assert_ptr_null(strstr(words(v, false), "object.id"));
	says(v, true, "  object.id              pass\n");
	says(v, true, "  quote.pcrs             skip");
	says(v, false, "Made from, nearest first:\n  model.safetensors  abababababab  simulated\n");
	says(v, false, "Inputs whose origin no certificate proves:\n  words.txt (dataset, sha256:00)\n");
	says(v, false, "Judged at 2026-11-18T11:06:40Z (--at).\n");
	free(v->time_source);
	v->time_source = strdup("now");
	says(v, false, "the present time");
}
END_TEST

START_TEST(text_of_a_fail)
{
	CLEANUP(verdict_freep) struct verdict *v = make();
	struct err e;

	v->answer = ANSWER_FAIL;
	UNIT_OK(verdict_set(v, CHECK_FILES_OUTPUTS, VERDICT_FAIL, "A", "B", &e), &e);
	ck_assert_int_eq(strncmp(words(v, false),
	    "FAIL  model.safetensors: files.outputs (aicert-certificate(5) section 7)\n", 72), 0);
	says(v, false, "\n      expected  A\n      found     B\n");
	UNIT_OK(verdict_set(v, CHECK_CHAIN_INPUTS, VERDICT_FAIL, "C", "D", &e), &e);
	says(v, false, "\n  also: chain.inputs (aicert-certificate(5) section 7)\n      expected  C\n");
	says(v, true, "  files.outputs          FAIL\n");
	says(v, false, "The file is not what the run made");
}
END_TEST

START_TEST(text_of_a_level_too_low)
{
	CLEANUP(verdict_freep) struct verdict *v = make();

	v->answer = ANSWER_FAIL;
	v->level = LEVEL_SIMULATED;
	v->required = LEVEL_VTPM;
	says(v, false, "FAIL  model.safetensors: the level is too low\n");
	says(v, false, "Every check passed, but the level is simulated and vtpm is required");
	says(v, false, "(--min-level simulated accepts it)");
	v->level = LEVEL_NONE;
	says(v, false, "no level is reached");
}
END_TEST

START_TEST(text_of_the_undecided)
{
	CLEANUP(verdict_freep) struct verdict *v = make();
	struct err e;

	v->answer = ANSWER_UNDECIDED;
	UNIT_OK(verdict_missing(v, CHECK_CHAIN_INPUTS, "certificate sha256:12", &e), &e);
	ck_assert_int_eq(strncmp(words(v, false), "UNDECIDED  model.safetensors\n", 29), 0);
	says(v, false, "chain.inputs           skip  missing certificate sha256:12\n");
}
END_TEST

START_TEST(text_is_wrapped)
{
	CLEANUP(verdict_freep) struct verdict *v = make();
	struct err e;

	v->answer = ANSWER_PASS;
	v->level = LEVEL_SIMULATED;
	for (int i = 0; i < 20; i++)
		UNIT_OK(verdict_note(v, &e, "Unproven origin: input-%d", i), &e);
	UNIT_OK(verdict_note(v, &e, "A sentence that is a good deal longer than the seventy-eight"
	    " characters of a line and goes on for two more."), &e);
	for (const char *line = words(v, false); *line != '\0'; line += strcspn(line, "\n") + 1)
		ck_assert_uint_le(strcspn(line, "\n"), 78);
	says(v, false, "input-11\n  and 8 more\n");
	says(v, true, "input-19\n");
}
END_TEST

/* A verdict on a run that could be read, every check passed. */
static struct verdict *
make_run(void)
{
	struct verdict *v = make();
	struct err e;

	v->run.known = true;
	v->run.command = strdup("python3 train.py");
	v->run.image = strdup("aicert-base");
	v->run.inputs = 2;
	v->run.outputs = 1;
	v->answer = ANSWER_PASS;
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++)
		UNIT_OK(verdict_set(v, c, VERDICT_PASS, NULL,
		    c == CHECK_BOOT_REFERENCE ? "base 1 on any" : NULL, &e), &e);
	return v;
}

static char *
text_of(const struct verdict *v)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	struct err e;

	UNIT_OK(verdict_to_text(v, false, &b, &e), &e);
	return strdup(buf_str(&b));
}

START_TEST(a_sentence_promises_no_more_than_the_level)
{
	static const struct {
		enum verdict_level level;
		const char *root, *has, *lacks;
	} cases[] = {
		{LEVEL_SIMULATED, NULL, "a TPM that nobody vouches for", "By the word of"},
		{LEVEL_DEVICE, "acme-ek", "TPM that acme-ek vouches", "nobody vouches"},
		{LEVEL_DEVICE, "acme-ek", "if you trust whoever holds", "nobody vouches"},
		{LEVEL_VTPM, "azure", "TPM that azure vouches", "if you trust whoever"},
		{LEVEL_CONFIDENTIAL, NULL, "By the word of the processor", "nobody vouches"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(verdict_freep) struct verdict *v = make_run();
		CLEANUP(cleanup_free) char *text = NULL;

		v->level = cases[i].level;
		v->root = cases[i].root != NULL ? strdup(cases[i].root) : NULL;
		text = text_of(v);
		for (char *p = text; (p = strchr(p, '\n')) != NULL;)
			*p = ' '; /* where lines break is not the point */
		ck_assert_msg(strstr(text, cases[i].has) != NULL, "%s", text);
		ck_assert_msg(strstr(text, cases[i].lacks) == NULL, "%s", text);
		ck_assert_msg(strstr(text, "\"python3 train.py\" ran on the image base 1 on any") != NULL,
		    "%s", text);
		ck_assert_msg(strstr(text, "not proved is where randomness") != NULL, "%s", text);
	}
}
END_TEST

/* The name in the run's own events proves nothing: only a reference record does. */
START_TEST(a_sentence_names_the_image_that_was_proved)
{
	static const char *const names[] = {"aicert-base", "unmeasured"};
	static const char *const says[] = {
		"ran on an image that it calls aicert-base and no reference record knows,",
		"ran on an image that no reference record knows,",
	};

	for (size_t i = 0; i < 2; i++) {
		CLEANUP(verdict_freep) struct verdict *v = make_run();
		CLEANUP(cleanup_free) char *text = NULL;
		struct err e;

		free(v->run.image);
		v->run.image = strdup(names[i]);
		v->level = LEVEL_SIMULATED;
		UNIT_OK(verdict_set(v, CHECK_BOOT_REFERENCE, VERDICT_SKIP, NULL, "none", &e), &e);
		text = text_of(v);
		for (char *p = text; (p = strchr(p, '\n')) != NULL;)
			*p = ' ';
		ck_assert_msg(strstr(text, says[i]) != NULL, "%s", text);
		ck_assert_ptr_nonnull(strstr(text, "image        -   its boot log fits"));
	}
}
END_TEST

/* Whatever fails, its row says so and no row says more than its checks do. */
START_TEST(rows_follow_the_checks)
{
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		CLEANUP(verdict_freep) struct verdict *v = make_run();
		CLEANUP(cleanup_free) char *text = NULL;
		CLEANUP(cleanup_free) char *row = NULL;
		struct err e;

		UNIT_OK(verdict_set(v, c, VERDICT_FAIL, "x", "y", &e), &e);
		v->answer = ANSWER_FAIL;
		text = text_of(v);
		row = buf_strfmt(&e, " NO  %s fails\n", verdict_check_name(c));
		ck_assert_msg(strstr(text, row) != NULL, "%s: %s", verdict_check_name(c), text);
		ck_assert_msg(strstr(text, "ran on the image") == NULL, "%s", text);
	}
}
END_TEST

START_TEST(every_check_is_explained)
{
	struct err e;

	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		CLEANUP(buf_free) struct buf b = BUF_INIT;
		enum verdict_check again;

		UNIT_OK(verdict_check_parse(verdict_check_name(c), &again, &e), &e);
		ck_assert_int_eq(again, c);
		UNIT_OK(verdict_explain(c, &b, &e), &e);
		ck_assert_ptr_nonnull(strstr(buf_str(&b), verdict_check_name(c)));
		ck_assert_ptr_null(strstr(buf_str(&b), "(null)"));
		ck_assert_uint_gt(b.len, 120);
	}
	UNIT_FAILS(verdict_check_parse("ak", &(enum verdict_check){0}, &e), &e, ERR_USAGE);
	UNIT_FAILS(verdict_explain(CHECK_COUNT, &(struct buf){0}, &e), &e, ERR_USAGE);
}
END_TEST

UNIT_SUITE(verdict)
{
	tcase_add_test(tc, names_and_clauses);
	tcase_add_test(tc, levels);
	tcase_add_test(tc, a_fail_stays);
	tcase_add_test(tc, a_sentence_promises_no_more_than_the_level);
	tcase_add_test(tc, a_sentence_names_the_image_that_was_proved);
	tcase_add_test(tc, rows_follow_the_checks);
	tcase_add_test(tc, every_check_is_explained);
	tcase_add_test(tc, json_document);
	tcase_add_test(tc, json_level_and_subject);
	tcase_add_test(tc, text_of_a_pass);
	tcase_add_test(tc, text_of_a_fail);
	tcase_add_test(tc, text_of_a_level_too_low);
	tcase_add_test(tc, text_of_the_undecided);
	tcase_add_test(tc, text_is_wrapped);
}
