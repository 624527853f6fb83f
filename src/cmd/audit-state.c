#include "cmd/audit-state.h"

#include <stdio.h>
#include "cmd/cmd.h"

int
audit_state_add(struct audit_list *l, const struct oid *id, struct err *e)
{
	if (l->count == l->cap) {
		size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
		struct oid *grown = reallocarray(l->ids, cap, sizeof *grown);

		if (grown == NULL)
			return err_nomem(e);
		l->ids = grown;
		l->cap = cap;
	}
	l->ids[l->count++] = *id;
	return 0;
}

void
audit_state_free(struct audit *a)
{
	if (a->fetched)
		fetch_refs_free(&a->fetch);
	free(a->tips.ids);
	free(a->todo.ids);
	oid_map_free(&a->before);
	oid_map_free(&a->known);
	oid_map_free(&a->names);
	oid_map_free(&a->origins);
}

int
audit_state_tell(const struct audit *a, const char *kind, struct jcs *object, struct err *e,
    const char *sentence, ...)
{
	CLEANUP(jcs_freep) struct jcs *v = object;
	CLEANUP(cleanup_free) char *text = NULL;
	va_list ap;

	if (a->json) {
		jcs_set_string(v, "kind", kind);
		return cmd_print_json(v, e);
	}
	va_start(ap, sentence);
	if (vasprintf(&text, sentence, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text == NULL)
		return err_nomem(e);
	printf("%-9s  ", kind);
	cmd_print_text(stdout, text);
	putchar('\n');
	return 0;
}
