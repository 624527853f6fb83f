/* Golden values of a platform, learnt from a certificate that is good but for them. */
#ifndef CMD_LEARN_H
#define CMD_LEARN_H

#include "base/err.h"

struct learn_options {
	const char *image;          /* a file with image parts, or NULL */
	const char *platform, *min_level, *at;
};

/* Prints a document: firmware parts, or with image parts whole records. ERR_REFUSED
 * when the certificate is not good, or its PCRs are not those of the image. */
int learn_from_certificate(const struct learn_options *o, const char *arg, struct err *e) MUST_CHECK;

#endif
