#include "object/tree.h"

#include <string.h>
#include "base/array.h"
#include "base/path.h"
#include "codec/jcs.h"

#define TREE_HEADER "aicert tree 1\n"

struct tree_builder {
	struct tree_entry *entries;
	size_t count, cap;
};

static const struct { const char *text; enum tree_mode mode; } tree_modes[] = {
	{"100644 ", TREE_FILE}, {"100755 ", TREE_EXEC}, {"120000 ", TREE_LINK}, {"040000 ", TREE_DIR},
};
#define TREE_MODES (sizeof tree_modes / sizeof *tree_modes)

/* --- reading --- */

struct tree_reader {
	const char *p, *end;
	size_t line;
	struct err *e;
};

static int
tree_error(const struct tree_reader *r, const char *what)
{
	return err_set(r->e, ERR_FORMAT, "aicert-certificate(5) section 2.2: tree: line %zu: %s",
	    r->line, what);
}

static int
tree_read_mode(struct tree_reader *r, enum tree_mode *ret)
{
	for (size_t i = 0; i < TREE_MODES; i++) {
		if (r->end - r->p >= 7 && memcmp(r->p, tree_modes[i].text, 7) == 0) {
			*ret = tree_modes[i].mode;
			r->p += 7;
			return 0;
		}
	}
	return tree_error(r, "unknown mode");
}

/* Decimal without leading zeros, at most 2^53-1, then a space. */
static int
tree_read_size(struct tree_reader *r, uint64_t *ret)
{
	const char *start = r->p;
	uint64_t n = 0;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9') {
		n = n * 10 + (uint64_t)(*r->p++ - '0');
		if (n > (uint64_t)JCS_INT_MAX)
			return tree_error(r, "a size beyond 2^53-1");
	}
	if (r->p == start || (*start == '0' && r->p != start + 1) || r->p == r->end || *r->p != ' ')
		return tree_error(r, "a size that is no plain decimal number");
	r->p++;
	*ret = n;
	return 0;
}

static int
tree_read_id(struct tree_reader *r, struct oid *ret)
{
	char hex[OID_HEX_SIZE];

	if (r->end - r->p < 65 || r->p[64] != ' ')
		return tree_error(r, "an id that is not 64 hexadecimal digits");
	memcpy(hex, r->p, 64);
	hex[64] = '\0';
	if (oid_from_hex(ret, hex, NULL) != 0)
		return tree_error(r, "an id that is not 64 hexadecimal digits");
	r->p += 65;
	return 0;
}

/* Exactly these bytes are escaped. */
static bool
tree_escaped(unsigned char c)
{
	return c <= 0x20 || c == 0x7f || c == '%';
}

static int
tree_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The name up to the end of the line into ret, which has room for the rest of the text. */
static int
tree_read_name(struct tree_reader *r, char *ret, size_t *ret_len)
{
	size_t n = 0;

	while (r->p < r->end && *r->p != '\n') {
		unsigned char c = (unsigned char)*r->p++;

		if (c == '%') {
			int high = r->end - r->p >= 2 ? tree_hex_digit(r->p[0]) : -1;
			int low = r->end - r->p >= 2 ? tree_hex_digit(r->p[1]) : -1;

			if (high < 0 || low < 0 || !tree_escaped((unsigned char)(high << 4 | low)))
				return tree_error(r, "a name with a wrong escape");
			c = (unsigned char)(high << 4 | low);
			r->p += 2;
		} else if (tree_escaped(c)) {
			return tree_error(r, "a name with a byte that must be escaped");
		}
		ret[n++] = (char)c;
	}
	if (r->p == r->end)
		return tree_error(r, "the end of the line is missing");
	if (!path_name_ok(ret, n))
		return tree_error(r, "a name that is not allowed");
	r->p++;
	ret[n] = '\0';
	*ret_len = n;
	return 0;
}

static int
tree_sum(uint64_t *total, uint64_t size)
{
	if (size > (uint64_t)JCS_INT_MAX - *total)
		return -1;
	*total += size;
	return 0;
}

static int
tree_read_entry(struct tree_reader *r, struct tree *t, char *names, size_t *used)
{
	struct tree_entry *entry = &t->entries[t->count];
	size_t len = 0;

	if (tree_read_mode(r, &entry->mode) != 0 || tree_read_size(r, &entry->size) != 0 ||
	    tree_read_id(r, &entry->id) != 0 || tree_read_name(r, names + *used, &len) != 0)
		return -1;
	entry->name = names + *used;
	*used += len + 1;
	if (t->count > 0 && strcmp(t->entries[t->count - 1].name, entry->name) >= 0)
		return tree_error(r, "names out of order, or twice the same");
	if (tree_sum(&t->size, entry->size) != 0)
		return tree_error(r, "sizes that add up to more than 2^53-1");
	t->count++;
	r->line++;
	return 0;
}

int
tree_decode(const void *data, size_t len, struct tree *ret, struct err *e)
{
	const size_t header = strlen(TREE_HEADER);
	struct tree_reader r = {.line = 2, .e = e};
	struct tree t = TREE_INIT;
	size_t lines = 0, used = 0;

	if (len > TREE_BYTES_MAX)
		return err_set(e, ERR_LIMIT, "tree: longer than %u bytes", TREE_BYTES_MAX);
	if (len < header || memcmp(data, TREE_HEADER, header) != 0)
		return err_set(e, ERR_FORMAT,
		    "aicert-certificate(5) section 2.2: tree: does not begin with \"aicert tree 1\"");
	r.p = (const char *)data + header;
	r.end = (const char *)data + len;
	for (const char *p = r.p; p < r.end; p++)
		lines += *p == '\n';
	t.entries = calloc(lines + 1, sizeof *t.entries);
	t.names = malloc(len + lines + 1);
	if (t.entries == NULL || t.names == NULL) {
		tree_free(&t);
		return err_nomem(e);
	}
	while (r.p < r.end) {
		if (t.count == lines ? tree_error(&r, "the end of the line is missing") != 0 :
		    tree_read_entry(&r, &t, t.names, &used) != 0) {
			tree_free(&t);
			return -1;
		}
	}
	*ret = t;
	return 0;
}

void
tree_free(struct tree *t)
{
	free(t->entries);
	free(t->names);
	*t = (struct tree)TREE_INIT;
}

static int
tree_entry_compare(const void *a, const void *b)
{
	return strcmp(((const struct tree_entry *)a)->name, ((const struct tree_entry *)b)->name);
}

const struct tree_entry *
tree_find(const struct tree *t, const char *name)
{
	struct tree_entry key = {.name = name};

	if (t->count == 0)
		return NULL;
	return bsearch(&key, t->entries, t->count, sizeof *t->entries, tree_entry_compare);
}

/* --- writing --- */

/* What a reader would refuse is not written. */
static int
tree_check_entry(const struct tree_entry *entry, const struct tree_entry *last, uint64_t *total,
    struct err *e)
{
	if (entry->mode != TREE_FILE && entry->mode != TREE_EXEC && entry->mode != TREE_LINK &&
	    entry->mode != TREE_DIR)
		return err_set(e, ERR_FORMAT, "tree: %s: unknown mode %o", entry->name, entry->mode);
	if (!path_name_ok(entry->name, strlen(entry->name)))
		return err_set(e, ERR_FORMAT, "tree: %s: a name that is not allowed", entry->name);
	if (last != NULL && strcmp(last->name, entry->name) >= 0)
		return err_set(e, ERR_FORMAT, "tree: %s: out of order, or twice the same name",
		    entry->name);
	if (tree_sum(total, entry->size) != 0)
		return err_set(e, ERR_LIMIT, "tree: sizes that add up to more than 2^53-1");
	return 0;
}

static void
tree_write_entry(struct buf *ret, const struct tree_entry *entry)
{
	const char *p = entry->name;
	char hex[OID_HEX_SIZE];

	oid_hex(&entry->id, hex);
	hex[OID_HEX_SIZE - 1] = ' ';
	for (size_t i = 0; i < TREE_MODES; i++)
		if (tree_modes[i].mode == entry->mode)
			buf_adds(ret, tree_modes[i].text);
	buf_addu(ret, entry->size);
	buf_addc(ret, ' ');
	buf_add(ret, hex, OID_HEX_SIZE);
	while (*p != '\0') {
		size_t plain = 0;

		while (p[plain] != '\0' && !tree_escaped((unsigned char)p[plain]))
			plain++;
		buf_add(ret, p, plain);
		p += plain;
		if (*p != '\0')
			buf_addf(ret, "%%%02X", (unsigned char)*p++);
	}
	buf_addc(ret, '\n');
}

int
tree_encode(const struct tree *t, struct buf *ret, struct err *e)
{
	const struct tree_entry *last = NULL;
	size_t start = ret->len;
	uint64_t total = 0;

	for (size_t i = 0; i < t->count; i++) {
		if (tree_check_entry(&t->entries[i], last, &total, e) != 0)
			return -1;
		last = &t->entries[i];
	}
	buf_adds(ret, TREE_HEADER);
	for (size_t i = 0; i < t->count; i++)
		tree_write_entry(ret, &t->entries[i]);
	if (ret->len - start > TREE_BYTES_MAX)
		return err_set(e, ERR_LIMIT, "tree: longer than %u bytes", TREE_BYTES_MAX);
	return buf_check(ret, e);
}

int
tree_builder_new(struct tree_builder **ret, struct err *e)
{
	*ret = calloc(1, sizeof **ret);
	return *ret == NULL ? err_nomem(e) : 0;
}

int
tree_builder_add(struct tree_builder *b, enum tree_mode mode, uint64_t size, const struct oid *id,
    const char *name, struct err *e)
{
	if (!path_name_ok(name, strlen(name)))
		return err_set(e, ERR_FORMAT, "%s: a name that is not allowed in a tree", name);
	if (ARRAY_ROOM(b->entries, b->count, b->cap, e) != 0)
		return -1;
	b->entries[b->count] = (struct tree_entry){.mode = mode, .size = size, .id = *id};
	b->entries[b->count].name = buf_strdup(name, e);
	if (b->entries[b->count].name == NULL)
		return -1;
	b->count++;
	return 0;
}

int
tree_builder_finish(struct tree_builder *b, struct buf *ret_text, uint64_t *ret_size, struct err *e)
{
	const struct tree t = {.entries = b->entries, .count = b->count};
	uint64_t total = 0;

	if (b->count > 0)
		qsort(b->entries, b->count, sizeof *b->entries, tree_entry_compare);
	if (tree_encode(&t, ret_text, e) != 0)
		return -1;
	for (size_t i = 0; i < b->count; i++)
		total += b->entries[i].size;
	*ret_size = total;
	return 0;
}

void
tree_builder_free(struct tree_builder *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->count; i++)
		free((void *)(uintptr_t)b->entries[i].name);
	free(b->entries);
	free(b);
}
