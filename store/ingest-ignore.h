/* .aicertignore while a directory is measured; for ingest*.c only. */
#ifndef STORE_INGEST_IGNORE_H
#define STORE_INGEST_IGNORE_H

#include <stdbool.h>
#include "object/resource.h"

#define INGEST_IGNORE_NAME ".aicertignore"

struct ingest_ignore_file;

/* One measured item: which rules were read, and how much they left out. */
struct ingest_ignore_log {
	struct ingest_ignore_file **files;
	size_t count;
	uint64_t left_out;
};

/* What holds in one directory: its own rules and those of directories above. */
struct ingest_ignore_scope {
	struct ingest_ignore_log *log;   /* NULL: nothing is left out */
	const struct ingest_ignore_file *innermost;
	char *path;                      /* of the directory, from the top; "" at the top */
};

/* The rules of the directories from dirfd down to the one that holds path, without
 * that of path itself.  top: dirfd is a work tree's top, else nothing above path acts. */
int ingest_ignore_begin(struct ingest_ignore_log *log, int dirfd, const char *path, bool top,
    struct ingest_ignore_scope *ret, struct err *e) MUST_CHECK;
/* Enters the directory name, open at dirfd. has_file: it holds INGEST_IGNORE_NAME. */
int ingest_ignore_enter(const struct ingest_ignore_scope *above, const char *name, int dirfd,
    bool has_file, struct ingest_ignore_scope *ret, struct err *e) MUST_CHECK;
void ingest_ignore_leave(struct ingest_ignore_scope *s);
int ingest_ignore_match(const struct ingest_ignore_scope *s, const char *name, bool directory,
    bool *ret, struct err *e) MUST_CHECK;
/* For the event: count 0 when nothing was left out. */
int ingest_ignore_summary(const struct ingest_ignore_log *log, struct resource_ignored *ret,
    struct err *e) MUST_CHECK;
void ingest_ignore_log_free(struct ingest_ignore_log *log);

#endif
