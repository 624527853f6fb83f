/* A prediction beside the log of a boot. */
#include "evidence/uki.h"

#include <string.h>

#define UKI_NONE ((size_t)-1)

/* Two lists of one PCR, walked side by side. */
struct uki_walk {
	const struct uki_prediction *p;
	const struct event_log *l;
	size_t bank, log_bank, size;
	unsigned pcr;
	size_t next, logged;        /* UKI_NONE: at the end */
};

static size_t
uki_walk_predicted(const struct uki_walk *w, size_t from)
{
	for (size_t i = from; i < w->p->count; i++) {
		if (w->p->events[i].pcr == w->pcr)
			return i;
	}
	return UKI_NONE;
}

static size_t
uki_walk_logged(const struct uki_walk *w, size_t from)
{
	for (size_t i = from; i < w->l->count; i++) {
		const struct event_log_event *ev = &w->l->events[i];

		if (ev->pcr == w->pcr && ev->type != EVENT_LOG_NO_ACTION && ev->digest[w->log_bank] != NULL)
			return i;
	}
	return UKI_NONE;
}

static bool
uki_walk_same(const struct uki_walk *w, size_t predicted, size_t logged)
{
	return memcmp(w->p->events[predicted].digest[w->bank], w->l->events[logged].digest[w->log_bank],
	    w->size) == 0;
}

/* Is it further on in the other list? */
static bool
uki_walk_comes(const struct uki_walk *w, size_t predicted, size_t logged, bool in_log)
{
	size_t i = in_log ? logged : predicted;

	for (;;) {
		i = in_log ? uki_walk_logged(w, i + 1) : uki_walk_predicted(w, i + 1);
		if (i == UKI_NONE)
			return false;
		if (in_log ? uki_walk_same(w, predicted, i) : uki_walk_same(w, i, logged))
			return true;
	}
}

static enum uki_finding_kind
uki_walk_kind(const struct uki_walk *w)
{
	if (w->next == UKI_NONE)
		return UKI_ADDED;
	if (w->logged == UKI_NONE)
		return UKI_MISSING;
	if (uki_walk_same(w, w->next, w->logged))
		return UKI_SAME;
	if (uki_walk_comes(w, w->next, w->logged, true))
		return UKI_ADDED;
	return uki_walk_comes(w, w->next, w->logged, false) ? UKI_MISSING : UKI_CHANGED;
}

static int
uki_comparison_add(struct uki_comparison *c, const struct uki_finding *f, struct err *e)
{
	struct uki_finding *findings = reallocarray(c->findings, c->count + 1, sizeof *findings);

	if (findings == NULL)
		return err_nomem(e);
	c->findings = findings;
	findings[c->count++] = *f;
	c->differ += f->kind != UKI_SAME;
	return 0;
}

static int
uki_compare_pcr(struct uki_walk *w, struct uki_comparison *c, struct err *e)
{
	w->next = uki_walk_predicted(w, 0);
	w->logged = uki_walk_logged(w, 0);
	while (w->next != UKI_NONE || w->logged != UKI_NONE) {
		struct uki_finding f = {.kind = uki_walk_kind(w), .pcr = w->pcr, .logged = UKI_NONE};

		if (f.kind != UKI_ADDED) {
			f.predicted = &w->p->events[w->next];
			w->next = uki_walk_predicted(w, w->next + 1);
		}
		if (f.kind != UKI_MISSING) {
			f.logged = w->logged;
			w->logged = uki_walk_logged(w, w->logged + 1);
		}
		if (uki_comparison_add(c, &f, e) != 0)
			return -1;
	}
	return 0;
}

int
uki_compare(const struct uki_prediction *p, size_t bank, const struct event_log *l,
    size_t log_bank, struct uki_comparison *ret, struct err *e)
{
	CLEANUP(uki_comparison_free) struct uki_comparison c = {0};
	struct uki_walk w = {.p = p, .l = l, .bank = bank, .log_bank = log_bank};

	if (bank >= UKI_BANKS || log_bank >= l->bank_count || !l->banks[log_bank].known ||
	    l->banks[log_bank].hash != uki_banks[bank])
		return err_set(e, ERR_INTERNAL, "UKI: a prediction of one bank, a log of another");
	w.size = hash_size(uki_banks[bank]);
	for (w.pcr = 0; w.pcr < UKI_PCRS; w.pcr++) {
		if ((UKI_PCRS_PREDICTED >> w.pcr & 1) != 0 && uki_compare_pcr(&w, &c, e) != 0)
			return -1;
	}
	*ret = c;
	c = (struct uki_comparison){0};
	return 0;
}

void
uki_comparison_free(struct uki_comparison *c)
{
	free(c->findings);
	*c = (struct uki_comparison){0};
}
