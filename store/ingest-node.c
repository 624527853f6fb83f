#include <dirent.h>
#include <string.h>
#include <strings.h>
#include "base/fd.h"
#include "base/path.h"
#include "store/ingest-state.h"
#include "store/odb-put.h"
#include "store/steady.h"

void
ingest_node_free(struct ingest_node *node)
{
	struct ingest *in = node->job.in;

	*(node->prev != NULL ? &node->prev->next : &in->all) = node->next;
	if (node->next != NULL)
		node->next->prev = node->prev;
	in->nodes--;
	if (!node->borrowed)
		cleanup_close(&node->dirfd);
	ingest_ignore_leave(&node->scope);
	if (node->log != NULL)
		ingest_ignore_log_free(node->log);
	free(node->log);
	stat_cache_dir_free(&node->cached);
	buf_free(&node->names);
	buf_free(&node->text);
	free(node->entries);
	free(node->path);
	free(node);
}

static void
node_nothing(struct ingest_job *job)
{
	(void)job; /* freed with all nodes */
}

static struct ingest_node *
node_new(struct ingest *in, struct err *e)
{
	struct ingest_node *node = calloc(1, sizeof *node);

	if (node == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	node->job = (struct ingest_job){.base = {.brief = true}, .in = in, .node = node, .drop = node_nothing};
	node->dirfd = -1;
	node->next = in->all;
	if (in->all != NULL)
		in->all->prev = node;
	in->all = node;
	in->nodes++;
	return node;
}

/* --- what the owner adds to a list --- */

static bool
node_has_rules(const struct ingest_node *node)
{
	size_t from = 0, to = node->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(node->entries[middle].name, INGEST_IGNORE_NAME);

		if (order == 0)
			return true;
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}

static int
node_check_name(const struct ingest_node *node, const struct ingest_entry *x, struct err *e)
{
	char what[INGEST_NAME_SIZE];

	if (path_name_ok(x->name, strlen(x->name)))
		return 0;
	ingest_name(node, x, what);
	if (strcasecmp(x->name, ".aicert") == 0)
		return err_set(e, ERR_DENIED, "%s: a store inside; leave it out by a rule in "
		    INGEST_IGNORE_NAME ", or choose another directory", what);
	if (strcasecmp(x->name, ".git") == 0)
		return err_set(e, ERR_DENIED, "%s: a git repository inside; leave it out by a rule in "
		    INGEST_IGNORE_NAME ", or choose another directory", what);
	return err_set(e, ERR_DENIED, "%s: a name that no tree can hold; rename it", what);
}

/* Entries that rules leave out are gone. */
static int
node_filter(struct ingest_node *node, struct err *e)
{
	const struct ingest_node *up = node->parent;
	size_t kept = 0;

	if (up->scope.log != NULL && ingest_ignore_enter(&up->scope, up->entries[node->index].name,
	    node->dirfd, node_has_rules(node), &node->scope, e) != 0)
		return -1;
	for (size_t i = 0; i < node->count; i++) {
		bool out = false;

		if (node->scope.innermost != NULL && ingest_ignore_match(&node->scope,
		    node->entries[i].name, node->entries[i].type == DT_DIR, &out, e) != 0)
			return -1;
		if (out) {
			node->scope.log->left_out++;
			continue;
		}
		if (node_check_name(node, &node->entries[i], e) != 0)
			return -1;
		node->entries[kept++] = node->entries[i];
	}
	node->count = kept;
	return 0;
}

/* What the cache knows is only as good as the store: what is not in it is read. */
static int
node_confirm(struct ingest_node *node, size_t n, struct err *e)
{
	CLEANUP(cleanup_free) struct odb_present_question *q = NULL;
	size_t k = 0;

	if (n == 0 || (node->job.in->o->flags & INGEST_HASH_ONLY) != 0)
		return 0;
	q = calloc(n, sizeof *q);
	if (q == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < node->count; i++)
		if (node->entries[i].cached != NULL)
			q[k++] = (struct odb_present_question){.id = node->entries[i].cached->id,
			    .size = node->entries[i].cached->size};
	/* as many in every directory beside this one */
	node->job.in->present.expected = node->parent != NULL ? node->parent->dirs * n : 0;
	if (odb_present_find(&node->job.in->present, q, k, e) != 0)
		return -1;
	k = 0;
	for (size_t i = 0; i < node->count; i++)
		if (node->entries[i].cached != NULL && !q[k++].has)
			node->entries[i].cached = NULL;
	return 0;
}

static int
node_recall(struct ingest_node *node, struct err *e)
{
	size_t at = 0, found = 0;

	for (size_t i = 0; i < node->count; i++) {
		struct ingest_entry *x = &node->entries[i];

		if (!node->cached.whole)
			x->cached = stat_cache_find(&node->cached, x->name, &at);
		found += x->cached != NULL;
	}
	node->fresh = found != node->cached.count; /* what is gone is forgotten */
	return node_confirm(node, found, e);
}

static int
node_seal_submit(struct ingest_node *node);

static int
node_listed(struct ingest_job *job, struct err *e)
{
	struct ingest_node *node = job->node;
	struct ingest *in = job->in;

	in->listing--;
	node->listed = node->count;
	if (node_filter(node, e) != 0 || node_recall(node, e) != 0)
		return -1;
	node->waiting = node->count;
	if (node->count == 0)
		return node_seal_submit(node);
	node->link = in->unseen;
	in->unseen = node;
	return 0;
}

/* There is a cache, and times that it can rely on. */
static bool
node_is_dated(const struct ingest_node *node)
{
	return node->job.in->o->cache != NULL && node->fs.dates_files;
}

/* A directory that has the names it had is not listed. */
static int
node_opened(struct ingest_job *job, struct err *e)
{
	struct ingest_node *node = job->node;

	if (node_is_dated(node))
		stat_cache_load(job->in->o->cache, &node->before, &node->cached);
	if (node->cached.whole)
		return ingest_list_recall(node, e) != 0 ? -1 : node_listed(job, e);
	job->work = ingest_list_names;
	job->handle = node_listed;
	ingest_job_submit(job, WORKERS_COMPUTE);
	return 0;
}

int
ingest_node_visit(struct ingest_node *node, struct err *e)
{
	struct ingest *in = node->job.in;
	struct ingest_node *child = node_new(in, e);
	char what[INGEST_NAME_SIZE];

	if (child == NULL)
		return -1;
	while (node->entries[node->next_dir].state != INGEST_DIR)
		node->next_dir++;
	child->parent = node;
	child->index = node->next_dir++;
	child->depth = node->depth + 1;
	node->dirs--;
	ingest_name(node, &node->entries[child->index], what);
	child->path = buf_strdup(what, e);
	if (child->path == NULL)
		return -1;
	if (child->depth > TREE_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d directories deep", what, TREE_DEPTH_MAX);
	child->job.work = in->o->cache != NULL ? ingest_list_open : ingest_list_names;
	child->job.handle = in->o->cache != NULL ? node_opened : node_listed;
	in->listing++;
	ingest_job_submit(&child->job, WORKERS_COMPUTE);
	return 0;
}

/* --- the end of a directory --- */

static enum tree_mode
node_mode(const struct ingest_entry *x)
{
	return S_ISDIR(x->mode) ? TREE_DIR : S_ISLNK(x->mode) ? TREE_LINK :
	    x->mode & 0100 ? TREE_EXEC : TREE_FILE;
}

/* Its entries are those the cache has the tree of. */
static bool
node_tree_cached(const struct ingest_node *node)
{
	if (!node->cached.whole || node->count != node->cached.count)
		return false;
	for (size_t i = 0; i < node->count; i++) {
		const struct ingest_entry *x = &node->entries[i];
		const struct stat_cache_entry *y = &node->cached.entries[i];

		if (x->mode != y->mode || x->size != y->size || !oid_equal(&x->id, &y->id) ||
		    strcmp(x->name, y->name) != 0)
			return false;
	}
	return true;
}

static int
node_tree_encode(struct ingest_node *node, struct err *e)
{
	CLEANUP(cleanup_free) struct tree_entry *entries = calloc(node->count + 1, sizeof *entries);
	struct tree t = {.entries = entries, .count = node->count};

	if (entries == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < node->count; i++) {
		const struct ingest_entry *x = &node->entries[i];

		entries[i] = (struct tree_entry){node_mode(x), x->size, x->id, x->name};
	}
	if (tree_encode(&t, &node->text, e) != 0)
		return err_prefix(e, "%s", node->path);
	node->tree.len = node->text.len;
	return oid_from_data(&node->tree.id, node->text.data, node->text.len, e);
}

static int
node_seal(struct ingest_job *job, struct err *e)
{
	struct ingest_node *node = job->node;

	if (node_tree_cached(node))
		node->tree = node->cached.as_of.tree;
	else if (node_tree_encode(node, e) != 0)
		return -1;
	for (size_t i = 0; i < node->count; i++)
		node->size += node->entries[i].size;
	/* adopting takes the files out of it */
	return job->in->o->flags & INGEST_ADOPT ? 0 :
	    steady_check(node->dirfd, node->path, &node->before, e);
}

/* A cache that cannot be told is none of the caller's business. */
static void
node_remember(struct ingest_node *node)
{
	CLEANUP(cleanup_free) struct stat_cache_entry *entries = NULL;
	bool whole;
	size_t n = 0;

	if ((!node->fresh && (node->cached.whole || !node->settled)) || !node_is_dated(node))
		return;
	entries = calloc(node->count + 1, sizeof *entries);
	for (size_t i = 0; i < node->count && entries != NULL; i++) {
		const struct ingest_entry *x = &node->entries[i];

		if (S_ISREG(x->mode) && x->settled)
			entries[n++] = (struct stat_cache_entry){x->name, x->size, x->inode, x->mtime_ns,
			    x->ctime_ns, x->mode, x->id};
	}
	whole = node->settled && n == node->listed && node->fs.dates_names;
	if (entries != NULL && (node->fresh || whole))
		stat_cache_store(node->job.in->o->cache, &node->before, entries, n,
		    whole ? &node->tree : NULL);
}

/* The tree of what did not change is looked for as its files were. */
static int
node_put_tree(struct ingest_node *node, struct err *e)
{
	struct ingest *in = node->job.in;
	struct odb_present_question q = {.id = node->tree.id, .size = node->tree.len};

	if (in->o->flags & INGEST_HASH_ONLY)
		return 0;
	if (in->o->cache != NULL && !node->fresh && odb_present_find(&in->present, &q, 1, e) != 0)
		return -1;
	if (q.has)
		return 0;
	/* the cache knew it, and this store does not have it */
	if (node->text.len == 0 && node_tree_encode(node, e) != 0)
		return -1;
	return odb_put_known(in->s, &node->tree.id, node->text.data, node->text.len, e);
}

static int
node_sealed(struct ingest_job *job, struct err *e)
{
	struct ingest_node *node = job->node, *up = node->parent;
	struct ingest_entry *x = &up->entries[node->index];

	if (node_put_tree(node, e) != 0)
		return -1;
	node_remember(node);
	x->id = node->tree.id;
	x->size = node->size;
	ingest_node_free(node);
	return ingest_node_known(up, e);
}

static int
node_seal_submit(struct ingest_node *node)
{
	node->job.work = node_seal;
	node->job.handle = node_sealed;
	ingest_job_submit(&node->job, WORKERS_COMPUTE);
	return 0;
}

/* --- items: nodes with one entry --- */

static int
node_item_done(struct ingest_node *node, struct err *e)
{
	struct ingest_entry *x = node->entries;
	struct ingest_item *item = node->item;
	struct ingest *in = node->job.in;

	item->result = (struct ingest_result){.type = S_ISDIR(x->mode) ? OBJECT_TREE : OBJECT_BLOB,
	    .id = x->id, .size = x->size};
	if (node->log != NULL && ingest_ignore_summary(node->log, &item->result.ignored, e) != 0)
		return -1;
	if (node->fresh && S_ISREG(x->mode) && x->settled && node_is_dated(node) &&
	    ingest_loose_add(in, &node->before, x, e) != 0)
		return -1;
	item->done = true;
	ingest_node_free(node);
	return 0;
}

int
ingest_node_known(struct ingest_node *node, struct err *e)
{
	struct ingest *in = node->job.in;

	node->waiting--;
	if (node->seen < node->count || node->looking > 0)
		return 0;
	if (node->waiting == 0)
		return node->item != NULL ? node_item_done(node, e) : node_seal_submit(node);
	if (node->dirs > 0 && !node->visiting) {
		node->visiting = true;
		node->link = in->ready;
		in->ready = node;
	}
	return 0;
}

/* Its directory; the last component of its path is the one entry. */
static int
node_item_dir(struct ingest_node *node, const struct ingest_item *item, const char **ret_name,
    struct err *e)
{
	const char *base = path_base(item->path);

	/* not names of entries: directories, if anything */
	if (*base == '\0' || strcmp(base, ".") == 0 || strcmp(base, "..") == 0) {
		node->dirfd = item->dirfd;
		node->borrowed = true;
		*ret_name = item->path;
		return 0;
	}
	if (fd_open_parent(item->dirfd, item->path, &node->dirfd, ret_name, e) == 0)
		return 0;
	return e->code == ERR_NOTFOUND ? err_set(e, ERR_NOTFOUND, "%s: no such file", ingest_shown(item)) :
	    err_prefix(e, "%s", ingest_shown(item));
}

static int
node_item_rules(struct ingest_node *node, const struct ingest_item *item, struct err *e)
{
	if ((node->job.in->o->flags & INGEST_IGNORE) == 0)
		return 0;
	node->log = calloc(1, sizeof *node->log);
	if (node->log == NULL)
		return err_nomem(e);
	return ingest_ignore_begin(node->log, item->dirfd, item->path, item->worktree, &node->scope, e);
}

static int
node_item_recall(struct ingest_node *node, struct err *e)
{
	struct ingest *in = node->job.in;
	struct ingest_entry *x = node->entries;

	if (filesystem_look(node->dirfd, &node->fs, e) != 0)
		return -1;
	if (!node_is_dated(node) || fstat(node->dirfd, &node->before) != 0)
		return 0;
	x->cached = ingest_loose_find(in, &node->before, x->name);
	return node_confirm(node, x->cached != NULL, e);
}

int
ingest_node_open_item(struct ingest *in, struct ingest_item *item, struct err *e)
{
	struct ingest_node *node = node_new(in, e);
	const char *name;

	if (node == NULL)
		return -1;
	node->item = item;
	node->path = buf_strdup("", e);
	node->entries = calloc(1, sizeof *node->entries);
	if (node->path == NULL || node->entries == NULL)
		return err_nomem(e);
	if (node_item_dir(node, item, &name, e) != 0 || node_item_rules(node, item, e) != 0)
		return -1;
	node->entries->name = name;
	node->count = node->waiting = 1;
	if (node->borrowed) {
		node->entries->mode = S_IFDIR;
	} else if (node_item_recall(node, e) != 0) {
		return -1;
	}
	node->link = in->unseen;
	in->unseen = node;
	return 0;
}
