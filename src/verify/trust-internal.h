/* Shared by the files that read and write trust entries. */
#ifndef VERIFY_TRUST_INTERNAL_H
#define VERIFY_TRUST_INTERNAL_H

#include "codec/shape.h"
#include "verify/trust.h"

int trust_leaf_decode(const struct jcs *v, struct trust_entry *t, struct err *e) MUST_CHECK;
void trust_leaf_encode(const struct trust_entry *t, struct jcs *o);

#endif
