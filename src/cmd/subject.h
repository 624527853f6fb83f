/* What "FILE|REV" means to show, verify and trace. */
#ifndef CMD_SUBJECT_H
#define CMD_SUBJECT_H

#include "store/ingest.h"
#include "store/store.h"

struct subject {
	bool is_path;               /* else a revision */
	char *path;                 /* relative to the work tree; NULL when outside it */
	struct ingest_result content; /* of a path */
	bool inputs_too;            /* of subject_find_input() */
	bool is_input;              /* no run made it: the certificate is of one that used it */
	char *output;               /* the output that has the content, or holds it; else NULL */
	bool content_known;         /* a successful run has this content; else it only names the path */
	struct object_ref object;   /* of a revision: what it resolves to */
	struct oid certificate;     /* of a path, or of a commit's or certificate's revision */
	bool has_certificate;
};

/* An argument that exists as a path is a path, else a revision.  ERR_NOTFOUND
 * when no certificate names the path. */
int subject_find(struct store *s, const char *arg, struct subject *ret, struct err *e) MUST_CHECK;
/* The same; a path that no run made, and that none names as an output, may be an input of a
 * run, or lie inside of one: of the newest that has its content there, else of the newest
 * that names it. */
int subject_find_input(struct store *s, const char *arg, struct subject *ret, struct err *e) MUST_CHECK;
/* The newest run that has path, relative to the work tree, or a directory above it as an output;
 * ERR_NOTFOUND. */
int subject_producer(struct store *s, const char *path, struct oid *ret, struct err *e) MUST_CHECK;
void subject_free(struct subject *sub);

#endif
