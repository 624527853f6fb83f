#include <errno.h>
#include <fcntl.h>
#include "store/odb-file.h"
#include "store/odb-state.h"
#include "store/odb.h"

/*
 * A second name for the store's own file, after its bytes were verified.  Only
 * for mode 0444, which the file has: permissions belong to the file, not the name.
 */
int
odb_link(struct store *s, const struct oid *id, int dirfd, const char *name, unsigned mode,
    struct err *e)
{
	char object[ODB_FILE_NAME_SIZE];
	CLEANUP(cleanup_close) int fd = -1;
	uint64_t size;
	int rc;

	if (mode != 0444 && mode != 0555)
		return err_set(e, ERR_INTERNAL, "%s: mode %o cannot be linked", name, mode);
	rc = mode == 0444 ? odb_file_open(s, id, &fd, &size, e) : 0;
	if (rc < 0)
		return -1;
	if (rc == 0)
		return odb_export(s, id, dirfd, name, mode, e);
	if (odb_file_verify(s, id, fd, e) != 0)
		return -1;
	odb_file_name(id, object);
	if (linkat(odb_state(s)->fd, object, dirfd, name, 0) == 0)
		return 0;
	if (errno == EEXIST)
		return err_set(e, ERR_EXISTS, "%s: exists already", name);
	return odb_export(s, id, dirfd, name, mode, e);
}
