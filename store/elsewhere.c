#include "store/elsewhere.h"

#include "store/alternates.h"
#include "store/odb-file.h"
#include "store/in-place.h"

int
elsewhere_find(struct store *s, const struct oid *id, unsigned nth, struct source *ret, struct err *e)
{
	struct err local;
	int rc;

	if (e == NULL)
		e = &local;
	/* what was touched comes last: it is probably something else by now */
	rc = in_place_find(s, id, true, &nth, ret, e);
	if (rc == 0)
		rc = alternates_find(s, id, &nth, ret, e);
	return rc != 0 ? rc : in_place_find(s, id, false, &nth, ret, e);
}

int
elsewhere_any(struct store *s, bool *ret, struct err *e)
{
	return in_place_any(s, ret, e) != 0 ? -1 : *ret ? 0 : alternates_any(s, ret, e);
}

int
elsewhere_verify(const struct source *p, const struct oid *id, struct err *e)
{
	char hex[OID_HEX_SIZE];
	struct oid found;
	uint64_t size;

	if (odb_file_hash(p->fd, p->path, &found, &size, e) != 0)
		return -1;
	oid_hex(id, hex);
	return oid_equal(&found, id) ? 0 :
	    err_set(e, ERR_CORRUPT, "%s: does not have the bytes of object %s any more", p->path, hex);
}
