/* The daemon's log: one line of name=value pairs each, without secrets, to stderr. */
#ifndef SERVE_JOURNAL_H
#define SERVE_JOURNAL_H

#include "serve/http.h"
#include "serve/ledger.h"

/* principal: its name, or "-". */
int journal_request_line(const struct http_done *d, const char *principal, struct buf *ret,
    struct err *e) MUST_CHECK;
int journal_run_line(const struct ledger_run *row, struct buf *ret, struct err *e) MUST_CHECK;
/* A ref of a hub by which nothing is open, and why. */
int journal_ref_line(const char *name, const struct err *why, struct buf *ret,
    struct err *e) MUST_CHECK;
/* In one write; what cannot be written is lost. */
void journal_write(int fd, const struct buf *line);

#endif
