#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/path.h"

/* What was typed, as items: a path in the work tree from its top, so that the
 * ignore rules above it act; any other from the directory that holds it. */
struct hash_object {
	struct store *s;        /* NULL: no work tree here */
	bool write;
	struct cmd_ingest in;
	struct ingest_item *items;
	char **paths;           /* of the items */
	int *fds;               /* -1: the work tree's */
	size_t count;
};

static void
hash_object_free(struct hash_object *h)
{
	cmd_ingest_end(&h->in);
	for (size_t i = 0; i < h->count; i++) {
		free(h->paths[i]);
		cleanup_close(&h->fds[i]);
	}
	free(h->items);
	free(h->paths);
	free(h->fds);
	store_close(h->s);
}

static int
hash_object_outside(struct hash_object *h, const char *path, size_t i, struct err *e)
{
	CLEANUP(cleanup_free) char *dir = buf_strdup(path, e);
	size_t len;
	char *slash;

	if (dir == NULL)
		return -1;
	for (len = strlen(dir); len > 1 && dir[len - 1] == '/'; len--)
		dir[len - 1] = '\0';
	slash = strrchr(dir, '/');
	h->paths[i] = buf_strdup(slash != NULL ? slash + 1 : dir, e);
	if (h->paths[i] == NULL)
		return -1;
	if (slash != NULL)
		*slash = '\0';
	h->fds[i] = open(slash == NULL ? "." : *dir != '\0' ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (h->fds[i] < 0)
		return err_sys(e, "%s: cannot open the directory", path);
	h->items[i] = (struct ingest_item){.dirfd = h->fds[i], .path = h->paths[i], .shown = path};
	return 0;
}

static int
hash_object_item(struct hash_object *h, const char *path, size_t i, struct err *e)
{
	h->fds[i] = -1;
	h->paths[i] = NULL;
	h->count = i + 1;
	if (h->s == NULL)
		return hash_object_outside(h, path, i, e);
	if (cmd_worktree_path(h->s, path, &h->paths[i], e) != 0)
		return e->code == ERR_DENIED ? hash_object_outside(h, path, i, e) : -1;
	if (*h->paths[i] == '\0') {
		free(h->paths[i]);
		h->paths[i] = buf_strdup(".", e);
	}
	if (h->paths[i] == NULL)
		return -1;
	h->items[i] = (struct ingest_item){.dirfd = store_worktree_fd(h->s), .path = h->paths[i],
	    .worktree = true};
	return 0;
}

static int
hash_object_prepare(struct hash_object *h, char **argv, size_t n, struct err *e)
{
	h->items = calloc(n, sizeof *h->items);
	h->paths = calloc(n, sizeof *h->paths);
	h->fds = calloc(n, sizeof *h->fds);
	if (h->items == NULL || h->paths == NULL || h->fds == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		if (hash_object_item(h, argv[i], i, e) != 0)
			return -1;
	return 0;
}

static void
hash_object_print(const struct ingest_item *item, const char *path)
{
	char hex[OID_HEX_SIZE];

	oid_hex(&item->result.id, hex);
	printf("%s  ", hex);
	cmd_print_text(stdout, path);
	putchar('\n');
}

static int
hash_object_run(struct hash_object *h, char **argv, size_t n, struct err *e)
{
	struct progress p;
	int rc;

	if (cmd_ingest_begin(&h->in, h->s, e) != 0 || hash_object_prepare(h, argv, n, e) != 0)
		return -1;
	progress_start(&p, stderr, h->write ? "storing" : "hashing", 0);
	h->in.options.progress = &p;
	h->in.options.flags = INGEST_DIRECTORIES | INGEST_IGNORE | (h->write ? 0 : INGEST_HASH_ONLY);
	rc = ingest_items(h->s, &h->in.options, h->items, n, e);
	progress_end(&p);
	h->in.options.progress = NULL;
	for (size_t i = 0; i < n && (rc == 0 || (!h->write && h->items[i].done)); i++)
		hash_object_print(&h->items[i], argv[i]);
	return rc;
}

int
hash_object_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	CLEANUP(hash_object_free) struct hash_object h = {0};
	const struct option table[] = {
		{OPTION_FLAG, 'w', NULL, &h.write, NULL, "put the objects into the store"},
		{OPTION_FLAG, 0, "no-cache", &h.in.fresh, NULL, "read every byte"},
		CMD_INGEST_THREADS(&h.in),
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("hash-object", "[-w] [--no-cache] [-j N] PATH...", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("hash-object", argc, 1, 1 << 20, e) != 0)
		return -1;
	/* without a store only the rules of a work tree are missed */
	if (cmd_store(h.write ? 0 : STORE_READ_ONLY, &h.s, e) != 0 && h.write)
		return -1;
	return hash_object_run(&h, argv, (size_t)argc, e);
}
