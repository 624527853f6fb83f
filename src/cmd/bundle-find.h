/* Which certificate of a bundle speaks of a file: as subject.h does for a store. */
#ifndef CMD_BUNDLE_FIND_H
#define CMD_BUNDLE_FIND_H

#include "cmd/bundle-file.h"
#include "cmd/subject.h"
#include "verify/verdict.h"

/*
 * The newest successful run with that content as an output or inside one; else the
 * newest with an output of its name (then content_known is false).  ret->path is
 * the output that the file's name stands for, NULL where it stands for none: names
 * agree from their ends, "dl/model.bin" with "out/model.bin".  ERR_NOTFOUND.
 */
int bundle_find(const struct bundle_file *f, const char *arg, struct subject *ret, struct err *e) MUST_CHECK;
/* Other certificates with the same content, and newer runs with an output of that name. */
int bundle_find_note(const struct bundle_file *f, const struct subject *sub, struct verdict *v,
    struct err *e) MUST_CHECK;

#endif
