/*
 * Paths as documents carry them: relative to the directory that holds
 * .aicert, '/' between components, valid UTF-8 without control characters,
 * no "." or ".." or empty component, never .git or .aicert in any case fold.
 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

#define PATH_LEN_MAX 4095

/* Refuses with ERR_FORMAT and the reason. A trailing '/' is refused too. */
int path_check(const char *path, struct err *e) MUST_CHECK;
/* One component of a tree: raw bytes, refused as aicert-store(5) says. */
bool path_name_ok(const char *name, size_t len);
/* True when a is b or lies beneath b ("x/y" beneath "x"). */
bool path_covers(const char *b, const char *a);
bool path_utf8_ok(const char *text, size_t len);
/* Last component, borrowed. */
const char *path_base(const char *path);

#endif
