/* The daemon's settings: command line over configuration file (aicertd(8)). */
#ifndef SERVE_SETTINGS_H
#define SERVE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#define SETTINGS_PUBLIC_MAX 64

struct settings {               /* strings are owned; NULL: not set */
	char *listen;           /* ADDR:PORT */
	char *socket;           /* path */
	char *store;
	char *tpm;              /* TCTI, "none": a hub */
	char *token_file;
	char *tls_cert, *tls_key;
	char *client_ca;
	char *ak_chain, *boot_log;
	char *runtime_config;   /* path; in place of token_file and client_ca */
	char *image_name, *image_version, *image_verity; /* what a measured image says of itself */
	int64_t connections, per_address, idle_s, header_s, stall_s;
	int64_t per_principal;  /* requests in progress */
	int64_t queue, queue_each;
	int64_t max_seconds, max_memory;        /* of a run; 0: what it asks for */
	int64_t parts, parts_kept_s;            /* of objects, by principal */
	char *public_refs[SETTINGS_PUBLIC_MAX];
	size_t public_count;
};

/* tpm "embedded", a queue of 8, the rest empty. */
int settings_init(struct settings *ret, struct err *e) MUST_CHECK;
void settings_free(struct settings *s);
/* One key of the file; names are as libgit2 gives them, in lower case.  ERR_USAGE. */
int settings_set(struct settings *s, const char *key, const char *value, struct err *e) MUST_CHECK;
int settings_load(struct settings *s, const char *path, struct err *e) MUST_CHECK;
/* What belongs together: ERR_USAGE says what is missing. */
int settings_check(const struct settings *s, struct err *e) MUST_CHECK;
bool settings_is_hub(const struct settings *s);
/* Whether name, "refs/...", is among the public ones: equal, or beneath one that ends in '/'. */
bool settings_public(const struct settings *s, const char *name);

#endif
