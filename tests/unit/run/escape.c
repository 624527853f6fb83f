/*
 * A program in the sandbox that tries to get out, one named attempt after the
 * other; it says of each whether it "held" or "escaped".  Every name is
 * asserted, so that an attempt which was not made does not pass for one that held.
 */
#include "box.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "base/fd.h"

/* Also run outside, where these must succeed: or they would prove nothing. */
static const char escape_reach[] =
"import ctypes, glob, os, resource, signal, socket, stat, sys\n"
"libc = ctypes.CDLL(None, use_errno=True)\n"
"def attempt(name, fn):\n"
"    try:\n"
"        got = fn()\n"
"    except (OSError, ValueError) as e:\n"
"        got = None\n"
"    print(name, 'escaped ' + repr(got) if got else 'held', flush=True)\n"
"def call(*args):\n"
"    r = libc.syscall(*args)\n"
"    if r == 0 and args[0] in (56, 57):\n"
"        os._exit(0)\n"
"    return r != -1\n"
"def connect(family, address):\n"
"    s = socket.socket(family, socket.SOCK_STREAM)\n"
"    s.settimeout(2)\n"
"    s.connect(address)\n"
"    return True\n"
"def write(path):\n"
"    with open(path, 'w') as f:\n"
"        f.write('x')\n"
"    return path\n"
"def gone(fn, path):\n"
"    fn(path)\n"
"    return path\n"
"status = dict(l.rstrip('\\n').split(':', 1) for l in open('/proc/self/status'))\n"
"attempt('listener', lambda: connect(socket.AF_INET, ('127.0.0.1', PORT)))\n"
"attempt('abstract-socket', lambda: connect(socket.AF_UNIX, '\\0' + ABSTRACT))\n"
"attempt('daemon-socket', lambda: connect(socket.AF_UNIX, HOST + '/socket'))\n"
"attempt('host-file', lambda: open(HOST + '/secret').read())\n"
"attempt('store', lambda: os.listdir(BOX))\n"
"attempt('interfaces', lambda: [n for i, n in socket.if_nameindex() if n != 'lo'])\n"
"attempt('environment', lambda: sorted(set(os.environ) - {'PATH', 'HOME', 'LANG', 'TZ', 'LC_CTYPE'}))\n"
"attempt('kill-host', lambda: os.kill(HOSTPID, 0) or True)\n"
"attempt('user', lambda: os.getuid() != 65534 or os.getgid() != 65534 or os.getgroups() not in ([], [65534]))\n"
"attempt('hostname', lambda: os.uname().nodename != 'aicert')\n"
"attempt('processes', lambda: [p for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()])\n";

/* Never run outside. */
static const char escape_force[] =
"attempt('internet', lambda: connect(socket.AF_INET, ('192.0.2.1', 443)))\n"
"attempt('vsock', lambda: socket.socket(40, socket.SOCK_STREAM))\n"
"attempt('packet-socket', lambda: socket.socket(17, socket.SOCK_RAW))\n"
"attempt('host-file-by-proc', lambda: [p for p in glob.glob('/proc/*/root' + HOST + '/secret')])\n"
"attempt('host-file-by-cwd', lambda: [p for p in glob.glob('/proc/*/cwd/../secret')])\n"
"attempt('host-root', lambda: os.listdir('/root') or os.listdir('/home') or os.listdir('/var'))\n"
"attempt('run-directory', lambda: os.listdir('/run/aicert'))\n"
"attempt('environment-of-others', lambda: [p for p in glob.glob('/proc/[0-9]*/environ') if b'SECRET' in open(p, 'rb').read()])\n"
"attempt('tpm', lambda: glob.glob('/dev/tpm*') + glob.glob('/dev/vtpm*'))\n"
"attempt('devices', lambda: sorted(set(os.listdir('/dev')) - {'core', 'fd', 'full', 'null', 'ptmx', 'pts', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'tty', 'urandom', 'zero'}))\n"
"attempt('mknod', lambda: os.mknod('/tmp/tpm', stat.S_IFCHR | 0o666, os.makedev(10, 224)) or True)\n"
"attempt('input-write', lambda: write('/workspace/in.txt'))\n"
"attempt('input-chmod', lambda: os.chmod('/workspace/in.txt', 0o666) or True)\n"
"attempt('input-unlink', lambda: gone(os.unlink, '/workspace/in.txt'))\n"
"attempt('input-replace', lambda: os.rename('/etc/hostname', '/workspace/in.txt') or True)\n"
"attempt('root-write', lambda: write('/x'))\n"
"attempt('usr-write', lambda: write('/usr/x'))\n"
"attempt('etc-write', lambda: write('/etc/passwd'))\n"
"attempt('proc-sys', lambda: write('/proc/sys/kernel/hostname'))\n"
"attempt('proc-core-pattern', lambda: write('/proc/sys/kernel/core_pattern'))\n"
"attempt('sysrq', lambda: write('/proc/sysrq-trigger'))\n"
"attempt('kcore', lambda: open('/proc/kcore', 'rb').read(16))\n"
"attempt('proc-keys', lambda: open('/proc/keys').read())\n"
"attempt('sysfs', lambda: os.listdir('/sys'))\n"
"attempt('descriptors', lambda: [f for f in os.listdir('/proc/self/fd') if int(f) > 2 and os.path.exists('/proc/self/fd/' + f)])\n"
"attempt('stdin', lambda: os.read(0, 1))\n"
/* crun makes them the command's own: a device would be so on the host too */
"attempt('stream-devices', lambda: [f for f in (0, 1, 2) if not stat.S_ISFIFO(os.fstat(f).st_mode)])\n"
"attempt('terminal', lambda: os.open('/dev/tty', os.O_RDWR) + 1)\n"
"attempt('capabilities', lambda: any(int(status[c], 16) for c in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb')))\n"
"attempt('no-new-privs', lambda: int(status['NoNewPrivs']) != 1)\n"
"attempt('seccomp', lambda: int(status['Seccomp']) != 2)\n"
"attempt('core-files', lambda: resource.getrlimit(resource.RLIMIT_CORE) != (0, 0))\n"
"attempt('setuid', lambda: os.setuid(0) or True)\n"
"attempt('setgid', lambda: os.setgid(0) or True)\n"
"attempt('setgroups', lambda: os.setgroups([0]) or True)\n"
"attempt('chroot', lambda: os.chroot('/workspace') or True)\n"
"attempt('mount', lambda: libc.mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0)\n"
"attempt('remount', lambda: libc.mount(b'', b'/workspace/in.txt', None, 32 | 4096, None) == 0)\n"
"attempt('umount', lambda: libc.umount2(b'/workspace/in.txt', 2) == 0)\n"
"attempt('unshare', lambda: libc.unshare(0x10000000) == 0)\n"
"attempt('clone-user-namespace', lambda: call(56, 0x10000000 | 17, 0, 0, 0, 0))\n"
"attempt('setns', lambda: libc.setns(os.open('/proc/self/ns/net', os.O_RDONLY), 0) == 0)\n"
"attempt('ptrace', lambda: call(101, 0, 0, 0, 0))\n"
"attempt('process-vm-readv', lambda: call(310, os.getpid(), 0, 0, 0, 0, 0))\n"
"attempt('keyctl', lambda: call(250, 0, -3, 0, 0, 0))\n"
"attempt('add-key', lambda: call(248, b'user', b'a', b'b', 1, -3))\n"
"attempt('bpf', lambda: call(321, 0, 0, 0))\n"
"attempt('perf', lambda: call(298, 0, 0, -1, -1, 0))\n"
"attempt('io-uring', lambda: call(425, 1, ctypes.create_string_buffer(120)))\n"
"attempt('userfaultfd', lambda: call(323, 1))\n"
"attempt('open-by-handle', lambda: call(304, -100, ctypes.create_string_buffer(64), 0))\n"
"attempt('module', lambda: call(175, 0, 0, 0))\n"
"attempt('kexec', lambda: call(246, 0, 0, 0, 0))\n"
"attempt('reboot', lambda: call(169, 0xfee1dead, 672274793, 0))\n"
"attempt('personality', lambda: call(135, 0x40000))\n"
"attempt('swap', lambda: call(167, b'/tmp/x', 0))\n"
"attempt('clock', lambda: call(227, 0, ctypes.create_string_buffer(16)))\n"
"";

#define ESCAPE_REACH 11 /* of the names below, those of escape_reach */
static const char *const escape_names[] = {
	"listener", "abstract-socket", "daemon-socket", "host-file", "store", "interfaces",
	"environment", "kill-host", "user", "hostname", "processes", "internet", "vsock",
	"packet-socket", "host-file-by-proc", "host-file-by-cwd", "host-root", "run-directory",
	"environment-of-others", "tpm", "devices", "mknod",
	"input-write", "input-chmod", "input-unlink", "input-replace", "root-write", "usr-write",
	"etc-write", "proc-sys", "proc-core-pattern", "sysrq", "kcore", "proc-keys", "sysfs",
	"descriptors", "stdin", "stream-devices", "terminal", "capabilities", "no-new-privs", "seccomp", "core-files",
	"setuid", "setgid", "setgroups", "chroot",
	"mount", "remount", "umount", "unshare", "clone-user-namespace", "setns", "ptrace",
	"process-vm-readv", "keyctl", "add-key", "bpf", "perf", "io-uring", "userfaultfd",
	"open-by-handle", "module", "kexec", "reboot", "personality", "swap", "clock",
};

/* What the host has that must not be reached. */
struct escape_host {
	char dir[300];
	char abstract[64];
	int tcp, unix_abstract, unix_path;
	unsigned port;
};

static int
escape_unix(const char *path, bool abstract)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_uint_lt(n + 1, sizeof a.sun_path);
	memcpy(a.sun_path + (abstract ? 1 : 0), path, n);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1)), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	return fd;
}

static void
escape_host_open(struct escape_host *h)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	char path[320];
	struct err e;
	int fd;

	snprintf(h->dir, sizeof h->dir, "%s/host-XXXXXX", unit_dir());
	ck_assert_ptr_nonnull(mkdtemp(h->dir));
	ck_assert_int_eq(chmod(h->dir, 0755), 0);
	snprintf(path, sizeof path, "%s/secret", h->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	UNIT_OK(fd_write_all(fd, "secret", 6, path, &e), &e);
	close(fd);
	snprintf(path, sizeof path, "%s/socket", h->dir);
	h->unix_path = escape_unix(path, false);
	ck_assert_int_eq(chmod(path, 0777), 0);
	snprintf(h->abstract, sizeof h->abstract, "aicert-unit-%d", (int)getpid());
	h->unix_abstract = escape_unix(h->abstract, true);
	h->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(h->tcp, (const struct sockaddr *)&a, sizeof a), 0);
	ck_assert_int_eq(listen(h->tcp, 4), 0);
	ck_assert_int_eq(getsockname(h->tcp, (struct sockaddr *)&a, &len), 0);
	h->port = ntohs(a.sin_port);
}

/* Each of the first count names has that answer. */
static void
escape_check(const char *out, size_t count, const char *answer)
{
	for (size_t i = 0; i < count; i++) {
		char line[128];

		snprintf(line, sizeof line, "%s%s %s", i > 0 ? "\n" : "", escape_names[i], answer);
		ck_assert_msg(strstr(out, line) != NULL, "%s: not %s:\n%s", escape_names[i], answer, out);
	}
}

static void
escape_outside(const char *program)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct err e;
	FILE *f;

	buf_adds(&out, "/usr/bin/python3 - <<'END'\n");
	buf_adds(&out, program);
	buf_adds(&out, "END\n");
	f = popen(buf_str(&out), "re");
	ck_assert_ptr_nonnull(f);
	buf_reset(&out);
	UNIT_OK(fd_read_all(fileno(f), 65536, &out, "python3", &e), &e);
	ck_assert_int_eq(pclose(f), 0);
	escape_check(buf_str(&out), ESCAPE_REACH, "escaped");
}

static void
escape_try(void)
{
	struct escape_host h;
	struct box b;
	CLEANUP(buf_free) struct buf program = BUF_INIT;

	ck_assert_int_eq(setenv("AICERT_UNIT_SECRET", "SECRET", 1), 0);
	escape_host_open(&h);
	box_open(&b);
	box_input(&b, "in.txt", "input");
	buf_addf(&program, "PORT, HOST, BOX, HOSTPID, ABSTRACT = %u, '%s', '%s', %d, '%s'\n%s", h.port,
	    h.dir, b.path, (int)getpid(), h.abstract, escape_reach);
	escape_outside(buf_str(&program));
	buf_adds(&program, escape_force);
	box_python(&b, buf_str(&program));
	ck_assert_msg(b.end.has_exit_code && b.end.exit_code == 0, "%s%s", buf_str(&b.output),
	    b.end.message);
	escape_check(buf_str(&b.output), sizeof escape_names / sizeof *escape_names, "held\n");
	box_close(&b);
	close(h.tcp);
	close(h.unix_path);
	close(h.unix_abstract);
}

START_TEST(test_escape)
{
	escape_try();
}
END_TEST

START_TEST(test_escape_rootless)
{
	box_as_user(escape_try);
}
END_TEST

UNIT_SUITE(run_escape)
{
	tcase_add_test(tc, test_escape);
	tcase_add_test(tc, test_escape_rootless);
}
