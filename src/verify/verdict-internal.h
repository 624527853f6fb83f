/* Shared by the files that write a verdict. */
#ifndef VERIFY_VERDICT_INTERNAL_H
#define VERIFY_VERDICT_INTERNAL_H

#include "evidence/event-log.h"
#include "verify/verdict.h"

/* Notes the events of a boot log that say another thing than what was measured. */
int verdict_note_altered(struct verdict *v, const struct event_log *l, struct err *e) MUST_CHECK;
/* A sentence in lines of 78 columns, every line indented. */
void verdict_wrap(struct buf *b, const char *text, size_t indent);
/* NULL: none failed. */
const struct verdict_item *verdict_first_failed(const struct verdict *v, enum verdict_check *ret);
/* One row for each question a reader has, over all checks. */
void verdict_summary(const struct verdict *v, struct buf *b);
/* What is proved, by whom, on what, when, and what is not: one sentence. */
int verdict_sentence(const struct verdict *v, struct buf *b, struct err *e) MUST_CHECK;

#endif
