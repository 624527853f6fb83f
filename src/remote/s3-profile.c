#include "remote/s3-profile.h"

#include <string.h>

struct s3_profile_text {
	const char *p;
	size_t len;
};

static bool
s3_profile_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct s3_profile_text
s3_profile_trim(struct s3_profile_text t)
{
	while (t.len > 0 && s3_profile_blank(t.p[0])) {
		t.p++;
		t.len--;
	}
	while (t.len > 0 && s3_profile_blank(t.p[t.len - 1]))
		t.len--;
	return t;
}

static bool
s3_profile_is(struct s3_profile_text t, const char *text)
{
	return t.len == strlen(text) && memcmp(t.p, text, t.len) == 0;
}

/* "[name]" or "[profile name]" */
static bool
s3_profile_section(struct s3_profile_text line, const char *section)
{
	static const char word[] = "profile";
	struct s3_profile_text t = s3_profile_trim((struct s3_profile_text){line.p + 1, line.len - 2});
	size_t n = sizeof word - 1;

	if (s3_profile_is(t, section))
		return true;
	if (t.len <= n || memcmp(t.p, word, n) != 0 || !s3_profile_blank(t.p[n]))
		return false;
	return s3_profile_is(s3_profile_trim((struct s3_profile_text){t.p + n, t.len - n}), section);
}

static bool
s3_profile_take(struct s3_profile_text line, const char *key, char *ret, size_t cap, bool *found)
{
	const char *equals = memchr(line.p, '=', line.len);
	struct s3_profile_text name, value;

	if (equals == NULL)
		return true;
	name = s3_profile_trim((struct s3_profile_text){line.p, (size_t)(equals - line.p)});
	if (!s3_profile_is(name, key))
		return true;
	value = s3_profile_trim((struct s3_profile_text){equals + 1,
	    (size_t)(line.p + line.len - equals - 1)});
	if (value.len >= cap)
		return false;
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.p[i] < 0x20 || (unsigned char)value.p[i] == 0x7f)
			return false;
	memcpy(ret, value.p, value.len);
	ret[value.len] = '\0';
	*found = true;
	return true;
}

bool
s3_profile_value(const void *data, size_t len, const char *section, const char *key, char *ret,
    size_t cap)
{
	const char *p = data, *end = p + len;
	bool inside = false, found = false;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((newline != NULL ? newline : end) - p);
		/* an indented line belongs to a nested value */
		bool nested = n > 0 && s3_profile_blank(p[0]);
		struct s3_profile_text line = s3_profile_trim((struct s3_profile_text){p, n});

		p += n + (newline != NULL);
		if (line.len == 0 || line.p[0] == '#' || line.p[0] == ';')
			continue;
		if (line.len >= 2 && line.p[0] == '[' && line.p[line.len - 1] == ']')
			inside = s3_profile_section(line, section);
		else if (inside && !nested && !s3_profile_take(line, key, ret, cap, &found))
			return false;
	}
	return found;
}
