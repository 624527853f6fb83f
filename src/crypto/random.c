#include "crypto/random.h"

#include <errno.h>
#include <sys/random.h>

/* getrandom(2) and not a library's generator: nothing to seed, nothing to fork. */
int
random_bytes(void *ret, size_t len, struct err *e)
{
	unsigned char *p = ret;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(e, "cannot get random bytes");
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
