/*
 * Strict YAML for aicert.yaml: one document; mappings, sequences and scalars;
 * no anchors, aliases, tags or directives; no duplicate keys; every scalar is
 * a string; bounded size, depth and number of nodes.  Every node knows where
 * it stands, so that errors read "file:line:column: ...".
 */
#ifndef CODEC_YAML_H
#define CODEC_YAML_H

#include <stddef.h>
#include "base/err.h"

#define YAML_SIZE_MAX (1024 * 1024)
#define YAML_DEPTH_MAX 16
#define YAML_NODES_MAX 65536

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node_pos {
	size_t line;    /* from 1 */
	size_t column;  /* from 1 */
};

struct yaml_doc;   /* owns all nodes */
struct yaml;       /* one node, borrowed from its document */

/* name is used in messages only. Errors are ERR_SPEC. */
int yaml_doc_decode(const char *name, const void *data, size_t len, struct yaml_doc **ret,
    struct err *e) MUST_CHECK;
void yaml_doc_free(struct yaml_doc *d);
static inline void yaml_doc_freep(struct yaml_doc **d) { yaml_doc_free(*d); }
const struct yaml *yaml_doc_root(const struct yaml_doc *d);

enum yaml_kind yaml_kind(const struct yaml *n);
struct yaml_node_pos yaml_pos(const struct yaml *n);
const char *yaml_scalar(const struct yaml *n);            /* NULL unless a scalar */
size_t yaml_length(const struct yaml *n);
const struct yaml *yaml_at(const struct yaml *sequence, size_t i);
const struct yaml *yaml_value(const struct yaml *mapping, size_t i, const struct yaml **ret_key);
const struct yaml *yaml_get(const struct yaml *mapping, const char *key);

/* ERR_SPEC "file:line:column: message"; returns -1. */
int yaml_error(const struct yaml_doc *d, const struct yaml *n, struct err *e, const char *fmt, ...)
    PRINTF(4, 5);
/* Refuses keys that are not in the NULL-ended list, with a suggestion where one is near. */
int yaml_only(const struct yaml_doc *d, const struct yaml *mapping, const char *const *keys,
    struct err *e) MUST_CHECK;

#endif
