#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <string.h>
#include "base/printable.h"
#include "cmd/audit-state.h"
#include "cmd/judging.h"
#include "cmd/references.h"
#include "store/history-tips.h"
#include "store/refs.h"

#define AUDIT_SYNOPSIS "[--since REV] [--min-level LEVEL] [--at TIME] [--reference FILE]..." \
	" [--crl FILE]... [--policy FILE] [--json] [REMOTE]"

struct audit_options {
	const char *since, *min_level, *at, *policy;
	struct option_list references, crls;
	bool json;
};

/* What the judging needs, as long as it lasts. */
struct audit_judging {
	struct trust trust;
	struct reference_set references;
	struct judging_crls crls;
	struct policy policy;
	struct verify_request rq;
};

static void
audit_judging_free(struct audit_judging *j)
{
	trust_free(&j->trust);
	reference_set_free(&j->references);
	judging_crls_free(&j->crls);
	policy_free(&j->policy);
}

static void
audit_options_free(struct audit_options *o)
{
	options_list_free(&o->references);
	options_list_free(&o->crls);
}

static int
audit_judging(const struct audit_options *o, struct store *s, struct audit_judging *j, struct err *e)
{
	bool has_policy;

	if (judging_time(o->at, &j->rq, e) != 0 || judging_level(o->min_level, s, &j->rq.required, e) != 0 ||
	    cmd_trust(&j->trust, e) != 0 || references_load(&o->references, &j->references, e) != 0 ||
	    judging_crls(&o->crls, &j->crls, e) != 0 || judging_crls_check(&o->crls, &j->crls, e) != 0 ||
	    judging_policy(o->policy, &j->policy, &has_policy, e) != 0)
		return -1;
	j->rq.policy = has_policy ? &j->policy : NULL;
	j->rq.trust = &j->trust;
	j->rq.references = &j->references;
	j->rq.reference_required = o->references.count > 0;
	j->rq.crls = j->crls.lists;
	j->rq.crl_count = j->crls.count;
	return 0;
}

/* --- what is looked at --- */

static int
audit_fetch(struct audit *a, struct config *c, const char *remote, struct err *e)
{
	const struct fetch_options o = {.blobs = "none"};

	a->fetch = (struct fetch){.s = a->s, .c = c};
	a->fetched = true;
	if (remotes_choose(a->s, c, remote, &a->fetch.entry, e) != 0 || fetch_refs_run(&a->fetch, &o, e) != 0)
		return -1;
	if (!a->json)
		fetch_refs_print(&a->fetch, false);
	for (size_t i = 0; i < a->fetch.count; i++)
		if (a->fetch.refs[i].target.type == OBJECT_COMMIT && a->fetch.refs[i].result != FETCH_FAILED &&
		    oid_list_add(&a->tips, &a->fetch.refs[i].target.id, e) != 0)
			return -1;
	return 0;
}

static int
audit_tips(struct audit *a, struct err *e)
{
	return history_tips_head(a->s, &a->tips, e) != 0 ? -1 : history_tips_refs(a->s, &a->tips, e);
}

static int
audit_resolve(struct audit *a, struct err *e)
{
	struct object_ref at;

	if (a->since == NULL)
		return 0;
	if (refs_resolve(a->s, a->since, &at, e) != 0)
		return -1;
	if (at.type != OBJECT_COMMIT)
		return err_set(e, ERR_USAGE, "audit: --since %s: a %s, not a commit", a->since,
		    oid_type_name(at.type));
	a->since_id = at.id;
	return 0;
}

/* --- the end --- */

static int
audit_end(const struct audit *a, struct err *e)
{
	bool no = a->fail > 0 || a->lost > 0 || a->uncovered > 0 || a->lineage > 0;
	/* nothing to judge is no pass, but after --since */
	bool unknown = a->undecided > 0 || a->missing > 0 || (a->certificates == 0 && a->since == NULL);
	const char *answer = no ? "fail" : unknown ? "undecided" : "pass";
	const struct {
		const char *name;
		size_t n;
	} counts[] = {
		{"certificates", a->certificates}, {"fail", a->fail}, {"failedRuns", a->failed_runs},
		{"lineage", a->lineage}, {"missing", a->missing}, {"origins", a->origin_count},
		{"pass", a->pass}, {"revoked", a->revoked}, {"rewritten", a->lost},
		{"uncovered", a->uncovered}, {"undecided", a->undecided},
	};
	struct jcs *v = a->json ? jcs_new_object() : NULL;

	jcs_set_string(v, "verdict", answer);
	for (size_t i = 0; a->json && i < sizeof counts / sizeof *counts; i++)
		jcs_set_int(v, counts[i].name, (int64_t)counts[i].n);
	if (audit_state_tell(a, "summary", v, e, "%s: %zu certificate%s: %zu pass, %zu fail, %zu undecided;"
	    " %zu rewritten, %zu uncovered, %zu missing, %zu of lineage, %zu revoked;"
	    " %zu input%s without a certificate, %zu failed run%s",
	    answer, a->certificates, printable_s(a->certificates), a->pass, a->fail, a->undecided, a->lost,
	    a->uncovered, a->missing, a->lineage, a->revoked, a->origin_count, printable_s(a->origin_count),
	    a->failed_runs, printable_s(a->failed_runs)) != 0)
		return -1;
	return no ? 1 : unknown ? 3 : 0;
}

static int
audit_do(struct audit *a, struct config *c, const char *remote, struct err *e)
{
	if ((remote != NULL ? audit_fetch(a, c, remote, e) : audit_tips(a, e)) != 0 ||
	    audit_resolve(a, e) != 0 || audit_history(a, e) != 0 || audit_certificates_list(a, e) != 0 ||
	    audit_certificates_judge(a, e) != 0 || audit_files(a, e) != 0)
		return -1;
	return audit_end(a, e);
}

int
audit_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	CLEANUP(audit_options_free) struct audit_options o = {0};
	const struct option table[] = {
		{OPTION_STRING, 0, "since", &o.since, "REV", "only what came after this commit"},
		{OPTION_STRING, 0, "min-level", &o.min_level, "LEVEL",
		    "simulated, device, vtpm (the default) or confidential"},
		{OPTION_STRING, 0, "at", &o.at, "TIME", "judge at this time, not now"},
		{OPTION_STRINGS, 0, "reference", &o.references, "FILE",
		    "one of these reference records must match"},
		{OPTION_STRINGS, 0, "crl", &o.crls, "FILE", "a revocation list, DER or PEM"},
		{OPTION_ONCE, 0, "policy", &o.policy, "FILE", "the policy to satisfy, not the user's own"},
		{OPTION_FLAG, 0, "json", &o.json, NULL, "one JSON document a line, the summary last"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(config_closep) struct config *c = NULL;
	CLEANUP(audit_judging_free) struct audit_judging j = {.rq = {.chain = VERIFY_CHAIN_NONE}};
	CLEANUP(audit_state_free) struct audit a = {.fetched = false};
	int rc = cmd_parse("audit", AUDIT_SYNOPSIS, table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("audit", argc, 0, 1, e) != 0 ||
	    cmd_store(argc > 0 ? 0 : STORE_READ_ONLY, &s, e) != 0 || config_open(s, &c, e) != 0 ||
	    audit_judging(&o, s, &j, e) != 0)
		return -1;
	a.s = s;
	a.json = o.json;
	a.since = o.since;
	a.rq = &j.rq;
	return audit_do(&a, c, argc > 0 ? argv[0] : NULL, e);
}
