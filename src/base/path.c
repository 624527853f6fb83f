#include "base/path.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

bool
path_utf8_ok(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t i = 0;

	while (i < len) {
		size_t more = p[i] < 0x80 ? 0 : p[i] >= 0xf0 ? 3 : p[i] >= 0xe0 ? 2 : 1;
		uint32_t c = p[i];

		if ((c >= 0x80 && c < 0xc2) || c > 0xf4 || more > len - i - 1)
			return false;
		c &= more == 0 ? 0x7f : 0x3fu >> more;
		for (size_t k = 1; k <= more; k++) {
			if ((p[i + k] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (p[i + k] & 0x3f);
		}
		if ((more == 2 && c < 0x800) || (more == 3 && c < 0x10000) || c > 0x10ffff ||
		    (c >= 0xd800 && c <= 0xdfff))
			return false;
		i += more + 1;
	}
	return true;
}

bool
path_name_ok(const char *name, size_t len)
{
	if (len == 0 || len > 255 || memchr(name, '/', len) != NULL || memchr(name, 0, len) != NULL)
		return false;
	if ((len == 1 && name[0] == '.') || (len == 2 && memcmp(name, "..", 2) == 0))
		return false;
	if (len == 4 && strncasecmp(name, ".git", 4) == 0)
		return false;
	return !(len == 7 && strncasecmp(name, ".aicert", 7) == 0);
}

/* C0, DEL and C1 (U+0080 to U+009F): a terminal may obey any of them. */
static bool
path_has_control(const char *path, size_t len)
{
	const unsigned char *p = (const unsigned char *)path;

	for (size_t i = 0; i < len; i++)
		if (p[i] < 0x20 || p[i] == 0x7f ||
		    (p[i] == 0xc2 && i + 1 < len && p[i + 1] < 0xa0))
			return true;
	return false;
}

int
path_check(const char *path, struct err *e)
{
	size_t len = strnlen(path, PATH_LEN_MAX + 1);
	const char *part = path;

	if (len == 0)
		return err_set(e, ERR_FORMAT, "the path is empty");
	if (len > PATH_LEN_MAX)
		return err_set(e, ERR_FORMAT, "the path is longer than %d bytes", PATH_LEN_MAX);
	if (!path_utf8_ok(path, len))
		return err_set(e, ERR_FORMAT, "the path is not valid UTF-8");
	if (path_has_control(path, len))
		return err_set(e, ERR_FORMAT, "the path has a control character");
	if (path[0] == '/')
		return err_set(e, ERR_FORMAT, "%s: an absolute path; give one relative to the"
		    " directory that holds .aicert", path);
	for (;;) {
		size_t n = strcspn(part, "/");

		if (!path_name_ok(part, n))
			return err_set(e, ERR_FORMAT, "%s: \"%.*s\" is not allowed as a component",
			    path, (int)n, part);
		if (part[n] == '\0')
			return 0;
		part += n + 1;
	}
}

bool
path_covers(const char *b, const char *a)
{
	size_t len = strlen(b);

	return strncmp(a, b, len) == 0 && (a[len] == '\0' || a[len] == '/');
}

const char *
path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}
