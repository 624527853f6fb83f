/* git-config syntax through libgit2, for files of our own. */
#ifndef GIT_CONFIG_FILE_H
#define GIT_CONFIG_FILE_H

#include <stdbool.h>
#include "base/err.h"

struct config_file;

/* A file that does not exist is empty until something is set. Includes are not followed. */
int config_file_open(const char *path, struct config_file **ret, struct err *e) MUST_CHECK;
void config_file_free(struct config_file *f);
int config_file_get(struct config_file *f, const char *key, char **ret, struct err *e) MUST_CHECK;
int config_file_set(struct config_file *f, const char *key, const char *value,
    struct err *e) MUST_CHECK;
int config_file_unset(struct config_file *f, const char *key, struct err *e) MUST_CHECK;
typedef int config_file_fn(void *arg, const char *key, const char *value);
int config_file_each(struct config_file *f, config_file_fn *fn, void *arg,
    struct err *e) MUST_CHECK;

#endif
