/* A run's outputs into the work tree. */
#ifndef CMD_OUTPUTS_H
#define CMD_OUTPUTS_H

#include "object/certificate.h"
#include "store/store.h"

/*
 * Writes every output (only_kind: of that kind alone, or NULL) to its path.
 * What is there already and the same is left; what a certificate covers is
 * replaced; anything else is kept as "<name>.orig" and said so on stderr.
 */
int outputs_write(struct store *s, const struct certificate *c, const char *only_kind,
    struct err *e) MUST_CHECK;

#endif
