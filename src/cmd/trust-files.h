/*
 * Where trust entries lie: those of the installation, and the user's own,
 * <name>.json each.  An empty file <name>.disabled among the user's takes the
 * belief from an entry of the installation.
 */
#ifndef CMD_TRUST_FILES_H
#define CMD_TRUST_FILES_H

#include "verify/trust.h"

/* 1 to 64 of a-z, 0-9, '.', '_' and '-', a letter or digit first: safe as a file name. */
bool trust_files_name_ok(const char *name);
/* The user's directory; malloc'd. */
int trust_files_user(char **ret, struct err *e) MUST_CHECK;
/* Adds the entries of dir; unless disabled_by is NULL, those without a <name>.disabled
 * there.  A directory that does not exist has none. */
int trust_files_load(struct trust *t, const char *dir, const char *disabled_by,
    struct err *e) MUST_CHECK;
#define TRUST_FILES_BUILT_IN AICERT_DATADIR "/trust"

bool trust_files_disabled(const char *user_dir, const char *name);
/* Durable, never over what is there (ERR_EXISTS); the directory is made. */
int trust_files_write(const char *user_dir, const char *name, const char *suffix,
    const struct buf *data, struct err *e) MUST_CHECK;
/* ERR_NOTFOUND when there is none. */
int trust_files_remove(const char *user_dir, const char *name, const char *suffix,
    struct err *e) MUST_CHECK;

#endif
