#include "cmd/trace-uses.h"

#include <string.h>
#include "base/array.h"
#include "base/hex.h"
#include "cmd/cmd.h"
#include "store/history.h"
#include "store/oid-map.h"
#include "store/refs.h"

#define TRACE_USES_DEPTH_MAX 256

/* One run that used it. */
struct trace_use {
	struct oid certificate;
	char *path;                 /* of the input */
	bool inside, named;         /* named: madeBy is the run before */
};

struct trace_use_list {
	const struct oid *maker;    /* the run before; NULL: none */
	struct trace_use *uses;
	size_t count, cap;
	struct err *e;
	int rc;
};

struct trace_users {
	struct store *s;
	struct history_view *view;
	struct oid_map seen;        /* certificates printed in full already */
	struct buf prefix;
	int depth;
	bool whole;
};

static void
trace_users_free(struct trace_users *t)
{
	history_view_free(t->view);
	oid_map_free(&t->seen);
	buf_free(&t->prefix);
}

static void
trace_use_list_free(struct trace_use_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->uses[i].path);
	free(l->uses);
}

/* Does that input name the run as its maker? */
static bool
trace_use_named(const struct history_use *use, const struct oid *maker)
{
	for (size_t i = 0; i < use->certificate->event_count; i++) {
		const struct event *ev = &use->certificate->events[i];

		if (ev->kind == EVENT_INPUT_RESOURCE && &ev->u.input.thing == use->thing)
			return ev->u.input.made_by != NULL &&
			    oid_equal(&ev->u.input.made_by->certificate, maker);
	}
	return false;
}

static int
trace_use_add(void *arg, const struct history_use *use)
{
	struct trace_use_list *l = arg;
	struct trace_use u = {.certificate = use->certificate_id, .inside = use->inside};

	if (ARRAY_ROOM(l->uses, l->count, l->cap, l->e) != 0)
		return l->rc = -1;
	u.named = l->maker == NULL || trace_use_named(use, l->maker);
	u.path = buf_strdup(use->thing->path, l->e);
	if (u.path == NULL)
		return l->rc = -1;
	l->uses[l->count++] = u;
	return 0;
}

static int trace_users_outputs(struct trace_users *t, const struct oid *id,
    const struct certificate *c, struct err *e);

static int
trace_users_use(struct trace_users *t, const struct trace_use *u, bool last, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	CLEANUP(buf_free) struct buf command = BUF_INIT;
	char id[CMD_SHORT_SIZE];
	size_t mark = t->prefix.len;
	bool fresh;
	int rc;

	if (history_certificate(t->s, &u->certificate, &c, e) != 0 ||
	    oid_map_add(&t->seen, &u->certificate, 0, &fresh, e) != 0)
		return -1;
	run_spec_command(&certificate_event(&c, EVENT_RUN_REQUEST)->u.request.spec, &command);
	cmd_short(&u->certificate, id);
	printf("%s%s certificate %s  ", buf_str(&t->prefix), last ? "`-" : "|-", id);
	cmd_print_text(stdout, buf_str(&command));
	printf(u->inside ? "  used inside " : "  used as ");
	cmd_print_text(stdout, u->path);
	printf("%s%s%s\n", certificate_run_ok(&c) ? "" : "  (the run failed)",
	    u->named ? "" : "  (same content)", fresh ? "" : "  (see above)");
	if (!fresh)
		return 0;
	buf_adds(&t->prefix, last ? "   " : "|  ");
	rc = trace_users_outputs(t, &u->certificate, &c, e);
	t->prefix.len = mark;
	t->prefix.data[mark] = '\0';
	return rc;
}

/* Those who used an id; maker: the run whose output it is, or NULL. */
static int
trace_users_of(struct trace_users *t, const struct oid *id, const struct oid *maker, struct err *e)
{
	CLEANUP(trace_use_list_free) struct trace_use_list l = {.maker = maker, .e = e};
	bool whole;

	if (t->depth >= TRACE_USES_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "the uses go on for more than %d runs", TRACE_USES_DEPTH_MAX);
	if (history_uses(t->view, id, false, trace_use_add, &l, &whole, e) != 0 || l.rc != 0)
		return -1;
	t->whole = t->whole && whole;
	t->depth++;
	for (size_t i = 0; i < l.count; i++)
		if (trace_users_use(t, &l.uses[i], i + 1 == l.count, e) != 0)
			return -1;
	t->depth--;
	return maker == NULL && l.count == 0 ? 1 : 0;
}

static int
trace_users_output(struct trace_users *t, const struct resource *r, const struct oid *maker,
    bool last, struct err *e)
{
	size_t mark = t->prefix.len;
	char id[CMD_SHORT_SIZE];
	int rc;

	cmd_short(&r->digests.sha256, id);
	printf("%s%s made ", buf_str(&t->prefix), last ? "`-" : "|-");
	cmd_print_text(stdout, r->path);
	printf("%s  %s  %s\n", r->type == OBJECT_TREE ? "/" : "", r->kind, id);
	buf_adds(&t->prefix, last ? "   " : "|  ");
	rc = trace_users_of(t, &r->digests.sha256, maker, e);
	t->prefix.len = mark;
	t->prefix.data[mark] = '\0';
	return rc;
}

static int
trace_users_outputs(struct trace_users *t, const struct oid *id, const struct certificate *c,
    struct err *e)
{
	size_t left = 0;

	for (size_t i = 0; i < c->event_count; i++)
		left += c->events[i].kind == EVENT_OUTPUT_RESOURCE;
	for (size_t i = 0; i < c->event_count; i++)
		if (c->events[i].kind == EVENT_OUTPUT_RESOURCE &&
		    trace_users_output(t, &c->events[i].u.output.output, id, --left == 0, e) != 0)
			return -1;
	return 0;
}

static int
trace_users_certificate(struct trace_users *t, const struct oid *id, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};

	return history_certificate(t->s, id, &c, e) != 0 ? -1 : trace_users_outputs(t, id, &c, e);
}

/* What the argument means: a path's content, an id that need not be in the store, a
 * revision; of a commit its certificate. */
static int
trace_uses_subject(struct store *s, const char *arg, struct object_ref *ret, struct err *e)
{
	CLEANUP(commit_free) struct commit c = {0};
	struct ingest_result r;

	if (cmd_is_path(arg)) {
		if (cmd_hash(NULL, arg, &r, e) != 0)
			return -1;
		*ret = (struct object_ref){r.type, r.id};
		return 0;
	}
	if (refs_resolve(s, arg, ret, e) != 0) {
		if (e->code != ERR_NOTFOUND || strlen(arg) != OID_HEX_SIZE - 1 ||
		    !hex_is(arg, OID_HEX_SIZE - 1))
			return -1;
		ret->type = OBJECT_BLOB;
		return oid_from_hex(&ret->id, arg, e);
	}
	if (ret->type != OBJECT_COMMIT)
		return 0;
	if (history_commit(s, &ret->id, &c, e) != 0)
		return -1;
	if (!c.has_subject || c.subject.type == OBJECT_EVIDENCE)
		return err_set(e, ERR_USAGE, "trace: %s is a commit of no run and no data", arg);
	*ret = c.subject;
	return 0;
}

int
trace_uses(struct store *s, const char *arg, struct err *e)
{
	CLEANUP(trace_users_free) struct trace_users t = {.s = s, .seen = OID_MAP_INIT, .whole = true};
	struct object_ref subject;
	int rc;

	if (trace_uses_subject(s, arg, &subject, e) != 0 || history_view_new(s, &t.view, e) != 0)
		return -1;
	cmd_print_text(stdout, arg);
	putchar('\n');
	rc = subject.type == OBJECT_CERTIFICATE ? trace_users_certificate(&t, &subject.id, e) :
	    trace_users_of(&t, &subject.id, NULL, e);
	if (rc < 0)
		return -1;
	if (rc == 1)
		puts("No run in this store's history used it.");
	if (t.whole)
		return 0;
	return err_set(e, ERR_NOTFOUND, "certificates are missing from %s, so there may be more uses"
	    " (aicert fsck names them)", store_path(s));
}
