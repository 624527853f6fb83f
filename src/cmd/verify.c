#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <fcntl.h>
#include <string.h>
#include "base/path.h"
#include "base/printable.h"
#include "cmd/bundle-find.h"
#include "cmd/judging.h"
#include "cmd/references.h"
#include "cmd/subject.h"
#include "cmd/verify-all.h"
#include "cmd/verify-files.h"
#include "cmd/verify-legacy.h"
#include "store/history.h"
#include "store/ingest.h"
#include "verify/verify.h"

#define VERIFY_OTHERS_MAX 20 /* listed */

#define VERIFY_SYNOPSIS "[--inputs] [--allow-extra] [--min-level LEVEL] [--at TIME] [--reference FILE]... " \
	"[--crl FILE]... [--policy FILE] [--time-stamp FILE] [--bundle BUNDLE] [-v|--json] FILE|REV | " \
	"-a [--min-level LEVEL] [--json] | --legacy [--at TIME] [--json] FILE | --explain CHECK"

struct verify_options {
	bool json, inputs, allow_extra, all, verbose, legacy;
	const char *min_level, *at, *explain, *policy, *time_stamp, *bundle;
	struct option_list references, crls;
};

static void
verify_options_free(struct verify_options *o)
{
	options_list_free(&o->references);
	options_list_free(&o->crls);
}

/* Everything one verification needs; the arrays live as long as the request. */
struct verify_job {
	struct store *s;            /* NULL: objects come from a bundle */
	struct bundle_file bundle;
	struct subject subject;
	struct trust trust;
	struct reference_set references;
	struct judging_crls crls;
	struct policy policy;
	bool has_policy;
	struct buf bytes, time_stamp;
	struct verify_file output;
	struct verify_file *inputs;
	size_t input_count;
	struct verify_files files;
	struct certificate certificate;   /* for its inputs and outputs; empty when unreadable */
	struct verify_request rq;
};

static void
verify_job_free(struct verify_job *j)
{
	subject_free(&j->subject);
	trust_free(&j->trust);
	reference_set_free(&j->references);
	judging_crls_free(&j->crls);
	policy_free(&j->policy);
	buf_free(&j->bytes);
	buf_free(&j->time_stamp);
	free(j->inputs);
	verify_files_free(&j->files);
	certificate_free(&j->certificate);
	bundle_file_close(&j->bundle);
	store_close(j->s);
}

static int
verify_input(struct verify_job *j, const struct resource *r, struct err *e)
{
	struct verify_file *f = &j->inputs[j->input_count];
	struct ingest_result found;

	*f = (struct verify_file){.path = r->path};
	if (ingest_path(NULL, store_worktree_fd(j->s), r->path,
	    INGEST_DIRECTORIES | INGEST_HASH_ONLY, NULL, &found, e) == 0) {
		f->type = found.type;
		f->id = found.id;
		f->size = found.size;
	} else if (e->code == ERR_NOTFOUND) {
		f->missing = true;
	} else {
		return -1;
	}
	j->input_count++;
	return 0;
}

/* What was asked for is, or lies inside of, an input. */
static int
verify_one_input(struct verify_job *j, struct err *e)
{
	const struct ingest_result *now = &j->subject.content;

	j->inputs = calloc(1, sizeof *j->inputs);
	if (j->inputs == NULL)
		return err_nomem(e);
	*j->inputs = (struct verify_file){.path = j->subject.path, .type = now->type, .id = now->id,
	    .size = now->size};
	j->input_count = 1;
	return 0;
}

/* The work tree's inputs. */
static int
verify_inputs(struct verify_job *j, struct err *e)
{
	const struct certificate *c = &j->certificate;

	if (c->event_count == 0)
		return 0; /* not readable: the verdict will say so */
	if (j->subject.is_input)
		return verify_one_input(j, e);
	j->inputs = calloc(c->event_count, sizeof *j->inputs);
	if (j->inputs == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < c->event_count; i++) {
		const struct event *ev = &c->events[i];

		if (ev->kind != EVENT_INPUT_RESOURCE)
			continue;
		if (verify_input(j, &ev->u.input.thing, e) != 0)
			return -1;
		/* what the client fetched need not be in the work tree */
		if (ev->u.input.fetched && j->inputs[j->input_count - 1].missing)
			j->input_count--;
	}
	return 0;
}

/* A certificate that names the file's own path is asked about that path: another
 * output of the same run does not stand in for it. */
static bool
verify_names_path(const struct verify_job *j)
{
	const char *path = j->subject.path;

	for (size_t i = 0; path != NULL && i < j->certificate.event_count; i++) {
		const struct event *ev = &j->certificate.events[i];

		if (ev->kind == EVENT_OUTPUT_RESOURCE && path_covers(ev->u.output.output.path, path))
			return true;
	}
	return false;
}

static void
verify_fill(struct verify_job *j)
{
	struct verify_request *rq = &j->rq;

	rq->id = j->subject.certificate;
	rq->data = j->bytes.data;
	rq->len = j->bytes.len;
	rq->trust = &j->trust;
	rq->references = &j->references;
	rq->chain = VERIFY_CHAIN_JUDGED;
	rq->inputs = j->inputs;
	rq->input_count = j->input_count;
	rq->inputs_given = j->subject.is_input;
	if (!j->subject.is_path || j->subject.is_input)
		return;
	j->output = (struct verify_file){
		.path = !j->subject.content_known || verify_names_path(j) ? j->subject.path : NULL,
		.type = j->subject.content.type,
		.id = j->subject.content.id,
		.size = j->subject.content.size,
	};
	rq->outputs = &j->output;
	rq->output_count = 1;
}

/* Directories that are not what they should be are looked at entry by entry. */
static int
verify_settle(struct verify_job *j, const char *arg, struct err *e)
{
	j->files.fetch = j->rq.fetch;
	j->files.fetch_arg = j->rq.fetch_arg;
	if (j->rq.output_count > 0 &&
	    verify_files_settle(&j->files, &j->certificate, false, AT_FDCWD, arg, &j->output, e) != 0)
		return -1;
	for (size_t i = 0; i < j->input_count; i++)
		if (verify_files_settle(&j->files, &j->certificate, true, store_worktree_fd(j->s),
		    j->inputs[i].path, &j->inputs[i], e) != 0)
			return -1;
	return 0;
}

static int
verify_note_extra(const struct verify_job *j, struct verdict *v, struct err *e)
{
	return j->files.extra.len == 0 ? 0 : verdict_note(v, e, "Not judged (--allow-extra): %s.",
	    buf_str(&j->files.extra));
}

struct verify_others {
	struct verdict *v;
	size_t count;
	int rc;
	struct err *e;
};

/* Other certificates with the same content are listed, never counted. */
static int
verify_other(void *arg, const struct history_use *use)
{
	struct verify_others *o = arg;
	char id[CMD_SHORT_SIZE];

	if (oid_equal(&use->certificate_id, &o->v->certificate))
		return 0;
	if (o->count++ == VERIFY_OTHERS_MAX) {
		o->rc = verdict_note(o->v, o->e, "more certificates have the same content");
		return 1;
	}
	cmd_short(&use->certificate_id, id);
	o->rc = verdict_note(o->v, o->e, use->inside ? "certificate %s has the same content inside its"
	    " output %s" : "certificate %s has the same content as its output %s", id, use->thing->path);
	return o->rc;
}

static int
verify_note_others(struct verify_job *j, struct verdict *v, struct err *e)
{
	CLEANUP(history_view_freep) struct history_view *view = NULL;
	struct verify_others o = {.v = v, .e = e};
	bool whole;

	if (j->s == NULL)
		return bundle_find_note(&j->bundle, &j->subject, v, e);
	if (!j->subject.is_path)
		return 0;
	if (history_view_new(j->s, &view, e) != 0 ||
	    history_uses(view, &j->subject.content.id, true, verify_other, &o, &whole, e) != 0)
		return -1;
	return o.rc;
}

/* Whether a newer run made another file of that name. */
static int
verify_note_names(struct verify_job *j, struct verdict *v, struct err *e)
{
	CLEANUP(history_producer_free) struct history_producer p = {0};
	const struct subject *sub = &j->subject;
	char id[CMD_SHORT_SIZE];

	if (j->s == NULL || !sub->is_path || !sub->content_known)
		return 0;
	if (sub->path == NULL || history_producer_of_path(j->s, sub->path, HISTORY_QUICK, &p, e) != 0)
		return sub->path == NULL || e->code == ERR_NOTFOUND ? 0 : -1;
	if (oid_equal(&p.certificate, &sub->certificate))
		return 0;
	cmd_short(&p.certificate, id);
	return verdict_note(v, e, "Superseded: a newer run, certificate %s, made another %s", id, sub->path);
}

static int
verify_print(struct verify_job *j, const struct verify_options *o, struct verdict *v, const char *arg,
    struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	v->subject = printable(arg, e);
	if (v->subject == NULL || verify_note_names(j, v, e) != 0 || verify_note_others(j, v, e) != 0 ||
	    verify_note_extra(j, v, e) != 0)
		return -1;
	if ((o->json ? verdict_to_json(v, &text, e) : verdict_to_text(v, o->verbose, &text, e)) != 0)
		return -1;
	fwrite(text.data, 1, text.len, stdout);
	if (o->json)
		putchar('\n');
	return v->answer == ANSWER_PASS ? 0 : v->answer == ANSWER_FAIL ? 1 : 3;
}

static int
verify_subject(struct verify_job *j, const struct verify_options *o, const char *arg, struct err *e)
{
	struct verdict *v;
	int rc;

	if ((j->s == NULL ? bundle_find(&j->bundle, arg, &j->subject, e) :
	    (o->inputs ? subject_find_input : subject_find)(j->s, arg, &j->subject, e)) != 0)
		return e->code == ERR_CORRUPT && j->s != NULL ?
		    err_prefix(e, "%s: check object.id fails", arg) : -1;
	if (!j->subject.has_certificate)
		return cmd_no_run(j->s, "verify", arg, &j->subject.object, e);
	if (j->rq.fetch(j->rq.fetch_arg, &j->subject.certificate, CERTIFICATE_BYTES_MAX, &j->bytes, e) != 0)
		return -1;
	if (certificate_decode(j->bytes.data, j->bytes.len, &j->certificate, e) != 0)
		err_clear(e);
	if (o->inputs && verify_inputs(j, e) != 0)
		return -1;
	verify_fill(j);
	j->files.allow_extra = o->allow_extra;
	if (verify_settle(j, arg, e) != 0)
		return -1;
	if (verify_certificate(&j->rq, &v, e) != 0)
		return -1;
	rc = verify_print(j, o, v, arg, e);
	verdict_free(v);
	return rc;
}

/* Where certificates and what they name come from. */
static int
verify_source(struct verify_job *j, const struct verify_options *o, struct err *e)
{
	if (o->bundle == NULL) {
		j->rq.fetch = cmd_fetch;
		if (cmd_store(STORE_READ_ONLY, &j->s, e) != 0)
			return -1;
		j->rq.fetch_arg = j->s;
		return 0;
	}
	j->rq.fetch = bundle_file_fetch;
	j->rq.fetch_arg = &j->bundle;
	return bundle_file_open(o->bundle, &j->bundle, e);
}

static int
verify_every(struct verify_job *j, const struct verify_options *o, struct err *e)
{
	const struct verify_all_options all = {.json = o->json};

	if (o->inputs || o->allow_extra || o->verbose || o->time_stamp != NULL)
		return err_set(e, ERR_USAGE, "verify: --all judges certificates, without files and details");
	j->rq.trust = &j->trust;
	j->rq.references = &j->references;
	return verify_all(j->s, &j->rq, &all, e);
}

static int
verify_explain(const char *name, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	enum verdict_check c;

	if (verdict_check_parse(name, &c, e) != 0 || verdict_explain(c, &text, e) != 0)
		return -1;
	fwrite(text.data, 1, text.len, stdout);
	return 0;
}

int
verify_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	CLEANUP(verify_options_free) struct verify_options o = {0};
	const struct option table[] = {
		{OPTION_FLAG, 0, "inputs", &o.inputs, NULL, "compare the work tree's inputs too"},
		{OPTION_FLAG, 0, "allow-extra", &o.allow_extra, NULL,
		    "files that a tree does not have are listed, not refused"},
		{OPTION_STRING, 0, "min-level", &o.min_level, "LEVEL",
		    "simulated, device, vtpm (the default) or confidential"},
		{OPTION_STRING, 0, "at", &o.at, "TIME", "judge at this time, not now"},
		{OPTION_STRINGS, 0, "reference", &o.references, "FILE",
		    "one of these reference records must match"},
		{OPTION_ONCE, 0, "time-stamp", &o.time_stamp, "FILE", "of the certificate, RFC 3161 in DER"},
		{OPTION_ONCE, 0, "policy", &o.policy, "FILE", "the policy to satisfy, not the user's own"},
		{OPTION_STRINGS, 0, "crl", &o.crls, "FILE", "a revocation list, DER or PEM"},
		{OPTION_ONCE, 0, "bundle", &o.bundle, "BUNDLE",
		    "the proof is in this file; no store is needed"},
		{OPTION_FLAG, 'a', "all", &o.all, NULL, "every certificate of the history, one a line"},
		{OPTION_FLAG, 'v', "verbose", &o.verbose, NULL, "print every check"},
		{OPTION_FLAG, 0, "json", &o.json, NULL, "the verdict as one JSON document"},
		{OPTION_FLAG, 0, "legacy", &o.legacy, NULL, "FILE is an attestation of the original AICert"},
		{OPTION_STRING, 0, "explain", &o.explain, "CHECK", "say what a check means, and end"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(verify_job_free) struct verify_job j = {.bundle = BUNDLE_FILE_INIT};
	int rc = cmd_parse("verify", VERIFY_SYNOPSIS, table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (o.explain != NULL)
		return cmd_count("verify", argc, 0, 0, e) != 0 ? -1 : verify_explain(o.explain, e);
	if (cmd_count("verify", argc, o.all ? 0 : 1, o.all ? 0 : 1, e) != 0 ||
	    judging_time(o.at, &j.rq, e) != 0)
		return -1;
	if (o.bundle != NULL && (o.inputs || o.all || o.legacy))
		return err_set(e, ERR_USAGE, "verify: --bundle judges one file, without inputs");
	if (o.legacy && !o.all)
		return verify_legacy(argv[0], j.rq.time, j.rq.time_source, o.json, e);
	if (verify_source(&j, &o, e) != 0 ||
	    judging_level(o.min_level, j.s, &j.rq.required, e) != 0 || cmd_trust(&j.trust, e) != 0 ||
	    references_load(&o.references, &j.references, e) != 0 ||
	    judging_crls(&o.crls, &j.crls, e) != 0 || judging_crls_check(&o.crls, &j.crls, e) != 0 ||
	    judging_policy(o.policy, &j.policy, &j.has_policy, e) != 0)
		return -1;
	j.rq.policy = j.has_policy ? &j.policy : NULL;
	if (o.time_stamp != NULL && judging_time_stamp(o.time_stamp, &j.time_stamp, &j.rq, e) != 0)
		return -1;
	j.rq.crls = j.crls.lists;
	j.rq.crl_count = j.crls.count;
	j.rq.reference_required = o.references.count > 0;
	j.rq.check_inputs = o.inputs;
	if (o.all)
		return verify_every(&j, &o, e);
	return verify_subject(&j, &o, argv[0], e);
}
