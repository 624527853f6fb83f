#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <string.h>
#include "base/path.h"
#include "cmd/log-failed.h"
#include "cmd/print.h"
#include "store/history.h"
#include "store/refs.h"

struct log_options {
	bool oneline, json, failed;
	int64_t count;              /* < 0: all */
};

struct log_walk {
	struct store *s;
	const struct log_options *o;
	char **paths;               /* relative to the work tree; none: every commit */
	size_t path_count;
	int64_t shown;
	struct err *e;
	bool broken;
};

/* Is one of the certificate's inputs or outputs one of the paths, or beneath it? */
static bool
log_touches(const struct log_walk *w, const struct certificate *c)
{
	for (size_t i = 0; i < c->event_count; i++) {
		const struct event *ev = &c->events[i];
		const char *path = ev->kind == EVENT_INPUT_RESOURCE ? ev->u.input.thing.path :
		    ev->kind == EVENT_OUTPUT_RESOURCE ? ev->u.output.output.path : NULL;

		for (size_t k = 0; path != NULL && k < w->path_count; k++)
			if (path_covers(w->paths[k], path) || path_covers(path, w->paths[k]))
				return true;
	}
	return false;
}

static int
log_selected(struct log_walk *w, const struct commit *c, bool *ret)
{
	CLEANUP(certificate_free) struct certificate cert = {0};

	*ret = w->path_count == 0;
	if (*ret || !c->has_subject)
		return 0;
	if (c->resource != NULL) {
		for (size_t k = 0; k < w->path_count; k++)
			*ret = *ret || path_covers(w->paths[k], c->resource->thing.path);
		return 0;
	}
	if (c->subject.type != OBJECT_CERTIFICATE)
		return 0;
	if (history_certificate(w->s, &c->subject.id, &cert, w->e) != 0)
		return -1;
	*ret = log_touches(w, &cert);
	return 0;
}

static void
log_print_oneline(const struct oid *id, const struct commit *c)
{
	char short_id[CMD_SHORT_SIZE];

	cmd_short(id, short_id);
	printf("%s ", short_id);
	cmd_print_line(stdout, c->message);
	putchar('\n');
}

/* The commit's own document with its id beside it. */
static int
log_print_json(const struct oid *id, const struct commit *c, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(jcs_freep) struct jcs *line = jcs_new_object();
	struct jcs *document;
	char full[OID_TEXT_SIZE];

	oid_text(id, full);
	if (commit_encode(c, &text, e) != 0 ||
	    jcs_decode(text.data, text.len, COMMIT_BYTES_MAX, &document, e) != 0)
		return -1;
	jcs_set_string(line, "id", full);
	jcs_set(line, "commit", document);
	return cmd_print_json(line, e);
}

static int
log_each(void *arg, const struct oid *id, const struct commit *c)
{
	struct log_walk *w = arg;
	bool selected;
	int rc = 0;

	if (w->o->count >= 0 && w->shown >= w->o->count)
		return 1;
	if (log_selected(w, c, &selected) != 0) {
		w->broken = true;
		return 1;
	}
	if (!selected)
		return 0;
	w->shown++;
	if (w->o->json)
		rc = log_print_json(id, c, w->e);
	else if (w->o->oneline)
		log_print_oneline(id, c);
	else
		rc = print_commit(w->s, id, c, w->e);
	w->broken = rc != 0;
	if (w->shown == 1 && rc == 0)
		fflush(stdout); /* the newest is what most look for */
	return rc;
}

/* The first argument may be a revision; the rest are paths. */
static int
log_arguments(struct log_walk *w, int argc, char **argv, struct object_ref *ret, struct err *e)
{
	int first = argc > 0 && !cmd_is_path(argv[0]) ? 1 : 0;

	if (refs_resolve(w->s, first == 1 ? argv[0] : "HEAD", ret, e) != 0)
		return -1;
	if (ret->type != OBJECT_COMMIT)
		return err_set(e, ERR_USAGE, "log: %s is a %s, not a commit", first == 1 ? argv[0] : "HEAD",
		    oid_type_name(ret->type));
	w->paths = calloc((size_t)(argc - first) + 1, sizeof *w->paths);
	if (w->paths == NULL)
		return err_nomem(e);
	for (int i = first; i < argc; i++) {
		if (cmd_worktree_path(w->s, argv[i], &w->paths[w->path_count], e) != 0)
			return -1;
		w->path_count++;
	}
	return 0;
}

static void
log_walk_free(struct log_walk *w)
{
	for (size_t i = 0; i < w->path_count; i++)
		free(w->paths[i]);
	free(w->paths);
}

static int
log_show(struct store *s, const struct log_options *o, int argc, char **argv, struct err *e)
{
	CLEANUP(log_walk_free) struct log_walk w = {.s = s, .o = o, .e = e};
	struct object_ref start;

	if (log_arguments(&w, argc, argv, &start, e) != 0)
		return -1;
	if (history_walk(s, &start.id, 1, log_each, &w, e) != 0)
		return -1;
	return w.broken ? -1 : 0;
}

int
log_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	struct log_options o = {.count = -1};
	const struct option table[] = {
		{OPTION_FLAG, 0, "oneline", &o.oneline, NULL, "one line a commit"},
		{OPTION_FLAG, 0, "json", &o.json, NULL, "one JSON document a line"},
		{OPTION_FLAG, 0, "failed", &o.failed, NULL, "the certificates of failed runs"},
		{OPTION_INT, 'n', NULL, &o.count, "N", "at most N commits"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	int rc = cmd_parse("log", "[--oneline|--json] [-n N] [REV] [PATH...] | --failed", table, &argc,
	    argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (o.oneline && o.json)
		return err_set(e, ERR_USAGE, "log: give one of --oneline and --json");
	if (o.failed && (o.oneline || o.json || o.count >= 0 || argc > 0))
		return err_set(e, ERR_USAGE, "log: --failed goes alone");
	if (cmd_store(STORE_READ_ONLY, &s, e) != 0)
		return -1;
	return o.failed ? log_failed(s, e) : log_show(s, &o, argc, argv, e);
}
