#include "cmd/verify-legacy.h"

#include <fcntl.h>
#include "base/fd.h"
#include "cmd/cmd.h"
#include "verify/legacy.h"
#include "verify/legacy-verdict.h"

#define VERIFY_LEGACY_MODE "legacy, no assurance"

static int
verify_legacy_json(const struct verdict *v, int generation, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(jcs_freep) struct jcs *o = NULL;

	if (verdict_to_json(v, &text, e) != 0 ||
	    jcs_decode(text.data, text.len, text.len, &o, e) != 0)
		return -1;
	jcs_set_string(o, "mode", VERIFY_LEGACY_MODE);
	jcs_set(o, "generation", generation != 0 ? jcs_new_int(generation) : jcs_new_null());
	return cmd_print_json(o, e);
}

static void
verify_legacy_check(const struct verdict *v, enum verdict_check c)
{
	static const char *const words[] = {[VERDICT_SKIP] = "skip", [VERDICT_PASS] = "pass",
	    [VERDICT_FAIL] = "FAIL"};
	const struct verdict_item *item = &v->checks[c];

	printf("  %s  %s", words[item->result], verdict_check_name(c));
	if (item->found != NULL)
		printf(": %s", item->found);
	putchar('\n');
}

static void
verify_legacy_text(const struct verdict *v)
{
	fputs("FAIL  ", stdout);
	cmd_print_text(stdout, v->subject);
	puts(" (" VERIFY_LEGACY_MODE ")");
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		if (v->asked[c])
			verify_legacy_check(v, c);
	}
	for (size_t i = 0; i < v->note_count; i++)
		printf("  %s\n", v->notes[i]);
}

int
verify_legacy(const char *path, int64_t time, const char *time_source, bool json, struct err *e)
{
	CLEANUP(trust_free) struct trust trust = {0};
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct verdict *v;
	int generation, rc = 0;

	if (fd_read_named(path, LEGACY_BYTES_MAX, &bytes, e) != 0 ||
	    cmd_trust(&trust, e) != 0 ||
	    legacy_verdict(&(struct legacy_verdict_request){.subject = path, .json = bytes.data,
	    .len = bytes.len, .trust = &trust, .time = time, .time_source = time_source}, &v,
	    &generation, e) != 0)
		return -1;
	if (json)
		rc = verify_legacy_json(v, generation, e);
	else
		verify_legacy_text(v);
	verdict_free(v);
	return rc == 0 ? 1 : -1;
}
