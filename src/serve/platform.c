#include "serve/platform.h"

#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "crypto/x509.h"
#include "evidence/event-log.h"

#define PLATFORM_CHAIN_FILE_MAX (256u * 1024)

void
platform_free(struct run_platform *p)
{
	for (size_t i = 0; i < CERTIFICATE_CHAIN_MAX; i++)
		buf_free(&p->ak_chain[i]);
	buf_free(&p->boot_log);
	*p = (struct run_platform){0};
}

static int
platform_add(struct run_platform *p, const struct x509_cert *cert, struct err *e)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;

	if (x509_der(cert, &der, e) != 0)
		return -1;
	if (p->ak_chain_count == 1 && p->ak_chain[0].len == der.len &&
	    memcmp(p->ak_chain[0].data, der.data, der.len) == 0)
		return 0; /* the TPM's own again */
	if (p->ak_chain_count == CERTIFICATE_CHAIN_MAX)
		return err_set(e, ERR_LIMIT, "more than %d certificates in the AK's chain",
		    CERTIFICATE_CHAIN_MAX);
	p->ak_chain[p->ak_chain_count++] = der;
	der = (struct buf)BUF_INIT;
	return 0;
}

static int
platform_chain_file(struct run_platform *p, const char *path, struct err *e)
{
	struct x509_cert *certs[CERTIFICATE_CHAIN_MAX];
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	size_t n = 0;
	int rc = 0;

	if (fd_read_file(AT_FDCWD, path, PLATFORM_CHAIN_FILE_MAX, &text, e) != 0)
		return -1;
	if (x509_decode_pem(text.data, text.len, CERTIFICATE_CHAIN_MAX, certs, &n, e) != 0)
		return err_prefix(e, "%s", path);
	if (n == 0)
		rc = err_set(e, ERR_FORMAT, "%s: has no certificate", path);
	for (size_t i = 0; i < n; i++) {
		if (rc == 0)
			rc = platform_add(p, certs[i], e);
		x509_free(certs[i]);
	}
	return rc;
}

static int
platform_chain(struct tpm *t, const char *path, struct run_platform *p, struct err *e)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	bool found = false;

	if (ak_cert_read(t, &der, &found, e) != 0)
		return -1;
	if (found) {
		p->ak_chain[p->ak_chain_count++] = der;
		der = (struct buf)BUF_INIT;
	}
	return path != NULL ? platform_chain_file(p, path, e) : 0;
}

static int
platform_boot_log(struct tpm *t, const char *path, struct buf *ret, struct err *e)
{
	struct err own;

	if (path != NULL)
		return fd_read_file(AT_FDCWD, path, PLATFORM_BOOT_LOG_MAX, ret, e);
	if (tpm_kind(t) != EVENT_TPM_DEVICE)
		return 0;
	/* not there in every container and on every cloud: fixed PCR values then decide */
	if (fd_read_file(AT_FDCWD, PLATFORM_BOOT_LOG, PLATFORM_BOOT_LOG_MAX, ret, &own) != 0)
		buf_free(ret);
	return 0;
}

static int
platform_check_boot_log(const char *path, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(event_log_free) struct event_log log = {0};

	if (fd_read_file(AT_FDCWD, path, PLATFORM_BOOT_LOG_MAX, &text, e) != 0)
		return -1;
	return event_log_decode(text.data, text.len, &log, e) == 0 ? 0 : err_prefix(e, "%s", path);
}

int
platform_check(const struct platform_options *o, struct err *e)
{
	CLEANUP(platform_free) struct run_platform p = {0};

	if (o->ak_chain != NULL && platform_chain_file(&p, o->ak_chain, e) != 0)
		return -1;
	return o->boot_log != NULL ? platform_check_boot_log(o->boot_log, e) : 0;
}

int
platform_read(struct tpm *t, const struct platform_options *o, struct run_platform *ret,
    struct err *e)
{
	struct run_platform p = {0};

	if (platform_chain(t, o->ak_chain, &p, e) != 0 ||
	    platform_boot_log(t, o->boot_log, &p.boot_log, e) != 0) {
		platform_free(&p);
		return -1;
	}
	*ret = p;
	return 0;
}
