/* What a hub's refs reach, and so who may read it; for hub*.c only. */
#ifndef SERVE_HUB_REACH_H
#define SERVE_HUB_REACH_H

#include "serve/hub.h"
#include "serve/session.h"

struct hub_reach_list {
	struct ledger_item *items;
	size_t count, cap;
};

/*
 * Before a ref is set to root: all that it needs must be visible to the principal of c
 * (ERR_REFUSED names what is not), and is put into *ret, with what else it names and the
 * principal may see.  So a ref opens nothing that its writer could not read.  The caller
 * frees the list, also after an error, and marks what is in it once the ref may be set:
 * a change that is refused opens nothing.  again: a ref that is set to what it is opens
 * contents that came after it.
 */
int hub_reach_prove(struct http_call *c, const struct object_ref *root, enum ledger_reach mark, bool again,
    struct hub_reach_list *ret, struct err *e) MUST_CHECK;
void hub_reach_list_free(struct hub_reach_list *l);
/* All marks anew, from the refs that are there; what no ref had reached before is not
 * reached now either.  By a ref that cannot be followed to its end nothing is. */
int hub_reach_rebuild(const struct hub_options *o, struct store *s, struct err *e) MUST_CHECK;

#endif
