/*
 * The user's policy (aicert-policy(5)): what a certificate has to be beside good.  It only
 * takes away: no policy makes anything pass, and one that cannot be read is an error.
 */
#ifndef VERIFY_POLICY_H
#define VERIFY_POLICY_H

#include "object/oid.h"
#include "verify/verdict.h"

#define POLICY_MEDIA_TYPE "application/vnd.aicert.policy.v1+json"
#define POLICY_BYTES_MAX (1024u * 1024)
#define POLICY_LIST_MAX 4096

struct policy {
	enum verdict_level min_level;   /* LEVEL_NONE: none demanded */
	bool has_ak_not_before;
	int64_t ak_not_before;
	int64_t max_age;                /* seconds; 0: any */
	struct oid *denied;             /* identities of runs: SHA-256 of the payload */
	size_t denied_count;
	char **images;                  /* one of these names; none: any image */
	size_t image_count;
	struct oid digest;              /* of the bytes read */
};

/* JSON, canonical or not; ERR_FORMAT or ERR_UNSUPPORTED says what is wrong. */
int policy_decode(const void *json, size_t len, struct policy *ret, struct err *e) MUST_CHECK;
void policy_free(struct policy *p);
bool policy_denies(const struct policy *p, const struct oid *run);
bool policy_allows_image(const struct policy *p, const char *name);

#endif
