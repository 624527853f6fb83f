#include "fuzz.h"

#include "runner/pending.h"
#include "runner/registry.h"
#include "runner/remote-run.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf again = BUF_INIT;
	struct pending p;

	if (pending_decode(data, len, &p, NULL) != 0)
		return 0;
	/* what is read is fit to be used, and has one spelling */
	if (!remote_run_id_ok(p.run) || registry_name_check(p.runner, NULL) != 0 ||
	    pending_encode(&p, &again, NULL) != 0 || again.len != len ||
	    memcmp(again.data, data, len) != 0)
		abort();
	buf_free(&again);
	pending_free(&p);
	return 0;
}
