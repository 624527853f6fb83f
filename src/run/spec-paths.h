/* Every path of a spec with its place, to find those that collide. */
#ifndef RUN_SPEC_PATHS_H
#define RUN_SPEC_PATHS_H

#include "codec/yaml.h"

struct spec_paths {
	struct spec_path_item {
		const char *path;           /* borrowed */
		const struct yaml *node;    /* borrowed */
		size_t order;
	} *items;
	size_t count, cap;
};

/* Refuses more than RUN_SPEC_ITEMS_MAX at the node. */
int spec_paths_add(struct spec_paths *p, const char *path, const struct yaml_doc *doc,
    const struct yaml *node, struct err *e) MUST_CHECK;
/* No path twice, none beneath another; the later of two is named, with the line
 * of the earlier. */
int spec_paths_check(struct spec_paths *p, const struct yaml_doc *doc, struct err *e) MUST_CHECK;
void spec_paths_free(struct spec_paths *p);

#endif
