/* The spec that a command was given, or the work tree's aicert.yaml. */
#ifndef CMD_SPEC_FILE_H
#define CMD_SPEC_FILE_H

#include "run/spec.h"
#include "run/resolve.h"
#include "store/store.h"

/* file: as typed, relative to the current directory; NULL: aicert.yaml of the work tree. */
int spec_file_read(struct store *s, const char *file, struct spec *ret, struct err *e) MUST_CHECK;
/* Resolves it with madeBy from the history; hash_only: nothing stored or fetched. */
int spec_file_resolve(struct store *s, const struct spec *spec, bool hash_only,
    const struct ingest_options *ingest, struct run_spec *ret, struct err *e) MUST_CHECK;

#endif
