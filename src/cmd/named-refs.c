#include "cmd/named-refs.h"

#include <string.h>
#include "base/hex.h"
#include "cmd/cmd.h"
#include "git/repo.h"
#include "store/history.h"
#include "store/refs.h"

struct named_refs_list {
	const struct named_refs *n;
	const char *head;
};

static int
named_refs_print(void *arg, const char *name, const struct object_ref *ref)
{
	const struct named_refs_list *l = arg;
	char id[CMD_SHORT_SIZE];

	cmd_short(&ref->id, id);
	printf("%s %s  ", l->head != NULL && strcmp(l->head, name) == 0 ? "*" : " ", id);
	cmd_print_text(stdout, name + strlen(l->n->prefix));
	putchar('\n');
	return 0;
}

static int
named_refs_list(struct store *s, const struct named_refs *n, struct err *e)
{
	CLEANUP(cleanup_free) char *head = NULL;
	struct named_refs_list l = {.n = n};

	if (refs_head(s, &head, e) != 0)
		return -1;
	l.head = head;
	return refs_each(s, n->prefix, named_refs_print, &l, e);
}

char *
named_refs_author(struct store *s, struct err *e)
{
	CLEANUP(repo_freep) struct repo *r = NULL;
	CLEANUP(cleanup_free) char *name = NULL;
	CLEANUP(cleanup_free) char *email = NULL;

	if (repo_discover(store_worktree(s), &r, e) != 0 && e->code != ERR_NOTFOUND)
		return NULL;
	if (repo_identity(r, &name, &email, e) != 0)
		return e->code == ERR_NOTFOUND ? buf_strdup("unknown <unknown>", e) : NULL;
	return buf_strfmt(e, "%s <%s>", name, email);
}

struct named_refs_reach {
	const struct oid *id;
	bool found;
};

static int
named_refs_reached(void *arg, const struct oid *id, const struct commit *c)
{
	struct named_refs_reach *r = arg;

	(void)c;
	r->found = oid_equal(id, r->id);
	return r->found;
}

struct named_refs_others {
	struct store *s;
	const char *but;
	struct named_refs_reach reach;
	struct err *e;
	int rc;
};

static int
named_refs_other(void *arg, const char *name, const struct object_ref *ref)
{
	struct named_refs_others *o = arg;

	if (strcmp(name, o->but) == 0 || ref->type != OBJECT_COMMIT)
		return 0;
	o->rc = history_walk(o->s, &ref->id, 1, named_refs_reached, &o->reach, o->e);
	return o->rc != 0 || o->reach.found;
}

/* The reflog goes with the ref: what nothing else reaches would be lost. */
static int
named_refs_remove(struct store *s, const struct named_refs *n, const struct refs_change *c,
    const char *head, struct err *e)
{
	struct object_ref old;
	struct named_refs_others o = {.s = s, .but = c->name, .reach.id = &old.id, .e = e};
	char id[CMD_SHORT_SIZE];

	if (head != NULL && strcmp(head, c->name) == 0)
		return err_set(e, ERR_DENIED, "%s is the current branch: it is not deleted", c->name);
	if (refs_read(s, c->name, &old, e) != 0)
		return -1;
	if (!n->force && old.type == OBJECT_COMMIT) {
		if (refs_each(s, "refs/", named_refs_other, &o, e) != 0 || o.rc != 0)
			return -1;
		if (!o.reach.found)
			return err_set(e, ERR_DENIED, "%s: no other branch or tag has its commits (-f deletes it"
			    " all the same)", c->name);
	}
	if (refs_update(s, c, e) != 0)
		return -1;
	cmd_short(&old.id, id);
	printf("Deleted %s, was %s\n", c->name + strlen(n->prefix), id);
	return 0;
}

static int
named_refs_change(struct store *s, const struct named_refs *n, const char *name, const char *rev,
    struct err *e)
{
	CLEANUP(cleanup_free) char *ref = buf_strfmt(e, "%s%s", n->prefix, name);
	CLEANUP(cleanup_free) char *author = named_refs_author(s, e);
	CLEANUP(cleanup_free) char *head = NULL;
	struct refs_change c = {.name = ref, .author = author, .any_old = n->force || n->remove};
	struct object_ref old, target;

	if (ref == NULL || author == NULL || refs_head(s, &head, e) != 0)
		return -1;
	if (!refs_name_ok(ref) || name[0] == '-' || strcmp(name, "HEAD") == 0 || hex_is(name, 64))
		return err_set(e, ERR_USAGE, "%s: \"%s\" is not a valid name", n->command, name);
	c.message = n->remove ? "deleted" : "made";
	if (n->remove)
		return named_refs_remove(s, n, &c, head, e);
	if (refs_resolve(s, rev, &target, e) != 0)
		return -1;
	c.new_ = &target;
	if (strcmp(n->prefix, "refs/heads/") == 0 && target.type != OBJECT_COMMIT)
		return err_set(e, ERR_USAGE, "branch: %s is a %s, not a commit", rev,
		    oid_type_name(target.type));
	if (!n->force && refs_read(s, ref, &old, e) == 0)
		return err_set(e, ERR_EXISTS, "%s exists already (-f moves it)", ref);
	return refs_update(s, &c, e);
}

int
named_refs_run(const struct named_refs *n, int argc, char **argv, struct err *e)
{
	CLEANUP(store_closep) struct store *s = NULL;

	if (cmd_count(n->command, argc, n->remove ? 1 : 0, n->remove ? 1 : 2, e) != 0 ||
	    cmd_store(argc == 0 ? STORE_READ_ONLY : 0, &s, e) != 0)
		return -1;
	if (argc == 0)
		return named_refs_list(s, n, e);
	return named_refs_change(s, n, argv[0], argc == 2 ? argv[1] : "HEAD", e);
}
