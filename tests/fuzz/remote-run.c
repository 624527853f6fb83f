#include "fuzz.h"

#include "runner/remote-run.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct remote_run_list list;
	struct remote_run r;

	if (remote_run_decode(data, len, &r, NULL) == 0) {
		if (!remote_run_id_ok(r.id) || remote_run_state_name(r.state) == NULL || r.log < 0 ||
		    (r.state == REMOTE_RUN_DONE && !r.has_certificate))
			abort();
		remote_run_free(&r);
	}
	if (remote_run_list_decode(data, len, &list, NULL) == 0) {
		for (size_t i = 0; i < list.count; i++)
			if (!remote_run_id_ok(list.runs[i].id))
				abort();
		remote_run_list_free(&list);
	}
	return 0;
}
