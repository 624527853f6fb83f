/* A machine's disks, made by mtools and by copying. */
#include "provider/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/atomic-file.h"
#include "base/fd.h"
#include "base/hex.h"
#include "codec/jcs.h"
#include "crypto/hash.h"
#include "provider/process.h"

#define QEMU_SECTOR 512
#define QEMU_DOCUMENT_MAX (64u * 1024)
#define QEMU_IDLE_S 900
#define QEMU_ESP_MIN (64ll * 1024 * 1024)   /* less is no FAT32 */
#define QEMU_ESP_MAX (2ll * 1024 * 1024 * 1024)
#define QEMU_VARS_MAX (16u * 1024 * 1024)
#define QEMU_DISKS_LOG "disks.log"

int
qemu_disks_document(const char *token, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	struct jcs *tokens = jcs_new_array();
	unsigned char digest[HASH_SHA256_SIZE];
	char hex[2 * sizeof digest + 1], line[128];

	if (hash_once(HASH_SHA256, token, strlen(token), digest, e) != 0)
		return -1;
	hex_encode(hex, digest, sizeof digest);
	snprintf(line, sizeof line, "client sha256:%s run", hex);
	jcs_append(tokens, jcs_new_string(line));
	jcs_set(v, "clientCa", jcs_new_null());
	jcs_set_int(v, "idleSeconds", QEMU_IDLE_S);
	jcs_set_string(v, "mediaType", "application/vnd.aicert.runtime-config.v1+json");
	jcs_set(v, "tokens", tokens);
	return jcs_encode(v, ret, e);
}

/* The document, then zeros to the end of a sector. */
static int
qemu_disks_config(const struct qemu_disks *d, int dir, struct err *e)
{
	CLEANUP(buf_free) struct buf text = {.max = QEMU_DOCUMENT_MAX};

	if (qemu_disks_document(d->token, &text, e) != 0)
		return -1;
	while (text.len % QEMU_SECTOR != 0 && !text.failed)
		buf_addc(&text, 0);
	return buf_check(&text, e) != 0 ? -1 :
	    atomic_file_write(dir, QEMU_CONFIG, text.data, text.len, 0600, e);
}

static int
qemu_disks_vars(const struct qemu_disks *d, int dir, struct err *e)
{
	CLEANUP(buf_free) struct buf vars = BUF_INIT;

	if (fd_read_file(AT_FDCWD, d->vars, QEMU_VARS_MAX, &vars, e) != 0)
		return -1;
	return atomic_file_write(dir, QEMU_VARS, vars.data, vars.len, 0600, e);
}

/* A sparse file with room for the image and the file system. */
static int
qemu_disks_esp_size(const struct qemu_disks *d, int dir, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct stat st;
	off_t size;

	if (stat(d->image, &st) != 0)
		return err_sys(e, "%s", d->image);
	if (!S_ISREG(st.st_mode) || st.st_size > QEMU_ESP_MAX / 2)
		return err_set(e, ERR_USAGE, "%s: no image (a file of at most 1 GiB)", d->image);
	size = st.st_size + st.st_size / 16 + 8 * 1024 * 1024;
	size = size < QEMU_ESP_MIN ? QEMU_ESP_MIN : size / (1024 * 1024) * (1024 * 1024);
	fd = openat(dir, QEMU_ESP, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd >= 0 && ftruncate(fd, size) == 0 ? 0 : err_sys(e, "%s/" QEMU_ESP, d->dir);
}

static int
qemu_disks_mtool(const struct qemu_disks *d, char *const *argv, struct err *e)
{
	CLEANUP(cleanup_free) char *program = NULL;
	struct process_options o = {
		.argv = argv, .tag = d->tag, .dir = d->dir, .log = QEMU_DISKS_LOG, .fd = -1,
	};

	if (process_find(argv[0], "mtools", &program, e) != 0)
		return -1;
	o.program = program;
	return process_run(&o, e);
}

static int
qemu_disks_esp(const struct qemu_disks *d, int dir, struct err *e)
{
	char esp[] = QEMU_ESP, image_option[] = "-i", fat32[] = "-F", label[] = "-v", name[] = "AICERT",
	    root[] = "::", efi[] = "::/EFI", boot[] = "::/EFI/BOOT", target[] = "::/EFI/BOOT/BOOTX64.EFI",
	    mformat[] = "mformat", mmd[] = "mmd", mcopy[] = "mcopy";
	CLEANUP(cleanup_free) char *image = buf_strdup(d->image, e);
	char *const format[] = {mformat, image_option, esp, fat32, label, name, root, NULL};
	char *const directories[] = {mmd, image_option, esp, efi, boot, NULL};
	char *const copy[] = {mcopy, image_option, esp, image, target, NULL};

	if (image == NULL || qemu_disks_esp_size(d, dir, e) != 0 ||
	    qemu_disks_mtool(d, format, e) != 0 || qemu_disks_mtool(d, directories, e) != 0)
		return -1;
	return qemu_disks_mtool(d, copy, e);
}

int
qemu_disks_make(const struct qemu_disks *d, struct err *e)
{
	CLEANUP(cleanup_close) int dir = open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_sys(e, "%s", d->dir);
	if (qemu_disks_config(d, dir, e) != 0 || qemu_disks_vars(d, dir, e) != 0)
		return -1;
	return qemu_disks_esp(d, dir, e);
}
