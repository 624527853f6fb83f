/*
 * Progress of long work on a terminal: percentage, rate, time left; nothing
 * at all when stderr is not a terminal or the work ends within half a second.
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	FILE *out;          /* NULL: silent */
	const char *label;  /* borrowed */
	uint64_t total;     /* 0: unknown */
	uint64_t done;
	int64_t started_ms;
	int64_t drawn_ms;
	bool drawn;
};

/* out is silent unless it is a terminal. */
void progress_start(struct progress *p, FILE *out, const char *label, uint64_t total);
void progress_add(struct progress *p, uint64_t n);
/* Of work that has no bytes: for how long, and what is said of it (printable). */
void progress_note(struct progress *p, const char *text);
/* Erases the line. */
void progress_end(struct progress *p);
/* "1.5 GiB", "312 bytes" into ret. */
void progress_size(char *ret, size_t cap, uint64_t bytes);

#endif
