/* Asking every process of a container to end. */
#ifndef RUN_SANDBOX_STOP_H
#define RUN_SANDBOX_STOP_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Sends SIGTERM to each process of the container beneath supervisor and
 * returns how many of them have a handler for it, and so may still write a
 * checkpoint: with none, waiting is pointless (the first process of a PID
 * namespace ignores what it does not handle).
 */
size_t sandbox_stop_ask(pid_t supervisor);

#endif
