/* What the outputs of an audit's certificates are called.  For audit*.c. */
#ifndef CMD_AUDIT_NAMES_H
#define CMD_AUDIT_NAMES_H

#include "git/repo-files.h"
#include "object/certificate-scan.h"
#include "store/oid-map.h"
#include "store/store.h"

struct audit_names {
	struct oid_map outputs;     /* by index_path_key() */
	struct oid_map above;       /* directories that outputs lie in, likewise */
	struct audit_names_tree *trees; /* outputs that are directories */
	size_t tree_count, tree_cap;
};

/* Those of one certificate, or of what does not decode none. */
int audit_names_add(struct audit_names *n, const void *certificate, size_t len, struct err *e) MUST_CHECK;
/* Whether a file of git stands where an output does: in its place, inside of it, or, of what
 * leads elsewhere, above it. */
bool audit_names_has(const struct audit_names *n, const char *path, enum repo_file_kind kind);
/* Whether an output has a symbolic link to target at this very path. */
int audit_names_link(const struct audit_names *n, struct store *s, const char *path, const void *target,
    size_t len, bool *ret, struct err *e) MUST_CHECK;
void audit_names_free(struct audit_names *n);

#endif
