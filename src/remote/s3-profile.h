/* One value of the files ~/.aws/config and ~/.aws/credentials.  Pure. */
#ifndef REMOTE_S3_PROFILE_H
#define REMOTE_S3_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#define S3_PROFILE_VALUE_MAX 8192

/* The last value of key in [section] or [profile section]; false: there is none, or it is
 * longer than cap or has a control character. */
bool s3_profile_value(const void *data, size_t len, const char *section, const char *key,
    char *ret, size_t cap);

#endif
