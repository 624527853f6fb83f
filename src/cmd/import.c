#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <string.h>
#include "base/interrupt.h"
#include "base/path.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include "cmd/import-check.h"
#include "git/repo.h"
#include "store/config.h"
#include "store/history.h"
#include "store/odb.h"
#include "store/refs.h"

#define IMPORT_PREFIX "refs/imports/"
#define IMPORT_SUFFIX ".aicert"

struct import_options {
	const char *name;
	bool merge, dry_run, json;
};

struct import_job {
	struct store *s;
	struct bundle_file bundle;
	const struct import_options *o;
	char *prefix;               /* "refs/imports/<name>/" */
	char *author_name, *author_email, *author;
	size_t fresh;               /* objects that were not here */
	char merged[OID_HEX_SIZE];  /* where the branch is now; "": it was not moved */
};

static void
import_job_free(struct import_job *j)
{
	bundle_file_close(&j->bundle);
	free(j->prefix);
	free(j->author_name);
	free(j->author_email);
	free(j->author);
	store_close(j->s);
}

/* "refs/imports/<name>/": by --name, else by the file. */
static int
import_name(struct import_job *j, struct err *e)
{
	const char *base = j->o->name != NULL ? j->o->name : path_base(j->bundle.path);
	size_t len = strlen(base), cut = strlen(IMPORT_SUFFIX);
	CLEANUP(cleanup_free) char *probe = NULL;

	if (j->o->name == NULL && len > cut && strcmp(base + len - cut, IMPORT_SUFFIX) == 0)
		len -= cut;
	j->prefix = buf_strfmt(e, IMPORT_PREFIX "%.*s/", (int)len, base);
	if (j->prefix == NULL)
		return -1;
	probe = buf_strfmt(e, "%s0", j->prefix);
	if (probe == NULL)
		return -1;
	return refs_name_ok(probe) ? 0 : err_set(e, ERR_USAGE, "import: %.*s cannot be the name of refs;"
	    " choose one with --name", (int)len, base);
}

/* A merge says who made it; a ref's log would like to. */
static int
import_author(struct import_job *j, struct err *e)
{
	CLEANUP(repo_freep) struct repo *r = NULL;

	if (repo_discover(store_worktree(j->s), &r, e) != 0 && e->code != ERR_NOTFOUND)
		return -1;
	if (repo_identity(r, &j->author_name, &j->author_email, e) == 0) {
		j->author = buf_strfmt(e, "%s <%s>", j->author_name, j->author_email);
		return j->author == NULL ? -1 : 0;
	}
	if (e->code != ERR_NOTFOUND)
		return -1;
	if (j->o->merge) {
		e->code = ERR_USAGE;
		return -1;
	}
	j->author = buf_strdup("unknown <unknown>", e);
	return j->author == NULL ? -1 : 0;
}

static int
import_object(struct import_job *j, const struct bundle_object *o, struct err *e)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct oid id;
	bool there;

	if (interrupt_check(e) != 0 || odb_find_own(j->s, &o->ref.id, &there, e) != 0 ||
	    bundle_file_read(&j->bundle, o, (size_t)bundle_object_max(o->ref.type), &bytes, e) != 0 ||
	    odb_put(j->s, bytes.data, bytes.len, &id, e) != 0)
		return -1;
	j->fresh += !there;
	return oid_equal(&id, &o->ref.id) ? 0 : err_set(e, ERR_CORRUPT, "%s: was changed while it was used",
	    j->bundle.path);
}

/* Commits last: whoever sees one finds what it names. */
static int
import_objects(struct import_job *j, struct err *e)
{
	const struct bundle *b = &j->bundle.b;
	struct progress p;
	int rc = 0;

	if (odb_batch_begin(j->s, e) != 0)
		return -1;
	progress_start(&p, stderr, "importing", 2 * b->count);
	for (int commits = 0; commits < 2; commits++)
		for (size_t i = 0; rc == 0 && i < b->count; i++) {
			if ((b->objects[i].ref.type == OBJECT_COMMIT) == (commits == 1))
				rc = import_object(j, &b->objects[i], e);
			progress_add(&p, 1);
		}
	progress_end(&p);
	if (rc == 0)
		return odb_batch_end(j->s, e);
	odb_batch_abort(j->s);
	return -1;
}

/* An output, or a log, of this certificate is not here. */
static int
import_lacks(struct import_job *j, const struct bundle_object *o, bool *ret, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (bundle_file_read(&j->bundle, o, CERTIFICATE_BYTES_MAX, &text, e) != 0 ||
	    certificate_decode(text.data, text.len, &c, e) != 0)
		return -1;
	for (size_t i = 0; i < c.event_count && !*ret; i++) {
		const struct event *ev = &c.events[i];
		bool there = true;
		int rc = 0;

		if (ev->kind == EVENT_OUTPUT_RESOURCE)
			rc = odb_find(j->s, &ev->u.output.output.digests.sha256, &there, e);
		else if (ev->kind == EVENT_RUN_FINISHED)
			rc = odb_find(j->s, &ev->u.finished.log, &there, e);
		if (rc != 0)
			return -1;
		*ret = !there;
	}
	return 0;
}

/* A bundle has no contents: from now on that they are not here is no damage (written
 * before refs say that they should be). */
static int
import_partial(struct import_job *j, struct err *e)
{
	CLEANUP(config_closep) struct config *c = NULL;
	bool lacks = false;

	if (store_partial(j->s))
		return 0;
	for (size_t i = 0; i < j->bundle.b.count && !lacks; i++)
		if (j->bundle.b.objects[i].ref.type == OBJECT_CERTIFICATE &&
		    import_lacks(j, &j->bundle.b.objects[i], &lacks, e) != 0)
			return -1;
	if (!lacks)
		return 0;
	return config_open(j->s, &c, e) != 0 ? -1 : config_set(c, false, "store.partial", "true", e);
}

static int
import_set(struct import_job *j, const char *name, const struct object_ref *old,
    const struct oid *id, struct err *e)
{
	const struct object_ref to = {.type = OBJECT_COMMIT, .id = id != NULL ? *id : (struct oid){{0}}};
	CLEANUP(cleanup_free) char *line = buf_strfmt(e, "import: %.200s", path_base(j->bundle.path));
	const struct refs_change change = {.name = name, .old = old, .new_ = id != NULL ? &to : NULL,
	    .author = j->author, .message = line};

	return line == NULL ? -1 : refs_update(j->s, &change, e);
}

/* Of an earlier import; all commits of a bundle are reached from its heads. */
static bool
import_is_head(const struct import_job *j, const struct oid *id)
{
	for (size_t i = 0; i < j->bundle.b.index.head_count; i++)
		if (oid_equal(&j->bundle.b.index.heads[i], id))
			return true;
	return false;
}

static bool
import_in_bundle(const struct import_job *j, const struct oid *id)
{
	return bundle_reader_find(&j->bundle.b, &(struct object_ref){OBJECT_COMMIT, *id}) != NULL;
}

struct import_stale {
	struct import_job *j;
	char **names;
	struct object_ref *refs;
	size_t count;
};

static void
import_stale_free(struct import_stale *l)
{
	while (l->count > 0)
		free(l->names[--l->count]);
	free(l->names);
	free(l->refs);
}

/* What this bundle's history goes beyond needs no ref any more; anything else stays. */
static int
import_stale_each(void *arg, const char *name, const struct object_ref *ref)
{
	struct import_stale *l = arg;
	char **names;
	struct object_ref *refs;

	if (ref->type != OBJECT_COMMIT || import_is_head(l->j, &ref->id) ||
	    !import_in_bundle(l->j, &ref->id))
		return 0;
	names = reallocarray(l->names, l->count + 1, sizeof *names);
	if (names == NULL)
		return 1;
	l->names = names;
	refs = reallocarray(l->refs, l->count + 1, sizeof *refs);
	if (refs == NULL || (names[l->count] = strdup(name)) == NULL) {
		l->refs = refs != NULL ? refs : l->refs;
		return 1;
	}
	l->refs = refs;
	l->refs[l->count++] = *ref;
	return 0;
}

static char *
import_ref_name(const struct import_job *j, const struct oid *id, struct err *e)
{
	char name[CMD_SHORT_SIZE];

	cmd_short(id, name);
	return buf_strfmt(e, "%s%s", j->prefix, name);
}

static int
import_refs(struct import_job *j, struct err *e)
{
	CLEANUP(import_stale_free) struct import_stale stale = {.j = j};
	const struct bundle_index *x = &j->bundle.b.index;

	for (size_t i = 0; i < x->head_count; i++) {
		CLEANUP(cleanup_free) char *name = import_ref_name(j, &x->heads[i], e);
		struct object_ref at;

		if (name == NULL)
			return -1;
		if (refs_read(j->s, name, &at, e) == 0 && oid_equal(&at.id, &x->heads[i]))
			continue;
		if (import_set(j, name, NULL, &x->heads[i], e) != 0)
			return -1;
	}
	if (refs_each(j->s, j->prefix, import_stale_each, &stale, e) != 0)
		return -1;
	for (size_t i = 0; i < stale.count; i++)
		if (import_set(j, stale.names[i], &stale.refs[i], NULL, e) != 0)
			return -1;
	return 0;
}

/* --- --merge --- */

struct import_merge {
	struct oid parents[COMMIT_PARENTS_MAX];
	size_t count;
	bool has_old;
	struct object_ref old;
};

struct import_reach {
	const struct bundle_index *x;
	bool *reached;          /* heads that the branch has already */
};

static int
import_reach_each(void *arg, const struct oid *id, const struct commit *c UNUSED)
{
	struct import_reach *r = arg;

	for (size_t i = 0; i < r->x->head_count; i++)
		r->reached[i] = r->reached[i] || oid_equal(&r->x->heads[i], id);
	return 0;
}

/* Parents of a merge: the branch unless a head goes beyond it, and the heads it lacks. */
static int
import_parents(struct import_job *j, struct import_merge *m, struct err *e)
{
	const struct bundle_index *x = &j->bundle.b.index;
	CLEANUP(cleanup_free) bool *reached = calloc(x->head_count + 1, sizeof *reached);
	struct import_reach r = {x, reached};

	if (reached == NULL)
		return err_nomem(e);
	m->has_old = refs_read(j->s, "HEAD", &m->old, e) == 0;
	if (!m->has_old && e->code != ERR_NOTFOUND)
		return -1;
	if (m->has_old && m->old.type != OBJECT_COMMIT)
		return err_set(e, ERR_FORMAT, "HEAD names no commit");
	if (m->has_old && (!import_in_bundle(j, &m->old.id) || import_is_head(j, &m->old.id))) {
		if (history_walk(j->s, &m->old.id, 1, import_reach_each, &r, e) != 0)
			return -1;
		m->parents[m->count++] = m->old.id;
	}
	for (size_t i = 0; i < x->head_count; i++) {
		if (reached[i])
			continue;
		if (m->count == COMMIT_PARENTS_MAX)
			return err_set(e, ERR_LIMIT, "import: more than %d histories to merge", COMMIT_PARENTS_MAX);
		m->parents[m->count++] = x->heads[i];
	}
	return 0;
}

static int
import_merge_commit(struct import_job *j, struct import_merge *m, struct oid *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *message = buf_strfmt(e, "import %.200s", path_base(j->bundle.path));
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	/* borrowed members only: never given to commit_free() */
	const struct commit c = {
		.kind = COMMIT_MERGE,
		.parents = m->parents,
		.parent_count = m->count,
		.author_name = j->author_name,
		.author_email = j->author_email,
		.time = timestamp_now(),
		.message = message,
	};

	return message == NULL || commit_encode(&c, &text, e) != 0 ? -1 :
	    odb_put(j->s, text.data, text.len, ret, e);
}

static int
import_merge(struct import_job *j, struct err *e)
{
	struct import_merge m = {.count = 0};
	struct oid to;

	if (import_parents(j, &m, e) != 0)
		return -1;
	to = m.parents[0];
	if (m.count > 1 && import_merge_commit(j, &m, &to, e) != 0)
		return -1;
	if (m.has_old && oid_equal(&to, &m.old.id))
		return 0;
	if (import_set(j, "HEAD", m.has_old ? &m.old : NULL, &to, e) != 0)
		return -1;
	oid_hex(&to, j->merged);
	return 0;
}

/* --- what was done --- */

static int
import_print_json(const struct import_job *j, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	const struct bundle_index *x = &j->bundle.b.index;
	struct jcs *refs = jcs_new_array();
	char text[OID_TEXT_SIZE];

	for (size_t i = 0; i < x->head_count; i++) {
		CLEANUP(cleanup_free) char *name = import_ref_name(j, &x->heads[i], e);
		struct jcs *ref = jcs_new_object();

		oid_text(&x->heads[i], text);
		jcs_set_string(ref, "commit", text);
		jcs_set_string(ref, "name", name);
		jcs_append(refs, ref);
	}
	snprintf(text, sizeof text, "sha256:%s", j->merged);
	jcs_set(v, "refs", refs);
	jcs_set_int(v, "objects", (int64_t)j->bundle.b.count);
	jcs_set_int(v, "new", (int64_t)j->fresh);
	jcs_set_string(v, "merged", j->merged[0] != '\0' ? text : NULL);
	return cmd_print_json(v, e);
}

static int
import_print(const struct import_job *j, struct err *e)
{
	const struct bundle_index *x = &j->bundle.b.index;

	if (j->o->json)
		return import_print_json(j, e);
	printf("%zu object%s%s, %zu of them new\n", j->bundle.b.count, printable_s(j->bundle.b.count),
	    j->o->dry_run ? " would be here" : "", j->fresh);
	for (size_t i = 0; i < x->head_count; i++) {
		CLEANUP(cleanup_free) char *name = import_ref_name(j, &x->heads[i], e);

		if (name == NULL)
			return -1;
		cmd_print_text(stdout, name + strlen("refs/"));
		putchar('\n');
	}
	if (j->merged[0] != '\0')
		printf("the branch is at %.12s now\n", j->merged);
	else if (!j->o->merge && !j->o->dry_run)
		puts("No branch was moved; --merge joins this history to the current branch.");
	return 0;
}

static int
import_count(struct import_job *j, struct err *e)
{
	for (size_t i = 0; i < j->bundle.b.count; i++) {
		bool there;

		if (odb_find_own(j->s, &j->bundle.b.objects[i].ref.id, &there, e) != 0)
			return -1;
		j->fresh += !there;
	}
	return 0;
}

static int
import_do(struct import_job *j, const char *path, struct err *e)
{
	if (bundle_file_open(path, &j->bundle, e) != 0 || import_name(j, e) != 0)
		return -1;
	if (j->bundle.b.index.head_count == 0)
		return err_set(e, ERR_UNSUPPORTED, "%s: has no history (bundle --no-history): it can be"
		    " verified, not imported", path);
	if (import_check(&j->bundle, e) != 0 || import_author(j, e) != 0)
		return -1;
	if (j->o->dry_run)
		return import_count(j, e) != 0 ? -1 : import_print(j, e);
	if (import_objects(j, e) != 0 || import_partial(j, e) != 0 || import_refs(j, e) != 0 ||
	    (j->o->merge && import_merge(j, e) != 0))
		return -1;
	return import_print(j, e);
}

int
import_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	struct import_options o = {0};
	const struct option table[] = {
		{OPTION_STRING, 0, "name", &o.name, "NAME", "of the refs: refs/imports/NAME/... (the file's)"},
		{OPTION_FLAG, 0, "merge", &o.merge, NULL, "join the history to the current branch"},
		{OPTION_FLAG, 'n', "dry-run", &o.dry_run, NULL, "check all, store nothing"},
		{OPTION_FLAG, 0, "json", &o.json, NULL, "what was done as one JSON document"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(import_job_free) struct import_job j = {.o = &o, .bundle = BUNDLE_FILE_INIT};
	int rc = cmd_parse("import", "[--name NAME] [--merge] [-n] [--json] BUNDLE", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("import", argc, 1, 1, e) != 0 ||
	    cmd_store(o.dry_run ? STORE_READ_ONLY : 0, &j.s, e) != 0)
		return -1;
	if (!o.dry_run && store_read_only(j.s))
		return err_set(e, ERR_DENIED, "%s: the store is read-only", store_path(j.s));
	return import_do(&j, argv[0], e);
}
