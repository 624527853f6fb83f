#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

/* A signal handler has nowhere else to put what it learns. */
static volatile sig_atomic_t interrupt_seen;
static int interrupt_pipe[2] = {-1, -1};
/* Of one thread: the reads that it stops are deep below who knows of it. */
static _Thread_local interrupt_fn *interrupt_own;
static _Thread_local void *interrupt_own_arg;

static void
interrupt_handler(int signo)
{
	int saved = errno;
	ssize_t n UNUSED;

	(void)signo;
	interrupt_seen = 1; /* first: who wakes up on the pipe looks at the flag */
	n = write(interrupt_pipe[1], "", 1);
	errno = saved;
}

int
interrupt_install(struct err *e)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction sa = {.sa_handler = interrupt_handler};

	if (interrupt_pipe[0] >= 0)
		return 0;
	if (pipe2(interrupt_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_sys(e, "cannot make a pipe");
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		if (sigaction(signals[i], &sa, NULL) != 0)
			return err_sys(e, "cannot catch signal %d", signals[i]);
	return 0;
}

bool
interrupt_pending(void)
{
	return interrupt_seen != 0;
}

int
interrupt_check(struct err *e)
{
	if (interrupt_seen)
		return err_set(e, ERR_CANCELLED, "interrupted");
	return interrupt_watched(e);
}

void
interrupt_watch(interrupt_fn *check, void *arg)
{
	interrupt_own = check;
	interrupt_own_arg = arg;
}

int
interrupt_watched(struct err *e)
{
	return interrupt_own != NULL ? interrupt_own(interrupt_own_arg, e) : 0;
}

int
interrupt_fd(void)
{
	return interrupt_pipe[0];
}
