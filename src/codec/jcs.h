/*
 * Canonical JSON: RFC 8785 narrowed as in aicert-certificate(5) "Canonical
 * JSON": integers only (|n| <= 2^53-1, no -0), ASCII member names, no
 * duplicates, valid UTF-8, no U+0000, depth <= 64.  Decoding accepts the
 * canonical bytes and nothing else; encoding always writes them.
 *
 * jcs.c reads and builds values, jcs-canonical.c and jcs-encode.c are the two
 * ways between a value and its text, jcs-check.c makes no value, jcs-decode.c reads any
 * other JSON.
 */
#ifndef CODEC_JCS_H
#define CODEC_JCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

#define JCS_INT_MAX INT64_C(9007199254740991)
#define JCS_DEPTH_MAX 64
#define JCS_NODES_MAX 524288   /* values in a document */

/* One value of a document: an opaque node; children are owned by their parent. */
struct jcs;

enum jcs_type { JCS_NULL, JCS_BOOL, JCS_INT, JCS_STRING, JCS_ARRAY, JCS_OBJECT };

/* Refuses more than max bytes before looking at them (ERR_LIMIT); ERR_FORMAT says
 * what is wrong and where. */
int jcs_decode(const void *data, size_t len, size_t max, struct jcs **ret, struct err *e) MUST_CHECK;
/* true: jcs_decode() accepts it, it is an object, and this member is this string (neither has
 * anything to escape).  false: that is not known without decoding it. */
bool jcs_sure(const void *data, size_t len, size_t max, const char *name, const char *value);
/* Any RFC 8259 text within the same bounds (answers of other programs). */
int jcs_decode_any(const void *data, size_t len, size_t max, struct jcs **ret, struct err *e) MUST_CHECK;
void jcs_free(struct jcs *v);
static inline void jcs_freep(struct jcs **v) { jcs_free(*v); }

enum jcs_type jcs_type(const struct jcs *v);
/* All borrowed from v. NULL where absent or of another type; v may be NULL. */
const struct jcs *jcs_get(const struct jcs *object, const char *name);
const char *jcs_string(const struct jcs *v);
const char *jcs_get_string(const struct jcs *object, const char *name);
bool jcs_is_null(const struct jcs *v);      /* a JSON null, not an absent value */
bool jcs_true(const struct jcs *v);
/* -1 unless v is an integer. */
int jcs_int(const struct jcs *v, int64_t *ret);
size_t jcs_length(const struct jcs *v);     /* of an array or object, else 0 */
const struct jcs *jcs_at(const struct jcs *array, size_t i);
/* i-th member in canonical order. */
const struct jcs *jcs_member(const struct jcs *object, size_t i, const char **ret_name);

/* Building. Constructors return NULL without memory or for a value outside the
 * rules above; setters take over the value, also when they fail, and accept
 * NULL (then they fail): a chain of calls is checked once, by jcs_encode's
 * caller, through the sticky failure of the parent. */
struct jcs *jcs_new_object(void);
struct jcs *jcs_new_array(void);
struct jcs *jcs_new_string(const char *text);
struct jcs *jcs_new_int(int64_t n);
struct jcs *jcs_new_bool(bool b);
struct jcs *jcs_new_null(void);
struct jcs *jcs_copy(const struct jcs *v);  /* deep */
void jcs_set(struct jcs *object, const char *name, struct jcs *value);
void jcs_set_string(struct jcs *object, const char *name, const char *text); /* NULL: null */
void jcs_set_int(struct jcs *object, const char *name, int64_t n);
void jcs_set_bool(struct jcs *object, const char *name, bool b);
void jcs_append(struct jcs *array, struct jcs *value);
bool jcs_remove(struct jcs *object, const char *name);

/* Appends the canonical text; fails with ERR_NOMEM if v is NULL or any call that
 * built it failed. */
int jcs_encode(const struct jcs *v, struct buf *ret, struct err *e) MUST_CHECK;

#endif
