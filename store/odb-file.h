/*
 * Large objects: read-only files objects/<2 hex>/<62 hex>.  For odb*.c and
 * fsck.c only.  Look-ups return 1 when found, 0 when absent, -1 on error.
 */
#ifndef STORE_ODB_FILE_H
#define STORE_ODB_FILE_H

#include <stdint.h>
#include "object/oid.h"
#include "store/store.h"

#define ODB_FILE_NAME_SIZE 66 /* "ab/<62 hex>" and NUL */
#define ODB_FILE_TMP_SIZE 32

void odb_file_name(const struct oid *id, char ret[ODB_FILE_NAME_SIZE]);
/* The descriptor is at offset 0; the digest is not checked. */
int odb_file_open(struct store *s, const struct oid *id, int *ret_fd, uint64_t *ret_size,
    struct err *e) MUST_CHECK;
int odb_file_size(struct store *s, const struct oid *id, uint64_t *ret, struct err *e) MUST_CHECK;
/* Digest and length of what fd has from its position on. */
int odb_file_hash(int fd, const char *what, struct oid *ret, uint64_t *ret_size,
    struct err *e) MUST_CHECK;
/* ERR_CORRUPT unless fd, from its position on, has the bytes of id. */
int odb_file_verify(struct store *s, const struct oid *id, int fd, struct err *e) MUST_CHECK;

/*
 * Of these functions odb_file_hash, odb_file_check, odb_file_create, odb_file_finish
 * and odb_file_abort work by descriptors alone: threads that do not own the store
 * may call them while its owner lives.
 */

/* What a put finds under the object's name. */
enum odb_file_found {
	ODB_FILE_ABSENT,
	ODB_FILE_INTACT,    /* read, and it has its digest */
	ODB_FILE_DAMAGED,   /* other bytes, no file, or unreadable: to be replaced */
};
/* What is there is kept from gc from now on. */
int odb_file_check(struct store *s, const struct oid *id, enum odb_file_found *ret,
    struct err *e) MUST_CHECK;

/* A new object on its way in: written beneath tmp/, then committed under its id. */
struct odb_file {
	int fd;
	char tmp[ODB_FILE_TMP_SIZE]; /* beneath tmp/; "" when gone */
};

int odb_file_create(struct store *s, struct odb_file *ret, struct err *e) MUST_CHECK;
/* Makes it read-only and syncs it: then it may be published.  It stays open, and so
 * locked, until then: no gc takes it for litter. */
int odb_file_finish(struct store *s, struct odb_file *f, struct err *e) MUST_CHECK;
/* Syncs and makes it visible; durable on return, or at the end of the batch. */
int odb_file_commit(struct store *s, struct odb_file *f, const struct oid *id, struct err *e) MUST_CHECK;
/* Removes what was not committed; harmless after a commit. */
void odb_file_abort(struct store *s, struct odb_file *f);
/* Moves name beneath dirfd, complete, synced and read-only, under its id; when
 * the object is there already, intact, name is removed; one that is damaged is replaced.
 * 1: on another file system, nothing done. */
int odb_file_publish(struct store *s, int dirfd, const char *name, const struct oid *id,
    struct err *e) MUST_CHECK;
/* Absent is success.  For gc alone. */
int odb_file_delete(struct store *s, const struct oid *id, struct err *e) MUST_CHECK;
/* Makes sure that an object found present is durable. */
int odb_file_settle(struct store *s, const struct oid *id, struct err *e) MUST_CHECK;
/* Syncs the directories a batch has written to. */
int odb_file_sync(struct store *s, struct err *e) MUST_CHECK;

/* Any order. litter (may be NULL) gets the names that are no object's. */
typedef int odb_file_each_fn(void *arg, const struct oid *id, uint64_t size);
typedef void odb_file_litter_fn(void *arg, const char *name);
int odb_file_each(struct store *s, const char *prefix, odb_file_each_fn *fn,
    odb_file_litter_fn *litter, void *arg, struct err *e) MUST_CHECK;

#endif
