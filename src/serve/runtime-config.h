/*
 * The run-time configuration of a measured machine: one canonical JSON document
 * that says who may come (aicertd(8) "Run-time configuration").  All of it is
 * measured in run_request; it holds no secret and changes nothing but this.
 */
#ifndef SERVE_RUNTIME_CONFIG_H
#define SERVE_RUNTIME_CONFIG_H

#include "serve/principal.h"

#define RUNTIME_CONFIG_MEDIA_TYPE "application/vnd.aicert.runtime-config.v1+json"
#define RUNTIME_CONFIG_MAX (64u * 1024)
#define RUNTIME_CONFIG_IDLE_MIN_S 10
#define RUNTIME_CONFIG_IDLE_MAX_S 86400

struct runtime_config {
	char *text;             /* canonical, as it came */
	struct principal_list principals;
	char *client_ca;        /* PEM; NULL: no client certificates */
	int64_t idle_s;         /* without a request or a run for so long: the daemon ends */
};

/* ERR_FORMAT, ERR_LIMIT: not exactly such a document. */
int runtime_config_decode(const void *data, size_t len, struct runtime_config *ret, struct err *e) MUST_CHECK;
int runtime_config_load(const char *path, struct runtime_config *ret, struct err *e) MUST_CHECK;
void runtime_config_free(struct runtime_config *c);

#endif
