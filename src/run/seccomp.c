#include "run/seccomp.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

/* What Python, compilers, shells and threaded numeric libraries need.  Left out
 * on purpose: everything that mounts, enters or makes namespaces, traces or
 * reads other processes, loads code into the kernel, keeps keys, changes clocks,
 * and io_uring, userfaultfd and perf, which have been ways out before. */
static const char *const seccomp_plain[] = {
	"_llseek", "accept", "accept4", "access", "alarm", "arch_prctl", "bind", "brk", "cachestat",
	"capget", "capset", "chdir", "chmod", "chown", "clock_getres", "clock_gettime",
	"clock_nanosleep", "close", "close_range", "connect", "copy_file_range", "creat", "dup",
	"dup2", "dup3", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_pwait",
	"epoll_pwait2", "epoll_wait", "epoll_wait_old", "eventfd", "eventfd2", "execve", "execveat",
	"exit", "exit_group", "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod",
	"fchmodat", "fchmodat2", "fchown", "fchownat", "fcntl", "fdatasync", "fgetxattr",
	"flistxattr", "flock", "fork", "fremovexattr", "fsetxattr", "fstat", "fstatfs", "fsync",
	"ftruncate", "futex", "futex_requeue", "futex_wait", "futex_waitv", "futex_wake",
	"futimesat", "get_mempolicy", "get_robust_list", "get_thread_area", "getcpu", "getcwd",
	"getdents", "getdents64", "getegid", "geteuid", "getgid", "getgroups", "getitimer",
	"getpeername", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrandom",
	"getresgid", "getresuid", "getrlimit", "getrusage", "getsid", "getsockname", "getsockopt",
	"gettid", "gettimeofday", "getuid", "getxattr", "inotify_add_watch", "inotify_init",
	"inotify_init1", "inotify_rm_watch", "io_cancel", "io_destroy", "io_getevents",
	"io_pgetevents", "io_setup", "io_submit", "ioctl", "ioprio_get", "ioprio_set", "kill",
	"landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "lchown",
	"lgetxattr", "link", "linkat", "listen", "listxattr", "llistxattr", "lremovexattr", "lseek",
	"lsetxattr", "lstat", "madvise", "map_shadow_stack", "mbind", "membarrier", "memfd_create",
	"mincore", "mkdir", "mkdirat", "mknod", "mknodat", "mlock", "mlock2", "mlockall", "mmap",
	"mprotect", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedsend",
	"mq_unlink", "mremap", "mseal", "msgctl", "msgget", "msgrcv", "msgsnd", "msync", "munlock",
	"munlockall", "munmap", "nanosleep", "newfstatat", "open", "openat", "openat2", "pause",
	"pidfd_open", "pidfd_send_signal", "pipe", "pipe2", "pkey_alloc", "pkey_free",
	"pkey_mprotect", "poll", "ppoll", "prctl", "pread64", "preadv", "preadv2", "prlimit64",
	"pselect6", "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readlink", "readlinkat",
	"readv", "recvfrom", "recvmmsg", "recvmsg", "remap_file_pages", "removexattr", "rename",
	"renameat", "renameat2", "restart_syscall", "riscv_flush_icache", "rmdir", "rseq",
	"rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn",
	"rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo", "sched_get_priority_max",
	"sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam",
	"sched_getscheduler", "sched_rr_get_interval", "sched_setaffinity", "sched_setattr",
	"sched_setparam", "sched_setscheduler", "sched_yield", "select", "semctl", "semget", "semop",
	"semtimedop", "sendfile", "sendmmsg", "sendmsg", "sendto", "set_mempolicy",
	"set_mempolicy_home_node", "set_robust_list", "set_thread_area", "set_tid_address", "setfsgid",
	"setfsuid", "setgid", "setgroups", "setitimer", "setpgid", "setpriority", "setregid",
	"setresgid", "setresuid", "setreuid", "setrlimit", "setsid", "setsockopt", "setuid",
	"setxattr", "shmat", "shmctl", "shmdt", "shmget", "shutdown", "sigaltstack", "signalfd",
	"signalfd4", "splice", "stat", "statfs", "statx", "symlink", "symlinkat", "sync",
	"sync_file_range", "syncfs", "sysinfo", "tee", "tgkill", "time", "timer_create",
	"timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime", "timerfd_create",
	"timerfd_gettime", "timerfd_settime", "times", "tkill", "truncate", "umask", "uname",
	"unlink", "unlinkat", "utime", "utimensat", "utimes", "vfork", "vmsplice", "wait4", "waitid",
	"waitpid", "write", "writev",
};

/* Allowed when (argument & mask) == value; a name may have several rows. */
struct seccomp_condition {
	const char *name;
	int index;
	uint64_t mask;
	uint64_t value;
};

#define SECCOMP_ALL UINT64_C(0xffffffff)
#define SECCOMP_NEW_NAMESPACES ((uint64_t)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | \
	CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET))

static const struct seccomp_condition seccomp_conditions[] = {
	/* clone3 hides its flags from the filter, so it answers ENOSYS and libraries use this */
	{"clone", 0, SECCOMP_NEW_NAMESPACES, 0},
	/* families that the network namespace confines; vsock for one would reach the host */
	{"socket", 0, SECCOMP_ALL, AF_UNIX},
	{"socket", 0, SECCOMP_ALL, AF_INET},
	{"socket", 0, SECCOMP_ALL, AF_INET6},
	{"socket", 0, SECCOMP_ALL, AF_NETLINK},
	{"socketpair", 0, SECCOMP_ALL, AF_UNIX},
	{"personality", 0, SECCOMP_ALL, 0},
	{"personality", 0, SECCOMP_ALL, 0xffffffff},
};

#define SECCOMP_COUNT(a) (sizeof(a) / sizeof *(a))

static struct jcs *
seccomp_rule(const struct seccomp_condition *c)
{
	struct jcs *rule = jcs_new_object();
	struct jcs *names = jcs_new_array();
	struct jcs *args = jcs_new_array();
	struct jcs *arg = jcs_new_object();

	jcs_append(names, jcs_new_string(c->name));
	jcs_set_int(arg, "index", c->index);
	jcs_set_string(arg, "op", "SCMP_CMP_MASKED_EQ");
	jcs_set_int(arg, "value", (int64_t)c->mask);
	jcs_set_int(arg, "valueTwo", (int64_t)c->value);
	jcs_append(args, arg);
	jcs_set_string(rule, "action", "SCMP_ACT_ALLOW");
	jcs_set(rule, "names", names);
	jcs_set(rule, "args", args);
	return rule;
}

struct jcs *
seccomp_profile(void)
{
	struct jcs *profile = jcs_new_object();
	struct jcs *calls = jcs_new_array();
	struct jcs *plain = jcs_new_object();
	struct jcs *names = jcs_new_array();

	for (size_t i = 0; i < SECCOMP_COUNT(seccomp_plain); i++)
		jcs_append(names, jcs_new_string(seccomp_plain[i]));
	jcs_set_string(plain, "action", "SCMP_ACT_ALLOW");
	jcs_set(plain, "names", names);
	jcs_append(calls, plain);
	for (size_t i = 0; i < SECCOMP_COUNT(seccomp_conditions); i++)
		jcs_append(calls, seccomp_rule(&seccomp_conditions[i]));
	/* no "architectures": the native one only; calls of any other end the process */
	jcs_set_string(profile, "defaultAction", "SCMP_ACT_ERRNO");
	jcs_set_int(profile, "defaultErrnoRet", ENOSYS);
	jcs_set(profile, "syscalls", calls);
	return profile;
}

bool
seccomp_allows(const char *name)
{
	for (size_t i = 0; i < SECCOMP_COUNT(seccomp_plain); i++)
		if (strcmp(seccomp_plain[i], name) == 0)
			return true;
	for (size_t i = 0; i < SECCOMP_COUNT(seccomp_conditions); i++)
		if (strcmp(seccomp_conditions[i].name, name) == 0)
			return true;
	return false;
}
