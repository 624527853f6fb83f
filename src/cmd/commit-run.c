#include "cmd/commit-run.h"

#include <string.h>
#include "base/hex.h"
#include "base/timestamp.h"
#include "cmd/cmd.h"
#include "cmd/open-runner.h"
#include "crypto/random.h"
#include "store/odb.h"
#include "verify/verify.h"

/* *arg: what waits of it. */
static void
commit_run_log(void *arg, const void *data, size_t len)
{
	cmd_print_log(arg, data, len, false);
}

static void
commit_run_no_log(void *arg, const void *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
}

static int
commit_run_follow(const struct commit_run *c, struct open_runner *o, struct err *e)
{
	CLEANUP(buf_free) struct buf held = BUF_INIT;
	int rc = runner_follow(o->runner, c->pending.run, c->quiet ? commit_run_no_log : commit_run_log,
	    &held, e);

	if (!c->quiet)
		cmd_print_log(&held, NULL, 0, true);
	return rc;
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

/* Where a certificate's objects are looked for before they are stored. */
struct commit_run_objects {
	struct store *store;
	struct runner *runner;
};

static int
commit_run_fetch(void *arg, const struct oid *id, size_t max, struct buf *ret, struct err *e)
{
	const struct commit_run_objects *o = arg;

	if (odb_has(o->store, id))
		return cmd_fetch(o->store, id, max, ret, e);
	return runner_object(o->runner, id, max, ret, e);
}

static int
commit_run_judge(struct store *s, const struct commit_run *c, const struct open_runner *o,
    struct commit_run_result *r, struct err *e)
{
	struct commit_run_objects objects = {.store = s, .runner = o->runner};
	struct verify_request rq = {
		.id = r->id,
		.data = r->bytes.data,
		.len = r->bytes.len,
		.fetch = commit_run_fetch,
		.fetch_arg = &objects,
		.trust = &o->trust,
		.references = &o->references,
		.required = o->entry.level,
		.time = timestamp_now(),
		.time_source = "now",
		.spec = &c->pending.spec,
		.nonce = c->pending.nonce,
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

/* What is drawn here: the nonce, and the run's name. */
static int
commit_run_draw(struct pending *p, const struct open_runner *o, struct err *e)
{
	unsigned char name[32];
	char hex[sizeof name * 2 + 1];

	if (random_bytes(p->nonce, sizeof p->nonce, e) != 0 || random_bytes(name, sizeof name, e) != 0)
		return -1;
	hex_encode(hex, name, sizeof name);
	p->started = timestamp_now();
	p->ak_name = buf_strdup(runner_ak_name(o->runner), e);
	p->run = p->ak_name != NULL ? buf_strdup(hex, e) : NULL;
	return p->run != NULL ? 0 : -1;
}

/* It never began: nothing is to be collected. */
static int
commit_run_undo(struct store *s, struct pending *p, bool recorded, struct err *e)
{
	struct err ignored;

	if (recorded && pending_remove(s, p->run, &ignored) != 0)
		err_prefix(e, "(the record of the run stays: %s)", ignored.msg);
	free(p->run);
	p->run = NULL;
	return -1;
}

/* The record is there before the run is asked for: whatever becomes of this process, and of
 * the answer, the run can be collected.  The run of a machine that was started for it ends
 * with us. */
static int
commit_run_start(struct store *s, struct commit_run *c, struct open_runner *o, struct err *e)
{
	struct pending *p = &c->pending;
	bool recorded = o->machine == NULL, unknown;

	if (runner_send_inputs(o->runner, s, &p->spec, e) != 0 || commit_run_draw(p, o, e) != 0)
		return -1;
	if (recorded && pending_write(s, p, e) != 0)
		return commit_run_undo(s, p, false, e);
	if (runner_start(o->runner, &p->spec, p->nonce, p->run, &unknown, e) == 0)
		return 0;
	return unknown ? -1 : commit_run_undo(s, p, recorded, e);
}

/* What to do about a run that is left to itself; short: its first digits. */
static int
commit_run_left(const struct commit_run *c, const struct open_runner *o, struct err *e)
{
	const struct err why = *e;

	if (o->machine != NULL || c->pending.run == NULL)
		return -1;
	if (why.code == ERR_CANCELLED)
		return err_set(e, why.code, "detached; the run goes on: aicert run attach %.12s", c->pending.run);
	if (why.code == ERR_NETWORK || why.code == ERR_BUSY)
		return err_set(e, why.code, "%s; the run may go on: aicert run attach %.12s", why.msg,
		    c->pending.run);
	return -1;
}

/* Why there is no certificate, if that is so: then there never will be. */
static int
commit_run_ended(struct store *s, const struct commit_run *c, struct open_runner *o, struct err *e)
{
	CLEANUP(remote_run_free) struct remote_run run = {0};

	if (o->machine != NULL)
		return 0;
	if (runner_state(o->runner, c->pending.run, &run, e) != 0)
		return -1;
	if (!remote_run_over(&run) || run.has_certificate)
		return 0;
	if (pending_remove(s, c->pending.run, e) != 0)
		return -1;
	return err_set(e, ERR_RUNFAILED, "the run %s on %s, without a certificate%s%s%s",
	    run.state == REMOTE_RUN_INTERRUPTED ? "was interrupted by the end of the daemon" :
	    run.state == REMOTE_RUN_CANCELLED ? "was cancelled" : "failed", c->pending.runner,
	    run.error != NULL ? ": " : "", run.error != NULL ? run.error : "",
	    run.state == REMOTE_RUN_INTERRUPTED ? "; what was sent is still there: commit again" : "");
}

static int
commit_run_unknown(const struct commit_run *c, struct err *e)
{
	return err_set(e, ERR_NOTFOUND, "%s does not know the run: it did not begin there, or is long"
	    " over; aicert run cancel %.12s forgets it here", c->pending.runner, c->pending.run);
}

static int
commit_run_collect(struct store *s, struct commit_run *c, struct open_runner *o,
    struct commit_run_result *r, struct err *e)
{
	if (commit_run_follow(c, o, e) != 0)
		return e->code == ERR_NOTFOUND ? commit_run_unknown(c, e) : -1;
	if (commit_run_ended(s, c, o, e) != 0 ||
	    runner_certificate(o->runner, c->pending.run, &r->bytes, e) != 0 ||
	    certificate_decode(r->bytes.data, r->bytes.len, &r->certificate, e) != 0 ||
	    oid_from_data(&r->id, r->bytes.data, r->bytes.len, e) != 0 ||
	    commit_run_judge(s, c, o, r, e) != 0)
		return -1;
	return runner_fetch_outputs(o->runner, s, &r->certificate, e);
}

static int
commit_run_through(struct store *s, struct commit_run *c, bool attach, struct open_runner *o,
    struct commit_run_result *r, struct err *e)
{
	if (open_runner_identify(o, e) != 0)
		return -1;
	if (attach && strcmp(c->pending.ak_name, runner_ak_name(o->runner)) != 0)
		return err_set(e, ERR_REFUSED, "runner %s is another machine than the one that the run was"
		    " started on (its AK was %s)", c->pending.runner, c->pending.ak_name);
	if ((attach || commit_run_start(s, c, o, e) == 0) && commit_run_collect(s, c, o, r, e) == 0)
		return 0;
	return commit_run_left(c, o, e);
}

static int
commit_run_with(struct store *s, struct commit_run *c, bool attach, struct commit_run_result *ret,
    struct err *e)
{
	CLEANUP(open_runner_close) struct open_runner o = {0};
	CLEANUP(commit_run_result_free) struct commit_run_result result = {0};
	struct open_runner_options options = {
		.store = s, .name = c->pending.runner, .in_use = attach, .detach = true,
		.wait_s = c->wait_s,
	};

	if (open_runner_connect(&options, &o, e) != 0 ||
	    commit_run_through(s, c, attach, &o, &result, e) != 0)
		return -1;
	*ret = result;
	result = (struct commit_run_result){0};
	return 0;
}

int
commit_run(struct store *s, struct commit_run *c, struct commit_run_result *ret, struct err *e)
{
	return commit_run_with(s, c, false, ret, e);
}

int
commit_run_attach(struct store *s, struct commit_run *c, struct commit_run_result *ret,
    struct err *e)
{
	return commit_run_with(s, c, true, ret, e);
}

void
commit_run_result_free(struct commit_run_result *r)
{
	buf_free(&r->bytes);
	certificate_free(&r->certificate);
}
