#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int exit_status;
	int http_status;
} err_table[ERR_CODES_] = {
	[ERR_NONE] = {"none", 0, 200},
	[ERR_USAGE] = {"usage", 2, 400},
	[ERR_SPEC] = {"spec", 2, 422},
	[ERR_FORMAT] = {"format", 3, 422},
	[ERR_UNSUPPORTED] = {"unsupported", 3, 422},
	[ERR_NOTFOUND] = {"not-found", 3, 404},
	[ERR_EXISTS] = {"exists", 3, 409},
	[ERR_CONFLICT] = {"conflict", 3, 409},
	[ERR_BUSY] = {"busy", 3, 429},
	[ERR_CORRUPT] = {"corrupt", 1, 500},
	[ERR_REFUSED] = {"refused", 1, 422},
	[ERR_RUNFAILED] = {"run-failed", 1, 409},
	[ERR_DENIED] = {"denied", 3, 403},
	[ERR_LIMIT] = {"limit", 3, 413},
	[ERR_IO] = {"io", 3, 500},
	[ERR_NOMEM] = {"no-memory", 3, 500},
	[ERR_NETWORK] = {"network", 3, 502},
	[ERR_TPM] = {"tpm", 3, 500},
	[ERR_CANCELLED] = {"cancelled", 3, 409},
	[ERR_INTERNAL] = {"internal", 3, 500},
};

PRINTF(3, 0) static void
err_format(struct err *e, enum err_code code, const char *fmt, va_list ap)
{
	e->code = code;
	e->sys = 0;
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
}

int
err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	err_format(e, code, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_sys(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	size_t used;
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	err_format(e, saved == ENOMEM ? ERR_NOMEM : ERR_IO, fmt, ap);
	va_end(ap);
	e->sys = saved;
	used = strlen(e->msg);
	snprintf(e->msg + used, sizeof e->msg - used, ": %s", strerror(saved));
	return -1;
}

int
err_nomem(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory");
}

int
err_prefix(struct err *e, const char *fmt, ...)
{
	char old[sizeof e->msg];
	size_t used;
	va_list ap;

	if (e == NULL)
		return -1;
	memcpy(old, e->msg, sizeof old);
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	used = strlen(e->msg);
	snprintf(e->msg + used, sizeof e->msg - used, ": %s", old);
	return -1;
}

void
err_clear(struct err *e)
{
	if (e == NULL)
		return;
	e->code = ERR_NONE;
	e->sys = 0;
	e->msg[0] = '\0';
}

int
err_exit_status(enum err_code code)
{
	return code < ERR_CODES_ ? err_table[code].exit_status : 3;
}

int
err_http_status(enum err_code code)
{
	return code < ERR_CODES_ ? err_table[code].http_status : 500;
}

const char *
err_name(enum err_code code)
{
	return code < ERR_CODES_ ? err_table[code].name : "internal";
}
