/* The members of each kind of event; part of event.c's work. */
#ifndef OBJECT_EVENT_CODEC_H
#define OBJECT_EVENT_CODEC_H

#include "object/event.h"

/* ev->kind is set; what was filled before a failure is released by event_free(). */
int event_codec_read(const struct jcs *v, struct event *ev, struct err *e) MUST_CHECK;
void event_codec_write(const struct event *ev, struct jcs *v);

/* In event.c: names back to values. */
int event_tpm_parse(const char *name, enum event_tpm *ret, struct err *e) MUST_CHECK;
int event_reason_parse(const char *name, enum event_reason *ret, struct err *e) MUST_CHECK;

#endif
