/*
 * Errors travel through an explicit out-parameter, always the last one.
 * A function that fails fills it once and returns -1; callers may put their
 * own context in front with err_prefix().  One table maps a code to the exit
 * status of a command and to the status of an HTTP answer.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include "base/cleanup.h"

enum err_code {
	ERR_NONE = 0,
	ERR_USAGE,       /* wrong command line or API call */
	ERR_SPEC,        /* aicert.yaml or another user document is wrong */
	ERR_FORMAT,      /* bytes are not what their type says */
	ERR_UNSUPPORTED, /* well-formed, but an algorithm or version we lack */
	ERR_NOTFOUND,    /* object, ref, file, name does not exist */
	ERR_EXISTS,      /* would overwrite */
	ERR_CONFLICT,    /* compare-and-swap lost, or ambiguous name */
	ERR_BUSY,        /* lock or TPM held by another */
	ERR_CORRUPT,     /* stored bytes do not have their digest */
	ERR_REFUSED,     /* proof or safety check said no */
	ERR_RUNFAILED,   /* the run itself ended without success */
	ERR_DENIED,      /* not permitted, not ours */
	ERR_LIMIT,       /* a size or count bound was hit */
	ERR_IO,          /* the operating system said no; sys holds errno */
	ERR_NOMEM,
	ERR_NETWORK,
	ERR_TPM,
	ERR_CANCELLED,   /* Ctrl-C or DELETE */
	ERR_INTERNAL,
	ERR_CODES_       /* number of codes */
};

struct err {
	enum err_code code;
	int sys;         /* errno where the system gave one, else 0 */
	char msg[1024];  /* names the file or object and what to do */
};

/* All return -1, so that callers can "return err_set(...)". e may be NULL. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF(3, 4);
int err_sys(struct err *e, const char *fmt, ...) PRINTF(2, 3); /* adds strerror(errno) */
int err_nomem(struct err *e);

/* Puts "text: " in front of the message; returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) PRINTF(2, 3);
void err_clear(struct err *e);

/* Exit status, as in aicert(1): 0 done, 1 a definite no, 2 usage or spec, 3 undecided. */
int err_exit_status(enum err_code code);
int err_http_status(enum err_code code);
/* Stable name for problem documents and --json, e.g. "not-found". */
const char *err_name(enum err_code code);

#endif
