#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <inttypes.h>
#include "base/printable.h"
#include "base/progress.h"
#include "base/workers.h"
#include "cmd/fsck-remote.h"
#include "store/fsck.h"

static void
fsck_print(void *arg, enum fsck_severity severity, const char *message)
{
	static const char *const prefix[] = {"litter: ", "damage: ", "repaired: ", "  touches: "};

	(void)arg;
	fputs(prefix[severity], stdout);
	cmd_print_text(stdout, message);
	putchar('\n');
}

static int
fsck_summary(const struct fsck_result *r)
{
	char bytes[32];

	progress_size(bytes, sizeof bytes, r->bytes);
	printf("%" PRIu64 " object%s, %s", r->objects, printable_s(r->objects), bytes);
	if (r->repaired > 0)
		printf(", %" PRIu64 " repaired", r->repaired);
	puts(".");
	puts(r->damage ? "The store is damaged." : "The store is sound.");
	return r->damage ? 1 : 0;
}

int
fsck_command(int argc, char **argv, struct err *e)
{
	bool help = false, full = false, repair = false;
	int64_t threads = 0;
	const struct option table[] = {
		{OPTION_FLAG, 0, "full", &full, NULL, "read alternates and referenced files too"},
		{OPTION_FLAG, 0, "repair", &repair, NULL, "put right what there are good bytes for"},
		{OPTION_INT, 'j', "jobs", &threads, "N", "threads that hash (one a processor)"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(fsck_remote_freep) struct fsck_remote *remotes = NULL;
	struct fsck_options o = {.report = fsck_print, .progress = stderr};
	struct fsck_result r;
	int rc = cmd_parse("fsck", "[--full] [--repair] [-j N]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("fsck", argc, 0, 0, e) != 0)
		return -1;
	if (threads > WORKERS_MAX)
		return err_set(e, ERR_USAGE, "-j: at most %d", WORKERS_MAX);
	if (cmd_store(repair ? 0 : STORE_READ_ONLY, &s, e) != 0)
		return -1;
	o.threads = (unsigned)threads;
	if (repair && fsck_remote_new(s, &remotes, e) != 0)
		return -1;
	o.fetch = repair ? fsck_remote_fetch : NULL;
	o.arg = remotes;
	o.flags = (full ? FSCK_FULL : 0) | (repair ? FSCK_REPAIR : 0);
	return fsck_run(s, &o, &r, e) != 0 ? -1 : fsck_summary(&r);
}
