#include "serve/principal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "base/hex.h"
#include "crypto/hash.h"

#define PRINCIPAL_WORDS 3

static const struct {
	const char *name;
	unsigned right;
} principal_rights[] = {
	{"read", PRINCIPAL_READ}, {"write", PRINCIPAL_WRITE}, {"run", PRINCIPAL_RUN},
	{"force", PRINCIPAL_FORCE},
};

const char *
principal_right_name(unsigned rights)
{
	for (size_t i = 0; i < sizeof principal_rights / sizeof *principal_rights; i++)
		if ((rights & principal_rights[i].right) != 0)
			return principal_rights[i].name;
	return "no";
}

struct principal_word {
	const char *p;
	size_t len;
};

static bool
principal_name_ok(const struct principal_word *w)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	if (w->len == 0 || w->len >= PRINCIPAL_NAME_SIZE || memchr(first, *w->p, 36) == NULL)
		return false;
	for (size_t i = 1; i < w->len; i++)
		if (memchr("abcdefghijklmnopqrstuvwxyz0123456789_.-", w->p[i], 39) == NULL)
			return false;
	return true;
}

static bool
principal_read_digest(const struct principal_word *w, struct principal *p)
{
	static const char token[] = "sha256:", key[] = "spki:";
	char hex[65];
	size_t skip;

	p->is_key = w->len > sizeof key - 1 && memcmp(w->p, key, sizeof key - 1) == 0;
	skip = p->is_key ? sizeof key - 1 : sizeof token - 1;
	if (w->len != skip + 64 || (!p->is_key && memcmp(w->p, token, skip) != 0))
		return false;
	memcpy(hex, w->p + skip, 64);
	hex[64] = '\0';
	return hex_decode(p->digest, sizeof p->digest, hex, NULL) == 0;
}

static bool
principal_read_rights(const struct principal_word *w, unsigned *ret)
{
	const char *p = w->p, *end = w->p + w->len;

	*ret = 0;
	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t len = (size_t)((comma != NULL ? comma : end) - p);
		unsigned right = 0;

		for (size_t i = 0; i < sizeof principal_rights / sizeof *principal_rights; i++)
			if (strlen(principal_rights[i].name) == len &&
			    memcmp(principal_rights[i].name, p, len) == 0)
				right = principal_rights[i].right;
		if (right == 0 || (*ret & right) != 0)
			return false;
		*ret |= right;
		if (comma == NULL)
			return true;
		p = comma + 1;
	}
	return false;
}

/* Words between single blanks and tabs, any number; false: more than there is room for. */
static bool
principal_split(const char *p, size_t len, struct principal_word *ret, size_t *ret_n)
{
	size_t n = 0, at = 0;

	for (;;) {
		while (at < len && (p[at] == ' ' || p[at] == '\t'))
			at++;
		if (at == len)
			break;
		if (n == PRINCIPAL_WORDS)
			return false;
		ret[n].p = p + at;
		while (at < len && p[at] != ' ' && p[at] != '\t')
			at++;
		ret[n].len = (size_t)(p + at - ret[n].p);
		n++;
	}
	*ret_n = n;
	return true;
}

/* NULL, or what is wrong with it. */
static const char *
principal_conflict(const struct principal_list *l, const struct principal *p)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct principal *q = &l->items[i];

		if (q->is_key == p->is_key && memcmp(q->digest, p->digest, sizeof q->digest) == 0)
			return "the credential is there twice";
		if (strcmp(q->name, p->name) == 0 && q->rights != p->rights)
			return "the name is there with other rights";
	}
	return l->count == PRINCIPALS_MAX ? "too many lines" : NULL;
}

/* 1: added, 0: nothing on the line */
static int
principal_line(struct principal_list *l, const char *p, size_t len, const char **ret_wrong)
{
	struct principal_word w[PRINCIPAL_WORDS];
	struct principal item = {.rights = 0};
	size_t n = 0;

	*ret_wrong = NULL;
	if (len > 0 && *p == '#')
		return 0;
	if (!principal_split(p, len, w, &n) || (n != 0 && n != PRINCIPAL_WORDS))
		*ret_wrong = "is not NAME CREDENTIAL RIGHTS";
	if (*ret_wrong != NULL || n == 0)
		return 0;
	if (!principal_name_ok(&w[0]))
		*ret_wrong = "the name is not a-z, 0-9, '_', '.', '-', 32 at most";
	else if (!principal_read_digest(&w[1], &item))
		*ret_wrong = "the credential is not sha256: or spki: and 64 hex digits";
	else if (!principal_read_rights(&w[2], &item.rights))
		*ret_wrong = "the rights are not of read, write, run, force with commas between";
	if (*ret_wrong != NULL)
		return 0;
	memcpy(item.name, w[0].p, w[0].len);
	*ret_wrong = principal_conflict(l, &item);
	if (*ret_wrong == NULL)
		l->items[l->count++] = item;
	return 1;
}

int
principal_parse(const void *data, size_t len, struct principal_list *ret, struct err *e)
{
	struct principal_list l = {.count = 0};
	const char *p = data, *end = p + len;
	unsigned number = 1;

	if (len > PRINCIPAL_FILE_MAX)
		return err_set(e, ERR_LIMIT, "longer than %u bytes", PRINCIPAL_FILE_MAX);
	l.items = calloc(PRINCIPALS_MAX, sizeof *l.items);
	if (l.items == NULL)
		return err_nomem(e);
	for (; p < end; number++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *wrong;

		principal_line(&l, p, (size_t)((nl != NULL ? nl : end) - p), &wrong);
		if (wrong != NULL) {
			principal_list_free(&l);
			return err_set(e, ERR_FORMAT, "line %u: %s", number, wrong);
		}
		p = nl != NULL ? nl + 1 : end;
	}
	*ret = l;
	return 0;
}

int
principal_load(const char *path, struct principal_list *ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return err_sys(e, "%s: cannot open the token file", path);
	if (!S_ISREG(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0) ||
	    (st.st_mode & 077) != 0)
		return err_set(e, ERR_DENIED, "%s: the token file must be a file of yours with mode 0600",
		    path);
	if (fd_read_all(fd, PRINCIPAL_FILE_MAX, &text, path, e) != 0)
		return -1;
	return principal_parse(text.data, text.len, ret, e) == 0 ? 0 : err_prefix(e, "%s", path);
}

void
principal_list_free(struct principal_list *l)
{
	free(l->items);
	*l = (struct principal_list){0};
}

const struct principal *
principal_find(const struct principal_list *l, bool is_key, const unsigned char digest[32])
{
	const struct principal *found = NULL;

	for (size_t i = 0; i < l->count; i++)
		if (hash_equal(l->items[i].digest, digest, 32) && l->items[i].is_key == is_key)
			found = &l->items[i];
	return found;
}

bool
principal_bearer(const char *header, const char **ret_token, size_t *ret_len)
{
	static const char scheme[] = "Bearer ";
	const char *p = header;
	size_t len;

	if (strncasecmp(p, scheme, sizeof scheme - 1) != 0)
		return false;
	p += sizeof scheme - 1;
	p += strspn(p, " ");
	len = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
	if (len == 0)
		return false;
	len += strspn(p + len, "=");
	if (p[len] != '\0' || len > PRINCIPAL_TOKEN_MAX)
		return false;
	*ret_token = p;
	*ret_len = len;
	return true;
}
