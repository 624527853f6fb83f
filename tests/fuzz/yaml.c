#include "fuzz.h"

#include "codec/yaml.h"

/* Reads every node the way a spec is read; a scalar always has its text. */
static void
fuzz_yaml_walk(const struct yaml_doc *d, const struct yaml *n)
{
	static const char *const keys[] = {"version", "image", "command", NULL};
	struct yaml_node_pos pos = yaml_pos(n);

	if (pos.line == 0 || pos.column == 0 || (yaml_kind(n) == YAML_SCALAR) != (yaml_scalar(n) != NULL))
		abort();
	if (yaml_kind(n) == YAML_MAPPING) {
		struct err e;

		if (yaml_only(d, n, keys, &e) != 0 && e.code != ERR_SPEC)
			abort();
	}
	for (size_t i = 0; yaml_kind(n) != YAML_SCALAR && i < yaml_length(n); i++) {
		const struct yaml *key = NULL;

		if (yaml_kind(n) == YAML_SEQUENCE) {
			fuzz_yaml_walk(d, yaml_at(n, i));
			continue;
		}
		fuzz_yaml_walk(d, yaml_value(n, i, &key));
		if (key == NULL || yaml_get(n, yaml_scalar(key)) != yaml_value(n, i, &key))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(yaml_doc_freep) struct yaml_doc *d = NULL;

	if (yaml_doc_decode("fuzz.yaml", data, len, &d, NULL) == 0)
		fuzz_yaml_walk(d, yaml_doc_root(d));
	return 0;
}
