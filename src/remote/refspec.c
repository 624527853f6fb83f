#include "remote/refspec.h"

#include <stdio.h>
#include <string.h>
#include "store/refs.h"

/* A '*' stands at the end, behind a '/', or nowhere. */
static int
refspec_side(const char *text, size_t len, char ret[REFSPEC_NAME_SIZE], bool *ret_star,
    struct err *e)
{
	const char *star = memchr(text, '*', len);

	if (len >= REFSPEC_NAME_SIZE)
		return err_set(e, ERR_USAGE, "a name in a refspec is too long");
	if (star != NULL && (star != text + len - 1 || len < 2 || star[-1] != '/'))
		return err_set(e, ERR_USAGE, "\"%.*s\": a '*' stands for the last part of a name",
		    (int)len, text);
	memcpy(ret, text, len);
	ret[len] = '\0';
	*ret_star = star != NULL;
	return 0;
}

int
refspec_parse(const char *text, struct refspec *ret, struct err *e)
{
	struct refspec s = {.force = *text == '+'};
	const char *src = text + s.force, *colon = strchr(src, ':');
	size_t len = colon != NULL ? (size_t)(colon - src) : strlen(src);
	bool star = false;

	if (refspec_side(src, len, s.src, &s.pattern, e) != 0)
		return -1;
	s.has_dst = colon != NULL;
	if (s.has_dst && refspec_side(colon + 1, strlen(colon + 1), s.dst, &star, e) != 0)
		return -1;
	if (s.has_dst && star != s.pattern)
		return err_set(e, ERR_USAGE, "%s: a '*' on both sides, or on none", text);
	if (s.src[0] == '\0' && s.dst[0] == '\0')
		return err_set(e, ERR_USAGE, "\"%s\": neither side names a ref", text);
	*ret = s;
	return 0;
}

int
refspec_qualify(const char *name, const char *prefix, char ret[REFSPEC_NAME_SIZE], struct err *e)
{
	char full[REFSPEC_NAME_SIZE];
	size_t len;
	int n = snprintf(full, sizeof full, "%s%s", strncmp(name, "refs/", 5) == 0 ? "" : prefix, name);
	bool ok;

	if (n < 0 || (size_t)n >= sizeof full)
		return err_set(e, ERR_USAGE, "a ref's name is too long");
	len = (size_t)n;
	if (full[len - 1] == '*')
		full[len - 1] = 'x'; /* any last part */
	ok = refs_name_ok(full);
	if (name[strlen(name) - 1] == '*')
		full[len - 1] = '*';
	if (!ok)
		return err_set(e, ERR_USAGE, "\"%s\" is not the name of a ref", name);
	memcpy(ret, full, len + 1);
	return 0;
}

bool
refspec_map(const struct refspec *s, const char *name, char ret[REFSPEC_NAME_SIZE])
{
	size_t fixed = s->pattern ? strlen(s->src) - 1 : 0;
	int n;

	if (!s->pattern && strcmp(s->src, name) != 0)
		return false;
	if (s->pattern && (strncmp(name, s->src, fixed) != 0 || name[fixed] == '\0'))
		return false;
	n = s->pattern ? snprintf(ret, REFSPEC_NAME_SIZE, "%.*s%s", (int)strlen(s->dst) - 1, s->dst,
	    name + fixed) : snprintf(ret, REFSPEC_NAME_SIZE, "%s", s->dst);
	return n > 0 && n < REFSPEC_NAME_SIZE;
}
