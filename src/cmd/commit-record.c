#include "cmd/commit-record.h"

#include <string.h>
#include "base/timestamp.h"
#include "object/commit.h"
#include "store/index.h"
#include "store/odb.h"
#include "store/refs.h"

#define COMMIT_RECORD_TRIES 100

static char *
commit_record_author(const struct commit_record *m, struct err *e)
{
	return buf_strfmt(e, "%s <%s>", m->author_name, m->author_email);
}

/* First line of the message: what a reflog has room for. */
static char *
commit_record_line(const char *message, const char *what, struct err *e)
{
	return buf_strfmt(e, "%s: %.*s", what, (int)strcspn(message, "\n"), message);
}

static int
commit_record_put(struct store *s, const struct commit_run_result *r, struct commit *c,
    struct oid *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (commit_encode(c, &text, e) != 0 || odb_batch_begin(s, e) != 0)
		return -1;
	if (odb_put(s, r->bytes.data, r->bytes.len, &c->subject.id, e) != 0 ||
	    odb_put(s, text.data, text.len, ret, e) != 0) {
		odb_batch_abort(s);
		return -1;
	}
	return odb_batch_end(s, e);
}

/* One attempt on top of the branch as it is now. */
static int
commit_record_try(struct store *s, const struct commit_run_result *r, const struct commit_record *m,
    const struct commit *draft, struct oid *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *author = commit_record_author(m, e);
	CLEANUP(cleanup_free) char *line = commit_record_line(m->message, "commit", e);
	struct commit c = *draft; /* its parent is this attempt's */
	struct object_ref tip, next = {.type = OBJECT_COMMIT};
	struct refs_change change = {.name = "HEAD", .new_ = &next, .author = author, .message = line};

	if (author == NULL || line == NULL)
		return -1;
	if (refs_read(s, "HEAD", &tip, e) == 0) {
		if (tip.type != OBJECT_COMMIT)
			return err_set(e, ERR_FORMAT, "HEAD names a %s, not a commit",
			    oid_type_name(tip.type));
		c.parents = &tip.id;
		c.parent_count = 1;
		change.old = &tip;
	} else if (e->code != ERR_NOTFOUND) {
		return -1;
	}
	if (commit_record_put(s, r, &c, &next.id, e) != 0 || refs_update(s, &change, e) != 0)
		return -1;
	*ret = next.id;
	/* a cache: the commit is made whether it takes it or not */
	if (index_add(s, ret, e) != 0)
		err_clear(e);
	return 0;
}

int
commit_record(struct store *s, const struct commit_run_result *r, const struct commit_record *m,
    struct oid *ret_commit, struct err *e)
{
	/* borrowed members only: never given to commit_free() */
	struct commit c = {
		.kind = COMMIT_RUN,
		.has_subject = true,
		.subject = {.type = OBJECT_CERTIFICATE, .id = r->id},
		.author_name = (char *)(uintptr_t)m->author_name,
		.author_email = (char *)(uintptr_t)m->author_email,
		.time = timestamp_now(),
		.message = (char *)(uintptr_t)m->message,
		.code_commit = (char *)(uintptr_t)m->code_commit,
	};

	for (int i = 0; i < COMMIT_RECORD_TRIES; i++) {
		if (commit_record_try(s, r, m, &c, ret_commit, e) == 0)
			return 0;
		if (e->code != ERR_CONFLICT)
			return -1;
	}
	return err_prefix(e, "the branch moved %d times while the commit was written",
	    COMMIT_RECORD_TRIES);
}

int
commit_record_failed(struct store *s, const struct commit_run_result *r,
    const struct commit_record *m, struct err *e)
{
	CLEANUP(cleanup_free) char *author = commit_record_author(m, e);
	CLEANUP(cleanup_free) char *line = commit_record_line(m->message, "failed run", e);
	struct object_ref ref = {.type = OBJECT_CERTIFICATE, .id = r->id};
	char name[sizeof "refs/failed/" + OID_HEX_SIZE] = "refs/failed/";
	struct refs_change change = {.name = name, .new_ = &ref, .author = author, .message = line};
	struct oid id;

	if (author == NULL || line == NULL)
		return -1;
	oid_hex(&r->id, name + strlen(name));
	if (odb_put(s, r->bytes.data, r->bytes.len, &id, e) != 0)
		return -1;
	return refs_update(s, &change, e);
}
