/*
 * Who holds a lock, as a line in the lock's file: "<pid> <host> <since> <command>",
 * since in RFC 3339, command "aicert commit": the program and what it was asked
 * to do, never its other arguments.
 */
#ifndef BASE_LOCK_HOLDER_H
#define BASE_LOCK_HOLDER_H

#include <stdbool.h>
#include <stddef.h>

#define LOCK_HOLDER_SIZE 256 /* with the NUL */

/* This process, now; without a newline. */
void lock_holder_self(char ret[LOCK_HOLDER_SIZE]);
/* "process 12 on box (aicert commit) since 2026-11-23T19:00:00Z" from such a line;
 * what is no such line is said as it is.  The text may come from others. */
void lock_holder_say(const char *line, char *ret, size_t cap);
/* The line names this machine. */
bool lock_holder_here(const char *line);

#endif
