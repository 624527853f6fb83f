#include "cmd/outputs.h"

#include <string.h>
#include "cmd/worktree.h"

int
outputs_check(struct store *s, const struct run_spec *spec, struct err *e)
{
	for (size_t i = 0; i < spec->output_count; i++)
		if (worktree_check_parent(s, spec->outputs[i].path, e) != 0)
			return err_prefix(e, "output");
	return 0;
}

int
outputs_write(struct store *s, const struct certificate *c, const char *only_kind, struct err *e)
{
	for (size_t i = 0; i < c->event_count; i++) {
		const struct event *ev = &c->events[i];
		const struct resource *r = &ev->u.output.output;
		const struct worktree_thing t = {.path = r->path, .type = r->type, .id = r->digests.sha256};
		struct worktree_found found;

		if (ev->kind != EVENT_OUTPUT_RESOURCE ||
		    (only_kind != NULL && strcmp(r->kind, only_kind) != 0))
			continue;
		if (worktree_sweep(s, r->path, e) != 0 || worktree_look(s, &t, &found, e) != 0 ||
		    worktree_put(s, &t, &found, WORKTREE_KEEP | WORKTREE_SYNC, NULL, e) != 0)
			return -1;
	}
	return 0;
}
