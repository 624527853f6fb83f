/* Objects in readable form. */
#ifndef CMD_PRINT_H
#define CMD_PRINT_H

#include "object/certificate.h"
#include "object/commit.h"
#include "store/store.h"

/* id, names that point at it, the parents of a merge, subject, author, date, message. */
int print_commit(struct store *s, const struct oid *id, const struct commit *c, struct err *e) MUST_CHECK;
/* Command, inputs, outputs, result. */
void print_certificate(const struct oid *id, const struct certificate *c);

#endif
