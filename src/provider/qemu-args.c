#include "provider/qemu.h"

#include <stdarg.h>
#include <string.h>

void
qemu_args_free(struct qemu_args *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->argv[i]);
	*a = (struct qemu_args){0};
}

static void PRINTF(2, 3)
qemu_arg(struct qemu_args *a, const char *fmt, ...)
{
	char line[8192];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (a->failed || n < 0 || (size_t)n >= sizeof line || a->count + 1 >= QEMU_ARGS_MAX) {
		a->failed = true;
		return;
	}
	a->argv[a->count] = strdup(line);
	if (a->argv[a->count] == NULL)
		a->failed = true;
	else
		a->count++;
}

/* In an option of QEMU a comma is written twice. */
static char *
qemu_quote(const char *text, struct err *e)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	for (; *text != '\0'; text++) {
		buf_addc(&b, *text);
		if (*text == ',')
			buf_addc(&b, ',');
	}
	return buf_steal(&b, e);
}

static int
qemu_args_done(struct qemu_args *a, struct qemu_args *ret, struct err *e)
{
	if (a->failed) {
		qemu_args_free(a);
		return err_set(e, ERR_LIMIT, "qemu: the command line is too long");
	}
	*ret = *a;
	return 0;
}

int
qemu_args_tpm(const struct qemu_shape *s, struct qemu_args *ret, struct err *e)
{
	struct qemu_args a = {.count = 0};

	(void)s;
	qemu_arg(&a, "swtpm");
	qemu_arg(&a, "socket");
	qemu_arg(&a, "--tpm2");
	qemu_arg(&a, "--terminate");
	qemu_arg(&a, "--tpmstate");
	qemu_arg(&a, "dir=" QEMU_TPM_STATE ",mode=0600"); /* it works in the machine's directory */
	qemu_arg(&a, "--ctrl");
	qemu_arg(&a, "type=unixio,clientfd=3");
	return qemu_args_done(&a, ret, e);
}

/* Nothing of the host but what is listed: no default devices, no user's configuration. */
static void
qemu_args_machine_base(struct qemu_args *a, const struct qemu_shape *s)
{
	qemu_arg(a, "qemu-system-x86_64");
	qemu_arg(a, "-name");
	qemu_arg(a, "aicert-%s", s->tag);
	qemu_arg(a, "-nodefaults");
	qemu_arg(a, "-no-user-config");
	qemu_arg(a, "-no-reboot");
	qemu_arg(a, "-sandbox");
	qemu_arg(a, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
	qemu_arg(a, "-display");
	qemu_arg(a, "none");
	qemu_arg(a, "-machine");
	qemu_arg(a, "q35%s", s->secure_boot ? ",smm=on" : "");
	qemu_arg(a, "-accel");
	qemu_arg(a, s->kvm ? "kvm" : "tcg,thread=multi");
	qemu_arg(a, "-cpu");
	qemu_arg(a, s->kvm ? "host" : "max");
	qemu_arg(a, "-smp");
	qemu_arg(a, "%lld", (long long)s->processors);
	qemu_arg(a, "-m");
	qemu_arg(a, "%lld", (long long)s->memory_mib);
	qemu_arg(a, "-serial");
	qemu_arg(a, "file:" QEMU_CONSOLE);
}

static void
qemu_args_disk(struct qemu_args *a, const char *id, const char *file, const char *serial)
{
	qemu_arg(a, "-drive");
	qemu_arg(a, "if=none,id=%s,format=raw,readonly=on,file=%s", id, file);
	qemu_arg(a, "-device");
	if (serial != NULL)
		qemu_arg(a, "virtio-blk-pci,drive=%s,serial=%s,romfile=", id, serial);
	else
		qemu_arg(a, "virtio-blk-pci,drive=%s,bootindex=0", id);
}

static void
qemu_args_firmware(struct qemu_args *a, const struct qemu_shape *s, const char *firmware)
{
	if (s->secure_boot) {
		qemu_arg(a, "-global");
		qemu_arg(a, "driver=cfi.pflash01,property=secure,value=on");
	}
	qemu_arg(a, "-drive");
	qemu_arg(a, "if=pflash,format=raw,unit=0,readonly=on,file=%s", firmware);
	qemu_arg(a, "-drive");
	qemu_arg(a, "if=pflash,format=raw,unit=1,file=" QEMU_VARS);
}

int
qemu_args_machine(const struct qemu_shape *s, struct qemu_args *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *firmware = qemu_quote(s->firmware, e);
	CLEANUP(cleanup_free) char *root = qemu_quote(s->root, e);
	struct qemu_args a = {.count = 0};

	if (firmware == NULL || root == NULL)
		return -1;
	qemu_args_machine_base(&a, s);
	qemu_args_firmware(&a, s, firmware);
	qemu_arg(&a, "-chardev");
	qemu_arg(&a, "socket,id=tpm,fd=3");
	qemu_arg(&a, "-tpmdev");
	qemu_arg(&a, "emulator,id=tpm0,chardev=tpm");
	qemu_arg(&a, "-device");
	qemu_arg(&a, "tpm-crb,tpmdev=tpm0");
	qemu_args_disk(&a, "esp", QEMU_ESP, NULL);
	qemu_args_disk(&a, "root", root, "aicert-root");
	qemu_args_disk(&a, "config", QEMU_CONFIG, "aicert-config");
	qemu_arg(&a, "-netdev");
	/* the host reaches the daemon, the machine reaches nothing */
	qemu_arg(&a, "user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:%u-:%d", s->port, QEMU_GUEST_PORT);
	qemu_arg(&a, "-device");
	qemu_arg(&a, "virtio-net-pci,netdev=n0,romfile=");
	qemu_arg(&a, "-device");
	qemu_arg(&a, "virtio-rng-pci");
	return qemu_args_done(&a, ret, e);
}
