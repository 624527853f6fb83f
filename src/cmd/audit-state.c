#include "cmd/audit-state.h"

#include <stdio.h>
#include "cmd/cmd.h"

void
audit_state_free(struct audit *a)
{
	if (a->fetched)
		fetch_refs_free(&a->fetch);
	oid_list_free(&a->tips);
	oid_list_free(&a->todo);
	oid_map_free(&a->before);
	oid_map_free(&a->known);
	audit_names_free(&a->names);
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
