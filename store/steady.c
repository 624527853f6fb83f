#include "store/steady.h"

#include <fcntl.h>
#include <stdbool.h>
#include <time.h>

#define STEADY_TICK_NS 2000000
#define STEADY_TICKS_MAX 10

void
steady_flush(int fd)
{
	(void)(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
	    SYNC_FILE_RANGE_WAIT_AFTER) != 0);
}

/*
 * File times move with the kernel's tick: a write in the tick of the last
 * change would leave no trace.  So reading starts in a later tick than that;
 * the wait is bounded, for clocks of other machines.
 */
int
steady_begin(int fd, const char *what, struct stat *ret, struct err *e)
{
	for (int i = 0;; i++) {
		const struct timespec tick = {.tv_nsec = STEADY_TICK_NS};
		struct timespec now;

		if (fstat(fd, ret) != 0)
			return err_sys(e, "%s: cannot look at it", what);
		if ((!S_ISREG(ret->st_mode) && !S_ISDIR(ret->st_mode)) || i == STEADY_TICKS_MAX)
			return 0;
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
		if (now.tv_sec > ret->st_ctim.tv_sec ||
		    (now.tv_sec == ret->st_ctim.tv_sec && now.tv_nsec > ret->st_ctim.tv_nsec))
			return 0;
		nanosleep(&tick, NULL);
	}
}

static bool
steady_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

int
steady_changed(const char *what, struct err *e)
{
	return err_set(e, ERR_CONFLICT, "%s: changed while it was read; try again when nobody writes"
	    " to it", what);
}

int
steady_check(int fd, const char *what, const struct stat *before, struct err *e)
{
	struct stat after;

	if (!S_ISREG(before->st_mode) && !S_ISDIR(before->st_mode))
		return 0;
	if (fstat(fd, &after) != 0)
		return err_sys(e, "%s: cannot look at it", what);
	if (after.st_size == before->st_size &&
	    steady_same_time(&after.st_mtim, &before->st_mtim) &&
	    steady_same_time(&after.st_ctim, &before->st_ctim))
		return 0;
	return steady_changed(what, e);
}
