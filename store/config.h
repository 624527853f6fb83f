/*
 * Configuration: .aicert/config (git-config syntax, for the repository's own
 * harmless settings) and the user's $XDG_CONFIG_HOME/aicert/config.  Keys that
 * name runners, programs, credentials, levels, trust, policies or alternates
 * are read from the user's file only: nothing in a repository can weaken
 * verification.
 */
#ifndef STORE_CONFIG_H
#define STORE_CONFIG_H

#include "store/store.h"

struct config; /* both files, merged by the rule above */

/* s may be NULL: the user's only. */
int config_open(struct store *s, struct config **ret, struct err *e) MUST_CHECK;
void config_close(struct config *c);
static inline void config_closep(struct config **c) { config_close(*c); }
/* malloc'd; ERR_NOTFOUND when unset. */
int config_get(struct config *c, const char *key, char **ret, struct err *e) MUST_CHECK;
int config_get_bool(struct config *c, const char *key, bool fallback, bool *ret, struct err *e) MUST_CHECK;
int config_set(struct config *c, bool user, const char *key, const char *value,
    struct err *e) MUST_CHECK;
int config_unset(struct config *c, bool user, const char *key, struct err *e) MUST_CHECK;
typedef int config_each_fn(void *arg, const char *key, const char *value, bool user);
int config_each(struct config *c, config_each_fn *fn, void *arg, struct err *e) MUST_CHECK;
/* True for keys that a repository's file may hold. */
bool config_repository_key(const char *key);
/* $XDG_CONFIG_HOME/aicert, $XDG_DATA_HOME/aicert, $XDG_CACHE_HOME/aicert; malloc'd. */
int config_dir_user(char **ret, struct err *e) MUST_CHECK;
int config_dir_data(char **ret, struct err *e) MUST_CHECK;
int config_dir_cache(char **ret, struct err *e) MUST_CHECK;
/* Makes dir, which is not "", and what is missing above it, for the user alone: it may hold
 * tokens. */
int config_dir_make(const char *dir, struct err *e) MUST_CHECK;

#endif
