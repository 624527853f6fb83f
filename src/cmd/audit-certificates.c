/* Every certificate of the history, each with where its inputs say they come from. */
#include <string.h>
#include "cmd/audit-state.h"
#include "cmd/cmd.h"
#include "cmd/verify-all.h"
#include "store/history.h"
#include "store/odb.h"

/* --- which --- */

static int
audit_missing(struct audit *a, const struct oid *id, const char *why)
{
	struct jcs *v = a->json ? jcs_new_object() : NULL;
	char text[OID_TEXT_SIZE];

	a->missing++;
	oid_text(id, text);
	jcs_set_string(v, "certificate", text);
	return audit_state_tell(a, "missing", v, a->e, "certificate %.12s %s", text + strlen("sha256:"), why);
}

static int
audit_run(struct audit *a, const struct oid *certificate, bool before)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	bool fresh;

	if (oid_map_add(&a->known, certificate, 0, &fresh, a->e) != 0)
		return -1;
	if (!fresh)
		return 0;
	if (odb_read_raw(a->s, certificate, CERTIFICATE_BYTES_MAX, &text, a->e) != 0) {
		if (a->e->code != ERR_NOTFOUND)
			return -1;
		return before ? 0 : audit_missing(a, certificate, "is not in this store");
	}
	if (audit_names_add(&a->names, text.data, text.len, a->e) != 0)
		return -1;
	return before ? 0 : oid_list_add(&a->todo, certificate, a->e);
}

static int
audit_revoked(struct audit *a, const struct commit *c)
{
	struct jcs *v = a->json ? jcs_new_object() : NULL;
	char text[OID_TEXT_SIZE];

	a->revoked++;
	oid_text(&c->subject.id, text);
	jcs_set_string(v, "certificate", text);
	jcs_set_string(v, "reason", c->reason);
	return audit_state_tell(a, "revoked", v, a->e, "certificate %.12s: %s", text + strlen("sha256:"),
	    c->reason);
}

static int
audit_commit(void *arg, const struct oid *id, const struct commit *c)
{
	struct audit *a = arg;
	size_t at;
	bool before = oid_map_get(&a->before, id, &at);

	a->rc = 0;
	if (c->kind == COMMIT_RUN && c->has_subject)
		a->rc = audit_run(a, &c->subject.id, before);
	else if (c->kind == COMMIT_REVOKE && !before)
		a->rc = audit_revoked(a, c);
	return a->rc;
}

static int
audit_before(void *arg, const struct oid *id, const struct commit *c UNUSED)
{
	struct audit *a = arg;
	bool fresh;

	a->rc = oid_map_add(&a->before, id, 0, &fresh, a->e);
	return a->rc;
}

int
audit_certificates_list(struct audit *a, struct err *e)
{
	a->e = e;
	if (a->since != NULL && (history_walk(a->s, &a->since_id, 1, audit_before, a, e) != 0 || a->rc != 0))
		return -1;
	if (history_walk(a->s, a->tips.ids, a->tips.count, audit_commit, a, e) != 0)
		return -1;
	return a->rc;
}

/* --- each --- */

/* The same data set is told once. */
static int
audit_origin(struct audit *a, const struct resource_input *in, const struct oid *user)
{
	struct jcs *v;
	char id[OID_TEXT_SIZE], by[OID_TEXT_SIZE];
	bool fresh;

	if (oid_map_add(&a->origins, &in->thing.digests.sha256, 0, &fresh, a->e) != 0)
		return -1;
	if (!fresh)
		return 0;
	a->origin_count++;
	oid_text(&in->thing.digests.sha256, id);
	oid_text(user, by);
	v = a->json ? jcs_new_object() : NULL;
	if (a->json) {
		resource_to_jcs(&in->thing, v);
		jcs_set_string(v, "inputKind", in->thing.kind);
		jcs_set_string(v, "license", in->license);
		jcs_set_string(v, "source", in->source);
		jcs_set_string(v, "usedBy", by);
	}
	return audit_state_tell(a, "origin", v, a->e, "%s (%s, %s%s%s) has no certificate; used by %.12s",
	    in->thing.path, in->thing.kind, id, in->source != NULL ? ", said to be from " : "",
	    in->source != NULL ? in->source : "", by + strlen("sha256:"));
}

static int
audit_lineage(struct audit *a, const struct resource_input *in, const struct oid *user)
{
	struct jcs *v = a->json ? jcs_new_object() : NULL;
	char by[OID_TEXT_SIZE], id[OID_TEXT_SIZE];

	a->lineage++;
	oid_text(user, by);
	oid_text(&in->made_by->certificate, id);
	jcs_set_string(v, "certificate", by);
	jcs_set_string(v, "madeBy", id);
	jcs_set_string(v, "path", in->thing.path);
	return audit_state_tell(a, "lineage", v, a->e, "certificate %.12s: input %s is no output %s of"
	    " certificate %.12s", by + strlen("sha256:"), in->thing.path, in->made_by->path,
	    id + strlen("sha256:"));
}

/* The ancestor is there, has the output, and is judged too, also where no commit names it. */
static int
audit_made_by(struct audit *a, const struct resource_input *in, const struct oid *user)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	const struct oid *id = &in->made_by->certificate;
	const struct resource *out;
	bool fresh;

	if (history_certificate(a->s, id, &c, a->e) != 0) {
		if (a->e->code == ERR_NOTFOUND)
			return audit_missing(a, id, "is named as an origin and is not in this store");
		return a->e->code == ERR_NOMEM ? -1 : audit_lineage(a, in, user);
	}
	out = certificate_output(&c, in->made_by->path);
	if (out == NULL || !resource_same_content(out, &in->thing) || !certificate_run_ok(&c))
		return audit_lineage(a, in, user);
	if (oid_map_add(&a->known, id, 0, &fresh, a->e) != 0)
		return -1;
	return fresh ? oid_list_add(&a->todo, id, a->e) : 0;
}

static int
audit_inputs(struct audit *a, const struct oid *id)
{
	CLEANUP(certificate_free) struct certificate c = {0};

	if (history_certificate(a->s, id, &c, a->e) != 0)
		return a->e->code == ERR_NOMEM ? -1 : 0; /* its verdict has said so */
	for (size_t i = 0; i < c.event_count; i++) {
		const struct resource_input *in = &c.events[i].u.input;

		if (c.events[i].kind != EVENT_INPUT_RESOURCE)
			continue;
		if ((in->made_by == NULL ? audit_origin(a, in, id) : audit_made_by(a, in, id)) != 0)
			return -1;
	}
	return 0;
}

static struct jcs *
audit_checks_jcs(const struct verdict *v)
{
	struct jcs *list = jcs_new_array();

	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		struct jcs *one;

		if (v->checks[c].result != VERDICT_FAIL && !v->checks[c].missing)
			continue;
		one = jcs_new_object();
		jcs_set_string(one, "name", verdict_check_name(c));
		jcs_set_string(one, "expected", v->checks[c].expected);
		jcs_set_string(one, "found", v->checks[c].found);
		jcs_append(list, one);
	}
	return list;
}

static int
audit_verdict_print(struct audit *a, const struct verdict *v)
{
	static const char *const words[] = {
		[ANSWER_FAIL] = "fail", [ANSWER_UNDECIDED] = "undecided", [ANSWER_PASS] = "pass",
	};
	CLEANUP(buf_free) struct buf why = BUF_INIT;
	struct jcs *o = a->json ? jcs_new_object() : NULL;
	char id[OID_TEXT_SIZE];

	oid_text(&v->certificate, id);
	if (a->json) {
		jcs_set_string(o, "certificate", id);
		jcs_set_string(o, "verdict", words[v->answer]);
		jcs_set_string(o, "level", v->level < LEVEL_SIMULATED ? NULL : verdict_level_name(v->level));
		jcs_set_string(o, "required", verdict_level_name(v->required));
		jcs_set_string(o, "command", v->run.known ? v->run.command : NULL);
		jcs_set(o, "checks", audit_checks_jcs(v));
	}
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++)
		if (v->checks[c].result == VERDICT_FAIL || v->checks[c].missing)
			buf_addf(&why, "  %s: %s", verdict_check_name(c), v->checks[c].found != NULL ?
			    v->checks[c].found : "fails");
	if (v->answer == ANSWER_FAIL && v->level < v->required)
		buf_addf(&why, "  (%s is required)", verdict_level_name(v->required));
	return audit_state_tell(a, a->json ? "certificate" : words[v->answer], o, a->e, "%-12s  %.12s  %s%s",
	    verdict_level_name(v->level), id + strlen("sha256:"), v->run.known ? v->run.command : "",
	    buf_str(&why));
}

/* A verify_all_fn. */
static int
audit_verdict(void *arg, const struct verdict *v, struct err *e)
{
	struct audit *a = arg;

	a->e = e;
	a->certificates++;
	a->pass += v->answer == ANSWER_PASS;
	a->fail += v->answer == ANSWER_FAIL;
	a->undecided += v->answer == ANSWER_UNDECIDED;
	return audit_verdict_print(a, v) != 0 ? -1 : audit_inputs(a, &v->certificate);
}

int
audit_certificates_judge(struct audit *a, struct err *e)
{
	while (a->todo.count > 0) {
		struct oid_list now = a->todo;
		const struct verify_all_options o = {.ids = now.ids, .id_count = now.count,
		    .report = audit_verdict, .report_arg = a};
		int rc;

		a->todo = (struct oid_list){0}; /* ancestors that are in no commit come next */
		rc = verify_all(a->s, a->rq, &o, e);
		oid_list_free(&now);
		if (rc < 0)
			return -1;
	}
	return 0;
}
