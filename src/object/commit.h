/* A commit: canonical JSON that gives a certificate its place in a history. */
#ifndef OBJECT_COMMIT_H
#define OBJECT_COMMIT_H

#include "object/resource.h"

#define COMMIT_MEDIA_TYPE "application/vnd.aicert.commit.v1+json"
#define COMMIT_BYTES_MAX (1024u * 1024)
#define COMMIT_PARENTS_MAX 64

enum commit_kind { COMMIT_RUN, COMMIT_EVIDENCE, COMMIT_IMPORT, COMMIT_REVOKE, COMMIT_MERGE };

struct commit {
	enum commit_kind kind;
	struct oid *parents;            /* commits */
	size_t parent_count;
	bool has_subject;               /* all but merge */
	struct object_ref subject;      /* run, revoke: certificate; evidence: evidence; import: blob or tree */
	struct resource_input *resource;/* import only: path, kind, size, digests, source, license */
	char *reason;                   /* revoke only */
	char *author_name, *author_email;
	int64_t time;                   /* a claim */
	char *message;
	char *code_commit;              /* git commit of the code, 40 or 64 hex; NULL: null */
	struct jcs *signature;          /* {"format":"ssh","data":base64}; NULL: absent */
	struct jcs *annotations;        /* object, carries no claim; NULL: absent */
};

int commit_decode(const void *data, size_t len, struct commit *ret, struct err *e) MUST_CHECK;
int commit_encode(const struct commit *c, struct buf *ret, struct err *e) MUST_CHECK;
/* The bytes a signature covers: the commit without its signature member. */
int commit_encode_unsigned(const struct commit *c, struct buf *ret, struct err *e) MUST_CHECK;
void commit_free(struct commit *c);
const char *commit_kind_name(enum commit_kind kind);

#endif
