#include "cmd/audit-names.h"

#include <string.h>
#include "base/array.h"
#include "base/buf.h"
#include "object/certificate.h"
#include "object/tree.h"
#include "store/index.h"
#include "store/odb.h"

struct audit_names_tree {
	char *path;
	struct oid id;
};

struct audit_names_taker {
	struct audit_names *n;
	struct err *e;
};

static int
audit_names_key(struct oid_map *m, const char *path, struct err *e)
{
	struct oid key;
	bool fresh;

	return index_path_key(path, &key, e) != 0 ? -1 : oid_map_add(m, &key, 0, &fresh, e);
}

static bool
audit_names_in(const struct oid_map *m, const char *path)
{
	struct err ignored;
	struct oid key;
	size_t at;

	return index_path_key(path, &key, &ignored) == 0 && oid_map_get(m, &key, &at);
}

static int
audit_names_tree(struct audit_names *n, const char *path, const struct oid *id, struct err *e)
{
	char *copy;

	for (size_t i = n->tree_count; i > 0 && i + 8 > n->tree_count; i--) /* runs in a row */
		if (oid_equal(&n->trees[i - 1].id, id) && strcmp(n->trees[i - 1].path, path) == 0)
			return 0;
	if (ARRAY_ROOM(n->trees, n->tree_count, n->tree_cap, e) != 0)
		return -1;
	copy = buf_strdup(path, e);
	if (copy == NULL)
		return -1;
	n->trees[n->tree_count++] = (struct audit_names_tree){copy, *id};
	return 0;
}

static int
audit_names_take(struct audit_names *n, const char *path, enum object_type type, const struct oid *id,
    struct err *e)
{
	CLEANUP(cleanup_free) char *up = buf_strdup(path, e);

	if (up == NULL || audit_names_key(&n->outputs, path, e) != 0 ||
	    (type == OBJECT_TREE && audit_names_tree(n, path, id, e) != 0))
		return -1;
	for (char *slash; (slash = strrchr(up, '/')) != NULL;) {
		*slash = '\0';
		if (audit_names_key(&n->above, up, e) != 0)
			return -1;
	}
	return 0;
}

static int
audit_names_item(void *arg, const struct certificate_scan_item *item)
{
	struct audit_names_taker *t = arg;
	CLEANUP(cleanup_free) char *path = NULL;

	if (!item->output)
		return 0;
	path = buf_strfmt(t->e, "%.*s", (int)item->path_len, item->path);
	return path == NULL ? -1 : audit_names_take(t->n, path, item->type, &item->id, t->e);
}

int
audit_names_add(struct audit_names *n, const void *certificate, size_t len, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	struct audit_names_taker t = {n, e};
	int rc = certificate_scan(certificate, len, audit_names_item, &t);

	if (rc <= 0)
		return rc;
	if (certificate_decode(certificate, len, &c, NULL) != 0)
		return 0; /* its verdict will say so */
	for (size_t i = 0; i < c.event_count; i++) {
		const struct resource *out = &c.events[i].u.output.output;

		if (c.events[i].kind == EVENT_OUTPUT_RESOURCE &&
		    audit_names_take(n, out->path, out->type, &out->digests.sha256, e) != 0)
			return -1;
	}
	return 0;
}

bool
audit_names_has(const struct audit_names *n, const char *path, enum repo_file_kind kind)
{
	struct err ignored;
	CLEANUP(cleanup_free) char *name = buf_strdup(path, &ignored);

	if (kind != REPO_FILE_REGULAR && audit_names_in(&n->above, path))
		return true;
	for (char *slash; name != NULL; *slash = '\0') {
		if (audit_names_in(&n->outputs, name))
			return true;
		slash = strrchr(name, '/');
		if (slash == NULL)
			break;
	}
	return name == NULL; /* no memory: it is looked at */
}

/* --- links in output directories --- */

/* The entry at rest in a tree of the store; false: none, or it cannot be told. */
static bool
audit_names_entry(struct store *s, const struct oid *tree, const char *rest, struct tree_entry *ret,
    struct err *e)
{
	CLEANUP(cleanup_free) char *names = buf_strdup(rest, e);
	char *next, *name = names != NULL ? strtok_r(names, "/", &next) : NULL;

	ret->id = *tree;
	ret->mode = TREE_DIR;
	for (; name != NULL; name = strtok_r(NULL, "/", &next)) {
		CLEANUP(buf_free) struct buf text = BUF_INIT;
		CLEANUP(tree_free) struct tree t = TREE_INIT;
		const struct tree_entry *entry;

		if (ret->mode != TREE_DIR || odb_read(s, &ret->id, TREE_BYTES_MAX, &text, e) != 0 ||
		    tree_decode(text.data, text.len, &t, e) != 0)
			return false;
		entry = tree_find(&t, name);
		if (entry == NULL)
			return false;
		*ret = *entry;
	}
	return names != NULL;
}

int
audit_names_link(const struct audit_names *n, struct store *s, const char *path, const void *target,
    size_t len, bool *ret, struct err *e)
{
	struct oid id;

	*ret = false;
	if (oid_from_data(&id, target, len, e) != 0)
		return -1;
	for (size_t i = 0; i < n->tree_count && !*ret; i++) {
		const char *top = n->trees[i].path;
		size_t top_len = strlen(top);
		struct tree_entry found;

		if (strncmp(path, top, top_len) != 0 || path[top_len] != '/')
			continue;
		err_clear(e);
		if (audit_names_entry(s, &n->trees[i].id, path + top_len + 1, &found, e))
			*ret = found.mode == TREE_LINK && found.size == len && oid_equal(&found.id, &id);
		else if (e->code == ERR_NOMEM)
			return -1;
	}
	return 0;
}

void
audit_names_free(struct audit_names *n)
{
	oid_map_free(&n->outputs);
	oid_map_free(&n->above);
	for (size_t i = 0; i < n->tree_count; i++)
		free(n->trees[i].path);
	free(n->trees);
	*n = (struct audit_names){0};
}
