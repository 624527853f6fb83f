#include "cmd/commit-run.h"

#include <string.h>
#include "base/timestamp.h"
#include "cmd/cmd.h"
#include "crypto/random.h"
#include "provider/local.h"
#include "runner/runner.h"
#include "store/config.h"
#include "verify/verify.h"

static void
commit_run_log(void *arg, const void *data, size_t len)
{
	const bool *quiet = arg;

	if (!*quiet) {
		fwrite(data, 1, len, stdout);
		fflush(stdout);
	}
}

/* The first check that failed, in words. */
static int
commit_run_refused(const struct verdict *v, struct err *e)
{
	for (int c = 0; c < CHECK_COUNT; c++) {
		const struct verdict_item *item = &v->checks[c];

		if (item->result == VERDICT_FAIL)
			return err_set(e, ERR_REFUSED, "the runner's proof is refused: %s (%s): expected %s,"
			    " found %s", verdict_check_name((enum verdict_check)c),
			    verdict_check_clause((enum verdict_check)c),
			    item->expected != NULL ? item->expected : "-",
			    item->found != NULL ? item->found : "-");
		if (item->missing)
			return err_set(e, ERR_NOTFOUND, "the runner's proof cannot be judged: %s: %s",
			    verdict_check_name((enum verdict_check)c),
			    item->found != NULL ? item->found : "an object is missing");
	}
	return err_set(e, ERR_REFUSED, "the runner's proof has level %s; its registration demands %s",
	    verdict_level_name(v->level), verdict_level_name(v->required));
}

/* Only run.exit may fail: then the proof is good and says that the run was not. */
static bool
commit_run_only_exit_failed(const struct verdict *v)
{
	for (int c = 0; c < CHECK_COUNT; c++)
		if (c != CHECK_RUN_EXIT && v->checks[c].result == VERDICT_FAIL)
			return false;
	return v->checks[CHECK_RUN_EXIT].result == VERDICT_FAIL;
}

static int
commit_run_judge(struct store *s, const struct run_spec *spec, const unsigned char nonce[32],
    const struct trust *trust, struct commit_run_result *r, struct err *e)
{
	struct verify_request rq = {
		.id = r->id,
		.data = r->bytes.data,
		.len = r->bytes.len,
		.fetch = cmd_fetch,
		.fetch_arg = s,
		.trust = trust,
		.required = LEVEL_SIMULATED,
		.time = timestamp_now(),
		.time_source = "now",
		.spec = spec,
		.nonce = nonce,
	};
	struct verdict *v;
	int rc = 0;

	if (verify_certificate(&rq, &v, e) != 0)
		return -1;
	r->run_ok = v->answer == ANSWER_PASS;
	if (v->answer != ANSWER_PASS && !commit_run_only_exit_failed(v))
		rc = commit_run_refused(v, e);
	verdict_free(v);
	return rc;
}

/* One session with a runner whose identity was checked. */
static int
commit_run_session(struct runner *r, struct store *s, const struct run_spec *spec, bool quiet,
    const unsigned char nonce[32], struct buf *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *id = NULL;

	if (runner_identify(r, e) != 0 || runner_send_inputs(r, s, spec, e) != 0 ||
	    runner_start(r, spec, nonce, &id, e) != 0 ||
	    runner_follow(r, id, commit_run_log, &quiet, e) != 0)
		return -1;
	return runner_certificate(r, id, ret, e);
}

static int
commit_run_take(struct runner *r, struct store *s, const struct run_spec *spec, bool quiet,
    const struct trust *trust, struct commit_run_result *result, struct err *e)
{
	unsigned char nonce[32];

	if (random_bytes(nonce, sizeof nonce, e) != 0 ||
	    commit_run_session(r, s, spec, quiet, nonce, &result->bytes, e) != 0 ||
	    certificate_decode(result->bytes.data, result->bytes.len, &result->certificate, e) != 0 ||
	    oid_from_data(&result->id, result->bytes.data, result->bytes.len, e) != 0 ||
	    commit_run_judge(s, spec, nonce, trust, result, e) != 0)
		return -1;
	return runner_fetch_outputs(r, s, &result->certificate, e);
}

static void
commit_run_on_wait(void *arg, const char *message)
{
	(void)arg;
	fprintf(stderr, "aicert: %s\n", message);
}

static int
commit_run_local(struct store *s, struct local **ret, struct err *e)
{
	struct local_options o = {.store = s, .on_wait = commit_run_on_wait};
	CLEANUP(cleanup_free) char *data = NULL;
	CLEANUP(cleanup_free) char *tpm = NULL;

	if (config_dir_data(&data, e) != 0)
		return -1;
	tpm = buf_strfmt(e, "embedded:%s/tpm", data);
	if (tpm == NULL)
		return -1;
	o.tpm = tpm;
	return local_start_with(&o, ret, e);
}

int
commit_run(struct store *s, const char *runner, const struct run_spec *spec, bool quiet,
    struct commit_run_result *ret, struct err *e)
{
	CLEANUP(local_stopp) struct local *local = NULL;
	CLEANUP(trust_free) struct trust trust = {0};
	CLEANUP(runner_freep) struct runner *r = NULL;
	CLEANUP(commit_run_result_free) struct commit_run_result result = {0};
	struct runner_options o = {.trust = &trust, .required = LEVEL_SIMULATED};

	if (strcmp(runner, "local") != 0)
		return err_set(e, ERR_USAGE, "no such runner: %s (this version has the runner \"local\")",
		    runner);
	if (cmd_trust(&trust, e) != 0 || commit_run_local(s, &local, e) != 0)
		return -1;
	o.unix_socket = local_socket(local);
	if (runner_connect(&o, &r, e) != 0 ||
	    commit_run_take(r, s, spec, quiet, &trust, &result, e) != 0)
		return -1;
	*ret = result;
	result = (struct commit_run_result){0};
	return 0;
}

void
commit_run_result_free(struct commit_run_result *r)
{
	buf_free(&r->bytes);
	certificate_free(&r->certificate);
}
