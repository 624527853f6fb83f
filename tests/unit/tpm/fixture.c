#include "tpm/fixture.h"

#include <string.h>
#include "evidence/quote-check.h"
#include "unit.h"

struct tpm *
fixture_open(const char *spec)
{
	struct tpm_open_options o = {.spec = spec};
	struct tpm *t = NULL;
	struct err e;

	UNIT_OK(tpm_open(&o, &t, &e), &e);
	return t;
}

const char *
fixture_spec(const char *name)
{
	static char spec[256];

	snprintf(spec, sizeof spec, "embedded:%s/%s", unit_dir(), name);
	return spec;
}

void
fixture_pcrs(const struct certificate_pcrs *from, struct quote_check_pcrs *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->has_sha256 = from->has_sha256;
	ret->has_sha384 = from->has_sha384;
	ret->sha256 = (const unsigned char (*)[32])from->sha256;
	ret->sha384 = (const unsigned char (*)[48])from->sha384;
}
