/* A runner by its name: its record, the user's credentials and roots, identified. */
#ifndef CMD_OPEN_RUNNER_H
#define CMD_OPEN_RUNNER_H

#include "provider/provider.h"
#include "runner/registry.h"
#include "runner/runner.h"

struct open_runner {
	struct registry_entry entry;
	struct trust trust;
	struct reference_set references;
	struct buf token;
	struct machine *machine;        /* started for this command, ends with it; NULL: none */
	struct runner *runner;
};

struct open_runner_options {
	struct store *store;            /* the local runner works on it */
	const char *name;
	bool in_use, detach;            /* as in runner_options */
	unsigned wait_s;
};

/* Is there a runner of that name? ERR_USAGE. */
int open_runner_check(const char *name, struct err *e) MUST_CHECK;
/* Without asking it anything yet. ERR_USAGE: no such runner. */
int open_runner_connect(const struct open_runner_options *o, struct open_runner *ret,
    struct err *e) MUST_CHECK;
/* The same for one that is not registered: *entry is taken over (left empty). */
int open_runner_entry(const struct open_runner_options *o, struct registry_entry *entry,
    struct open_runner *ret, struct err *e) MUST_CHECK;
/* runner_identify(), with what to do about a refusal. */
int open_runner_identify(struct open_runner *r, struct err *e) MUST_CHECK;
/* *ret must be zeroed before the first of these; ends the machine. */
void open_runner_close(struct open_runner *r);

#endif
