/* Inputs that are not in the work tree: fetched, checked, put into the store. */
#ifndef RUN_FETCH_H
#define RUN_FETCH_H

#include "run/resolve.h"
#include "store/ingest.h"

/* git: and url: inputs. *ret_source (malloc'd) names where the bytes came from:
 * the URL, or "git+<url>@<rev>" with "#<path>" where only a part was taken. */
int fetch_input(const struct spec_input *in, const struct resolve_options *o,
    struct ingest_result *ret, char **ret_source, struct err *e) MUST_CHECK;

#endif
