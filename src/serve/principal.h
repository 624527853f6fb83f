/*
 * Principals: who may do what (aicertd(8) "Token file").  A line is
 * "NAME sha256:HEX RIGHTS" for a bearer token, by the SHA-256 of its text, or
 * "NAME spki:HEX RIGHTS" for a client certificate, by the SHA-256 of its
 * SubjectPublicKeyInfo.  The file holds nothing that opens a door.
 */
#ifndef SERVE_PRINCIPAL_H
#define SERVE_PRINCIPAL_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

#define PRINCIPAL_READ 1u
#define PRINCIPAL_WRITE 2u
#define PRINCIPAL_RUN 4u
#define PRINCIPAL_FORCE 8u
#define PRINCIPAL_ALL 15u
#define PRINCIPAL_READS (PRINCIPAL_READ | PRINCIPAL_WRITE | PRINCIPAL_FORCE) /* may read refs */

#define PRINCIPAL_NAME_SIZE 33
#define PRINCIPALS_MAX 4096
#define PRINCIPAL_FILE_MAX (1024u * 1024)
#define PRINCIPAL_TOKEN_MAX 512

struct principal {
	char name[PRINCIPAL_NAME_SIZE]; /* [a-z0-9][a-z0-9_.-]*; "" on a Unix socket */
	unsigned rights;
	bool is_key;
	unsigned char digest[32];
};

struct principal_list {
	struct principal *items;
	size_t count;
};

/* Any other line than those above, "#..." and an empty one is ERR_FORMAT with its number;
 * one credential twice, or one name with different rights, too. */
int principal_parse(const void *data, size_t len, struct principal_list *ret, struct err *e) MUST_CHECK;
/* The file must be ours and closed to others (0600), else ERR_DENIED. */
int principal_load(const char *path, struct principal_list *ret, struct err *e) MUST_CHECK;
void principal_list_free(struct principal_list *l);

/* By digest, compared in constant time with every line; NULL: unknown. Borrowed. */
const struct principal *principal_find(const struct principal_list *l, bool is_key,
    const unsigned char digest[32]);
/* RFC 6750 section 2.1 "Bearer <token>": the token, borrowed; false: it is something else. */
bool principal_bearer(const char *header, const char **ret_token, size_t *ret_len);
/* "read", ... for messages; the lowest right in the set. */
const char *principal_right_name(unsigned rights);

#endif
