#include <fcntl.h>
#include <string.h>
#include "base/buf.h"
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/hex.h"
#include "store/fsck-state.h"
#include "store/sealed.h"

#define FSCK_RUNS_MAX 100000

/* What is not named as a record is told with the litter. */
static int
fsck_runs_one(struct fsck *f, int dirfd, const char *name)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char what[OID_HEX_SIZE + 8];

	if (strlen(name) != 64 || !hex_is(name, 64))
		return 0;
	if (sealed_read(dirfd, name, STORE_RUN_BYTES_MAX, &text, f->e) == 0)
		return 0;
	if (f->e->code == ERR_NOTFOUND) /* collected meanwhile */
		return 0;
	if (f->e->code == ERR_CORRUPT) {
		fsck_state_say(f, FSCK_DAMAGE, "runs/%s: its certificate cannot be collected, and gc does not"
		    " know what it needs; remove the file to give the run up", f->e->msg);
		return 0;
	}
	snprintf(what, sizeof what, "runs/%s", name);
	return fsck_state_finding(f, what);
}

/* Records of runs that are still to be collected: roots for gc, like a ref. */
int
fsck_runs_run(struct fsck *f)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(cleanup_close) int dirfd = fd_open_beneath(store_dirfd(f->s), "runs", O_RDONLY | O_DIRECTORY,
	    0, f->e);

	if (dirfd < 0)
		return f->e->code == ERR_NOTFOUND ? 0 : fsck_state_finding(f, "runs");
	if (dir_walk_list(dirfd, ".", FSCK_RUNS_MAX, &names, f->e) != 0)
		return fsck_state_finding(f, "runs");
	for (size_t i = 0; i < names.count; i++)
		if (fsck_runs_one(f, dirfd, names.names[i]) != 0)
			return -1;
	return 0;
}
