/*
 * One ingest while it goes on; for ingest*.c only.
 *
 * The thread that called is the owner: of the store, the cache, the ignore rules
 * and the order of things.  It alone handles jobs that are done.  The work of a
 * job runs in any thread and touches nothing but its own job, the entries it was
 * given, and descriptors.
 *
 * A directory is a node: it is opened (a job), its names are listed (a job) unless the
 * cache has them all, its entries looked at in pieces (a job each: small files are read
 * there), its large files read (a job each), its sub-directories visited when all entries
 * were looked at; then its tree is made (a job).  A node has no more than its own entries
 * in memory, and the last opened node is worked on first, so few nodes are open at a time.
 */
#ifndef STORE_INGEST_STATE_H
#define STORE_INGEST_STATE_H

#include <stdatomic.h>
#include "base/workers.h"
#include "store/filesystem.h"
#include "store/ingest-ignore.h"
#include "store/ingest.h"
#include "store/odb-file.h"
#include "store/odb-present.h"
#include "store/stat-cache.h"

enum ingest_state {
	INGEST_UNSEEN,
	INGEST_KNOWN,   /* nothing has to be done any more */
	INGEST_BYTES,   /* read and hashed: the bytes are in the job */
	INGEST_FILE,    /* needs a job of its own, or odb_adopt */
	INGEST_DIR
};

struct ingest_entry {
	const char *name;
	const struct stat_cache_entry *cached; /* what the cache says; NULL: nothing */
	uint64_t size;
	struct oid id;
	uint64_t inode;         /* as the file was before it was read */
	int64_t mtime_ns, ctime_ns;
	uint32_t mode;          /* st_mode */
	unsigned char type;     /* DT_... */
	unsigned char state;
	bool settled;           /* may be remembered */
};

struct ingest_node;

struct ingest_job {
	struct workers_job base;    /* first */
	struct ingest *in;
	struct ingest_node *node;
	int (*work)(struct ingest_job *job, struct err *e);
	int (*handle)(struct ingest_job *job, struct err *e); /* by the owner, when rc is 0 */
	void (*drop)(struct ingest_job *job);                 /* by the owner, after a failure */
	int rc;
	struct err err;
};

struct ingest_node {
	struct ingest_job job;      /* opens, lists, and at the end makes the tree */
	struct ingest_node *prev, *next; /* all nodes */
	struct ingest_node *link;   /* in one of the owner's lists */
	struct ingest_node *parent;
	size_t index;               /* in the parent's entries */
	struct ingest_item *item;   /* of a node that stands for the directory of an item */
	int dirfd;
	bool borrowed;              /* dirfd is the item's */
	char *path;                 /* for messages */
	int depth;
	struct filesystem fs;       /* that it is of */
	struct stat before;
	bool settled;               /* the directory's times */
	struct buf names;           /* storage */
	struct ingest_entry *entries;
	size_t count;
	size_t listed;              /* count, before rules left any out */
	size_t seen;                /* entries given to jobs */
	size_t waiting;             /* entries that are not known yet */
	size_t looking;             /* jobs that look at entries */
	size_t dirs;                /* sub-directories that were not visited yet, */
	size_t next_dir;            /* from here on */
	bool visiting;              /* is, or was, in the list of those */
	bool fresh;                 /* something was read: the cache is to be told */
	struct stat_cache_dir cached;
	struct ingest_ignore_scope scope;
	struct ingest_ignore_log *log;  /* of a node that stands for an item */
	struct stat_cache_tree tree;
	struct buf text;            /* of the tree; empty when the cache knew the tree */
	uint64_t size;              /* of its files */
};

struct ingest {
	struct store *s;
	const struct ingest_options *o;
	struct workers *workers;
	bool inline_;               /* no threads */
	struct ingest_item *items;
	size_t item_count, next_item;
	struct ingest_node *all;
	struct ingest_node *unseen;     /* nodes with entries to be looked at */
	struct ingest_node *ready;      /* nodes with sub-directories to be visited */
	size_t nodes, listing, looking, reading;
	struct odb_present present;
	struct ingest_loose *loose;     /* files of items, for the cache */
	size_t loose_count, loose_cap;
	struct stat_cache_dir last;     /* what the cache says of the directory of the last item */
	struct stat last_dir;
	struct ingest_total *total;     /* being counted, or NULL */
	atomic_uint_fast64_t bytes;     /* hashed, not yet told */
};

/* --- ingest.c --- */
void ingest_job_submit(struct ingest_job *job, enum workers_lane lane);
/* Bytes were hashed or need not be. */
void ingest_count(struct ingest *in, uint64_t n);
static inline const char *
ingest_shown(const struct ingest_item *item)
{
	return item->shown != NULL ? item->shown : item->path;
}
/* "<path of node>/<name>", for messages. */
#define INGEST_NAME_SIZE 4400
void ingest_name(const struct ingest_node *node, const struct ingest_entry *x, char ret[INGEST_NAME_SIZE]);
/* A regular file was read. */
void ingest_was_read(const struct ingest_node *node, const struct ingest_entry *x);
/* A thing that is neither file, directory nor link. */
int ingest_refuse(const char *path, mode_t mode, struct err *e);

/* --- ingest-node.c --- */
int ingest_node_open_item(struct ingest *in, struct ingest_item *item, struct err *e) MUST_CHECK;
/* The next sub-directory of a node that is ready. */
int ingest_node_visit(struct ingest_node *node, struct err *e) MUST_CHECK;
/* One more of the things that node waits for is done. */
int ingest_node_known(struct ingest_node *node, struct err *e) MUST_CHECK;
void ingest_node_free(struct ingest_node *node);

/* --- ingest-list.c --- */
/* The work of a node's job: opens the directory; lists its names, and opens it if it is not. */
int ingest_list_open(struct ingest_job *job, struct err *e) MUST_CHECK;
int ingest_list_names(struct ingest_job *job, struct err *e) MUST_CHECK;
/* The names that the cache has. */
int ingest_list_recall(struct ingest_node *node, struct err *e) MUST_CHECK;

/* --- ingest-loose.c --- */
/* What the cache says of a file that is an item, in the directory dir. */
const struct stat_cache_entry *ingest_loose_find(struct ingest *in, const struct stat *dir,
    const char *name);
/* The cache is to be told of it in the end: files of one directory together. */
int ingest_loose_add(struct ingest *in, const struct stat *dir, const struct ingest_entry *x,
    struct err *e) MUST_CHECK;
void ingest_loose_store(struct ingest *in);
void ingest_loose_free(struct ingest *in);

/* --- ingest-look.c --- */
/* Gives the next entries of a node to a job. */
int ingest_look(struct ingest_node *node, struct err *e) MUST_CHECK;

/* --- ingest-file.c --- */
int ingest_file(struct ingest_node *node, struct ingest_entry *x, struct err *e) MUST_CHECK;

/* --- ingest-pass.c --- */
/* One pass over a large file: read, hashed and, unless to is -1, written. */
struct ingest_pass {
	struct ingest *in;
	int from, to;
	bool sparse;            /* zeros need not be written */
	const char *what;
	struct oid id;
	uint64_t size;
};
int ingest_pass(struct ingest_pass *p, struct err *e) MUST_CHECK;

/* --- ingest-total.c --- */
/* How many bytes there are, for who watches the progress; entries that rules leave
 * out are counted too. */
void ingest_total_start(struct ingest *in);
/* To the progress, once it is known. */
void ingest_total_tell(struct ingest *in);
void ingest_total_stop(struct ingest *in);

#endif
