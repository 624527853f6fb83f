/* An image and how it is booted: predictions, one a platform and state of Secure Boot. */
#ifndef CMD_IMAGE_MEASURE_H
#define CMD_IMAGE_MEASURE_H

#include "base/options.h"
#include "evidence/uki.h"

#define IMAGE_BOOTS_MAX 16
#define IMAGE_PLATFORM_SIZE 64

struct image_boot {
	char platform[IMAGE_PLATFORM_SIZE];     /* "qemu-ovmf, Secure Boot off" */
	struct uki_prediction prediction;
};

struct image {
	const char *path;           /* borrowed */
	struct buf bytes;
	struct uki uki;
	struct image_boot *boots;
	size_t count;
};

struct image_options {
	struct option_list platforms;   /* none: every one that is known */
	const char *secure_boot;        /* "on", "off"; NULL: both */
	const char *name, *version, *lock, *commit, *check, *out;
};

int image_read(const char *path, const struct image_options *o, struct image *ret,
    struct err *e) MUST_CHECK;
void image_free(struct image *m);
/* Prints the log beside the boot that it is nearest to; ERR_REFUSED when they differ. */
int image_check(const struct image *m, const char *log, struct err *e) MUST_CHECK;

#endif
