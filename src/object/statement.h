/*
 * The in-toto Statement v1 with SLSA provenance v1 predicate of a run:
 * a pure, frozen function of its events.  The verifier calls it too and
 * compares bytes.  buildType urn:aicert:attested-run:v1.
 */
#ifndef OBJECT_STATEMENT_H
#define OBJECT_STATEMENT_H

#include "object/event.h"

/* events: a complete run in order. */
int statement_derive(const struct event *events, size_t count, struct buf *ret,
    struct err *e) MUST_CHECK;

/* The three texts whose SHA-256 is a quote's extraData. */
void statement_start_text(struct buf *ret, const unsigned char nonce[32]);
void statement_quote_text(struct buf *ret, const unsigned char nonce[32], const struct oid *payload);
void statement_identity_text(struct buf *ret, const unsigned char nonce[32], const struct oid *spki);

#endif
