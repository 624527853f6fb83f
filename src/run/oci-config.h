/*
 * The OCI runtime configuration (runtime-spec 1.0) of a run, for crun.  The
 * supervisor shows the run's directory at OCI_CONFIG_DIR, so that the text
 * depends on nothing but the spec, the root file system, the flags and one limit.
 */
#ifndef RUN_OCI_CONFIG_H
#define RUN_OCI_CONFIG_H

#include "object/run-spec.h"
#include "run/rootfs.h"

#define OCI_CONFIG_DIR "/run/aicert"
#define OCI_CONFIG_UID 65534        /* inside: "nobody" */

struct oci_config {
	const struct run_spec *spec;
	const struct rootfs *rootfs;
	uint64_t file_bytes_max;        /* RLIMIT_FSIZE; 0: none */
	bool user_namespace;
	int64_t host_uid, host_gid;     /* what OCI_CONFIG_UID is in the supervisor's namespace */
	bool root_mapped;               /* root of the namespace is root of the supervisor's */
};

/* Input i of the spec lies at OCI_CONFIG_DIR "/inputs/<i>". */
int oci_config_encode(const struct oci_config *c, struct buf *ret, struct err *e) MUST_CHECK;

#endif
