#include "serve/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define CONFINE_ARCH AUDIT_ARCH_X86_64
#define CONFINE_FOREIGN 0x40000000u     /* x32: the same calls by other numbers */
#elif defined(__aarch64__)
#define CONFINE_ARCH AUDIT_ARCH_AARCH64
#define CONFINE_FOREIGN 0xffffffffu
#endif

#ifdef CONFINE_ARCH

static const int confine_always[] = {
	SYS_acct, SYS_add_key, SYS_adjtimex, SYS_clock_adjtime, SYS_clock_settime, SYS_delete_module,
	SYS_fanotify_init, SYS_finit_module, SYS_init_module, SYS_io_uring_enter, SYS_io_uring_register,
	SYS_io_uring_setup, SYS_kexec_file_load, SYS_kexec_load, SYS_lookup_dcookie, SYS_nfsservctl,
	SYS_open_by_handle_at, SYS_perf_event_open, SYS_process_vm_readv, SYS_process_vm_writev,
#ifndef __SANITIZE_ADDRESS__ /* which looks for leaks through it */
	SYS_ptrace,
#endif
	SYS_quotactl, SYS_reboot, SYS_request_key, SYS_settimeofday, SYS_swapoff, SYS_swapon,
	SYS_syslog, SYS_userfaultfd, SYS_vhangup,
#ifdef SYS_iopl
	SYS_iopl, SYS_ioperm,
#endif
};

static const int confine_hub[] = {
	SYS_bpf, SYS_chroot, SYS_execve, SYS_execveat, SYS_fsmount, SYS_fsopen, SYS_keyctl, SYS_mount,
	SYS_move_mount, SYS_open_tree, SYS_pivot_root, SYS_setns, SYS_sethostname, SYS_umount2,
	SYS_unshare,
#ifdef SYS_fork
	SYS_fork, SYS_vfork,
#endif
};

#define CONFINE_COUNT(a) (sizeof(a) / sizeof *(a))
#define CONFINE_MAX (2 * (CONFINE_COUNT(confine_always) + CONFINE_COUNT(confine_hub)) + 8)

struct confine {
	struct sock_filter code[CONFINE_MAX];
	unsigned short len;
};

static void
confine_add(struct confine *c, struct sock_filter op)
{
	c->code[c->len++] = op;
}

static void
confine_refuse(struct confine *c, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		confine_add(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i],
		    0, 1));
		confine_add(c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
	}
}

int
confine_self(bool hub, struct err *e)
{
	struct confine c = {.len = 0};
	struct sock_fprog program;

	confine_add(&c, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, arch)));
	confine_add(&c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CONFINE_ARCH, 1, 0));
	confine_add(&c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
	confine_add(&c, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, nr)));
	confine_add(&c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, CONFINE_FOREIGN, 0, 1));
	confine_add(&c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
	confine_refuse(&c, confine_always, CONFINE_COUNT(confine_always));
	if (hub)
		confine_refuse(&c, confine_hub, CONFINE_COUNT(confine_hub));
	confine_add(&c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	program = (struct sock_fprog){.len = c.len, .filter = c.code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return err_sys(e, "cannot give up system calls (seccomp)");
	return 0;
}

#else

int
confine_self(bool hub, struct err *e)
{
	(void)hub;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : err_sys(e, "no_new_privs");
}

#endif
