#include "base/progress.h"

#include <unistd.h>
#include "base/clock.h"
#include "base/printable.h"

void
progress_size(char *ret, size_t cap, uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
	uint64_t tenths;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(ret, cap, "%llu byte%s", (unsigned long long)bytes, printable_s(bytes));
		return;
	}
	for (; bytes >= 1024 * 1024 && unit < 4; unit++)
		bytes /= 1024;
	tenths = bytes * 10 / 1024;
	snprintf(ret, cap, "%llu.%llu %s", (unsigned long long)(tenths / 10),
	    (unsigned long long)(tenths % 10), units[unit]);
}

void
progress_start(struct progress *p, FILE *out, const char *label, uint64_t total)
{
	*p = (struct progress){
		.out = out != NULL && isatty(fileno(out)) ? out : NULL,
		.label = label,
		.total = total,
	};
	if (p->out != NULL)
		p->started_ms = p->drawn_ms = clock_ms();
}

static void
progress_draw(struct progress *p, int64_t now)
{
	uint64_t spent_ms = (uint64_t)(now - p->started_ms) + 1;
	double rate = (double)p->done * 1000.0 / (double)spent_ms;
	char done[32], speed[32];

	progress_size(done, sizeof done, p->done);
	progress_size(speed, sizeof speed, (uint64_t)rate);
	fprintf(p->out, "\r\033[K%s: ", p->label);
	if (p->total > 0 && p->done <= p->total)
		fprintf(p->out, "%3d %%, ", (int)((double)p->done * 100.0 / (double)p->total));
	fprintf(p->out, "%s, %s/s", done, speed);
	if (p->total > p->done && rate >= 1.0) {
		uint64_t left = (uint64_t)((double)(p->total - p->done) / rate);

		fprintf(p->out, ", %llu:%02llu left", (unsigned long long)(left / 60),
		    (unsigned long long)(left % 60));
	}
	fflush(p->out);
}

/* Is it time to draw?  Then it counts as drawn. */
static bool
progress_due(struct progress *p, int64_t *ret_now)
{
	int64_t now;

	if (p->out == NULL)
		return false;
	now = clock_ms();
	if (now - p->started_ms < 500 || now - p->drawn_ms < 100)
		return false;
	p->drawn_ms = now;
	p->drawn = true;
	*ret_now = now;
	return true;
}

void
progress_add(struct progress *p, uint64_t n)
{
	int64_t now;

	p->done += n;
	if (progress_due(p, &now))
		progress_draw(p, now);
}

void
progress_note(struct progress *p, const char *text)
{
	int64_t now;

	if (!progress_due(p, &now))
		return;
	fprintf(p->out, "\r\033[K%s: %lld s%s%.50s", p->label,
	    (long long)((now - p->started_ms) / 1000), *text != '\0' ? ", " : "", text);
	fflush(p->out);
}

void
progress_end(struct progress *p)
{
	if (p->out != NULL && p->drawn) {
		fputs("\r\033[K", p->out);
		fflush(p->out);
	}
	p->out = NULL;
}
