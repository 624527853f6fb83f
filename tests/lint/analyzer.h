/*
 * Read first by clang-tidy in "make analyze", which sees one file at a time:
 * tells it that what reports an error returns -1.  Never compiled.
 */
#include "base/err.h"

#define err_set(...) ((void)err_set(__VA_ARGS__), -1)
#define err_sys(...) ((void)err_sys(__VA_ARGS__), -1)
#define err_nomem(e) ((void)err_nomem(e), -1)
#define err_prefix(...) ((void)err_prefix(__VA_ARGS__), -1)
