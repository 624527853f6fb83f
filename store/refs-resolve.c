#include <string.h>
#include "base/buf.h"
#include "base/hex.h"
#include "store/history.h"
#include "store/odb.h"
#include "store/refs.h"

#define REFS_RESOLVE_STEPS_MAX 1000000000u

/* 1: found, 0: no such name */
static int
refs_resolve_name(struct store *s, const char *name, struct object_ref *ret, struct err *e)
{
	static const char *const roots[] = {"", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"};

	if (strcmp(name, "HEAD") == 0)
		return refs_read(s, name, ret, e) == 0 ? 1 : -1;
	for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
		CLEANUP(cleanup_free) char *full = buf_strfmt(e, "%s%s", roots[i], name);

		if (full == NULL)
			return -1;
		if (!refs_name_ok(full))
			continue;
		if (refs_read(s, full, ret, e) == 0)
			return 1;
		if (e->code != ERR_NOTFOUND)
			return -1;
	}
	return 0;
}

static int
refs_resolve_id(struct store *s, const char *text, struct object_ref *ret, struct err *e)
{
	struct oid id;

	if (strlen(text) < 7 || !hex_is(text, 64))
		return err_set(e, ERR_NOTFOUND, "%s: no such revision (no branch, tag or ref of that"
		    " name, and not an id of 7 digits or more)", text);
	if (odb_prefix(s, text, &id, e) != 0 || history_type(s, &id, &ret->type, e) != 0)
		return -1;
	ret->id = id;
	return 0;
}

/* The n-th parent (1 is the first) of what at names. */
static int
refs_resolve_parent(struct store *s, const char *rev, struct object_ref *at, size_t n, struct err *e)
{
	CLEANUP(commit_free) struct commit c = {0};

	if (at->type != OBJECT_COMMIT)
		return err_set(e, ERR_USAGE, "%s: only a commit has parents, this is a %s", rev,
		    oid_type_name(at->type));
	if (history_commit(s, &at->id, &c, e) != 0)
		return -1;
	if (n > c.parent_count)
		return err_set(e, ERR_NOTFOUND, "%s: the history does not go back that far", rev);
	if (n > 0)
		at->id = c.parents[n - 1];
	return 0;
}

/* "~N" and "^N" at suffix; N defaults to 1. */
static int
refs_resolve_suffix(struct store *s, const char *rev, const char *suffix, struct object_ref *at,
    struct err *e)
{
	while (*suffix != '\0') {
		char kind = *suffix++;
		size_t digits = strspn(suffix, "0123456789");
		unsigned long n = digits > 0 ? strtoul(suffix, NULL, 10) : 1;

		if ((kind != '~' && kind != '^') || digits > 9 || n > REFS_RESOLVE_STEPS_MAX)
			return err_set(e, ERR_USAGE, "%s: not a revision", rev);
		suffix += digits;
		if (kind == '^' || n == 0) {
			if (refs_resolve_parent(s, rev, at, kind == '^' ? n : 0, e) != 0)
				return -1;
			continue;
		}
		for (unsigned long i = 0; i < n; i++)
			if (refs_resolve_parent(s, rev, at, 1, e) != 0)
				return -1;
	}
	return 0;
}

int
refs_resolve(struct store *s, const char *rev, struct object_ref *ret, struct err *e)
{
	size_t len = strcspn(rev, "~^");
	CLEANUP(cleanup_free) char *base = buf_strfmt(e, "%.*s", (int)len, rev);
	struct object_ref at;
	struct err local;
	int rc = 0;

	if (base == NULL)
		return -1;
	if (e == NULL)
		e = &local;
	if (len == 0 || len > 1024)
		return err_set(e, ERR_USAGE, "\"%.100s\": not a revision", rev);
	/* a full id is never a name: nobody can hide an object behind a branch */
	if (len != 64 || !hex_is(base, 64))
		rc = refs_resolve_name(s, base, &at, e);
	if (rc == 0 && refs_resolve_id(s, base, &at, e) != 0)
		return -1;
	if (rc < 0 || refs_resolve_suffix(s, rev, rev + len, &at, e) != 0)
		return -1;
	*ret = at;
	return 0;
}
