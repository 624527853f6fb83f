/*
 * The user's key for S3: the usual variables, the profile of ~/.aws/credentials, or the
 * role of the machine from the metadata service (IMDSv2).  Never from a store.
 */
#ifndef REMOTE_S3_CREDENTIALS_H
#define REMOTE_S3_CREDENTIALS_H

#include "base/err.h"

struct s3_credentials {
	char *key_id;           /* NULL: there is none, requests are not signed */
	char *secret;
	char *session;          /* NULL: none */
};

/* profile: NULL for the default.  No key anywhere is no error; a profile that was asked for
 * by name and has none is one. */
int s3_credentials_find(const char *profile, struct s3_credentials *ret, struct err *e) MUST_CHECK;
/* Zeroises. */
void s3_credentials_free(struct s3_credentials *c);

#endif
