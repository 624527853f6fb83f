#include "cmd/cmd.h"
#include "cmd/commands.h"

#include "object/tree.h"
#include "store/odb.h"
#include "store/refs.h"

struct ls_tree {
	struct store *s;
	bool recursive;
	int depth;
};

static int ls_tree_print(struct ls_tree *l, const struct oid *id, const char *prefix, struct err *e);

static int
ls_tree_entry(struct ls_tree *l, const struct tree_entry *t, const char *prefix, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s%s%s", prefix, *prefix != '\0' ? "/" : "",
	    t->name);
	char hex[OID_HEX_SIZE];

	if (path == NULL)
		return -1;
	if (l->recursive && t->mode == TREE_DIR)
		return ls_tree_print(l, &t->id, path, e);
	oid_hex(&t->id, hex);
	printf("%06o %s %s %12llu\t", (unsigned)t->mode, t->mode == TREE_DIR ? "tree" : "blob", hex,
	    (unsigned long long)t->size);
	cmd_print_text(stdout, path);
	putchar('\n');
	return 0;
}

static int
ls_tree_print(struct ls_tree *l, const struct oid *id, const char *prefix, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	int rc = 0;

	if (l->depth > TREE_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "%s: deeper than %d directories", prefix, TREE_DEPTH_MAX);
	if (odb_read(l->s, id, TREE_BYTES_MAX, &text, e) != 0 ||
	    tree_decode(text.data, text.len, &t, e) != 0)
		return -1;
	l->depth++;
	for (size_t i = 0; rc == 0 && i < t.count; i++)
		rc = ls_tree_entry(l, &t.entries[i], prefix, e);
	l->depth--;
	return rc;
}

int
ls_tree_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	struct ls_tree l = {0};
	const struct option table[] = {
		{OPTION_FLAG, 'r', NULL, &l.recursive, NULL, "sub-trees too"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	struct object_ref ref;
	int rc = cmd_parse("ls-tree", "[-r] ID", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("ls-tree", argc, 1, 1, e) != 0 || cmd_store(STORE_READ_ONLY, &s, e) != 0 ||
	    refs_resolve(s, argv[0], &ref, e) != 0)
		return -1;
	if (ref.type != OBJECT_TREE)
		return err_set(e, ERR_USAGE, "ls-tree: %s is a %s, not a tree", argv[0],
		    oid_type_name(ref.type));
	l.s = s;
	return ls_tree_print(&l, &ref.id, "", e);
}
