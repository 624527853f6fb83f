/* A bundle that is to be imported: everything in it is what its type says and is named. */
#ifndef CMD_IMPORT_CHECK_H
#define CMD_IMPORT_CHECK_H

#include "cmd/bundle-file.h"

/*
 * Every object is named by a head, a subject, or by another object, decodes as its type,
 * and what a history needs is there: parents, and the subjects of commits.  So a bundle
 * brings in a whole history and nothing else.  Whether its proofs are good is for
 * verify to say.  ERR_CORRUPT.
 */
int import_check(const struct bundle_file *f, struct err *e) MUST_CHECK;

#endif
