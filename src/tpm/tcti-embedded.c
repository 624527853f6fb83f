/*
 * A TPM in process: a command goes to TPMLIB_Process() when it is transmitted,
 * its answer is kept until it is received.
 *
 * State: libtpms hands over whole blobs ("permall": seeds, hierarchies, NV,
 * clock), kept in DIR/permall through atomic_file_write(), so that a crash
 * leaves the old or the new one.  Volatile state (PCRs) is never kept: closing
 * is a power cut.  A blob that is there but unreadable is an error, never a
 * reason to make a new TPM: that would silently be another attestation key.
 */
#include "tpm/tcti-embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <libtpms/tpm_error.h>
#include <libtpms/tpm_library.h>
#include <libtpms/tpm_nvfilename.h>
#include <string.h>
#include <sys/stat.h>
#include "base/atomic-file.h"
#include "base/fd.h"

#define TCTI_EMBEDDED_MAGIC 0x6169636572740001ULL
#define TCTI_EMBEDDED_COMMAND_MAX 4096
#define TCTI_EMBEDDED_STATE_MAX (1024u * 1024)

struct tcti_embedded {
	TSS2_TCTI_CONTEXT_COMMON_V2 common; /* first: the TSS casts */
	char *dir;                  /* NULL: state in memory */
	int dirfd;
	struct atomic_file_lock lock;
	struct buf permanent;       /* the state while there is no dir */
	struct err trouble;         /* of a callback, which can only say "failed" */
	unsigned char *response;    /* libtpms's, reused by it */
	uint32_t response_len, response_cap;
	bool answered, powered;
	int quiet;                  /* /dev/null: libtpms writes its woes to stderr otherwise */
};

/*
 * libtpms is one TPM a process and its callbacks carry no argument, so that the
 * one instance has to be found here: the only mutable state of this kind.
 */
static struct tcti_embedded *tcti_embedded_one;

static TPM_RESULT
tcti_embedded_nv_init(void)
{
	return TPM_SUCCESS;
}

/* The blob in a block of malloc(3) that libtpms frees; TPM_RETRY: there is none. */
static TPM_RESULT
tcti_embedded_nv_load(unsigned char **ret, uint32_t *ret_len, uint32_t number, const char *name)
{
	struct tcti_embedded *t = tcti_embedded_one;
	CLEANUP(buf_free) struct buf blob = BUF_INIT;

	(void)number;
	if (strcmp(name, TPM_PERMANENT_ALL_NAME) != 0)
		return TPM_RETRY;
	if (t->dir == NULL) {
		buf_add(&blob, t->permanent.data, t->permanent.len);
	} else if (fd_read_file(t->dirfd, name, TCTI_EMBEDDED_STATE_MAX, &blob, &t->trouble) != 0) {
		if (t->trouble.code != ERR_NOTFOUND)
			return TPM_FAIL;
		err_clear(&t->trouble);
		return TPM_RETRY;
	}
	if (blob.len == 0 && t->dir == NULL)
		return TPM_RETRY;
	*ret_len = (uint32_t)blob.len;
	*ret = (unsigned char *)buf_steal(&blob, &t->trouble);
	return *ret != NULL ? TPM_SUCCESS : TPM_FAIL;
}

static TPM_RESULT
tcti_embedded_nv_store(const unsigned char *data, uint32_t len, uint32_t number, const char *name)
{
	struct tcti_embedded *t = tcti_embedded_one;

	(void)number;
	if (strcmp(name, TPM_PERMANENT_ALL_NAME) != 0)
		return TPM_SUCCESS;
	if (t->dir != NULL)
		return atomic_file_write(t->dirfd, name, data, len, 0600, &t->trouble) == 0 ?
		    TPM_SUCCESS : TPM_FAIL;
	buf_wipe(&t->permanent);
	buf_add(&t->permanent, data, len);
	return buf_check(&t->permanent, &t->trouble) == 0 ? TPM_SUCCESS : TPM_FAIL;
}

static TPM_RESULT
tcti_embedded_nv_delete(uint32_t number, const char *name, TPM_BOOL must_exist)
{
	(void)number;
	(void)must_exist;
	return strcmp(name, TPM_PERMANENT_ALL_NAME) == 0 ? TPM_FAIL : TPM_SUCCESS;
}

static TPM_RESULT
tcti_embedded_io_init(void)
{
	return TPM_SUCCESS;
}

static TPM_RESULT
tcti_embedded_locality(TPM_MODIFIER_INDICATOR *ret, uint32_t number)
{
	(void)number;
	*ret = 0;
	return TPM_SUCCESS;
}

static TPM_RESULT
tcti_embedded_presence(TPM_BOOL *ret, uint32_t number)
{
	(void)number;
	*ret = 0;
	return TPM_SUCCESS;
}

static int
tcti_embedded_power_on(struct tcti_embedded *t, struct err *e)
{
	struct libtpms_callbacks callbacks = {
		.sizeOfStruct = sizeof callbacks,
		.tpm_nvram_init = tcti_embedded_nv_init,
		.tpm_nvram_loaddata = tcti_embedded_nv_load,
		.tpm_nvram_storedata = tcti_embedded_nv_store,
		.tpm_nvram_deletename = tcti_embedded_nv_delete,
		.tpm_io_init = tcti_embedded_io_init,
		.tpm_io_getlocality = tcti_embedded_locality,
		.tpm_io_getphysicalpresence = tcti_embedded_presence,
	};

	TPMLIB_SetDebugFD(t->quiet);
	if (TPMLIB_ChooseTPMVersion(TPMLIB_TPM_VERSION_2) != TPM_SUCCESS ||
	    TPMLIB_RegisterCallbacks(&callbacks) != TPM_SUCCESS)
		return err_set(e, ERR_TPM, "libtpms has no TPM 2.0");
	if (TPMLIB_MainInit() == TPM_SUCCESS) {
		t->powered = true;
		return 0;
	}
	TPMLIB_Terminate();
	if (t->trouble.code != ERR_NONE) {
		*e = t->trouble;
		return -1;
	}
	if (t->dir == NULL)
		return err_set(e, ERR_TPM, "libtpms cannot make a TPM");
	return err_set(e, ERR_CORRUPT, "%s/%s is not a state libtpms accepts; removing it makes a new "
	    "TPM with another attestation key", t->dir, TPM_PERMANENT_ALL_NAME);
}

static void
tcti_embedded_power_off(struct tcti_embedded *t)
{
	if (t->powered)
		TPMLIB_Terminate();
	t->powered = false;
	t->answered = false;
}

static TSS2_RC
tcti_embedded_transmit(TSS2_TCTI_CONTEXT *tcti, size_t size, const uint8_t *command)
{
	struct tcti_embedded *t = (struct tcti_embedded *)tcti;
	unsigned char copy[TCTI_EMBEDDED_COMMAND_MAX];

	if (command == NULL)
		return TSS2_TCTI_RC_BAD_REFERENCE;
	if (size > sizeof copy)
		return TSS2_TCTI_RC_BAD_VALUE;
	if (t->answered || !t->powered)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	memcpy(copy, command, size);
	if (TPMLIB_Process(&t->response, &t->response_len, &t->response_cap, copy,
	    (uint32_t)size) != TPM_SUCCESS || t->trouble.code != ERR_NONE)
		return TSS2_TCTI_RC_IO_ERROR;
	t->answered = true;
	return TSS2_RC_SUCCESS;
}

/* The TSS asks with no buffer for the size alone. */
static TSS2_RC
tcti_embedded_receive(TSS2_TCTI_CONTEXT *tcti, size_t *size, uint8_t *response, int32_t timeout)
{
	struct tcti_embedded *t = (struct tcti_embedded *)tcti;
	size_t room;

	(void)timeout;
	if (size == NULL)
		return TSS2_TCTI_RC_BAD_REFERENCE;
	if (!t->answered)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	room = *size;
	*size = t->response_len;
	if (response == NULL)
		return TSS2_RC_SUCCESS;
	if (room < t->response_len)
		return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
	memcpy(response, t->response, t->response_len);
	t->answered = false;
	return TSS2_RC_SUCCESS;
}

/* tcti_embedded_close() frees: the TSS finalizes only what it opened itself. */
static void
tcti_embedded_finalize(TSS2_TCTI_CONTEXT *tcti)
{
	(void)tcti;
}

/* A command is over before anybody could cancel it. */
static TSS2_RC
tcti_embedded_cancel(TSS2_TCTI_CONTEXT *tcti)
{
	const struct tcti_embedded *t = (struct tcti_embedded *)tcti;

	return t->answered ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_BAD_SEQUENCE;
}

static TSS2_RC
tcti_embedded_poll_handles(TSS2_TCTI_CONTEXT *tcti, TSS2_TCTI_POLL_HANDLE *handles, size_t *count)
{
	(void)tcti;
	(void)handles;
	(void)count;
	return TSS2_TCTI_RC_NOT_IMPLEMENTED;
}

static TSS2_RC
tcti_embedded_set_locality(TSS2_TCTI_CONTEXT *tcti, uint8_t locality)
{
	(void)tcti;
	return locality == 0 ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_NOT_SUPPORTED;
}

static TSS2_RC
tcti_embedded_make_sticky(TSS2_TCTI_CONTEXT *tcti, TPM2_HANDLE *handle, uint8_t sticky)
{
	(void)tcti;
	(void)handle;
	(void)sticky;
	return TSS2_TCTI_RC_NOT_IMPLEMENTED;
}

/* As mkdir -p -m 0700 for the components that are missing. */
static int
tcti_embedded_make_dir(const char *dir, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strdup(dir, e);

	if (path == NULL)
		return -1;
	for (char *p = path + 1;; p++) {
		char kept = *p;

		if (kept != '/' && kept != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return err_sys(e, "%s: cannot create the TPM's state directory", path);
		if (kept == '\0')
			return 0;
		*p = kept;
	}
}

/* Seeds lie here: nobody else may own, read or write it. */
static int
tcti_embedded_open_dir(struct tcti_embedded *t, const char *dir, struct err *e)
{
	struct stat st;

	if (*dir == '\0')
		return err_set(e, ERR_USAGE, "embedded: no state directory after the colon");
	t->dir = buf_strdup(dir, e);
	if (t->dir == NULL || tcti_embedded_make_dir(dir, e) != 0)
		return -1;
	t->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (t->dirfd < 0 || fstat(t->dirfd, &st) != 0)
		return err_sys(e, "%s: cannot open the TPM's state directory", dir);
	if (st.st_uid != geteuid())
		return err_set(e, ERR_DENIED, "%s: the TPM's state belongs to another user", dir);
	if ((st.st_mode & 077) != 0)
		return err_set(e, ERR_DENIED, "%s: others can open the TPM's state; chmod 0700 it", dir);
	return 0;
}

static int
tcti_embedded_lock(struct tcti_embedded *t, const struct tpm_open_options *o, struct err *e)
{
	CLEANUP(cleanup_free) char *message = NULL;

	if (atomic_file_lock(&t->lock, t->dirfd, TPM_PERMANENT_ALL_NAME, 0, e) == 0)
		return 0;
	if (e->code != ERR_BUSY)
		return err_prefix(e, "%s", t->dir);
	if (o->wait_ms <= 0)
		return err_prefix(e, "the TPM in %s is in use", t->dir);
	message = buf_strfmt(e, "waiting for the TPM in %s: %s", t->dir, e->msg);
	if (message == NULL)
		return -1;
	if (o->on_wait != NULL)
		o->on_wait(o->arg, message);
	if (atomic_file_lock(&t->lock, t->dirfd, TPM_PERMANENT_ALL_NAME, o->wait_ms, e) != 0)
		return err_prefix(e, "the TPM in %s is in use", t->dir);
	return 0;
}

static void
tcti_embedded_free(struct tcti_embedded *t)
{
	struct tcti_embedded *mine = t;

	tcti_embedded_power_off(t);
	atomic_file_unlock(&t->lock);
	if (t->dirfd >= 0)
		close(t->dirfd);
	if (t->quiet >= 0) {
		TPMLIB_SetDebugFD(-1);
		close(t->quiet);
	}
	buf_wipe(&t->permanent);
	free(t->response);
	free(t->dir);
	__atomic_compare_exchange_n(&tcti_embedded_one, &mine, NULL, false, __ATOMIC_SEQ_CST,
	    __ATOMIC_SEQ_CST);
	free(t);
}

static struct tcti_embedded *
tcti_embedded_new(struct err *e)
{
	struct tcti_embedded *t = calloc(1, sizeof *t);
	TSS2_TCTI_CONTEXT_COMMON_V1 *v1;

	if (t == NULL) {
		err_nomem(e);
		return NULL;
	}
	t->dirfd = -1;
	t->lock.fd = -1;
	t->quiet = -1;
	v1 = &t->common.v1;
	v1->magic = TCTI_EMBEDDED_MAGIC;
	v1->version = 2;
	v1->transmit = tcti_embedded_transmit;
	v1->receive = tcti_embedded_receive;
	v1->finalize = tcti_embedded_finalize;
	v1->cancel = tcti_embedded_cancel;
	v1->getPollHandles = tcti_embedded_poll_handles;
	v1->setLocality = tcti_embedded_set_locality;
	t->common.makeSticky = tcti_embedded_make_sticky;
	return t;
}

int
tcti_embedded_open(const struct tpm_open_options *o, const char *dir, TSS2_TCTI_CONTEXT **ret,
    struct err *e)
{
	struct tcti_embedded *t = tcti_embedded_new(e);
	struct tcti_embedded *none = NULL;

	if (t == NULL)
		return -1;
	if (dir != NULL && (tcti_embedded_open_dir(t, dir, e) != 0 ||
	    tcti_embedded_lock(t, o, e) != 0))
		goto undo;
	if (!__atomic_compare_exchange_n(&tcti_embedded_one, &none, t, false, __ATOMIC_SEQ_CST,
	    __ATOMIC_SEQ_CST)) {
		err_set(e, ERR_BUSY, "this process has an embedded TPM already");
		goto undo;
	}
	t->quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (t->quiet < 0) {
		err_sys(e, "/dev/null");
		goto undo;
	}
	if (tcti_embedded_power_on(t, e) != 0)
		goto undo;
	*ret = (TSS2_TCTI_CONTEXT *)t;
	return 0;
undo:
	tcti_embedded_free(t);
	return -1;
}

int
tcti_embedded_power_cycle(TSS2_TCTI_CONTEXT *tcti, struct err *e)
{
	struct tcti_embedded *t = (struct tcti_embedded *)tcti;

	tcti_embedded_power_off(t);
	return tcti_embedded_power_on(t, e);
}

void
tcti_embedded_close(TSS2_TCTI_CONTEXT *tcti)
{
	tcti_embedded_free((struct tcti_embedded *)tcti);
}

const struct err *
tcti_embedded_trouble(const TSS2_TCTI_CONTEXT *tcti)
{
	const struct tcti_embedded *t = (const struct tcti_embedded *)tcti;

	return t->trouble.code != ERR_NONE ? &t->trouble : NULL;
}
