/*
 * What the commands share.  A command is a function that returns its exit
 * status, or -1 with an error that main prints and maps to one.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "base/options.h"
#include "object/certificate.h"
#include "object/commit.h"
#include "store/ingest.h"
#include "store/stat-cache.h"
#include "store/store.h"
#include "verify/trust.h"

struct cmd {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv, struct err *e);
};

/* 0: go on with *argc arguments at argv[0..]; 1: help was printed; -1: error. */
int cmd_parse(const char *name, const char *synopsis, const struct option *table, int *argc,
    char **argv, struct err *e) MUST_CHECK;
/* ERR_USAGE unless min <= argc <= max. */
int cmd_count(const char *name, int argc, int min, int max, struct err *e) MUST_CHECK;
/* ERR_USAGE for a verb that the command does not have; verbs are those it has: "list, show". */
int cmd_no_verb(const char *name, const char *verb, const char *verbs, struct err *e) MUST_CHECK;

/* ERR_USAGE for a message of nothing but blanks; NULL: none was given, which is fine. */
int cmd_message(const char *name, const char *message, struct err *e) MUST_CHECK;

/* The store that holds the current directory. */
int cmd_store(unsigned flags, struct store **ret, struct err *e) MUST_CHECK;
/* A path as typed, relative to the current directory, as one relative to the work
 * tree; ERR_DENIED when it lies outside. malloc'd. "" is the work tree itself. */
int cmd_worktree_path(struct store *s, const char *path, char **ret, struct err *e) MUST_CHECK;
/* A file or directory anywhere, put into s, or only hashed when s is NULL: its
 * parent is opened as typed; the last component and what lies beneath it are not
 * allowed to be symlinks.  Progress is shown on a terminal. */
int cmd_hash(struct store *s, const char *path, struct ingest_result *ret, struct err *e) MUST_CHECK;
/*
 * How to take files in: the user's configuration, -j when threads is not 0, and the
 * stat cache, which the caller closes (stat_cache_closep), unless fresh.
 */
struct cmd_ingest {
	struct ingest_options options;
	int64_t threads;        /* -j; 0: as configured */
	bool fresh;             /* every byte is read */
	struct stat_cache *cache;
};
#define CMD_INGEST_THREADS(in) {OPTION_INT, 'j', "jobs", &(in)->threads, "N", \
	"threads that read and hash (one a processor)"}
int cmd_ingest_begin(struct cmd_ingest *in, struct store *s, struct err *e) MUST_CHECK;
void cmd_ingest_end(struct cmd_ingest *in);
/* The argument exists as a path (symlinks not followed). */
bool cmd_is_path(const char *arg);

/* Trust entries of the installation and of the user. */
int cmd_trust(struct trust *ret, struct err *e) MUST_CHECK;
/* Objects of a store for verify/, which re-hashes them and says so when they are
 * damaged: a verify_fetch with the store as its argument. */
int cmd_fetch(void *store, const struct oid *id, size_t max, struct buf *ret, struct err *e) MUST_CHECK;

/* ERR_USAGE: rev, which resolves to at, is of no run.  A merge is said to be one, since its
 * parents may be of runs; s is NULL where there are no commits to look at. */
int cmd_no_run(struct store *s, const char *name, const char *rev, const struct object_ref *at,
    struct err *e) MUST_CHECK;

/* First 12 digits of an id. */
#define CMD_SHORT_SIZE 13
void cmd_short(const struct oid *id, char ret[CMD_SHORT_SIZE]);
/* Text of others on a terminal, as base/printable.h makes it safe. */
void cmd_print_text(FILE *out, const char *text);
/* The first line of it, where one line is shown. */
void cmd_print_line(FILE *out, const char *text);
/* A notice to standard error. */
void cmd_tell(void *arg, const char *message);
/* A run's log on standard output, piece by piece: its bytes, but on a terminal as
 * printable_output() makes them safe.  *held: empty at first; last: nothing more comes. */
void cmd_print_log(struct buf *held, const void *data, size_t len, bool last);
/* One canonical document and a newline. */
int cmd_print_json(struct jcs *v, struct err *e) MUST_CHECK;

#endif
