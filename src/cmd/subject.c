#include "cmd/subject.h"

#include <string.h>
#include "base/path.h"
#include "cmd/cmd.h"
#include "store/history.h"
#include "store/refs.h"

static int
subject_first_use(void *arg, const struct history_use *use)
{
	struct oid *certificate = arg;

	*certificate = use->certificate_id;
	return 1;
}

/* No run made it; that one used it is worth saying. */
static int
subject_used(struct store *s, const struct subject *sub, const char *arg, struct err *e)
{
	struct oid user = {{0}}, none = {{0}};
	CLEANUP(history_view_freep) struct history_view *view = NULL;
	char id[CMD_SHORT_SIZE];
	bool whole;

	if (history_view_new(s, &view, e) != 0 ||
	    history_uses(view, &sub->content.id, false, subject_first_use, &user, &whole, e) != 0)
		return -1;
	cmd_short(&user, id);
	return err_set(e, ERR_NOTFOUND, "%s: no certificate in this store has this content or names"
	    " this path as an output%s%s%s", arg, oid_equal(&user, &none) ? "" : "; certificate ",
	    oid_equal(&user, &none) ? "" : id, oid_equal(&user, &none) ? "" :
	    " used it (aicert trace --uses)");
}

static int
subject_input_use(void *arg, const struct history_use *use)
{
	struct subject *sub = arg;

	if (!path_covers(use->thing->path, sub->path))
		return 0;
	sub->certificate = use->certificate_id;
	sub->has_certificate = true;
	return 1;
}

static int
subject_input(struct store *s, struct subject *sub, const char *arg, struct err *e)
{
	CLEANUP(history_view_freep) struct history_view *view = NULL;
	bool whole;

	if (!sub->inputs_too || sub->path == NULL || *sub->path == '\0')
		return subject_used(s, sub, arg, e);
	if (history_view_new(s, &view, e) != 0 ||
	    history_uses(view, &sub->content.id, false, subject_input_use, sub, &whole, e) != 0)
		return -1;
	if (!sub->has_certificate) {
		if (history_user_of_path(s, sub->path, &sub->certificate, e) != 0)
			return e->code == ERR_NOTFOUND ? subject_used(s, sub, arg, e) : -1;
		sub->has_certificate = true;
	}
	sub->is_input = true;
	return 0;
}

int
subject_producer(struct store *s, const char *path, struct oid *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *up = buf_strdup(path, e);

	if (up == NULL)
		return -1;
	while (*up != '\0') {
		CLEANUP(history_producer_free) struct history_producer p = {0};
		char *slash;

		if (history_producer_of_path(s, up, HISTORY_QUICK, &p, e) == 0) {
			*ret = p.certificate;
			return 0;
		}
		if (e->code != ERR_NOTFOUND)
			return -1;
		slash = strrchr(up, '/');
		*(slash != NULL ? slash : up) = '\0';
	}
	return err_set(e, ERR_NOTFOUND, "%s: no output of a run", path);
}

/* No run has the content: does one name the path, or a directory above it? */
static int
subject_by_path(struct store *s, struct subject *sub, const char *arg, struct err *e)
{
	if (subject_producer(s, sub->path != NULL ? sub->path : "", &sub->certificate, e) != 0)
		return e->code == ERR_NOTFOUND ? subject_input(s, sub, arg, e) : -1;
	sub->has_certificate = true;
	return 0;
}

static int
subject_path(struct store *s, const char *arg, struct subject *sub, struct err *e)
{
	CLEANUP(history_producer_free) struct history_producer p = {0};
	struct resource content = {0};

	sub->is_path = true;
	if (cmd_worktree_path(s, arg, &sub->path, e) != 0 && e->code != ERR_DENIED)
		return -1;
	if (cmd_hash(NULL, arg, &sub->content, e) != 0)
		return -1;
	content.type = sub->content.type;
	content.size = sub->content.size;
	content.digests.sha256 = sub->content.id;
	if (history_producer(s, &content, HISTORY_INSIDE, &p, e) != 0)
		return e->code == ERR_NOTFOUND ? subject_by_path(s, sub, arg, e) : -1;
	sub->content_known = true;
	sub->output = p.path;
	p.path = NULL;
	sub->certificate = p.certificate;
	sub->has_certificate = true;
	return 0;
}

/* Neither: perhaps a file of the history that was not checked out. */
static int
subject_unknown(struct store *s, const char *arg, struct err *e)
{
	CLEANUP(cleanup_free) char *path = NULL;
	struct oid certificate;
	char id[CMD_SHORT_SIZE];

	if (cmd_worktree_path(s, arg, &path, e) == 0 && subject_producer(s, path, &certificate, e) == 0) {
		cmd_short(&certificate, id);
		return err_set(e, ERR_NOTFOUND, "%s: is not here; certificate %s names it, or a directory that"
		    " it would be in (aicert fetch --blobs and aicert checkout bring it)", arg, id);
	}
	return err_set(e, ERR_NOTFOUND, "%s: neither a file nor a revision (no branch, tag, ref or object has"
	    " this name or id; ids are of 7 digits or more)", arg);
}

static int
subject_revision(struct store *s, const char *arg, struct subject *sub, struct err *e)
{
	struct commit c = {0};

	if (refs_resolve(s, arg, &sub->object, e) != 0)
		return e->code == ERR_NOTFOUND && strcspn(arg, "~^") == strlen(arg) &&
		    strcmp(arg, "HEAD") != 0 ? subject_unknown(s, arg, e) : -1;
	if (sub->object.type == OBJECT_CERTIFICATE) {
		sub->certificate = sub->object.id;
		sub->has_certificate = true;
	}
	if (sub->object.type != OBJECT_COMMIT)
		return 0;
	if (history_commit(s, &sub->object.id, &c, e) != 0)
		return -1;
	sub->has_certificate = c.has_subject && c.subject.type == OBJECT_CERTIFICATE &&
	    c.kind == COMMIT_RUN;
	sub->certificate = c.subject.id;
	commit_free(&c);
	return 0;
}

static int
subject_find_as(struct store *s, const char *arg, bool inputs_too, struct subject *ret, struct err *e)
{
	struct subject sub = {.inputs_too = inputs_too};

	if ((cmd_is_path(arg) ? subject_path : subject_revision)(s, arg, &sub, e) != 0) {
		subject_free(&sub);
		return -1;
	}
	*ret = sub;
	return 0;
}

int
subject_find(struct store *s, const char *arg, struct subject *ret, struct err *e)
{
	return subject_find_as(s, arg, false, ret, e);
}

int
subject_find_input(struct store *s, const char *arg, struct subject *ret, struct err *e)
{
	return subject_find_as(s, arg, true, ret, e);
}

void
subject_free(struct subject *sub)
{
	free(sub->path);
	free(sub->output);
}
