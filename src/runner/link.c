#include "runner/link.h"

#include <poll.h>
#include "base/clock.h"
#include "base/interrupt.h"

#define LINK_PAUSE_FIRST_MS 250u
#define LINK_PAUSE_MAX_MS 8000u
#define LINK_QUIET_TRIES 1      /* a hiccup is nobody's business */

int
link_sleep(const struct link *l, unsigned ms, struct err *e)
{
	struct pollfd p = {.fd = l->deaf ? -1 : interrupt_fd(), .events = POLLIN};
	int64_t end = clock_ms() + ms, left;

	/* in short steps: another thread's reason to stop has no descriptor */
	while ((left = end - clock_ms()) > 0) {
		if ((l->deaf ? interrupt_watched(e) : interrupt_check(e)) != 0)
			return -1;
		(void)poll(&p, 1, left > 200 ? 200 : (int)left);
	}
	return 0;
}

int
link_retry(const struct link *l, struct link_retry *r, struct err *e)
{
	int64_t now = clock_ms();
	unsigned pause = LINK_PAUSE_FIRST_MS;

	if (e->code != ERR_NETWORK && e->code != ERR_BUSY)
		return -1;
	if (r->tries == 0)
		r->since_ms = now;
	for (unsigned i = 0; i < r->tries && pause < LINK_PAUSE_MAX_MS; i++)
		pause *= 2;
	if (now - r->since_ms + pause > (int64_t)l->patience_s * 1000)
		return -1;
	r->tries++;
	if (r->tries > LINK_QUIET_TRIES)
		notice_say(&l->notice, "%s; trying again in %u.%u s", e->msg, pause / 1000, pause % 1000 / 100);
	return link_sleep(l, pause, e);
}
