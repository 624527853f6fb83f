#include "cmd/fetch-refs.h"

#include <stdio.h>
#include <string.h>
#include "cmd/cmd.h"
#include "cmd/named-refs.h"
#include "object/oid-list.h"
#include "remote/refspec.h"
#include "store/odb.h"
#include "store/refs.h"

void
fetch_refs_free(struct fetch *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->refs[i].theirs);
		free(f->refs[i].ours);
	}
	free(f->refs);
	remote_refs_free(&f->there);
	remote_close(f->remote);
	remotes_entry_free(&f->entry);
	f->refs = NULL;
	f->count = 0;
	f->remote = NULL;
}

/* --- which refs --- */

static int
fetch_add(struct fetch *f, const struct remote_ref *theirs, const char *ours, struct err *e)
{
	struct fetch_ref *grown, r = {.target = theirs->target};

	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->refs[i].theirs, theirs->name) == 0 &&
		    (ours == NULL || (f->refs[i].ours != NULL && strcmp(f->refs[i].ours, ours) == 0)))
			return 0;
	grown = reallocarray(f->refs, f->count + 1, sizeof *grown);
	if (grown == NULL)
		return err_nomem(e);
	f->refs = grown;
	r.theirs = buf_strdup(theirs->name, e);
	r.ours = ours != NULL ? buf_strdup(ours, e) : NULL;
	grown[f->count++] = r;
	return r.theirs != NULL && (ours == NULL || r.ours != NULL) ? 0 : -1;
}

/* A configured refspec writes beneath refs/remotes/ only: one in a config that came with a
 * copied directory moves nobody's branches. */
static int
fetch_configured(struct fetch *f, struct refspec *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *key = buf_strfmt(e, "remote.%s.fetch", f->entry.name);
	CLEANUP(cleanup_free) char *text = NULL;

	if (key == NULL)
		return -1;
	if (f->entry.name[0] == '\0')
		return refspec_parse("refs/heads/*", ret, e);
	if (config_get(f->c, key, &text, e) != 0) {
		if (e->code != ERR_NOTFOUND)
			return -1;
		text = buf_strfmt(e, "+refs/heads/*:refs/remotes/%s/*", f->entry.name);
	}
	if (text == NULL || refspec_parse(text, ret, e) != 0)
		return -1;
	if (ret->has_dst && strncmp(ret->dst, "refs/remotes/", 13) != 0)
		return err_set(e, ERR_DENIED, "%s = %s: only refs/remotes/ is written by configuration", key,
		    text);
	return 0;
}

static int
fetch_match(struct fetch *f, const struct refspec *spec, bool *ret_any, struct err *e)
{
	char ours[REFSPEC_NAME_SIZE];

	*ret_any = false;
	for (size_t i = 0; i < f->there.count; i++) {
		const struct remote_ref *theirs = &f->there.items[i];

		if (!refspec_map(spec, theirs->name, ours) &&
		    !(!spec->has_dst && !spec->pattern && strcmp(spec->src, theirs->name) == 0) &&
		    !(!spec->has_dst && spec->pattern &&
		    strncmp(theirs->name, spec->src, strlen(spec->src) - 1) == 0))
			continue;
		*ret_any = true;
		if (fetch_add(f, theirs, spec->has_dst ? ours : NULL, e) != 0)
			return -1;
	}
	return 0;
}

/* "main", "main:mine", "+refs/heads/x/...:refs/remotes/o/x/..." as typed.  Without a destination
 * the tracking ref is one. */
static int
fetch_typed(struct fetch *f, const char *text, struct err *e)
{
	char name[REFSPEC_NAME_SIZE];
	struct refspec spec;
	bool any;

	if (refspec_parse(text, &spec, e) != 0)
		return -1;
	if (spec.src[0] == '\0')
		return err_set(e, ERR_USAGE, "%s: say what is to be fetched", text);
	if (refspec_qualify(spec.src, "refs/heads/", name, e) != 0)
		return -1;
	if (remote_refs_find(&f->there, name) == NULL && !spec.pattern &&
	    refspec_qualify(spec.src, "refs/tags/", name, e) != 0)
		return -1;
	memcpy(spec.src, name, sizeof name);
	if (!spec.has_dst && strncmp(name, "refs/tags/", 10) == 0) {
		memcpy(spec.dst, name, sizeof name);
		spec.has_dst = true;
	} else if (!spec.has_dst) {
		spec.has_dst = remotes_tracking(&f->entry, name, spec.dst, sizeof spec.dst);
	} else if (refspec_qualify(spec.dst, strncmp(name, "refs/tags/", 10) == 0 ? "refs/tags/" :
	    "refs/heads/", name, e) != 0) {
		return -1;
	} else {
		memcpy(spec.dst, name, sizeof name);
	}
	if (fetch_match(f, &spec, &any, e) != 0)
		return -1;
	return any || spec.pattern ? 0 :
	    err_set(e, ERR_NOTFOUND, "%s: the remote has no such branch or tag", text);
}

static int
fetch_choose(struct fetch *f, const struct fetch_options *o, struct err *e)
{
	struct refspec spec;
	bool any;

	for (int i = 0; i < o->argc; i++)
		if (fetch_typed(f, o->argv[i], e) != 0)
			return -1;
	if (o->argc == 0 && (fetch_configured(f, &spec, e) != 0 || fetch_match(f, &spec, &any, e) != 0))
		return -1;
	for (size_t i = 0; i < f->there.count && o->argc == 0 && !o->no_tags; i++)
		if (strncmp(f->there.items[i].name, "refs/tags/", 10) == 0 &&
		    fetch_add(f, &f->there.items[i], f->there.items[i].name, e) != 0)
			return -1;
	return 0;
}

static int
fetch_look(struct fetch *f, struct fetch_ref *r, struct err *e)
{
	r->result = FETCH_NEW;
	if (r->ours == NULL)
		return 0;
	if (refs_read(f->s, r->ours, &r->old, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	r->has_old = true;
	if (oid_equal(&r->old.id, &r->target.id) && r->old.type == r->target.type)
		r->result = FETCH_UP_TO_DATE;
	else if (strncmp(r->ours, "refs/tags/", 10) == 0)
		r->result = FETCH_KEPT;
	return 0;
}

/* --- objects --- */

struct fetch_have {
	struct oid_list commits;
	int rc;
	struct err *e;
};

static int
fetch_have_one(void *arg, const char *name, const struct object_ref *ref)
{
	struct fetch_have *h = arg;

	(void)name;
	if (ref->type == OBJECT_COMMIT)
		h->rc = oid_list_add(&h->commits, &ref->id, h->e);
	return h->rc;
}

static int
fetch_objects(struct fetch *f, struct err *e)
{
	CLEANUP(cleanup_free) struct sync_tip *tips = calloc(f->count + 1, sizeof *tips);
	struct fetch_have have = {.e = e};
	struct sync_fetch fetch = {.remote = f->remote, .blobs = f->blobs, .tips = tips};
	size_t n = 0;
	int rc;

	if (tips == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < f->count; i++)
		if (f->refs[i].result == FETCH_NEW)
			tips[n++].ref = f->refs[i].target;
	fetch.tip_count = n;
	rc = n == 0 ? 0 : refs_each(f->s, "refs/", fetch_have_one, &have, e);
	if (rc == 0)
		rc = have.rc;
	fetch.have = have.commits.ids;
	fetch.have_count = have.commits.count;
	if (rc == 0 && n > 0)
		rc = sync_fetch(&fetch, &f->tally, e);
	oid_list_free(&have.commits);
	for (size_t i = f->count; i > 0 && rc == 0; i--)
		if (f->refs[i - 1].result == FETCH_NEW && !tips[--n].whole)
			f->refs[i - 1].result = FETCH_FAILED;
	return rc;
}

/* Not all contents are here: from now on that is no damage (written before refs say so). */
static int
fetch_partial(struct fetch *f, struct err *e)
{
	if (store_partial(f->s) || (f->blobs != SYNC_BLOBS_NONE && f->tally.absent == 0 &&
	    f->tally.unfit == 0 && f->tally.failed == 0))
		return 0;
	return config_set(f->c, false, "store.partial", "true", e);
}

/* --- refs --- */

static const char *const fetch_words[] = {[FETCH_UP_TO_DATE] = "up-to-date", [FETCH_NEW] = "new",
    [FETCH_FORWARD] = "fast-forward", [FETCH_REWRITTEN] = "rewritten", [FETCH_KEPT] = "kept",
    [FETCH_DELETED] = "deleted", [FETCH_FAILED] = "failed"};

/* What a branch of ours would lose is not taken from it. */
static int
fetch_branch_ok(const struct fetch_ref *r, struct err *e)
{
	if (r->result != FETCH_REWRITTEN || strncmp(r->ours, "refs/heads/", 11) != 0)
		return 0;
	return err_set(e, ERR_REFUSED, "%s has commits that the remote's %s has not: it is not moved",
	    r->ours, r->theirs);
}

/* Shown, or taken as not so: also when the old commit was lost here. */
static int
fetch_forward(struct store *s, const struct fetch_ref *r, bool *ret, struct err *e)
{
	if (odb_find(s, &r->old.id, ret, e) != 0)
		return -1;
	return *ret ? sync_descends(s, &r->target.id, &r->old.id, ret, e) : 0;
}

static int
fetch_move(struct fetch *f, struct fetch_ref *r, const char *author, struct err *e)
{
	CLEANUP(cleanup_free) char *message = NULL;
	struct refs_change c = {.name = r->ours, .old = r->has_old ? &r->old : NULL, .new_ = &r->target,
	    .author = author};
	bool forward = true;

	if (r->has_old && r->target.type == OBJECT_COMMIT && r->old.type == OBJECT_COMMIT &&
	    fetch_forward(f->s, r, &forward, e) != 0)
		return -1;
	if (r->has_old)
		r->result = forward ? FETCH_FORWARD : FETCH_REWRITTEN;
	if (fetch_branch_ok(r, e) != 0)
		return -1;
	message = buf_strfmt(e, "fetch %s: %s", f->entry.name[0] != '\0' ? f->entry.name : f->entry.url,
	    fetch_words[r->result]);
	if (message == NULL)
		return -1;
	c.message = message;
	return refs_update(f->s, &c, e);
}

/* A ref that cannot be set does not keep the others back. */
static int
fetch_set(struct fetch *f, struct err *e)
{
	CLEANUP(cleanup_free) char *author = named_refs_author(f->s, e);

	if (author == NULL)
		return -1;
	for (size_t i = 0; i < f->count; i++) {
		struct fetch_ref *r = &f->refs[i];

		if (r->result != FETCH_NEW || r->ours == NULL || fetch_move(f, r, author, e) == 0)
			continue;
		if (e->code == ERR_NOMEM || e->code == ERR_CANCELLED)
			return -1;
		notice_say(&f->remote->notice, "%s: %s", r->ours, e->msg);
		r->result = FETCH_FAILED;
	}
	return 0;
}

static int
fetch_prune_one(struct fetch *f, const char *ours, const char *theirs, bool dry_run, struct err *e)
{
	const struct remote_ref gone = {.name = (char *)(uintptr_t)theirs};
	struct object_ref old;
	const struct refs_change c = {.name = ours, .old = &old, .author = "fetch <fetch@localhost>",
	    .message = "pruned"};

	if (refs_read(f->s, ours, &old, e) != 0 || (!dry_run && refs_update(f->s, &c, e) != 0) ||
	    fetch_add(f, &gone, ours, e) != 0)
		return -1;
	f->refs[f->count - 1].result = FETCH_DELETED;
	f->refs[f->count - 1].old = old;
	f->refs[f->count - 1].has_old = true;
	return 0;
}

static int
fetch_prune(struct fetch *f, bool dry_run, struct err *e)
{
	CLEANUP(cleanup_free) char *prefix = buf_strfmt(e, "refs/remotes/%s/", f->entry.name);
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;

	if (prefix == NULL || f->entry.name[0] == '\0')
		return prefix == NULL ? -1 : 0;
	if (refs_names(f->s, prefix, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP(cleanup_free) char *theirs = buf_strfmt(e, "refs/heads/%s",
		    names.names[i] + strlen(prefix));

		if (theirs == NULL)
			return -1;
		if (remote_refs_find(&f->there, theirs) == NULL &&
		    fetch_prune_one(f, names.names[i], theirs, dry_run, e) != 0)
			return -1;
	}
	return 0;
}

int
fetch_refs_run(struct fetch *f, const struct fetch_options *o, struct err *e)
{
	if (remotes_blobs(f->c, "fetch.blobs", o->blobs, SYNC_BLOBS_OUTPUTS, &f->blobs, e) != 0 ||
	    remotes_open(f->s, f->c, &f->entry, false, &f->remote, e) != 0 ||
	    f->remote->ops->refs(f->remote, &f->there, e) != 0 || fetch_choose(f, o, e) != 0)
		return -1;
	for (size_t i = 0; i < f->count; i++)
		if (fetch_look(f, &f->refs[i], e) != 0)
			return -1;
	if (!o->dry_run && (fetch_objects(f, e) != 0 || fetch_partial(f, e) != 0 || fetch_set(f, e) != 0))
		return -1;
	return o->prune ? fetch_prune(f, o->dry_run, e) : 0;
}

/* --- what is printed --- */

static void
fetch_print_ref(const struct fetch_ref *r)
{
	char old[CMD_SHORT_SIZE] = "", new_[CMD_SHORT_SIZE];
	const char *name = strchr(r->ours != NULL ? r->ours : r->theirs, '/') + 1;

	if (r->has_old)
		cmd_short(&r->old.id, old);
	cmd_short(&r->target.id, new_);
	switch (r->result) {
	case FETCH_UP_TO_DATE:
		break;
	case FETCH_NEW:
		printf(" * [%s]  %s  %s\n", r->has_old ? "changed" : "new", new_, name);
		break;
	case FETCH_FORWARD:
		printf("   %s..%s  %s\n", old, new_, name);
		break;
	case FETCH_REWRITTEN:
		printf(" + %s...%s  %s (REWRITTEN: commits that were there are gone; the old tip is %s, in the"
		    " reflog)\n", old, new_, name, old);
		break;
	case FETCH_KEPT:
		printf(" ! [kept]  %s is %s here, %s there; tags do not move\n", name, old, new_);
		break;
	case FETCH_DELETED:
		printf(" - [deleted]  %s, was %s\n", name, old);
		break;
	case FETCH_FAILED:
		printf(" ! [failed]  %s\n", name);
		break;
	}
}

void
fetch_refs_print(const struct fetch *f, bool dry_run)
{
	size_t news = 0;

	for (size_t i = 0; i < f->count; i++)
		news += f->refs[i].result != FETCH_UP_TO_DATE;
	if (news > 0) {
		printf("From ");
		cmd_print_text(stdout, f->entry.url);
		putchar('\n');
	}
	for (size_t i = 0; i < f->count; i++)
		fetch_print_ref(&f->refs[i]);
	remotes_print_tally(&f->tally, "Got", "fetched");
	if (f->tally.absent + f->tally.unfit + f->tally.failed > 0)
		puts("aicert fetch --blobs looks for them at all remotes.");
	if (dry_run)
		puts("Nothing was fetched (--dry-run).");
}

int
fetch_refs_print_json(const struct fetch *f, bool dry_run, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	struct jcs *refs = jcs_new_array();

	for (size_t i = 0; i < f->count; i++) {
		const struct fetch_ref *r = &f->refs[i];
		struct jcs *one = jcs_new_object();
		char text[OID_TEXT_SIZE];

		oid_text(&r->target.id, text);
		jcs_set_string(one, "local", r->ours);
		jcs_set_string(one, "name", r->theirs);
		jcs_set_string(one, "new", r->result == FETCH_DELETED ? NULL : text);
		oid_text(&r->old.id, text);
		jcs_set_string(one, "old", r->has_old ? text : NULL);
		jcs_set_string(one, "result", fetch_words[r->result]);
		jcs_append(refs, one);
	}
	jcs_set_bool(v, "dryRun", dry_run);
	jcs_set(v, "refs", refs);
	jcs_set_string(v, "remote", f->entry.name[0] != '\0' ? f->entry.name : NULL);
	jcs_set_string(v, "url", f->entry.url);
	remotes_tally_json(&f->tally, v);
	return cmd_print_json(v, e);
}

int
fetch_refs_status(const struct fetch *f, struct err *e)
{
	bool rewritten = false, kept = false, failed = f->tally.failed > 0;

	for (size_t i = 0; i < f->count; i++) {
		rewritten |= f->refs[i].result == FETCH_REWRITTEN;
		kept |= f->refs[i].result == FETCH_KEPT;
		failed |= f->refs[i].result == FETCH_FAILED;
	}
	if (rewritten)
		return err_set(e, ERR_REFUSED, "%s: its history was rewritten: commits that were there are gone",
		    f->entry.url);
	if (kept)
		return err_set(e, ERR_REFUSED, "%s: a tag is elsewhere there; ours was kept (aicert tag -d"
		    " first, if theirs is right)", f->entry.url);
	return failed ? err_set(e, ERR_NETWORK, "%s: not everything could be fetched; fetch again, only the"
	    " rest travels", f->entry.url) : 0;
}
