#include "run/spec-paths.h"

#include <string.h>
#include "base/array.h"
#include "base/buf.h"
#include "object/run-spec.h"

int
spec_paths_add(struct spec_paths *p, const char *path, const struct yaml_doc *doc,
    const struct yaml *node, struct err *e)
{
	if (p->count == RUN_SPEC_ITEMS_MAX)
		return yaml_error(doc, node, e, "more than %d inputs and outputs; a directory counts as one",
		    RUN_SPEC_ITEMS_MAX);
	if (ARRAY_ROOM(p->items, p->count, p->cap, e) != 0)
		return -1;
	p->items[p->count] = (struct spec_path_item){path, node, p->count};
	p->count++;
	return 0;
}

static int
spec_paths_compare(const void *a, const void *b)
{
	return strcmp(((const struct spec_path_item *)a)->path, ((const struct spec_path_item *)b)->path);
}

static int
spec_paths_clash(const struct spec_path_item *a, const struct spec_path_item *b,
    const struct yaml_doc *doc, struct err *e)
{
	const struct spec_path_item *late = a->order > b->order ? a : b;
	const struct spec_path_item *early = a->order > b->order ? b : a;
	const char *how = strcmp(a->path, b->path) == 0 ? "is the same path as" :
	    strlen(late->path) > strlen(early->path) ? "lies beneath" : "lies above";

	return yaml_error(doc, late->node, e, "%.200s %s %.200s (line %zu)", late->path, how, early->path,
	    yaml_pos(early->node).line);
}

/* Is one of the directories above this path an item too? "a" and "a/b" may have
 * "a.c" between them in the order, so each is looked up. */
static int
spec_paths_above(const struct spec_paths *p, const struct spec_path_item *item,
    const struct yaml_doc *doc, struct err *e)
{
	CLEANUP(cleanup_free) char *prefix = buf_strdup(item->path, e);
	char *slash;

	if (prefix == NULL)
		return -1;
	while ((slash = strrchr(prefix, '/')) != NULL) {
		struct spec_path_item key = {.path = prefix};
		const struct spec_path_item *found;

		*slash = '\0';
		found = bsearch(&key, p->items, p->count, sizeof key, spec_paths_compare);
		if (found != NULL)
			return spec_paths_clash(item, found, doc, e);
	}
	return 0;
}

int
spec_paths_check(struct spec_paths *p, const struct yaml_doc *doc, struct err *e)
{
	if (p->count == 0)
		return 0;
	qsort(p->items, p->count, sizeof *p->items, spec_paths_compare);
	for (size_t i = 0; i < p->count; i++) {
		if (i > 0 && strcmp(p->items[i - 1].path, p->items[i].path) == 0)
			return spec_paths_clash(&p->items[i - 1], &p->items[i], doc, e);
		if (spec_paths_above(p, &p->items[i], doc, e) != 0)
			return -1;
	}
	return 0;
}

void
spec_paths_free(struct spec_paths *p)
{
	free(p->items);
	*p = (struct spec_paths){0};
}
