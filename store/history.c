#include "store/history.h"

#include <string.h>
#include "base/fd.h"
#include "object/evidence.h"
#include "object/tree.h"
#include "store/odb.h"

#define HISTORY_MEDIA "\"mediaType\":\"application/vnd.aicert."

int
history_commit(struct store *s, const struct oid *id, struct commit *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	if (odb_read(s, id, COMMIT_BYTES_MAX, &text, e) != 0)
		return -1;
	if (commit_decode(text.data, text.len, ret, e) != 0)
		return err_prefix(e, "commit %s", hex);
	return 0;
}

int
history_certificate(struct store *s, const struct oid *id, struct certificate *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	if (odb_read(s, id, CERTIFICATE_BYTES_MAX, &text, e) != 0)
		return -1;
	if (certificate_decode(text.data, text.len, ret, e) != 0)
		return err_prefix(e, "certificate %s", hex);
	return 0;
}

/* The first bytes: enough to see that most blobs are nothing else. */
static int
history_peek(struct store *s, const struct oid *id, char ret[16], size_t *ret_len, uint64_t *ret_size,
    struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;

	if (odb_open(s, id, &fd, ret_size, e) != 0)
		return -1;
	return fd_read_upto(fd, ret, 16, ret_len, "an object", e);
}

/* What could not be decoded for want of memory is not known to be no document. */
static int
history_decoded(int rc, const struct err *why, bool *ret, struct err *e)
{
	if (rc != 0 && (why->code == ERR_NOMEM || why->code == ERR_INTERNAL))
		return err_set(e, why->code, "%s", why->msg);
	*ret = rc == 0;
	return 0;
}

static int
history_is_commit(const struct buf *b, bool *ret, struct err *e)
{
	CLEANUP(commit_free) struct commit c = {0};
	struct err why;

	return b->len > COMMIT_BYTES_MAX ? 0 :
	    history_decoded(commit_decode(b->data, b->len, &c, &why), &why, ret, e);
}

static int
history_is_certificate(const struct buf *b, bool *ret, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	struct err why;

	return b->len > CERTIFICATE_BYTES_MAX ? 0 :
	    history_decoded(certificate_decode(b->data, b->len, &c, &why), &why, ret, e);
}

static int
history_is_evidence(const struct buf *b, bool *ret, struct err *e)
{
	CLEANUP(evidence_free) struct evidence v = {0};
	struct err why;

	return b->len > EVIDENCE_BYTES_MAX ? 0 :
	    history_decoded(evidence_decode(b->data, b->len, &v, &why), &why, ret, e);
}

static int
history_is_tree(const struct buf *b, bool *ret, struct err *e)
{
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	struct err why;

	return history_decoded(tree_decode(b->data, b->len, &t, &why), &why, ret, e);
}

static bool
history_has(const struct buf *b, const char *media_type)
{
	return memmem(b->data, b->len, media_type, strlen(media_type)) != NULL;
}

/* The media types, and what decodes as one. */
static const struct {
	const char *media;
	enum object_type type;
	int (*is)(const struct buf *b, bool *ret, struct err *e);
} history_documents[] = {
	{COMMIT_MEDIA_TYPE, OBJECT_COMMIT, history_is_commit},
	{CERTIFICATE_MEDIA_TYPE, OBJECT_CERTIFICATE, history_is_certificate},
	{EVIDENCE_MEDIA_TYPE, OBJECT_EVIDENCE, history_is_evidence},
};

static int
history_type_of(const struct buf *b, enum object_type *ret, struct err *e)
{
	bool is = false;

	*ret = OBJECT_BLOB;
	if (b->len == 0)
		return 0;
	if (b->data[0] != '{') {
		if (history_is_tree(b, &is, e) != 0)
			return -1;
		*ret = is ? OBJECT_TREE : OBJECT_BLOB;
		return 0;
	}
	for (size_t i = 0; i < sizeof history_documents / sizeof *history_documents; i++) {
		if (!history_has(b, HISTORY_MEDIA) || !history_has(b, history_documents[i].media))
			continue;
		if (history_documents[i].is(b, &is, e) != 0)
			return -1;
		if (is) {
			*ret = history_documents[i].type;
			return 0;
		}
	}
	return 0;
}

/* What does not decode as a document is a blob, whatever it begins with. */
int
history_type(struct store *s, const struct oid *id, enum object_type *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	static const char tree[] = "aicert tree ";
	uint64_t size;
	size_t len;
	char head[16];

	if (history_peek(s, id, head, &len, &size, e) != 0)
		return -1;
	if (size > TREE_BYTES_MAX || len < sizeof tree - 1 ||
	    (head[0] != '{' && memcmp(head, tree, sizeof tree - 1) != 0)) {
		*ret = OBJECT_BLOB;
		return 0;
	}
	if (odb_read(s, id, TREE_BYTES_MAX, &text, e) != 0)
		return -1;
	return history_type_of(&text, ret, e);
}
