#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "base/printable.h"
#include "base/progress.h"
#include "serve/ledger.h"
#include "store/gc.h"

#define GC_RUNS_MAX 1000000

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

/* Of a daemon on an address, in serve/: runs that are queued, or finished and not
 * collected yet. */
static int
gc_roots(void *arg, struct store *s, gc_text_fn *text, void *gc, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/serve/ledger.db", store_path(s));
	struct ledger_run *runs = NULL;
	struct ledger *l;
	size_t count = 0;
	int rc;

	(void)arg;
	if (path == NULL)
		return -1;
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	if (ledger_open(path, &l, e) != 0)
		return -1;
	rc = ledger_runs(l, GC_RUNS_MAX, &runs, &count, e);
	for (size_t i = 0; i < count && rc == 0; i++) {
		char hex[OID_HEX_SIZE];

		oid_hex(&runs[i].certificate, hex);
		if (runs[i].has_certificate)
			rc = text(gc, hex, strlen(hex), e);
		if (rc == 0)
			rc = text(gc, runs[i].request.data, runs[i].request.len, e);
	}
	ledger_runs_free(runs, count);
	ledger_close(l);
	return rc;
}

static void
gc_summary(const struct gc_result *r, bool dry_run)
{
	char removed[32], before[32], after[32];

	progress_size(removed, sizeof removed, r->removed_bytes);
	printf("%s %" PRIu64 " object%s (%s) and %" PRIu64 " left-over%s; %" PRIu64 " object%s kept.\n",
	    dry_run ? "Would remove" : "Removed", r->removed, printable_s(r->removed), removed, r->litter,
	    printable_s(r->litter), r->kept, r->kept == 1 ? " is" : "s are");
	if (r->small_after < r->small_before) {
		progress_size(before, sizeof before, r->small_before);
		progress_size(after, sizeof after, r->small_after);
		printf("The file of small objects had %s and has %s.\n", before, after);
	}
}

int
gc_command(int argc, char **argv, struct err *e)
{
	bool help = false, dry_run = false, inputs = false, unpushed = false, quiet = false;
	const struct option table[] = {
		{OPTION_FLAG, 'n', "dry-run", &dry_run, NULL, "only say what would be removed"},
		{OPTION_FLAG, 0, "prune-inputs", &inputs, NULL,
		    "also inputs and images of runs, and outputs of failed ones"},
		{OPTION_FLAG, 0, "prune-unpushed", &unpushed, NULL,
		    "also certificates and commits that nothing reaches"},
		{OPTION_FLAG, 'q', "quiet", &quiet, NULL, "only the sum"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	struct gc_print print;
	struct gc_options o = {.on_object = gc_print_object, .on_litter = gc_print_litter,
	    .roots = gc_roots, .arg = &print, .progress = stderr};
	struct gc_result r;
	int rc = cmd_parse("gc", "[-n] [-q] [--prune-inputs] [--prune-unpushed]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("gc", argc, 0, 0, e) != 0 || cmd_store(0, &s, e) != 0)
		return -1;
	print = (struct gc_print){dry_run, quiet};
	o.dry_run = dry_run;
	o.prune_inputs = inputs;
	o.prune_unpushed = unpushed;
	if (gc_run(s, &o, &r, e) != 0)
		return -1;
	gc_summary(&r, dry_run);
	return 0;
}
