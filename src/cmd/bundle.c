#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <string.h>
#include "base/printable.h"
#include "cmd/bundle-write.h"
#include "cmd/subject.h"
#include "store/history.h"

struct bundle_options {
	const char *output;
	bool force, no_history, json;
};

static int
bundle_add(struct bundle_index *x, const struct oid *certificate, const struct resource *thing,
    struct err *e)
{
	struct bundle_subject *grown;

	for (size_t i = 0; i < x->subject_count; i++)
		if (oid_equal(&x->subjects[i].certificate, certificate) &&
		    strcmp(x->subjects[i].thing.path, thing->path) == 0)
			return 0;
	if (x->subject_count == BUNDLE_SUBJECTS_MAX)
		return err_set(e, ERR_LIMIT, "bundle: more than %u files", BUNDLE_SUBJECTS_MAX);
	grown = reallocarray(x->subjects, x->subject_count + 1, sizeof *grown);
	if (grown == NULL)
		return err_nomem(e);
	x->subjects = grown;
	grown += x->subject_count;
	*grown = (struct bundle_subject){.certificate = *certificate};
	if (resource_copy(&grown->thing, thing, e) != 0)
		return -1;
	x->subject_count++;
	return 0;
}

/* Of a file the output that has its content or holds it; of a revision all outputs. */
static int
bundle_subject(struct store *s, const char *arg, struct bundle_index *x, struct err *e)
{
	CLEANUP(subject_free) struct subject sub = {0};
	CLEANUP(certificate_free) struct certificate c = {0};
	size_t before = x->subject_count;

	if (subject_find(s, arg, &sub, e) != 0)
		return -1;
	if (!sub.has_certificate)
		return cmd_no_run(s, "bundle", arg, &sub.object, e);
	if (sub.is_path && !sub.content_known)
		return err_set(e, ERR_REFUSED, "%s: no run made this content, another content of that name"
		    " has a certificate (aicert verify says more)", arg);
	if (history_certificate(s, &sub.certificate, &c, e) != 0)
		return -1;
	for (size_t i = 0; i < c.event_count; i++) {
		const struct resource *r = &c.events[i].u.output.output;

		if (c.events[i].kind == EVENT_OUTPUT_RESOURCE &&
		    (!sub.is_path || strcmp(r->path, sub.output) == 0) &&
		    bundle_add(x, &sub.certificate, r, e) != 0)
			return -1;
	}
	if (x->subject_count == before && !sub.is_path)
		return err_set(e, ERR_USAGE, "bundle: the run of %s made nothing", arg);
	return 0;
}

static int
bundle_print(const struct bundle_collect *c, const struct bundle_options *o, uint64_t size,
    struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	char text[32];

	if (o->json) {
		v = jcs_new_object();
		jcs_set_string(v, "bundle", o->output);
		jcs_set_int(v, "bytes", (int64_t)size);
		jcs_set_int(v, "certificates", (int64_t)c->lineage);
		jcs_set_int(v, "heads", (int64_t)c->index.head_count);
		jcs_set_int(v, "objects", (int64_t)c->count);
		jcs_set_int(v, "subjects", (int64_t)c->index.subject_count);
		return cmd_print_json(v, e);
	}
	progress_size(text, sizeof text, size);
	cmd_print_text(stdout, o->output);
	printf(": %zu subject%s, a lineage of %zu certificate%s, %zu object%s, %s\n",
	    c->index.subject_count, printable_s(c->index.subject_count), c->lineage,
	    printable_s(c->lineage), c->count, printable_s(c->count), text);
	return 0;
}

static int
bundle_make(struct store *s, int argc, char **argv, const struct bundle_options *o, struct err *e)
{
	CLEANUP(bundle_collect_free) struct bundle_collect c = {0};
	uint64_t size;

	for (int i = 0; i < argc; i++)
		if (bundle_subject(s, argv[i], &c.index, e) != 0)
			return -1;
	if (bundle_collect(s, !o->no_history, &c, e) != 0 ||
	    bundle_write(s, &c, o->output, o->force, &size, e) != 0)
		return -1;
	return strcmp(o->output, "-") == 0 ? 0 : bundle_print(&c, o, size, e);
}

int
bundle_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	struct bundle_options o = {0};
	const struct option table[] = {
		{OPTION_STRING, 'o', "output", &o.output, "BUNDLE", "the file to write; - is standard output"},
		{OPTION_FLAG, 0, "no-history", &o.no_history, NULL,
		    "the lineage alone, without other runs: to verify, not to import"},
		{OPTION_FLAG, 'f', "force", &o.force, NULL, "replace a file that is there"},
		{OPTION_FLAG, 0, "json", &o.json, NULL, "what was written as one JSON document"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	int rc = cmd_parse("bundle", "-o BUNDLE [--no-history] [-f] [--json] FILE|REV...", table, &argc,
	    argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("bundle", argc, 1, (int)BUNDLE_SUBJECTS_MAX, e) != 0)
		return -1;
	if (o.output == NULL)
		return err_set(e, ERR_USAGE, "bundle: where to? -o BUNDLE names the file to write");
	if (cmd_store(STORE_READ_ONLY, &s, e) != 0)
		return -1;
	return bundle_make(s, argc, argv, &o, e);
}
