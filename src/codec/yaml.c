#include "codec/yaml.h"

#include <stdint.h>
#include <string.h>
#include <yaml.h>
#include "base/buf.h"
#include "base/path.h"

#define YAML_SCALAR_MAX (64u * 1024)

struct yaml {
	enum yaml_kind kind;
	struct yaml_node_pos pos;
	char *text;            /* scalar */
	struct yaml **items;   /* sequence: items; mapping: key, value, key, value ... */
	size_t count;          /* of pointers in items */
};

struct yaml_doc {
	char *name;
	struct yaml *root;
};

struct yaml_reader {
	yaml_parser_t parser;
	const char *name;
	size_t nodes;
	struct err *e;
};

static void
yaml_free(struct yaml *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->count; i++)
		yaml_free(n->items[i]);
	free(n->items);
	free(n->text);
	free(n);
}

static int
yaml_error_at(const struct yaml_reader *r, const yaml_mark_t *mark, const char *what)
{
	return err_set(r->e, ERR_SPEC, "%s:%zu:%zu: %s", r->name, mark->line + 1, mark->column + 1, what);
}

/* The next event, or -1 with the parser's own complaint. */
static int
yaml_next(struct yaml_reader *r, yaml_event_t *ret)
{
	if (yaml_parser_parse(&r->parser, ret))
		return 0;
	if (r->parser.error == YAML_MEMORY_ERROR)
		return err_nomem(r->e);
	if (r->parser.error == YAML_READER_ERROR)
		return err_set(r->e, ERR_SPEC, "%s: byte %zu: %s", r->name, r->parser.problem_offset,
		    r->parser.problem);
	return yaml_error_at(r, &r->parser.problem_mark,
	    r->parser.problem != NULL ? r->parser.problem : "not YAML");
}

static struct yaml *
yaml_new(struct yaml_reader *r, enum yaml_kind kind, const yaml_mark_t *mark)
{
	struct yaml *n;

	if (++r->nodes > YAML_NODES_MAX) {
		yaml_error_at(r, mark, "too many values");
		return NULL;
	}
	n = calloc(1, sizeof *n);
	if (n == NULL) {
		err_nomem(r->e);
		return NULL;
	}
	n->kind = kind;
	n->pos = (struct yaml_node_pos){.line = mark->line + 1, .column = mark->column + 1};
	return n;
}

static struct yaml *
yaml_read_scalar(struct yaml_reader *r, const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	struct yaml *n;

	if (len > YAML_SCALAR_MAX || memchr(text, '\0', len) != NULL || !path_utf8_ok(text, len)) {
		yaml_error_at(r, &ev->start_mark, "a text with a NUL byte, or too long");
		return NULL;
	}
	n = yaml_new(r, YAML_SCALAR, &ev->start_mark);
	if (n == NULL)
		return NULL;
	n->text = buf_strdup(text, r->e);
	if (n->text != NULL)
		return n;
	yaml_free(n);
	return NULL;
}

static int
yaml_append(struct yaml *n, struct yaml *item, struct err *e)
{
	struct yaml **items = reallocarray(n->items, n->count + 1, sizeof *items);

	if (items == NULL) {
		yaml_free(item);
		return err_nomem(e);
	}
	n->items = items;
	n->items[n->count++] = item;
	return 0;
}

/* A key of a mapping must be a scalar and new. */
static int
yaml_check_key(struct yaml_reader *r, const struct yaml *mapping, const struct yaml *key)
{
	yaml_mark_t mark = {.line = key->pos.line - 1, .column = key->pos.column - 1};

	if (key->kind != YAML_SCALAR)
		return yaml_error_at(r, &mark, "a key must be a plain text");
	for (size_t i = 0; i < mapping->count; i += 2) {
		if (strcmp(mapping->items[i]->text, key->text) == 0)
			return err_set(r->e, ERR_SPEC, "%s:%zu:%zu: duplicate key \"%s\" (first in line %zu)",
			    r->name, key->pos.line, key->pos.column, key->text, mapping->items[i]->pos.line);
	}
	return 0;
}

static struct yaml *yaml_read_node(struct yaml_reader *r, const yaml_event_t *ev, int depth);

static int
yaml_read_items(struct yaml_reader *r, struct yaml *n, int depth)
{
	for (;;) {
		yaml_event_t ev;
		struct yaml *item;
		bool end;

		if (yaml_next(r, &ev) != 0)
			return -1;
		end = ev.type == YAML_SEQUENCE_END_EVENT || ev.type == YAML_MAPPING_END_EVENT;
		item = end ? NULL : yaml_read_node(r, &ev, depth);
		yaml_event_delete(&ev);
		if (end)
			return 0;
		if (item == NULL)
			return -1;
		if (n->kind == YAML_MAPPING && n->count % 2 == 0 && yaml_check_key(r, n, item) != 0) {
			yaml_free(item);
			return -1;
		}
		if (yaml_append(n, item, r->e) != 0)
			return -1;
	}
}

/* Why an event is not one of ours; NULL when it is. */
static const char *
yaml_refusal(const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return "aliases (*name) are not supported";
	case YAML_SCALAR_EVENT:
		if (ev->data.scalar.anchor != NULL)
			return "anchors (&name) are not supported";
		return ev->data.scalar.tag != NULL ? "tags (!name) are not supported" : NULL;
	case YAML_SEQUENCE_START_EVENT:
		if (ev->data.sequence_start.anchor != NULL)
			return "anchors (&name) are not supported";
		return ev->data.sequence_start.tag != NULL ? "tags (!name) are not supported" : NULL;
	case YAML_MAPPING_START_EVENT:
		if (ev->data.mapping_start.anchor != NULL)
			return "anchors (&name) are not supported";
		return ev->data.mapping_start.tag != NULL ? "tags (!name) are not supported" : NULL;
	default:
		return "a value is missing";
	}
}

static struct yaml *
yaml_read_node(struct yaml_reader *r, const yaml_event_t *ev, int depth)
{
	const char *refusal = yaml_refusal(ev);
	struct yaml *n;

	if (refusal != NULL || depth > YAML_DEPTH_MAX) {
		yaml_error_at(r, &ev->start_mark, refusal != NULL ? refusal : "nested too deeply");
		return NULL;
	}
	if (ev->type == YAML_SCALAR_EVENT)
		return yaml_read_scalar(r, ev);
	n = yaml_new(r, ev->type == YAML_SEQUENCE_START_EVENT ? YAML_SEQUENCE : YAML_MAPPING,
	    &ev->start_mark);
	if (n != NULL && yaml_read_items(r, n, depth + 1) != 0) {
		yaml_free(n);
		return NULL;
	}
	return n;
}

/* One event of the frame around the document, of exactly this type. */
static int
yaml_expect(struct yaml_reader *r, yaml_event_type_t type, const char *what)
{
	yaml_event_t ev;
	bool directives;
	int rc = 0;

	if (yaml_next(r, &ev) != 0)
		return -1;
	directives = ev.type == YAML_DOCUMENT_START_EVENT &&
	    (ev.data.document_start.version_directive != NULL ||
	    ev.data.document_start.tag_directives.start != ev.data.document_start.tag_directives.end);
	if (ev.type != type || directives)
		rc = yaml_error_at(r, &ev.start_mark, directives ? "directives (%) are not supported" : what);
	yaml_event_delete(&ev);
	return rc;
}

static int
yaml_read_document(struct yaml_reader *r, struct yaml **ret)
{
	yaml_event_t ev;
	struct yaml *root;

	if (yaml_expect(r, YAML_STREAM_START_EVENT, "not YAML") != 0 ||
	    yaml_expect(r, YAML_DOCUMENT_START_EVENT, "the file is empty") != 0 || yaml_next(r, &ev) != 0)
		return -1;
	root = yaml_read_node(r, &ev, 0);
	yaml_event_delete(&ev);
	if (root == NULL)
		return -1;
	if (yaml_expect(r, YAML_DOCUMENT_END_EVENT, "more after the end") != 0 ||
	    yaml_expect(r, YAML_STREAM_END_EVENT, "more than one document") != 0) {
		yaml_free(root);
		return -1;
	}
	*ret = root;
	return 0;
}

int
yaml_doc_decode(const char *name, const void *data, size_t len, struct yaml_doc **ret, struct err *e)
{
	struct yaml_reader r = {.name = name, .e = e};
	struct yaml_doc *d;
	int rc;

	if (len > YAML_SIZE_MAX)
		return err_set(e, ERR_SPEC, "%s: longer than %d bytes", name, YAML_SIZE_MAX);
	d = calloc(1, sizeof *d);
	if (d == NULL || !yaml_parser_initialize(&r.parser)) {
		free(d);
		return err_nomem(e);
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, data != NULL ? data : (const unsigned char *)"", len);
	rc = yaml_read_document(&r, &d->root);
	yaml_parser_delete(&r.parser);
	if (rc == 0 && (d->name = buf_strdup(name, e)) == NULL)
		rc = -1;
	if (rc != 0) {
		yaml_doc_free(d);
		return -1;
	}
	*ret = d;
	return 0;
}

void
yaml_doc_free(struct yaml_doc *d)
{
	if (d == NULL)
		return;
	yaml_free(d->root);
	free(d->name);
	free(d);
}

const struct yaml *
yaml_doc_root(const struct yaml_doc *d)
{
	return d->root;
}

enum yaml_kind
yaml_kind(const struct yaml *n)
{
	return n->kind;
}

struct yaml_node_pos
yaml_pos(const struct yaml *n)
{
	return n->pos;
}

const char *
yaml_scalar(const struct yaml *n)
{
	return n != NULL && n->kind == YAML_SCALAR ? n->text : NULL;
}

size_t
yaml_length(const struct yaml *n)
{
	return n->kind == YAML_MAPPING ? n->count / 2 : n->count;
}

const struct yaml *
yaml_at(const struct yaml *sequence, size_t i)
{
	return sequence->kind == YAML_SEQUENCE && i < sequence->count ? sequence->items[i] : NULL;
}

const struct yaml *
yaml_value(const struct yaml *mapping, size_t i, const struct yaml **ret_key)
{
	if (mapping->kind != YAML_MAPPING || i >= mapping->count / 2)
		return NULL;
	*ret_key = mapping->items[2 * i];
	return mapping->items[2 * i + 1];
}

const struct yaml *
yaml_get(const struct yaml *mapping, const char *key)
{
	for (size_t i = 0; mapping->kind == YAML_MAPPING && i < mapping->count; i += 2)
		if (strcmp(mapping->items[i]->text, key) == 0)
			return mapping->items[i + 1];
	return NULL;
}

int
yaml_error(const struct yaml_doc *d, const struct yaml *n, struct err *e, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_set(e, ERR_SPEC, "%s:%zu:%zu: %s", d->name, n->pos.line, n->pos.column, text);
}

/* Levenshtein distance, bounded: keys are short. */
static size_t
yaml_distance(const char *a, const char *b)
{
	size_t row[33], la = strlen(a), lb = strlen(b);

	if (la > 32 || lb > 32)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

static const char *
yaml_nearest(const char *key, const char *const *keys)
{
	const char *best = NULL;
	size_t least = 3; /* further away is no typing mistake */

	for (; *keys != NULL; keys++) {
		size_t d = yaml_distance(key, *keys);

		if (d < least) {
			least = d;
			best = *keys;
		}
	}
	return best;
}

int
yaml_only(const struct yaml_doc *d, const struct yaml *mapping, const char *const *keys,
    struct err *e)
{
	for (size_t i = 0; i < yaml_length(mapping); i++) {
		const struct yaml *key = NULL;
		const char *near;
		size_t k = 0;

		if (yaml_value(mapping, i, &key) == NULL)
			return yaml_error(d, mapping, e, "expected a mapping");
		while (keys[k] != NULL && strcmp(keys[k], key->text) != 0)
			k++;
		if (keys[k] != NULL)
			continue;
		near = yaml_nearest(key->text, keys);
		if (near != NULL)
			return yaml_error(d, key, e, "unknown key \"%s\"; did you mean \"%s\"?", key->text, near);
		return yaml_error(d, key, e, "unknown key \"%s\"", key->text);
	}
	return 0;
}
