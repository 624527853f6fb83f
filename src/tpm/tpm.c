#include "tpm/tpm-internal.h"

#include <string.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>
#include "tpm/tcti-embedded.h"

#define TPM_PCR_SELECT_BYTES 3 /* PCR 0-23 */

static bool
tpm_is(const char *spec, const char *name)
{
	size_t len = strlen(name);

	return strncmp(spec, name, len) == 0 && (spec[len] == '\0' || spec[len] == ':');
}

/* Which kind of TPM stands behind a TCTI: a closed list, as the claim level hangs on it. */
static int
tpm_spec_kind(const char *spec, enum event_tpm *ret, struct err *e)
{
	if (tpm_is(spec, "embedded"))
		*ret = EVENT_TPM_EMBEDDED;
	else if (tpm_is(spec, "swtpm"))
		*ret = EVENT_TPM_SWTPM;
	else if (tpm_is(spec, "mssim"))
		*ret = EVENT_TPM_MSSIM;
	else if (tpm_is(spec, "device") || tpm_is(spec, "tabrmd") || strncmp(spec, "/dev/", 5) == 0)
		*ret = EVENT_TPM_DEVICE;
	else
		return err_set(e, ERR_USAGE, "%s: not a TPM we know; use embedded[:DIR], "
		    "device:/dev/tpmrm0, tabrmd, swtpm:... or mssim:...", spec);
	return 0;
}

int
tpm_check_spec(const char *spec, struct err *e)
{
	enum event_tpm kind;

	return tpm_spec_kind(spec, &kind, e);
}

int
tpm_failed(const struct tpm *t, TSS2_RC rc, const char *what, struct err *e)
{
	const struct err *trouble = t->kind == EVENT_TPM_EMBEDDED && t->tcti != NULL ?
	    tcti_embedded_trouble(t->tcti) : NULL;

	if (trouble != NULL)
		return err_set(e, trouble->code, "the TPM's state cannot be kept: %s", trouble->msg);
	return err_set(e, ERR_TPM, "%s: %s (0x%x)", what, Tss2_RC_Decode(rc), rc);
}

struct tpm *
tpm_lock(struct tpm *t)
{
	pthread_mutex_lock(&t->lock);
	return t;
}

void
tpm_unlock(struct tpm **t)
{
	pthread_mutex_unlock(&(*t)->lock);
}

int
tpm_has_handle(struct tpm *t, TPM2_HANDLE handle, bool *ret, struct err *e)
{
	CLEANUP(tpm_esys_freep) TPMS_CAPABILITY_DATA *data = NULL;
	TPMI_YES_NO more;
	TSS2_RC rc = Esys_GetCapability(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
	    TPM2_CAP_HANDLES, handle, 1, &more, &data);

	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "TPM2_GetCapability", e);
	/* the TPM answers with the first that is not lower */
	*ret = data->data.handles.count > 0 && data->data.handles.handle[0] == handle;
	return 0;
}

static void
tpm_lock_init(struct tpm *t)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&t->lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

static int
tpm_startup(struct tpm *t, struct err *e)
{
	TSS2_RC rc = Esys_Startup(t->esys, TPM2_SU_CLEAR);

	/* started already: by the firmware, or by who opened it before us */
	if (rc != TSS2_RC_SUCCESS && rc != TPM2_RC_INITIALIZE)
		return tpm_failed(t, rc, "TPM2_Startup", e);
	return 0;
}

/* Without an orderly shutdown the next start counts as an attack on lockout. */
static void
tpm_shutdown(struct tpm *t)
{
	if (t->ak != ESYS_TR_NONE && t->ak_persistent)
		(void)Esys_TR_Close(t->esys, &t->ak);
	else if (t->ak != ESYS_TR_NONE)
		(void)Esys_FlushContext(t->esys, t->ak);
	t->ak = ESYS_TR_NONE;
	buf_free(&t->ak_public);
	if (t->kind == EVENT_TPM_EMBEDDED)
		(void)Esys_Shutdown(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
		    TPM2_SU_CLEAR);
}

static bool
tpm_bank_is_whole(const TPMS_PCR_SELECTION *s)
{
	if (s->sizeofSelect < TPM_PCR_SELECT_BYTES)
		return false;
	for (unsigned i = 0; i < TPM_PCR_SELECT_BYTES; i++) {
		if (s->pcrSelect[i] != 0xff)
			return false;
	}
	return true;
}

static bool
tpm_bank_is_empty(const TPMS_PCR_SELECTION *s)
{
	for (unsigned i = 0; i < s->sizeofSelect; i++) {
		if (s->pcrSelect[i] != 0)
			return false;
	}
	return true;
}

/* *ret_others: another bank has PCRs too. */
static int
tpm_read_banks(struct tpm *t, bool *ret_others, struct err *e)
{
	CLEANUP(tpm_esys_freep) TPMS_CAPABILITY_DATA *data = NULL;
	const TPML_PCR_SELECTION *banks;
	TPMI_YES_NO more;
	TSS2_RC rc = Esys_GetCapability(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
	    TPM2_CAP_PCRS, 0, 1, &more, &data);

	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "TPM2_GetCapability", e);
	banks = &data->data.assignedPCR;
	*ret_others = t->sha256 = t->sha384 = false;
	for (uint32_t i = 0; i < banks->count; i++) {
		const TPMS_PCR_SELECTION *s = &banks->pcrSelections[i];

		if (s->hash == TPM2_ALG_SHA256)
			t->sha256 = tpm_bank_is_whole(s);
		else if (s->hash == TPM2_ALG_SHA384)
			t->sha384 = tpm_bank_is_whole(s);
		else if (!tpm_bank_is_empty(s))
			*ret_others = true;
	}
	return 0;
}

/* An embedded TPM has the banks SHA-256 and SHA-384 and no other. */
static int
tpm_allocate_banks(struct tpm *t, struct err *e)
{
	static const TPMI_ALG_HASH algs[] = {
		TPM2_ALG_SHA1, TPM2_ALG_SHA256, TPM2_ALG_SHA384, TPM2_ALG_SHA512
	};
	TPML_PCR_SELECTION wanted = {.count = sizeof algs / sizeof *algs};
	TPMI_YES_NO done = TPM2_NO;
	UINT32 max, needed, available;
	TSS2_RC rc;

	for (uint32_t i = 0; i < wanted.count; i++) {
		bool ours = algs[i] == TPM2_ALG_SHA256 || algs[i] == TPM2_ALG_SHA384;

		wanted.pcrSelections[i].hash = algs[i];
		wanted.pcrSelections[i].sizeofSelect = TPM_PCR_SELECT_BYTES;
		memset(wanted.pcrSelections[i].pcrSelect, ours ? 0xff : 0, TPM_PCR_SELECT_BYTES);
	}
	rc = Esys_PCR_Allocate(t->esys, ESYS_TR_RH_PLATFORM, ESYS_TR_PASSWORD, ESYS_TR_NONE,
	    ESYS_TR_NONE, &wanted, &done, &max, &needed, &available);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "TPM2_PCR_Allocate", e);
	if (done != TPM2_YES)
		return err_set(e, ERR_TPM, "TPM2_PCR_Allocate: no room for the PCR banks");
	return tpm_reset(t, e);
}

static int
tpm_start(struct tpm *t, struct err *e)
{
	bool others;

	if (tpm_startup(t, e) != 0 || tpm_read_banks(t, &others, e) != 0)
		return -1;
	if (t->kind == EVENT_TPM_EMBEDDED && (others || !t->sha256 || !t->sha384) &&
	    (tpm_allocate_banks(t, e) != 0 || tpm_read_banks(t, &others, e) != 0))
		return -1;
	if (!t->sha256 && !t->sha384)
		return err_set(e, ERR_UNSUPPORTED,
		    "the TPM has neither a SHA-256 nor a SHA-384 bank of PCR 0-23");
	return 0;
}

static int
tpm_connect(struct tpm *t, const struct tpm_open_options *o, struct err *e)
{
	CLEANUP(cleanup_free) char *spec = NULL;
	const char *colon = strchr(o->spec, ':');
	TSS2_RC rc;

	if (t->kind == EVENT_TPM_EMBEDDED)
		return tcti_embedded_open(o, colon != NULL ? colon + 1 : NULL, &t->tcti, e);
	spec = buf_strfmt(e, "%s%s", *o->spec == '/' ? "device:" : "", o->spec);
	if (spec == NULL)
		return -1;
	rc = Tss2_TctiLdr_Initialize(spec, &t->tcti);
	if (rc != TSS2_RC_SUCCESS) {
		t->tcti = NULL;
		return err_set(e, ERR_TPM, "%s: cannot reach the TPM: %s (0x%x)", spec,
		    Tss2_RC_Decode(rc), rc);
	}
	return 0;
}

int
tpm_open(const struct tpm_open_options *o, struct tpm **ret, struct err *e)
{
	CLEANUP(tpm_closep) struct tpm *t = NULL;
	enum event_tpm kind = EVENT_TPM_EMBEDDED;
	TSS2_RC rc;

	if (tpm_spec_kind(o->spec, &kind, e) != 0)
		return -1;
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return err_nomem(e);
	tpm_lock_init(t);
	t->kind = kind;
	t->ak = ESYS_TR_NONE;
	if (tpm_connect(t, o, e) != 0)
		return -1;
	rc = Esys_Initialize(&t->esys, t->tcti, NULL);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "Esys_Initialize", e);
	if (tpm_start(t, e) != 0)
		return -1;
	*ret = t;
	t = NULL;
	return 0;
}

void
tpm_close(struct tpm *t)
{
	if (t == NULL)
		return;
	if (t->esys != NULL) {
		tpm_shutdown(t);
		Esys_Finalize(&t->esys);
	}
	if (t->tcti != NULL && t->kind == EVENT_TPM_EMBEDDED)
		tcti_embedded_close(t->tcti);
	else if (t->tcti != NULL)
		Tss2_TctiLdr_Finalize(&t->tcti);
	buf_free(&t->ak_public);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

enum event_tpm
tpm_kind(const struct tpm *t)
{
	return t->kind;
}

bool
tpm_resettable(const struct tpm *t)
{
	return t->kind == EVENT_TPM_EMBEDDED;
}

int
tpm_reset(struct tpm *t, struct err *e)
{
	CLEANUP(tpm_unlock) struct tpm *locked UNUSED = tpm_lock(t);

	if (!tpm_resettable(t))
		return err_set(e, ERR_UNSUPPORTED,
		    "this TPM starts anew only when its machine boots");
	tpm_shutdown(t);
	if (tcti_embedded_power_cycle(t->tcti, e) != 0)
		return -1;
	return tpm_startup(t, e);
}

void
tpm_banks(const struct tpm *t, bool *ret_sha256, bool *ret_sha384)
{
	*ret_sha256 = t->sha256;
	*ret_sha384 = t->sha384;
}
