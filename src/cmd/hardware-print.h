/* What was found in a hardware report, for people or as one JSON document. */
#ifndef CMD_HARDWARE_PRINT_H
#define CMD_HARDWARE_PRINT_H

#include "evidence/hardware.h"
#include "verify/trust.h"

struct hardware_print {
	const struct hardware *h;
	const char *subject;
	int64_t time;
	const char *time_source;
	const struct trust *trust;  /* NULL: roots were named */
};

int hardware_print(const struct hardware_print *p, bool json, struct err *e) MUST_CHECK;

#endif
