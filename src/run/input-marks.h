/*
 * Whether the inputs that a run saw are still those that were measured.  They
 * are read-only for the run; this is the second fence.
 */
#ifndef RUN_INPUT_MARKS_H
#define RUN_INPUT_MARKS_H

#include "object/run-spec.h"

struct input_marks {
	unsigned char (*marks)[32];     /* of every input: a digest of what stat(2) says of its files */
	size_t count;
};

#define INPUT_MARKS_INIT {0}

/* Of inputs/<i> beneath run_dirfd, before the run. */
int input_marks_take(const struct run_spec *spec, int run_dirfd, struct input_marks *ret,
    struct err *e) MUST_CHECK;
/* After its last process: an input whose files have other numbers, sizes or times now
 * is hashed again; ERR_REFUSED names one that has other bytes. */
int input_marks_check(const struct input_marks *m, const struct run_spec *spec, int run_dirfd,
    struct err *e) MUST_CHECK;
void input_marks_free(struct input_marks *m);

#endif
