#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "cmd/promises.h"
#include "cmd/remotes.h"
#include "cmd/spec-file.h"
#include "store/history.h"
#include "store/ingest.h"
#include "store/refs.h"

struct status {
	struct store *s;
	struct run_spec now;
	const struct spec_input *gone;  /* inputs that are not there */
	size_t gone_count;
	struct certificate last;
	struct oid last_id;
	bool has_last;
	size_t differences;
	struct cmd_ingest ingest;
	struct promises promises;
};

static void
status_free(struct status *st)
{
	cmd_ingest_end(&st->ingest);
	promises_free(&st->promises);
	run_spec_free(&st->now);
	certificate_free(&st->last);
}

static void
status_line(struct status *st, const char *what, const char *role, const char *path)
{
	printf("  %-9s %-7s ", what, role);
	cmd_print_text(stdout, path);
	putchar('\n');
	st->differences++;
}

static void
status_distance(const char *upstream, size_t ahead, size_t behind)
{
	const char *name = upstream + strlen("refs/remotes/");

	if (ahead == 0 && behind == 0)
		printf("It is up to date with %s.\n", name);
	else if (behind == 0)
		printf("It is %zu commit%s ahead of %s.\n", ahead, ahead == 1 ? "" : "s", name);
	else if (ahead == 0)
		printf("It is %zu commit%s behind %s (aicert pull).\n", behind, behind == 1 ? "" : "s", name);
	else
		printf("It and %s have diverged: %zu ahead, %zu behind (aicert pull --merge).\n", name,
		    ahead, behind);
}

/* How far the branch is from what was last fetched of the remote's; nobody is asked now. */
static int
status_upstream(struct store *s, const char *head, const struct object_ref *tip, struct err *e)
{
	CLEANUP(config_closep) struct config *c = NULL;
	CLEANUP(remotes_entry_free) struct remotes_entry r = {0};
	CLEANUP(cleanup_free) char *key = buf_strfmt(e, "branch.%s.merge", head + strlen("refs/heads/"));
	CLEANUP(cleanup_free) char *merge = NULL;
	struct object_ref theirs;
	size_t ahead, behind;
	char name[1024];

	if (key == NULL || config_open(s, &c, e) != 0)
		return -1;
	if (remotes_choose(s, c, NULL, &r, e) != 0)
		return e->code == ERR_USAGE ? 0 : -1;
	if (config_get(c, key, &merge, e) != 0 && e->code != ERR_NOTFOUND)
		return -1;
	if (!remotes_tracking(&r, merge != NULL ? merge : head, name, sizeof name) ||
	    refs_read(s, name, &theirs, e) != 0)
		return 0;
	if (sync_divergence(s, &tip->id, &theirs.id, &ahead, &behind, e) != 0)
		return -1;
	status_distance(name, ahead, behind);
	return 0;
}

static int
status_branch(struct store *s, struct err *e)
{
	CLEANUP(cleanup_free) char *head = NULL;
	struct object_ref tip;
	char id[CMD_SHORT_SIZE];

	if (refs_head(s, &head, e) != 0)
		return -1;
	if (head != NULL)
		printf("On branch %s", head + strlen("refs/heads/"));
	else
		printf("HEAD is detached");
	if (refs_read(s, "HEAD", &tip, e) == 0) {
		cmd_short(&tip.id, id);
		printf(" at %s\n", id);
		return head != NULL && tip.type == OBJECT_COMMIT ? status_upstream(s, head, &tip, e) : 0;
	}
	puts(", no commits yet");
	return e->code == ERR_NOTFOUND ? 0 : -1;
}

/* The newest successful run that made one of the spec's outputs. */
static int
status_find_last(struct status *st, const struct spec *spec, struct err *e)
{
	for (size_t i = 0; i < spec->output_count && !st->has_last; i++) {
		CLEANUP(history_producer_free) struct history_producer p = {0};

		if (history_producer_of_path(st->s, spec->outputs[i].path, HISTORY_QUICK, &p, e) == 0) {
			st->last_id = p.certificate;
			st->has_last = true;
		} else if (e->code != ERR_NOTFOUND) {
			return -1;
		}
	}
	return st->has_last ? history_certificate(st->s, &st->last_id, &st->last, e) : 0;
}

/* What is there is resolved; the rest goes behind it. Returns how many are there. */
static size_t
status_set_aside(struct status *st, struct spec *spec)
{
	size_t here = 0;

	for (size_t i = 0; i < spec->input_count; i++) {
		const struct spec_input in = spec->inputs[i];
		struct stat ignored;

		if (in.from == SPEC_INPUT_PATH && fstatat(store_worktree_fd(st->s), in.path, &ignored,
		    AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
			continue;
		spec->inputs[i] = spec->inputs[here];
		spec->inputs[here++] = in;
	}
	st->gone = spec->inputs + here;
	st->gone_count = spec->input_count - here;
	return here;
}

static bool
status_is_gone(const struct status *st, const char *path)
{
	for (size_t i = 0; i < st->gone_count; i++)
		if (strcmp(st->gone[i].path, path) == 0)
			return true;
	return false;
}

static void
status_gone(struct status *st)
{
	for (size_t i = 0; i < st->gone_count; i++)
		status_line(st, "missing", "input", st->gone[i].path);
}

static const struct resource_input *
status_input(const struct run_spec *s, const char *path)
{
	for (size_t i = 0; i < s->input_count; i++)
		if (strcmp(s->inputs[i].thing.path, path) == 0)
			return &s->inputs[i];
	return NULL;
}

static void
status_inputs(struct status *st, const struct run_spec *then)
{
	for (size_t i = 0; i < st->now.input_count; i++) {
		const struct resource *r = &st->now.inputs[i].thing;
		const struct resource_input *old = status_input(then, r->path);

		if (old == NULL)
			status_line(st, "new", "input", r->path);
		else if (!resource_same_content(&old->thing, r))
			status_line(st, "modified", "input", r->path);
	}
	status_gone(st);
	for (size_t i = 0; i < then->input_count; i++) /* what is fetched is not looked at here */
		if (!then->inputs[i].fetched &&
		    status_input(&st->now, then->inputs[i].thing.path) == NULL &&
		    !status_is_gone(st, then->inputs[i].thing.path))
			status_line(st, "dropped", "input", then->inputs[i].thing.path);
}

static int
status_outputs_compare(struct status *st, struct err *e)
{
	for (size_t i = 0; i < st->now.output_count; i++) {
		const struct run_spec_output *o = &st->now.outputs[i];
		const struct resource *old = certificate_output(&st->last, o->path);
		struct ingest_item found = {.dirfd = store_worktree_fd(st->s), .path = o->path};

		if (old == NULL) {
			status_line(st, "new", "output", o->path);
			continue;
		}
		if (ingest_items(NULL, &st->ingest.options, &found, 1, e) != 0) {
			if (e->code != ERR_NOTFOUND)
				return -1;
			status_line(st, "missing", "output", o->path);
		} else if (found.result.type != old->type ||
		    !oid_equal(&found.result.id, &old->digests.sha256)) {
			status_line(st, "modified", "output", o->path);
		}
	}
	return 0;
}

static int
status_outputs(struct status *st, struct err *e)
{
	struct progress p;
	int rc;

	progress_start(&p, stderr, "hashing outputs", 0);
	st->ingest.options.progress = &p;
	rc = status_outputs_compare(st, e);
	st->ingest.options.progress = NULL;
	progress_end(&p);
	return rc;
}

/* The command, environment, image and limits, compared as their documents. */
static int
status_rest(struct status *st, const struct run_spec *then, struct err *e)
{
	static const char *const members[] = {"command", "env", "image", "imageFile", "limits", "outputs"};
	CLEANUP(jcs_freep) struct jcs *a = run_spec_to_jcs(&st->now);
	CLEANUP(jcs_freep) struct jcs *b = run_spec_to_jcs(then);

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		CLEANUP(buf_free) struct buf x = BUF_INIT;
		CLEANUP(buf_free) struct buf y = BUF_INIT;

		if (jcs_encode(jcs_get(a, members[i]), &x, e) != 0 ||
		    jcs_encode(jcs_get(b, members[i]), &y, e) != 0)
			return -1;
		if (strcmp(buf_str(&x), buf_str(&y)) != 0)
			status_line(st, "modified", "spec", members[i]);
	}
	return 0;
}

static int
status_compare(struct status *st, struct err *e)
{
	const struct run_spec *then =
	    &certificate_event(&st->last, EVENT_RUN_REQUEST)->u.request.spec;
	char id[CMD_SHORT_SIZE];

	cmd_short(&st->last_id, id);
	printf("Compared with certificate %s:\n", id);
	status_inputs(st, then);
	if (status_rest(st, then, e) != 0 || status_outputs(st, e) != 0)
		return -1;
	if (st->differences == 0)
		puts("  nothing differs");
	return 0;
}

/* Files that are kept where they lie (store.ingest=reference) and are not what they were. */
static int
status_promises(struct status *st, struct err *e)
{
	struct progress p;
	int rc;

	progress_start(&p, stderr, "hashing files that are kept where they lie", 0);
	st->ingest.options.progress = &p;
	rc = promises_check(&st->promises, &st->ingest.options, st->ingest.fresh, e);
	st->ingest.options.progress = NULL;
	progress_end(&p);
	for (size_t i = 0; i < st->promises.count && rc == 0; i++) {
		const struct promise *x = &st->promises.list[i];
		char id[CMD_SHORT_SIZE];

		if (!x->lost)
			continue;
		cmd_short(&x->file.id, id);
		fputs("Referenced file changed: ", stdout);
		cmd_print_text(stdout, x->file.path);
		printf(odb_intact(st->s, &x->file.id) ? "; the content recorded as %s is kept elsewhere\n" :
		    ": the content recorded as %s is lost unless there is a copy elsewhere\n", id);
	}
	return rc;
}

static int
status_judge(struct status *st, const struct spec *spec, struct err *e)
{
	if (spec_file_resolve(st->s, spec, true, &st->ingest.options, &st->now, e) != 0 ||
	    status_find_last(st, spec, e) != 0)
		return -1;
	if (st->has_last)
		return status_compare(st, e);
	puts("No run of this spec has been committed.");
	status_gone(st);
	return 0;
}

static int
status_spec(struct status *st, const char *file, struct err *e)
{
	CLEANUP(spec_free) struct spec spec = {0};
	size_t all;
	int rc;

	if (spec_file_read(st->s, file, &spec, e) != 0) {
		if (file != NULL || e->code != ERR_SPEC || cmd_is_path("aicert.yaml"))
			return -1;
		puts("There is no aicert.yaml; name a spec with -f.");
		return 0;
	}
	all = spec.input_count;
	spec.input_count = status_set_aside(st, &spec);
	rc = status_judge(st, &spec, e);
	spec.input_count = all;
	return rc;
}

/* What is read for the comparison is not read again for the promises, which are looked at
 * even when there is nothing to be compared. */
static int
status_show(struct status *st, const char *file, struct err *e)
{
	struct err second;
	int rc;

	if (status_branch(st->s, e) != 0 || promises_load(st->s, &st->promises, e) != 0 ||
	    cmd_ingest_begin(&st->ingest, st->s, e) != 0)
		return -1;
	st->ingest.options.flags = INGEST_DIRECTORIES | INGEST_HASH_ONLY;
	st->ingest.options.told = promises_told;
	st->ingest.options.told_arg = &st->promises;
	rc = status_spec(st, file, e);
	if (rc != 0 && e->code == ERR_CANCELLED)
		return -1;
	return status_promises(st, rc == 0 ? e : &second) != 0 ? -1 : rc;
}

int
status_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	const char *file = NULL;
	CLEANUP(status_free) struct status st = {0};
	const struct option table[] = {
		{OPTION_STRING, 'f', "file", &file, "SPEC", "the spec (aicert.yaml)"},
		{OPTION_FLAG, 0, "rehash", &st.ingest.fresh, NULL, "read every byte"},
		CMD_INGEST_THREADS(&st.ingest),
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	int rc = cmd_parse("status", "[-f SPEC] [--rehash] [-j N]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("status", argc, 0, 0, e) != 0 || cmd_store(STORE_READ_ONLY, &s, e) != 0)
		return -1;
	st.s = s;
	return status_show(&st, file, e);
}
