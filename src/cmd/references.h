/* Where reference records are kept: the installation's directory and the user's. */
#ifndef CMD_REFERENCES_H
#define CMD_REFERENCES_H

#include "base/options.h"
#include "verify/reference.h"

/* Everything known.  files: documents of the command line, which come first and are
 * marked as demanded; NULL: none. */
int references_load(const struct option_list *files, struct reference_set *ret,
    struct err *e) MUST_CHECK;
/* One document; a newline at the end of the file is allowed.  text is what was decoded. */
int references_read(const char *path, struct reference_document *ret, struct buf *ret_text,
    struct err *e) MUST_CHECK;

typedef int references_each_fn(void *arg, const char *name, const char *path, bool user,
    struct err *e);
/* Every document by its name, the file's without .json: the installation's, then the
 * user's.  Stops when fn returns non-zero, and returns that. */
int references_each(references_each_fn *fn, void *arg, struct err *e) MUST_CHECK;
/* The user's directory; made where it is missing. malloc'd. */
int references_user(bool make, char **ret, struct err *e) MUST_CHECK;

#endif
