#include "run/oci-config.h"

#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "run/seccomp.h"
#include "unit.h"

static void
oci_config_golden(const struct oci_config *c, const char *name)
{
	CLEANUP(buf_free) struct buf got = BUF_INIT;
	CLEANUP(buf_free) struct buf want = BUF_INIT;
	struct err e;

	UNIT_OK(oci_config_encode(c, &got, &e), &e);
	buf_addc(&got, '\n');
	if (getenv("AICERT_UNIT_WRITE_GOLDEN") != NULL)
		UNIT_OK(fd_write_all(STDOUT_FILENO, got.data, got.len, name, &e), &e);
	UNIT_OK(fd_read_file(AT_FDCWD, name, 1024 * 1024, &want, &e), &e);
	ck_assert_msg(strcmp(buf_str(&got), buf_str(&want)) == 0, "%s: other bytes now", name);
}

static char *oci_config_words[] = {"python3", "train.py", "--name=\xc3\xa9"};
static struct run_spec_env oci_config_env_items[] = {{"SEED", "1"}, {"TZ", "Europe/Berlin"}};
static char oci_config_code[] = "train.py", oci_config_data[] = "data/words";
static struct resource_input oci_config_inputs_items[] = {
	{.thing = {.path = oci_config_code}}, {.thing = {.path = oci_config_data, .type = OBJECT_TREE}},
};
static struct rootfs_bind oci_config_binds[] = {{"/usr", true}, {"/etc/ld.so.cache", false}};

static const struct run_spec oci_config_spec = {
	.command = oci_config_words, .command_count = 3,
	.env = oci_config_env_items, .env_count = 2,
	.inputs = oci_config_inputs_items, .input_count = 2,
	.limits = {.shm_bytes = 4096},
};

START_TEST(test_oci_config_root)
{
	const struct rootfs fs = {oci_config_binds, 2};
	const struct oci_config c = {
		.spec = &oci_config_spec, .rootfs = &fs, .user_namespace = true,
		.file_bytes_max = UINT64_C(9) << 40,
		.host_uid = 65534, .host_gid = 65534, .root_mapped = true,
	};

	oci_config_golden(&c, TEST_DATA "/run/oci-config-root.json");
}
END_TEST

START_TEST(test_oci_config_rootless)
{
	const struct rootfs fs = ROOTFS_INIT;
	const struct oci_config c = {.spec = &oci_config_spec, .rootfs = &fs, .user_namespace = true};

	oci_config_golden(&c, TEST_DATA "/run/oci-config-rootless.json");
}
END_TEST

/* Ways out that a filter must never learn to allow. */
START_TEST(test_seccomp_refuses)
{
	static const char *const never[] = {
		"acct", "add_key", "bpf", "chroot", "clock_adjtime", "clock_settime", "clone3",
		"create_module", "delete_module", "fanotify_init", "finit_module", "fsconfig", "fsmount",
		"fsopen", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm",
		"iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie",
		"mount", "mount_setattr", "move_mount", "move_pages", "name_to_handle_at",
		"open_by_handle_at", "open_tree", "perf_event_open", "pidfd_getfd", "pivot_root",
		"process_madvise", "process_vm_readv", "process_vm_writev", "ptrace", "quotactl", "reboot",
		"request_key", "sethostname", "setns", "settimeofday", "swapon", "syslog", "umount",
		"umount2", "unshare", "userfaultfd", "vhangup",
	};

	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		ck_assert_msg(!seccomp_allows(never[i]), "%s", never[i]);
	ck_assert(seccomp_allows("execve") && seccomp_allows("clone") && seccomp_allows("socket"));
}
END_TEST

UNIT_SUITE(run_oci_config)
{
	tcase_add_test(tc, test_oci_config_root);
	tcase_add_test(tc, test_oci_config_rootless);
	tcase_add_test(tc, test_seccomp_refuses);
}
