/* aicert verify --legacy: attestations of the original AICert. */
#ifndef CMD_VERIFY_LEGACY_H
#define CMD_VERIFY_LEGACY_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

/* The exit status: always 1, or -1 with an error. */
int verify_legacy(const char *path, int64_t time, const char *time_source, bool json,
    struct err *e) MUST_CHECK;

#endif
