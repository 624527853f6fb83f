/* Where a search of the history begins.  For history-*.c. */
#ifndef STORE_HISTORY_TIPS_H
#define STORE_HISTORY_TIPS_H

#include "object/oid-list.h"
#include "store/store.h"

/* Adds HEAD's commit, where it has one. */
int history_tips_head(struct store *s, struct oid_list *t, struct err *e) MUST_CHECK;
/* Adds those of all refs but refs/failed/, whose runs produce nothing. */
int history_tips_refs(struct store *s, struct oid_list *t, struct err *e) MUST_CHECK;

#endif
