#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <inttypes.h>
#include "base/progress.h"
#include "store/gc.h"

struct gc_print {
	bool dry_run, quiet;
};

static void
gc_print_object(void *arg, const struct oid *id, uint64_t size)
{
	const struct gc_print *p = arg;
	char hex[OID_HEX_SIZE], text[32];

	if (p->quiet)
		return;
	oid_hex(id, hex);
	progress_size(text, sizeof text, size);
	printf("%s %s  %s\n", p->dry_run ? "would remove" : "removed", hex, text);
}

static void
gc_print_litter(void *arg, const char *path)
{
	const struct gc_print *p = arg;

	if (p->quiet)
		return;
	fputs(p->dry_run ? "would remove " : "removed ", stdout);
	cmd_print_text(stdout, path);
	putchar('\n');
}

static void
gc_summary(const struct gc_result *r, bool dry_run)
{
	char removed[32], before[32], after[32];

	progress_size(removed, sizeof removed, r->removed_bytes);
	printf("%s %" PRIu64 " objects (%s) and %" PRIu64 " left-overs; %" PRIu64 " objects are kept.\n",
	    dry_run ? "Would remove" : "Removed", r->removed, removed, r->litter, r->kept);
	if (r->small_after < r->small_before) {
		progress_size(before, sizeof before, r->small_before);
		progress_size(after, sizeof after, r->small_after);
		printf("The file of small objects had %s and has %s.\n", before, after);
	}
	if (r->held) {
		fputs("aicert: some were left, because a commit compares files with all that is here: ",
		    stderr);
		cmd_print_text(stderr, r->holder != NULL ? r->holder : "");
		fputs("; run gc again later\n", stderr);
	}
}

int
gc_command(int argc, char **argv, struct err *e)
{
	bool help = false, dry_run = false, unpushed = false, quiet = false;
	const struct option table[] = {
		{OPTION_FLAG, 'n', "dry-run", &dry_run, NULL, "only say what would be removed"},
		{OPTION_FLAG, 0, "prune-unpushed", &unpushed, NULL,
		    "also inputs, and outputs of failed runs, that no remote has"},
		{OPTION_FLAG, 'q', "quiet", &quiet, NULL, "only the sum"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	struct gc_print print;
	struct gc_options o = {.on_object = gc_print_object, .on_litter = gc_print_litter, .arg = &print,
	    .progress = stderr};
	struct gc_result r;
	int rc = cmd_parse("gc", "[-n] [-q] [--prune-unpushed]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("gc", argc, 0, 0, e) != 0 || cmd_store(0, &s, e) != 0)
		return -1;
	print = (struct gc_print){dry_run, quiet};
	o.dry_run = dry_run;
	o.prune_inputs = unpushed;
	if (gc_run(s, &o, &r, e) != 0)
		return -1;
	gc_summary(&r, dry_run);
	free(r.holder);
	return 0;
}
