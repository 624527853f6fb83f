#include "cmd/image-measure.h"

#include <fcntl.h>
#include <string.h>
#include "base/fd.h"

/* What the image and its kernel are measured between.  With -kernel QEMU's firmware
 * loads the image before it announces a boot. */
static const struct {
	const char *name;
	bool image_first;
} image_platforms[] = {
	{"qemu-ovmf", false},
	{"qemu-ovmf-kernel", true},
	{"azure-trusted-launch", false},
	{"gce", false},
};
#define IMAGE_PLATFORMS (sizeof image_platforms / sizeof *image_platforms)

static int
image_add_boot(struct image *m, size_t platform, bool secure_boot, struct err *e)
{
	struct image_boot *b = &m->boots[m->count];
	const struct uki_boot how = {
		.secure_boot = secure_boot, .image_first = image_platforms[platform].image_first,
	};

	snprintf(b->platform, sizeof b->platform, "%s, Secure Boot %s", image_platforms[platform].name,
	    secure_boot ? "on" : "off");
	m->count++;
	return uki_predict(&m->uki, &how, &b->prediction, e);
}

static int
image_add_platform(struct image *m, size_t platform, const char *secure_boot, struct err *e)
{
	bool both = secure_boot == NULL;

	if ((both || strcmp(secure_boot, "off") == 0) && image_add_boot(m, platform, false, e) != 0)
		return -1;
	return both || strcmp(secure_boot, "on") == 0 ? image_add_boot(m, platform, true, e) : 0;
}

static int
image_platform(const char *name, size_t *ret, struct err *e)
{
	for (size_t i = 0; i < IMAGE_PLATFORMS; i++) {
		if (strcmp(name, image_platforms[i].name) == 0) {
			*ret = i;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "image: no platform \"%s\"; known are qemu-ovmf, qemu-ovmf-kernel,"
	    " azure-trusted-launch and gce", name);
}

static int
image_add_boots(struct image *m, const struct image_options *o, struct err *e)
{
	bool wanted[IMAGE_PLATFORMS] = {false};

	for (size_t i = 0; i < o->platforms.count; i++) {
		size_t at = 0;

		if (image_platform(o->platforms.items[i], &at, e) != 0)
			return -1;
		wanted[at] = true;
	}
	if (o->secure_boot != NULL && strcmp(o->secure_boot, "on") != 0 &&
	    strcmp(o->secure_boot, "off") != 0)
		return err_set(e, ERR_USAGE, "image: --secure-boot is on or off");
	m->boots = calloc(IMAGE_BOOTS_MAX, sizeof *m->boots);
	if (m->boots == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < IMAGE_PLATFORMS; i++) {
		if ((o->platforms.count == 0 || wanted[i]) &&
		    image_add_platform(m, i, o->secure_boot, e) != 0)
			return -1;
	}
	return 0;
}

int
image_read(const char *path, const struct image_options *o, struct image *ret, struct err *e)
{
	struct image m = {.path = path};

	if (fd_read_named(path, PE_BYTES_MAX, &m.bytes, e) != 0)
		return -1;
	if (uki_decode(m.bytes.data, m.bytes.len, &m.uki, e) != 0) {
		if (e->code == ERR_FORMAT || e->code == ERR_UNSUPPORTED)
			e->code = ERR_SPEC;
		image_free(&m);
		return err_prefix(e, "%s", path);
	}
	if (image_add_boots(&m, o, e) != 0) {
		image_free(&m);
		return -1;
	}
	*ret = m;
	return 0;
}

void
image_free(struct image *m)
{
	free(m->boots);
	buf_free(&m->bytes);
	*m = (struct image){0};
}
