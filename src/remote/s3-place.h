/* Where s3://BUCKET/PREFIX is, and how to ask there: by the user's configuration and environment. */
#ifndef REMOTE_S3_PLACE_H
#define REMOTE_S3_PLACE_H

#include <stdbool.h>
#include "store/config.h"

struct s3_place {
	char *bucket;
	char *prefix;           /* "" or "a/b/" */
	char *base;             /* "https://host:port", of a bucket's own host with it */
	char *region;
	char *ca_file;          /* who vouches for the server; NULL: this system's */
	char *profile;          /* of the files of AWS; NULL: the default */
	bool path_style;        /* the bucket is in the path */
	bool local;             /* plain http to this machine */
};

/* ERR_USAGE for an url or a setting that cannot be. */
int s3_place_find(const char *url, struct config *config, struct s3_place *ret, struct err *e) MUST_CHECK;
void s3_place_free(struct s3_place *p);

#endif
