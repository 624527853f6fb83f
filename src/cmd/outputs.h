/* A run's outputs into the work tree. */
#ifndef CMD_OUTPUTS_H
#define CMD_OUTPUTS_H

#include "object/certificate.h"
#include "store/store.h"

/* Refuses what could not be written later: a parent that is, or passes through, a
 * symlink or a file.  Before the run, so that no run is made in vain. */
int outputs_check(struct store *s, const struct run_spec *spec, struct err *e) MUST_CHECK;

/*
 * Writes every output (only_kind: of that kind alone, or NULL) to its path.
 * What is there already and the same is left; what a certificate covers, and the
 * store can give back, is replaced; anything else is kept as "<name>.orig" and
 * said so on stderr.
 */
int outputs_write(struct store *s, const struct certificate *c, const char *only_kind,
    struct err *e) MUST_CHECK;

#endif
