/* Files that are said to be outputs or inputs, against what the certificate says. */
#include "verify/checks.h"

#include <string.h>
#include "object/tree.h"

#define CHECKS_FILES_TREES_MAX 65536  /* looked through for one file without a name */

/* A search for content without a name, through the trees of an output. */
struct checks_files_search {
	struct check_ctx *x;
	const struct verify_file *file;
	size_t trees;
	struct buf found;       /* the path of the first that has it; empty: none */
};

static void
checks_files_search_free(struct checks_files_search *s)
{
	buf_free(&s->found);
}

static void
checks_files_describe(char ret[160], enum object_type type, const struct oid *id, uint64_t size)
{
	char text[OID_TEXT_SIZE];

	oid_text(id, text);
	snprintf(ret, 160, "%s of %llu bytes, %s", oid_type_name(type), (unsigned long long)size, text);
}

static int
checks_files_differs(struct check_ctx *x, enum verdict_check c, const struct verify_file *f,
    const struct resource *want, struct err *e)
{
	char expected[160], found[160];

	checks_files_describe(expected, want->type, &want->digests.sha256, want->size);
	if (f->missing)
		return checks_fail(x, c, expected, e, "%s: no such file", want->path);
	checks_files_describe(found, f->type, &f->id, f->size);
	return checks_fail(x, c, expected, e, "%s: %s%s%s", f->path != NULL ? f->path : want->path, found,
	    f->detail != NULL ? "; " : "", f->detail != NULL ? f->detail : "");
}

static bool
checks_files_is(const struct verify_file *f, enum object_type type, const struct oid *id,
    uint64_t size)
{
	return !f->missing && f->type == type && f->size == size && oid_equal(&f->id, id);
}

static bool
checks_files_entry_is(const struct verify_file *f, const struct tree_entry *t)
{
	if (t->mode == TREE_LINK)
		return false;
	return checks_files_is(f, t->mode == TREE_DIR ? OBJECT_TREE : OBJECT_BLOB, &t->id, t->size);
}

static int
checks_files_tree(struct check_ctx *x, enum verdict_check c, const struct oid *id, struct tree *ret,
    bool *ret_ok, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct object_ref ref = {.type = OBJECT_TREE, .id = *id};
	struct err why;

	if (checks_fetch(x, c, &ref, &text, ret_ok, e) != 0)
		return -1;
	if (!*ret_ok)
		return 0;
	if (tree_decode(text.data, text.len, ret, &why) == 0)
		return 0;
	*ret_ok = false;
	return checks_error(x, c, "a tree", &why, e);
}

/* What the event says of an output or, with the check of those, of an input; else NULL. */
static const struct resource *
checks_files_resource(const struct event *ev, enum verdict_check c)
{
	if (c == CHECK_FILES_INPUTS)
		return ev->kind == EVENT_INPUT_RESOURCE ? &ev->u.input.thing : NULL;
	return ev->kind == EVENT_OUTPUT_RESOURCE ? &ev->u.output.output : NULL;
}

/* The tree that holds path, or NULL; *ret_rest is the path inside it. */
static const struct resource *
checks_files_holder(const struct certificate *cert, enum verdict_check c, const char *path,
    const char **ret_rest)
{
	for (size_t i = 0; i < cert->event_count; i++) {
		const struct resource *r = checks_files_resource(&cert->events[i], c);
		size_t len;

		if (r == NULL || r->type != OBJECT_TREE)
			continue;
		len = strlen(r->path);
		if (strncmp(path, r->path, len) == 0 && path[len] == '/' && path[len + 1] != '\0') {
			*ret_rest = path + len + 1;
			return r;
		}
	}
	return NULL;
}

/* Takes the first component of *path; false when it is too long. */
static bool
checks_files_component(const char **path, char ret[256])
{
	size_t len = strcspn(*path, "/");

	if (len >= 256)
		return false;
	memcpy(ret, *path, len);
	ret[len] = '\0';
	*path += len;
	if (**path == '/')
		(*path)++;
	return true;
}

static int
checks_files_absent(struct check_ctx *x, enum verdict_check c, const struct verify_file *f,
    const char *where, struct err *e)
{
	char expected[512];

	snprintf(expected, sizeof expected, "a file of the %s tree %s",
	    c == CHECK_FILES_INPUTS ? "input" : "output", where);
	return checks_fail(x, c, expected, e, "%s is not in it", f->path);
}

/* Walks from the holder's tree to the entry that path names. */
static int
checks_files_inside(struct check_ctx *x, enum verdict_check c, const struct verify_file *f,
    const struct resource *holder, const char *rest, struct err *e)
{
	struct oid id = holder->digests.sha256;
	char name[256];

	while (*rest != '\0') {
		CLEANUP(tree_free) struct tree t = TREE_INIT;
		const struct tree_entry *entry;
		bool ok;

		if (checks_files_tree(x, c, &id, &t, &ok, e) != 0)
			return -1;
		if (!ok)
			return 0;
		entry = checks_files_component(&rest, name) ? tree_find(&t, name) : NULL;
		if (entry == NULL || (*rest != '\0' && entry->mode != TREE_DIR))
			return checks_files_absent(x, c, f, holder->path, e);
		if (*rest != '\0') {
			id = entry->id;
			continue;
		}
		if (!checks_files_entry_is(f, entry)) {
			struct resource want = {
				.type = entry->mode == TREE_DIR ? OBJECT_TREE : OBJECT_BLOB,
				.path = holder->path,
				.size = entry->size,
				.digests = {.sha256 = entry->id},
			};

			return checks_files_differs(x, c, f, &want, e);
		}
	}
	return 0;
}

static int
checks_files_named(struct check_ctx *x, const struct verify_file *f, struct err *e)
{
	const struct resource *want = certificate_output(x->cert, f->path);
	const char *rest;

	if (want != NULL) {
		if (!checks_files_is(f, want->type, &want->digests.sha256, want->size))
			return checks_files_differs(x, CHECK_FILES_OUTPUTS, f, want, e);
		return 0;
	}
	want = checks_files_holder(x->cert, CHECK_FILES_OUTPUTS, f->path, &rest);
	if (want == NULL)
		return checks_fail(x, CHECK_FILES_OUTPUTS, "an output of this run", e,
		    "%s is none", f->path);
	return checks_files_inside(x, CHECK_FILES_OUTPUTS, f, want, rest, e);
}

static int
checks_files_search_tree(struct checks_files_search *s, const struct oid *id, const char *path,
    size_t depth, struct err *e)
{
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	bool ok;

	if (depth > TREE_DEPTH_MAX || s->trees++ >= CHECKS_FILES_TREES_MAX)
		return checks_fail(s->x, CHECK_FILES_OUTPUTS, "output trees within bounds", e,
		    "trees too deep or too many to look through");
	if (checks_files_tree(s->x, CHECK_FILES_OUTPUTS, id, &t, &ok, e) != 0)
		return -1;
	for (size_t i = 0; ok && i < t.count && s->found.len == 0; i++)
		if (checks_files_entry_is(s->file, &t.entries[i]))
			buf_addf(&s->found, "%s/%s", path, t.entries[i].name);
	for (size_t i = 0; ok && i < t.count && s->found.len == 0; i++) {
		CLEANUP(cleanup_free) char *inside = NULL;

		if (t.entries[i].mode != TREE_DIR || t.entries[i].size < s->file->size)
			continue;
		inside = buf_strfmt(e, "%s/%s", path, t.entries[i].name);
		if (inside == NULL || checks_files_search_tree(s, &t.entries[i].id, inside, depth + 1, e) != 0)
			return -1;
	}
	return buf_check(&s->found, e);
}

/* Content without a name: any output that has it, else inside an output tree. */
static int
checks_files_unnamed(struct check_ctx *x, const struct verify_file *f, struct err *e)
{
	CLEANUP(checks_files_search_free) struct checks_files_search s = {.x = x, .file = f};
	const struct certificate *c = x->cert;
	bool missing = x->v->checks[CHECK_FILES_OUTPUTS].missing;
	char found[160];

	for (size_t i = 0; i < c->event_count; i++) {
		const struct resource *r = &c->events[i].u.output.output;

		if (c->events[i].kind == EVENT_OUTPUT_RESOURCE &&
		    checks_files_is(f, r->type, &r->digests.sha256, r->size))
			return verdict_note(x->v, e, "The file has the content of the run's output %s.", r->path);
	}
	for (size_t i = 0; i < c->event_count; i++) {
		const struct resource *r = &c->events[i].u.output.output;

		if (c->events[i].kind != EVENT_OUTPUT_RESOURCE || r->type != OBJECT_TREE)
			continue;
		if (checks_files_search_tree(&s, &r->digests.sha256, r->path, 0, e) != 0)
			return -1;
		if (s.found.len == 0)
			continue;
		x->found_in = r;
		if (verdict_note(x->v, e, "The file has the content of %s, in the run's output %s.",
		    buf_str(&s.found), r->path) != 0)
			return -1;
		/* what could not be had elsewhere does not matter any more */
		return missing ? 0 : verdict_set(x->v, CHECK_FILES_OUTPUTS, VERDICT_SKIP, NULL, NULL, e);
	}
	if (x->v->checks[CHECK_FILES_OUTPUTS].missing)
		return 0;
	checks_files_describe(found, f->type, &f->id, f->size);
	return checks_fail(x, CHECK_FILES_OUTPUTS, "the content of an output of this run", e, "%s", found);
}

static bool
checks_files_asked(const struct check_ctx *x, const struct resource *r)
{
	size_t len = strlen(r->path);

	for (size_t i = 0; i < x->rq->output_count; i++) {
		const struct verify_file *f = &x->rq->outputs[i];

		if (f->path == NULL ? r == x->found_in || checks_files_is(f, r->type, &r->digests.sha256, r->size) :
		    strncmp(f->path, r->path, len) == 0 && (f->path[len] == '\0' || f->path[len] == '/'))
			return true;
	}
	return false;
}

static int
checks_files_unasked(struct check_ctx *x, struct err *e)
{
	CLEANUP(buf_free) struct buf list = BUF_INIT;

	for (size_t i = 0; i < x->cert->event_count; i++) {
		const struct event *ev = &x->cert->events[i];

		if (ev->kind == EVENT_OUTPUT_RESOURCE &&
		    !checks_files_asked(x, &ev->u.output.output))
			buf_addf(&list, "%s%s", list.len > 0 ? ", " : "", ev->u.output.output.path);
	}
	if (buf_check(&list, e) != 0)
		return -1;
	if (list.len == 0)
		return 0;
	return verdict_note(x->v, e, "Other outputs of the run, not looked at: %s.", buf_str(&list));
}

int
checks_files_outputs(struct check_ctx *x, struct err *e)
{
	const struct verify_request *rq = x->rq;
	const struct verdict_item *item = &x->v->checks[CHECK_FILES_OUTPUTS];

	if (rq->output_count == 0)
		return checks_skip(x, CHECK_FILES_OUTPUTS, "no file was asked for", e);
	if (!certificate_run_ok(x->cert))
		return checks_fail(x, CHECK_FILES_OUTPUTS, "outputs of a run that ended well", e,
		    "outputs of a failed run");
	for (size_t i = 0; i < rq->output_count && item->result != VERDICT_FAIL; i++) {
		const struct verify_file *f = &rq->outputs[i];

		if (f->path == NULL ? checks_files_unnamed(x, f, e) != 0 :
		    checks_files_named(x, f, e) != 0)
			return -1;
	}
	if (item->result == VERDICT_FAIL)
		return 0;
	if (!item->missing && checks_pass(x, CHECK_FILES_OUTPUTS, e) != 0)
		return -1;
	return checks_files_unasked(x, e);
}

static const struct verify_file *
checks_files_given(const struct verify_request *rq, const char *path)
{
	for (size_t i = 0; i < rq->input_count; i++) {
		if (rq->inputs[i].path != NULL && strcmp(rq->inputs[i].path, path) == 0)
			return &rq->inputs[i];
	}
	return NULL;
}

static int
checks_files_input(struct check_ctx *x, const struct resource_input *in, struct err *e)
{
	const struct verify_file *f = checks_files_given(x->rq, in->thing.path);

	if (in->fetched && (f == NULL || f->missing))
		return verdict_note(x->v, e, "Input %s was fetched for the run and is not in the work"
		    " tree: not looked at.", in->thing.path);
	if (f == NULL)
		return verdict_missing(x->v, CHECK_FILES_INPUTS, in->thing.path, e);
	if (!checks_files_is(f, in->thing.type, &in->thing.digests.sha256, in->thing.size))
		return checks_files_differs(x, CHECK_FILES_INPUTS, f, &in->thing, e);
	return 0;
}

static bool
checks_files_is_input(const struct certificate *c, const char *path)
{
	for (size_t i = 0; i < c->event_count; i++) {
		if (c->events[i].kind == EVENT_INPUT_RESOURCE &&
		    strcmp(c->events[i].u.input.thing.path, path) == 0)
			return true;
	}
	return false;
}

/* One that is an input, or lies inside of one. */
static int
checks_files_input_given(struct check_ctx *x, const struct verify_file *f, struct err *e)
{
	const struct resource *r;
	const char *rest;

	for (size_t i = 0; f->path != NULL && i < x->cert->event_count; i++) {
		r = checks_files_resource(&x->cert->events[i], CHECK_FILES_INPUTS);
		if (r == NULL || strcmp(r->path, f->path) != 0)
			continue;
		return checks_files_is(f, r->type, &r->digests.sha256, r->size) ? 0 :
		    checks_files_differs(x, CHECK_FILES_INPUTS, f, r, e);
	}
	r = f->path != NULL ? checks_files_holder(x->cert, CHECK_FILES_INPUTS, f->path, &rest) : NULL;
	if (r != NULL)
		return checks_files_inside(x, CHECK_FILES_INPUTS, f, r, rest, e);
	return checks_fail(x, CHECK_FILES_INPUTS, "an input of this run", e, "%s is none",
	    f->path != NULL ? f->path : "a file without a name");
}

static int
checks_files_inputs_given(struct check_ctx *x, struct err *e)
{
	const struct verdict_item *item = &x->v->checks[CHECK_FILES_INPUTS];

	if (x->rq->input_count == 0)
		return checks_skip(x, CHECK_FILES_INPUTS, "no input was asked for", e);
	for (size_t i = 0; i < x->rq->input_count && item->result != VERDICT_FAIL; i++)
		if (checks_files_input_given(x, &x->rq->inputs[i], e) != 0)
			return -1;
	if (item->result == VERDICT_FAIL || item->missing)
		return 0;
	if (checks_pass(x, CHECK_FILES_INPUTS, e) != 0)
		return -1;
	return verdict_note(x->v, e, "Only what was asked for was looked at: other inputs of the run, and its"
	    " outputs, were not.");
}

/* A fail goes before an input that could not be looked at. */
int
checks_files_inputs(struct check_ctx *x, struct err *e)
{
	const struct verdict_item *item = &x->v->checks[CHECK_FILES_INPUTS];

	if (!x->rq->check_inputs)
		return checks_skip(x, CHECK_FILES_INPUTS, "inputs were not asked for", e);
	if (x->rq->inputs_given)
		return checks_files_inputs_given(x, e);
	for (size_t i = 0; i < x->cert->event_count; i++) {
		const struct event *ev = &x->cert->events[i];

		if (ev->kind == EVENT_INPUT_RESOURCE && checks_files_input(x, &ev->u.input, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < x->rq->input_count; i++) {
		const char *path = x->rq->inputs[i].path;

		if ((path == NULL || !checks_files_is_input(x->cert, path)) &&
		    checks_fail(x, CHECK_FILES_INPUTS, "an input of this run", e, "%s is none",
		    path != NULL ? path : "a file without a name") != 0)
			return -1;
	}
	if (item->result == VERDICT_FAIL || item->missing)
		return 0;
	return checks_pass(x, CHECK_FILES_INPUTS, e);
}
