/* logs/<ref>: "<old> <new> <author> <RFC 3339>\t<message>\n", appended and synced. */
#ifndef STORE_REFLOG_H
#define STORE_REFLOG_H

#include "object/oid.h"
#include "store/store.h"

struct reflog_entry {
	bool has_old, has_new;
	struct oid old, new_;
	const char *author;
	int64_t time;
	const char *message;
};

int reflog_append(struct store *s, const char *ref, const struct reflog_entry *entry,
    struct err *e) MUST_CHECK;
typedef int reflog_each_fn(void *arg, const struct reflog_entry *entry);
/* Oldest first, to the end of the file; a line that does not parse is skipped and counted in
 * *ret_bad. */
int reflog_each(struct store *s, const char *ref, reflog_each_fn *fn, void *arg,
    size_t *ret_bad, struct err *e) MUST_CHECK;
/* All its bytes in blocks, whatever they mean; none when there is no log.  fn: 1 ends it. */
typedef int reflog_bytes_fn(void *arg, const void *data, size_t len, struct err *e);
int reflog_blocks(int fd, const char *what, reflog_bytes_fn *fn, void *arg, struct err *e) MUST_CHECK;
int reflog_bytes(struct store *s, const char *ref, reflog_bytes_fn *fn, void *arg,
    struct err *e) MUST_CHECK;

#endif
