/* A sandbox for tests: a run's directory with scratch and inputs, and what a
 * command in it printed. */
#ifndef UNIT_RUN_BOX_H
#define UNIT_RUN_BOX_H

#include "run/sandbox.h"
#include "unit.h"

#define BOX_ARGS_MAX 16
#define BOX_USER 54321     /* a user id that nobody has */

struct box {
	char path[256];
	int dirfd;
	struct run_spec spec;
	struct resource_input inputs[4];
	char *args[BOX_ARGS_MAX];
	struct event_sandbox enforce;
	struct cgroup cgroup;
	struct rootfs rootfs;
	struct buf output;
	struct sandbox_end end;
	int cancel_fd;
	int started_fd;         /* gets a byte when the command runs; -1: none */
	int ready_fd;           /* gets a byte at the first output; -1: none */
};

/* A fresh one; host image, no limits. */
void box_open(struct box *b);
/* Adds the file inputs/<n> with that text, to appear at path. */
void box_input(struct box *b, const char *path, const char *text);
/* Runs the words up to NULL. */
void box_run(struct box *b, ...) __attribute__((sentinel));
/* Runs the text with python3. */
void box_python(struct box *b, const char *program);
void box_close(struct box *b);

/* Runs fn in a child under a plain user id where we are root; else right here. */
void box_as_user(void (*fn)(void));
/* A pidfd of the one process whose command line has this word; -1: there is none. */
int box_find_process(const char *word);

#endif
