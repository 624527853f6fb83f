#include "verify/checks.h"

#include <stdarg.h>
#include "object/tree.h"

int
checks_pass(struct check_ctx *x, enum verdict_check c, struct err *e)
{
	return verdict_set(x->v, c, VERDICT_PASS, NULL, NULL, e);
}

int
checks_skip(struct check_ctx *x, enum verdict_check c, const char *reason, struct err *e)
{
	return verdict_set(x->v, c, VERDICT_SKIP, NULL, reason, e);
}

int
checks_fail(struct check_ctx *x, enum verdict_check c, const char *expected, struct err *e,
    const char *fmt, ...)
{
	char found[sizeof e->msg];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(found, sizeof found, fmt, ap);
	va_end(ap);
	return verdict_set(x->v, c, VERDICT_FAIL, expected, found, e);
}

int
checks_error(struct check_ctx *x, enum verdict_check c, const char *expected,
    const struct err *found, struct err *e)
{
	if (found->code == ERR_NOMEM || found->code == ERR_INTERNAL) {
		*e = *found;
		return -1;
	}
	return checks_fail(x, c, expected, e, "%s", found->msg);
}

int
checks_commit_signature(struct check_ctx *x, struct err *e)
{
	return checks_skip(x, CHECK_COMMIT_SIGNATURE, "not judged by this version", e);
}

/* The answer of the callback is not believed: its bytes are hashed here. */
int
checks_fetch(struct check_ctx *x, enum verdict_check c, const struct object_ref *ref,
    struct buf *ret, bool *ret_ok, struct err *e)
{
	size_t max = ref->type == OBJECT_TREE ? TREE_BYTES_MAX : CERTIFICATE_BYTES_MAX;
	char wanted[OID_TEXT_SIZE], name[OID_TEXT_SIZE + 32];
	struct err why;
	struct oid got;

	*ret_ok = false;
	oid_text(&ref->id, wanted);
	snprintf(name, sizeof name, "%s %s", oid_type_name(ref->type), wanted);
	if (x->rq->fetch == NULL)
		return verdict_missing(x->v, c, name, e);
	if (x->rq->fetch(x->rq->fetch_arg, &ref->id, max, ret, &why) != 0) {
		if (why.code == ERR_NOTFOUND)
			return verdict_missing(x->v, c, name, e);
		if (why.code == ERR_CORRUPT || why.code == ERR_LIMIT || why.code == ERR_NOMEM)
			return checks_error(x, c, name, &why, e);
		err_prefix(&why, "%s", name);
		return verdict_missing(x->v, c, why.msg, e);
	}
	if (oid_from_data(&got, ret->data, ret->len, e) != 0)
		return -1;
	if (!oid_equal(&got, &ref->id))
		return checks_fail(x, c, name, e, "bytes with another digest: the object is damaged");
	*ret_ok = true;
	return 0;
}
