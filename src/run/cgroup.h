/*
 * The control group of a run, under cgroup v1 or v2, made by us beneath the
 * nearest group where we may: crun's own managers refuse mixed hierarchies
 * and would remove the group before it can be asked what was used.
 */
#ifndef RUN_CGROUP_H
#define RUN_CGROUP_H

#include <stdbool.h>
#include "object/run-spec.h"

enum cgroup_kind { CGROUP_MEMORY, CGROUP_CPU, CGROUP_CPUACCT, CGROUP_PIDS, CGROUP_KINDS };

struct cgroup {
	bool unified;                /* v2: one directory, in every place that it has */
	char *dirs[CGROUP_KINDS];    /* absolute; NULL: that controller is not available */
};

#define CGROUP_INIT {0}

struct cgroup_usage {
	bool known;
	uint64_t cpu_micros;
	uint64_t peak_memory_bytes;
	uint64_t oom_kills;          /* processes that the memory limit ended */
};

/* Makes directories named name; controllers that cannot be had are left out,
 * which is no error. Groups that dead processes left behind are removed. */
int cgroup_create(const char *name, struct cgroup *ret, struct err *e) MUST_CHECK;
/* Of the same form as the names given: "aicert-<pid>-<anything>". */
#define CGROUP_PREFIX "aicert-"
bool cgroup_can_limit(const struct cgroup *c);
/* ERR_UNSUPPORTED says which limit cannot be enforced and what to delegate. */
int cgroup_limit(const struct cgroup *c, const struct run_spec_limits *l, struct err *e) MUST_CHECK;
/* Descriptors of cgroup.procs for each distinct directory, -1 in the rest. */
int cgroup_open_procs(const struct cgroup *c, int ret_fds[CGROUP_KINDS], struct err *e) MUST_CHECK;
void cgroup_usage(const struct cgroup *c, struct cgroup_usage *ret);
/* Removes the directories (no process may be left in them) and forgets them. */
void cgroup_remove(struct cgroup *c);

/* Where groups are to be made, from the texts of /proc/self/mountinfo and
 * /proc/self/cgroup: dirs is our own group in each hierarchy. */
int cgroup_locate(const char *mountinfo, const char *own, struct cgroup *ret, struct err *e) MUST_CHECK;
void cgroup_free(struct cgroup *c);   /* forgets; removes nothing */

#endif
