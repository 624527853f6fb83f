/* The key and certificate of a TLS listener. */
#ifndef SERVE_CHANNEL_H
#define SERVE_CHANNEL_H

#include "object/oid.h"

struct channel {
	struct buf certificate; /* PEM */
	struct buf key;         /* PEM; wiped by channel_wipe() once the listener has it */
	struct buf client_ca;   /* PEM; empty: none */
	struct buf spki;        /* DER */
	struct oid spki_digest;
};

/* A P-256 key that never leaves this process, and a certificate that it signs itself. */
int channel_ephemeral(const char *name, struct channel *ret, struct err *e) MUST_CHECK;
/* Of files: PEM, the certificate first, then what it was issued by; the key's file must
 * be closed to others (ERR_DENIED). */
int channel_load(const char *certificate, const char *key, struct channel *ret, struct err *e) MUST_CHECK;
int channel_load_client_ca(const char *path, struct channel *c, struct err *e) MUST_CHECK;
/* The same from memory; what: for messages. */
int channel_set_client_ca(const char *pem, const char *what, struct channel *c, struct err *e) MUST_CHECK;
void channel_wipe(struct channel *c);
void channel_free(struct channel *c);

#endif
