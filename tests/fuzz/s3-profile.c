#include "fuzz.h"

#include "git/lfs-pointer.h"
#include "remote/s3-profile.h"

/* Two small readers of lines. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char value[16], hex[65];
	uint64_t size;

	if (s3_profile_value(data, len, "default", "region", value, sizeof value) &&
	    strnlen(value, sizeof value) == sizeof value)
		abort();
	if (lfs_pointer_decode(data, len, hex, &size) && strlen(hex) != 64)
		abort();
	return 0;
}
