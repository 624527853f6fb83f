#include "object/commit.h"

#include <string.h>
#include "base/hex.h"
#include "base/timestamp.h"
#include "codec/shape.h"

static const char *const commit_kinds[] = {
	[COMMIT_RUN] = "run",
	[COMMIT_EVIDENCE] = "evidence",
	[COMMIT_IMPORT] = "import",
	[COMMIT_REVOKE] = "revoke",
	[COMMIT_MERGE] = "merge",
};

const char *
commit_kind_name(enum commit_kind kind)
{
	return commit_kinds[kind];
}

/* --- reading --- */

static int
commit_read_kind(const char *name, enum commit_kind *ret, struct err *e)
{
	for (size_t i = 0; i < sizeof commit_kinds / sizeof commit_kinds[0]; i++) {
		if (strcmp(commit_kinds[i], name) == 0) {
			*ret = (enum commit_kind)i;
			return 0;
		}
	}
	return err_set(e, ERR_UNSUPPORTED, "commit: a kind that this version does not know");
}

static int
commit_read_parents(const struct jcs *v, struct commit *c, struct err *e)
{
	size_t n = jcs_length(v);

	if (n > COMMIT_PARENTS_MAX)
		return err_set(e, ERR_FORMAT, "commit: more than %d parents", COMMIT_PARENTS_MAX);
	c->parents = calloc(n + 1, sizeof *c->parents);
	if (c->parents == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		const char *text = jcs_string(jcs_at(v, i));

		if (text == NULL || oid_from_text(&c->parents[i], text, e) != 0)
			return err_set(e, ERR_FORMAT, "commit: a parent is no id");
		for (size_t k = 0; k < i; k++)
			if (oid_equal(&c->parents[k], &c->parents[i]))
				return err_set(e, ERR_FORMAT, "commit: twice the same parent");
	}
	c->parent_count = n;
	return 0;
}

static int
commit_read_code(const struct jcs *v, struct commit *c, struct err *e)
{
	static const struct shape table[] = {{"git", SHAPE_STRING, 0}, {0}};
	const char *hex;

	if (jcs_is_null(v))
		return 0;
	if (shape_check(v, table, "commit: code", e) != 0)
		return -1;
	hex = jcs_get_string(v, "git");
	if (!hex_is(hex, 64) || (strlen(hex) != 40 && strlen(hex) != 64))
		return err_set(e, ERR_FORMAT, "commit: code: git must be a full commit id");
	c->code_commit = buf_strdup(hex, e);
	return c->code_commit == NULL ? -1 : 0;
}

static int
commit_read_author(const struct jcs *v, struct commit *c, struct err *e)
{
	static const struct shape table[] = {{"email", SHAPE_STRING, 0}, {"name", SHAPE_STRING, 0}, {0}};

	if (shape_check(v, table, "commit: author", e) != 0)
		return -1;
	c->author_name = buf_strdup(jcs_get_string(v, "name"), e);
	c->author_email = buf_strdup(jcs_get_string(v, "email"), e);
	return c->author_name == NULL || c->author_email == NULL ? -1 : 0;
}

static int
commit_read_resource(const struct jcs *v, struct commit *c, struct err *e)
{
	static const struct shape table[] = {
		{"type", SHAPE_STRING, 0}, {"path", SHAPE_STRING, 0}, {"kind", SHAPE_STRING, 0},
		{"size", SHAPE_INT, 0}, {"digests", SHAPE_OBJECT, 0}, {"origin", SHAPE_STRING, 0},
		{"source", SHAPE_STRING, SHAPE_NULLABLE}, {"license", SHAPE_STRING, SHAPE_NULLABLE},
		{"madeBy", SHAPE_OBJECT, SHAPE_NULLABLE}, {"ignored", SHAPE_OBJECT, SHAPE_NULLABLE}, {0},
	};

	if (v == NULL)
		return 0;
	if (shape_check(v, table, "commit: resource", e) != 0)
		return -1;
	c->resource = calloc(1, sizeof *c->resource);
	if (c->resource == NULL)
		return err_nomem(e);
	return resource_input_from_jcs(v, "commit: resource", c->resource, e);
}

/* What belongs to which kind. */
static int
commit_check_kind(const struct commit *c, struct err *e)
{
	static const enum object_type subjects[] = {
		[COMMIT_RUN] = OBJECT_CERTIFICATE,
		[COMMIT_EVIDENCE] = OBJECT_EVIDENCE,
		[COMMIT_REVOKE] = OBJECT_CERTIFICATE,
	};
	const char *kind = commit_kind_name(c->kind);

	if (c->has_subject == (c->kind == COMMIT_MERGE))
		return err_set(e, ERR_FORMAT, "commit: kind %s and its subject contradict each other", kind);
	if (c->kind == COMMIT_MERGE && c->parent_count < 2)
		return err_set(e, ERR_FORMAT, "commit: a merge needs two parents");
	if (c->kind != COMMIT_MERGE && c->parent_count > 1)
		return err_set(e, ERR_FORMAT, "commit: only a merge has several parents");
	if ((c->resource != NULL) != (c->kind == COMMIT_IMPORT))
		return err_set(e, ERR_FORMAT, "commit: resource belongs to kind import, and only there");
	if ((c->reason != NULL) != (c->kind == COMMIT_REVOKE))
		return err_set(e, ERR_FORMAT, "commit: reason belongs to kind revoke, and only there");
	if (c->kind == COMMIT_IMPORT && (c->subject.type != c->resource->thing.type ||
	    !oid_equal(&c->subject.id, &c->resource->thing.digests.sha256)))
		return err_set(e, ERR_FORMAT, "commit: subject and resource are not the same thing");
	if (c->kind != COMMIT_MERGE && c->kind != COMMIT_IMPORT && c->subject.type != subjects[c->kind])
		return err_set(e, ERR_FORMAT, "commit: the subject of kind %s must be a %s", kind,
		    oid_type_name(subjects[c->kind]));
	return 0;
}

static int
commit_read_signature(const struct jcs *v, struct commit *c, struct err *e)
{
	static const struct shape table[] = {{"format", SHAPE_STRING, 0}, {"data", SHAPE_BASE64, 0}, {0}};

	if (v == NULL)
		return 0;
	if (shape_check(v, table, "commit: signature", e) != 0)
		return -1;
	if (strcmp(jcs_get_string(v, "format"), "ssh") != 0)
		return err_set(e, ERR_UNSUPPORTED, "commit: the signature's format must be ssh");
	c->signature = jcs_copy(v);
	return c->signature == NULL ? err_nomem(e) : 0;
}

static int
commit_read_rest(const struct jcs *v, struct commit *c, struct err *e)
{
	const struct jcs *subject = jcs_get(v, "subject"), *annotations = jcs_get(v, "annotations");
	const char *reason = jcs_get_string(v, "reason");

	c->has_subject = !jcs_is_null(subject);
	if (c->has_subject && oid_ref_from_jcs(subject, "commit: subject", &c->subject, e) != 0)
		return -1;
	c->message = buf_strdup(jcs_get_string(v, "message"), e);
	c->reason = reason != NULL ? buf_strdup(reason, e) : NULL;
	c->annotations = annotations != NULL ? jcs_copy(annotations) : NULL;
	if (c->message == NULL || (reason != NULL && c->reason == NULL) ||
	    (annotations != NULL && c->annotations == NULL))
		return err_nomem(e);
	return timestamp_parse(jcs_get_string(v, "time"), &c->time, e);
}

static int
commit_read(const struct jcs *v, struct commit *c, struct err *e)
{
	static const struct shape table[] = {
		{"mediaType", SHAPE_STRING, 0}, {"kind", SHAPE_STRING, 0}, {"parents", SHAPE_ARRAY, 0},
		{"subject", SHAPE_OBJECT, SHAPE_NULLABLE}, {"resource", SHAPE_OBJECT, SHAPE_OPTIONAL},
		{"reason", SHAPE_STRING, SHAPE_OPTIONAL}, {"author", SHAPE_OBJECT, 0},
		{"time", SHAPE_TIME, 0}, {"message", SHAPE_STRING, 0},
		{"code", SHAPE_OBJECT, SHAPE_NULLABLE}, {"signature", SHAPE_OBJECT, SHAPE_OPTIONAL},
		{"annotations", SHAPE_OBJECT, SHAPE_OPTIONAL}, {0},
	};
	const char *type = jcs_get_string(v, "mediaType");

	if (type == NULL || strcmp(type, COMMIT_MEDIA_TYPE) != 0)
		return err_set(e, ERR_FORMAT, "commit: mediaType is not " COMMIT_MEDIA_TYPE);
	if (shape_check(v, table, "commit", e) != 0 ||
	    commit_read_kind(jcs_get_string(v, "kind"), &c->kind, e) != 0 ||
	    commit_read_parents(jcs_get(v, "parents"), c, e) != 0 || commit_read_rest(v, c, e) != 0 ||
	    commit_read_author(jcs_get(v, "author"), c, e) != 0 ||
	    commit_read_code(jcs_get(v, "code"), c, e) != 0 ||
	    commit_read_resource(jcs_get(v, "resource"), c, e) != 0 ||
	    commit_read_signature(jcs_get(v, "signature"), c, e) != 0)
		return -1;
	return commit_check_kind(c, e);
}

int
commit_decode(const void *data, size_t len, struct commit *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct commit c = {0};

	if (jcs_decode(data, len, COMMIT_BYTES_MAX, &v, e) != 0)
		return err_prefix(e, "aicert-certificate(5) section 2.3: commit");
	if (commit_read(v, &c, e) != 0) {
		commit_free(&c);
		return err_prefix(e, "aicert-certificate(5) section 2.3");
	}
	*ret = c;
	return 0;
}

/* --- writing --- */

static struct jcs *
commit_author(const struct commit *c)
{
	struct jcs *v = jcs_new_object();

	jcs_set(v, "name", jcs_new_string(c->author_name));
	jcs_set(v, "email", jcs_new_string(c->author_email));
	return v;
}

static void
commit_set_optional(const struct commit *c, struct jcs *v)
{
	if (c->resource != NULL) {
		struct jcs *resource = jcs_new_object();

		resource_input_to_jcs(c->resource, resource);
		jcs_set(v, "resource", resource);
	}
	if (c->reason != NULL)
		jcs_set_string(v, "reason", c->reason);
	if (c->annotations != NULL)
		jcs_set(v, "annotations", jcs_copy(c->annotations));
	if (c->signature != NULL)
		jcs_set(v, "signature", jcs_copy(c->signature));
}

static struct jcs *
commit_to_jcs(const struct commit *c)
{
	struct jcs *v = jcs_new_object(), *parents = jcs_new_array(), *code = NULL;
	char text[OID_TEXT_SIZE], time[TIMESTAMP_SIZE];

	for (size_t i = 0; i < c->parent_count; i++) {
		oid_text(&c->parents[i], text);
		jcs_append(parents, jcs_new_string(text));
	}
	if (c->code_commit != NULL) {
		code = jcs_new_object();
		jcs_set_string(code, "git", c->code_commit);
	}
	jcs_set_string(v, "mediaType", COMMIT_MEDIA_TYPE);
	jcs_set_string(v, "kind", commit_kind_name(c->kind));
	jcs_set(v, "parents", parents);
	jcs_set(v, "subject", c->has_subject ? oid_ref_to_jcs(&c->subject) : jcs_new_null());
	jcs_set(v, "author", commit_author(c));
	jcs_set(v, "time", timestamp_format(time, c->time, NULL) == 0 ? jcs_new_string(time) : NULL);
	jcs_set(v, "message", jcs_new_string(c->message));
	jcs_set(v, "code", c->code_commit != NULL ? code : jcs_new_null());
	commit_set_optional(c, v);
	return v;
}

int
commit_encode(const struct commit *c, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = commit_to_jcs(c);

	return commit_check_kind(c, e) != 0 ? -1 : jcs_encode(v, ret, e);
}

int
commit_encode_unsigned(const struct commit *c, struct buf *ret, struct err *e)
{
	struct commit bare = *c;

	bare.signature = NULL;
	return commit_encode(&bare, ret, e);
}

void
commit_free(struct commit *c)
{
	if (c->resource != NULL)
		resource_input_free(c->resource);
	free(c->resource);
	free(c->parents);
	free(c->reason);
	free(c->author_name);
	free(c->author_email);
	free(c->message);
	free(c->code_commit);
	jcs_free(c->signature);
	jcs_free(c->annotations);
	*c = (struct commit){0};
}
