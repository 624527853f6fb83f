#include "serve/journal.h"

#include <string.h>
#include <time.h>
#include "base/printable.h"
#include "base/timestamp.h"

static int
journal_time(struct buf *ret, struct err *e)
{
	char text[TIMESTAMP_SIZE];

	if (timestamp_format(text, timestamp_now(), e) != 0)
		return -1;
	buf_addf(ret, "time=%s", text);
	return 0;
}

/* libmicrohttpd takes any bytes as a method; a log has plain ones only. */
static const char *
journal_method(const char *method)
{
	size_t len = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return len > 0 && method[len] == '\0' ? method : "-";
}

int
journal_request_line(const struct http_done *d, const char *principal, struct buf *ret,
    struct err *e)
{
	const struct http_call *c = d->call;

	if (journal_time(ret, e) != 0)
		return -1;
	/* a path was found plain */
	buf_addf(ret, " request=%s address=%s principal=%s method=%.16s path=%.1024s status=%u in=%llu"
	    " out=%llu ms=%llu\n", c->request_id, c->address, principal, journal_method(c->method), d->path,
	    d->status, (unsigned long long)d->in, (unsigned long long)d->out,
	    (unsigned long long)(d->micros / 1000));
	return buf_check(ret, e);
}

int
journal_run_line(const struct ledger_run *row, struct buf *ret, struct err *e)
{
	if (journal_time(ret, e) != 0)
		return -1;
	buf_addf(ret, " run=%s principal=%s state=%s seconds=%lld log=%llu error=%s\n", row->id,
	    row->owner[0] != '\0' ? row->owner : "-", row->state,
	    (long long)(row->started > 0 ? row->finished - row->started : 0),
	    (unsigned long long)row->log, err_name(row->error));
	return buf_check(ret, e);
}

int
journal_ref_line(const char *name, const struct err *why, struct buf *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *safe = printable(name, e);
	CLEANUP(cleanup_free) char *detail = safe != NULL ? printable(why->msg, e) : NULL;

	if (detail == NULL || journal_time(ret, e) != 0)
		return -1;
	buf_addf(ret, " ref=%s state=closed error=%s detail=%s\n", safe, err_name(why->code), detail);
	return buf_check(ret, e);
}

void
journal_write(int fd, const struct buf *line)
{
	ssize_t n UNUSED = write(fd, line->data, line->len);
}
