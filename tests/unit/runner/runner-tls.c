#include "runner/runner.h"

#include <string.h>
#include "fixture.h"
#include "net/peer.h"
#include "net/relay.h"
#include "unit.h"

/* Somebody who ends TLS in front of a real runner, and passes its identity on. */
START_TEST(a_man_in_the_middle_is_refused)
{
	CLEANUP(pki_freep) struct pki *pki = pki_leaf("middle", NULL);
	CLEANUP(runner_freep) struct runner *r = NULL;
	CLEANUP(run_spec_free) struct run_spec spec;
	struct runner_options o = {.required = LEVEL_SIMULATED, .token = "secret-token"};
	struct fixture f;
	struct relay relay = {0};
	struct err e;

	fixture_start(&f, "middle", NULL);
	fixture_spec(&spec, "true", false);
	relay_start(&relay, pki, local_socket(f.local), 0);
	o.url = relay.url;
	UNIT_OK(runner_connect(&o, &r, &e), &e);
	UNIT_FAILS(runner_send_inputs(r, f.store, &spec, &e), &e, ERR_INTERNAL);
	ck_assert_uint_eq(relay_bytes(&relay), 0);
	UNIT_FAILS(runner_identify(r, &e), &e, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.msg, "stands between"));
	/* one request, and nothing that only the runner may know */
	ck_assert_uint_eq(relay.connections, 1);
	ck_assert(relay_got(&relay, "GET /v1/identity?nonce="));
	ck_assert(!relay_got(&relay, "secret-token"));
	UNIT_FAILS(runner_send_inputs(r, f.store, &spec, &e), &e, ERR_INTERNAL);
	ck_assert_str_eq(runner_ak_name(r), "");
	runner_freep(&r);
	r = NULL;
	relay_stop(&relay);
	fixture_stop(&f);
}
END_TEST

static void
expect_refusal(const char *answer, enum err_code code, const char *text)
{
	const struct peer_answer script[] = {{answer, 0, true, false}};
	CLEANUP(pki_freep) struct pki *pki = pki_leaf("server", NULL);
	CLEANUP(runner_freep) struct runner *r = NULL;
	struct runner_options o = {.required = LEVEL_SIMULATED, .token = "secret-token", .patience_s = 1};
	struct relay relay = {0};
	struct peer p;
	struct err e;

	peer_tcp(&p, script, 1);
	peer_start(&p);
	relay_start(&relay, pki, NULL, p.port);
	o.url = relay.url;
	UNIT_OK(runner_connect(&o, &r, &e), &e);
	UNIT_FAILS(runner_identify(r, &e), &e, code);
	ck_assert_msg(strstr(e.msg, text) != NULL, "%s", e.msg);
	ck_assert(!relay_got(&relay, "secret-token"));
	peer_join(&p);
	relay_stop(&relay);
	buf_free(&p.requests);
}

START_TEST(servers_that_are_no_runners)
{
	expect_refusal("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", ERR_REFUSED, "a hub");
	expect_refusal("HTTP/1.1 302 Found\r\nLocation: https://elsewhere/\r\nContent-Length: 0\r\n\r\n",
	    ERR_DENIED, "redirects are not followed");
	expect_refusal("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull", ERR_FORMAT, "identity");
	expect_refusal("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", ERR_IO, "500");
}
END_TEST

START_TEST(nobody_there)
{
	CLEANUP(runner_freep) struct runner *r = NULL;
	struct runner_options o = {.required = LEVEL_SIMULATED, .url = "https://127.0.0.1:1"};
	struct err e;

	UNIT_OK(runner_connect(&o, &r, &e), &e);
	UNIT_FAILS(runner_identify(r, &e), &e, ERR_NETWORK);
	ck_assert_ptr_null(runner_verdict(r));
}
END_TEST

UNIT_SUITE(runner_runner_tls)
{
	tcase_add_test(tc, a_man_in_the_middle_is_refused);
	tcase_add_test(tc, servers_that_are_no_runners);
	tcase_add_test(tc, nobody_there);
}
