/* aicert: finds the command in a table, runs it, prints its error. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/interrupt.h"
#include "base/printable.h"
#include "cmd/cmd.h"
#include "cmd/commands.h"

static const struct cmd commands[] = {
	{"init", "make a store in a directory", init_command},
	{"commit", "make an attested run and record its certificate", commit_command},
	{"status", "what differs from the last certificate", status_command},
	{"log", "the history, newest first", log_command},
	{"show", "a commit, certificate, tree or file in readable form", show_command},
	{"verify", "judge the proof behind a file or a revision", verify_command},
	{"trace", "the lineage of a file, back to the data sets", trace_command},
	{"audit", "is the history whole, proven, and all that git has", audit_command},
	{"bundle", "the whole proof of files as one file", bundle_command},
	{"import", "take a bundle's history into the store", import_command},
	{"checkout", "a run's files, back into the work tree", checkout_command},
	{"branch", "list, make, change or delete branches", branch_command},
	{"tag", "list, make or delete tags", tag_command},
	{"remote", "other copies of the history, by name", remote_command},
	{"clone", "a history from a remote, into a new store", clone_command},
	{"push", "send commits, certificates and files to a remote", push_command},
	{"fetch", "get what a remote has that is new", fetch_command},
	{"pull", "fetch, and move the current branch on", pull_command},
	{"ls-remote", "the branches and tags of a remote", ls_remote_command},
	{"trust", "whom verification believes, and for what", trust_command},
	{"runner", "machines that make attested runs", runner_command},
	{"run", "runs on other machines that are still to be collected", run_command},
	{"config", "read and write settings", config_command},
	{"fsck", "check, and repair, every object and ref of the store", fsck_command},
	{"gc", "remove what nothing needs any more", gc_command},
	{"hardware-check", "judge a confidential machine's hardware report", hardware_check_command},
	{"hash-object", "ids of files and directories", hash_object_command},
	{"cat-file", "the bytes, type or size of an object", cat_file_command},
	{"ls-tree", "the entries of a tree", ls_tree_command},
	{"event-log", "the events of a boot log and the PCRs they give", event_log_command},
	{"quote-check", "judge one TPM quote, its key and its boot log", quote_check_command},
	{"image", "what booting an image measures", image_command},
	{"reference", "reference records: what known images measure", reference_command},
	{"rev-parse", "the full id of a revision", rev_parse_command},
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static const struct cmd *
main_find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void
main_usage(FILE *out)
{
	int width = 0;

	fputs("usage: aicert [-C DIR] COMMAND [ARGUMENT...]\n"
	    "       aicert help [COMMAND] | --help | --version\n\n", out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if ((int)strlen(commands[i].name) > width)
			width = (int)strlen(commands[i].name);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-*s  %s\n", width, commands[i].name, commands[i].summary);
	fprintf(out, "  %-*s  the version of this program\n", width, "version");
	fprintf(out, "  %-*s  this text, or the usage of a command\n", width, "help");
}

static int
main_version(void)
{
	puts("aicert " AICERT_VERSION);
	return 0;
}

static int
main_run(const struct cmd *c, int argc, char **argv, struct err *e)
{
	if (interrupt_install(e) != 0)
		return -1;
	return c->run(argc, argv, e);
}

static int
main_help(int argc, char **argv, struct err *e)
{
	char help[] = "--help";
	char *args[] = {NULL, help, NULL};
	const struct cmd *c;

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		main_usage(stdout);
		return 0;
	}
	c = main_find(argv[1]);
	if (c == NULL)
		return err_set(e, ERR_USAGE, "no such command: %s (aicert help lists them)", argv[1]);
	args[0] = argv[1];
	return c->run(2, args, e);
}

/* argv[0] is the command's name. */
static int
main_dispatch(int argc, char **argv, struct err *e)
{
	const struct cmd *c;

	if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "version") == 0)
		return main_version();
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
	    strcmp(argv[0], "help") == 0)
		return main_help(argc, argv, e);
	c = main_find(argv[0]);
	if (c == NULL)
		return err_set(e, ERR_USAGE, "no such command: %s (aicert help lists them)", argv[0]);
	return main_run(c, argc, argv, e);
}

/* Options before the command; *i is the command's place in argv. */
static int
main_globals(int argc, char **argv, int *i, struct err *e)
{
	for (*i = 1; *i < argc && strcmp(argv[*i], "-C") == 0; *i += 2) {
		if (*i + 1 >= argc)
			return err_set(e, ERR_USAGE, "-C needs a directory");
		if (chdir(argv[*i + 1]) != 0)
			return err_sys(e, "%s: cannot change to the directory", argv[*i + 1]);
	}
	return 0;
}

/* Messages carry names of files and words of others. */
static void
main_complain(const struct err *e)
{
	CLEANUP(cleanup_free) char *safe = printable(e->msg, NULL);

	fprintf(stderr, "aicert: %s\n", safe != NULL ? safe : "out of memory");
}

/* Buffers of some MiB come and go all the time: memory that was given back would be cleared by
 * the kernel again and again, a fifteenth of a clone's time. */
static void
main_keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

int
main(int argc, char **argv)
{
	struct err e = {0};
	int i, status;

	main_keep_memory();
	/* The TSS writes to stderr by itself; what matters comes back as an error. */
	setenv("TSS2_LOG", "all+none", 0);
	status = main_globals(argc, argv, &i, &e);
	if (status == 0 && i >= argc)
		status = err_set(&e, ERR_USAGE, "a command is needed (aicert help lists them)");
	if (status == 0)
		status = main_dispatch(argc - i, argv + i, &e);
	if (status >= 0 && (fflush(stdout) != 0 || ferror(stdout)))
		status = err_sys(&e, "cannot write to standard output");
	if (status >= 0)
		return status;
	main_complain(&e);
	return err_exit_status(e.code);
}
