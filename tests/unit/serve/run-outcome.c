#include "serve/run-outcome.h"

#include "serve/run-request.h"
#include "serve/run-state.h"
#include "harness.h"
#include "unit.h"

START_TEST(states_without_a_certificate)
{
	struct run_outcome_options o = {.owner = "ada"};
	struct err why;

	err_set(&why, ERR_TPM, "no");
	ck_assert_str_eq(run_outcome_state(&o, NULL, &why), RUN_STATE_FAILED);
	err_set(&why, ERR_CANCELLED, "no");
	ck_assert_str_eq(run_outcome_state(&o, NULL, &why), RUN_STATE_CANCELLED);
	o.stopping = true;
	ck_assert_str_eq(run_outcome_state(&o, NULL, &why), RUN_STATE_INTERRUPTED);
	err_set(&why, ERR_TPM, "no");
	ck_assert_str_eq(run_outcome_state(&o, NULL, &why), RUN_STATE_FAILED);
}
END_TEST

START_TEST(without_a_ledger_nothing_is_kept)
{
	const struct run_outcome_options o = {.owner = ""};
	struct buf nothing = BUF_INIT;
	struct err e;

	UNIT_OK(run_outcome_keep(&o, &nothing, &e), &e);
}
END_TEST

START_TEST(requests_are_decoded)
{
	struct run_spec spec = {0};
	unsigned char nonce[32] = {0};
	struct buf body = BUF_INIT;
	struct err e;

	harness_run_body("true", 9, &body);
	UNIT_OK(run_request_decode(body.data, body.len, nonce, &spec, &e), &e);
	ck_assert_int_eq(nonce[31], 9);
	ck_assert_str_eq(spec.command[2], "true");
	run_spec_free(&spec);
	for (size_t i = 0; i < body.len; i++) /* cut anywhere it is none */
		ck_assert_int_ne(run_request_decode(body.data, i, nonce, &spec, &e), 0);
	buf_free(&body);
}
END_TEST

UNIT_SUITE(serve_run_outcome)
{
	tcase_add_test(tc, states_without_a_certificate);
	tcase_add_test(tc, without_a_ledger_nothing_is_kept);
	tcase_add_test(tc, requests_are_decoded);
}
