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

static bool
history_is_commit(const struct buf *b)
{
	CLEANUP(commit_free) struct commit c = {0};

	return b->len <= COMMIT_BYTES_MAX && commit_decode(b->data, b->len, &c, NULL) == 0;
}

static bool
history_is_certificate(const struct buf *b)
{
	CLEANUP(certificate_free) struct certificate c = {0};

	return b->len <= CERTIFICATE_BYTES_MAX && certificate_decode(b->data, b->len, &c, NULL) == 0;
}

static bool
history_is_evidence(const struct buf *b)
{
	CLEANUP(evidence_free) struct evidence v = {0};

	return b->len <= EVIDENCE_BYTES_MAX && evidence_decode(b->data, b->len, &v, NULL) == 0;
}

static bool
history_is_tree(const struct buf *b)
{
	CLEANUP(tree_free) struct tree t = TREE_INIT;

	return tree_decode(b->data, b->len, &t, NULL) == 0;
}

static bool
history_has(const struct buf *b, const char *media_type)
{
	return memmem(b->data, b->len, media_type, strlen(media_type)) != NULL;
}

static enum object_type
history_type_of(const struct buf *b)
{
	if (b->len == 0)
		return OBJECT_BLOB;
	if (b->data[0] != '{')
		return history_is_tree(b) ? OBJECT_TREE : OBJECT_BLOB;
	if (!history_has(b, HISTORY_MEDIA))
		return OBJECT_BLOB;
	if (history_has(b, COMMIT_MEDIA_TYPE) && history_is_commit(b))
		return OBJECT_COMMIT;
	if (history_has(b, CERTIFICATE_MEDIA_TYPE) && history_is_certificate(b))
		return OBJECT_CERTIFICATE;
	if (history_has(b, EVIDENCE_MEDIA_TYPE) && history_is_evidence(b))
		return OBJECT_EVIDENCE;
	return OBJECT_BLOB;
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
	*ret = history_type_of(&text);
	return 0;
}
