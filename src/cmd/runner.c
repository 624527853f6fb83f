#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <stdlib.h>
#include <string.h>
#include "base/hex.h"
#include "cmd/open-runner.h"
#include "net/http.h"
#include "provider/qemu.h"

struct runner_command {
	const char *level, *ak_name, *token_file, *client_cert, *client_key;
	const char *accelerator, *firmware;
	int64_t processors, memory;
	bool json;
};

static int
runner_absolute(const char *path, char **ret, struct err *e)
{
	if (path == NULL)
		return 0;
	*ret = realpath(path, NULL);
	return *ret != NULL ? 0 : err_sys(e, "%s: cannot find it", path);
}

/* nameAlg and a digest of it: SHA-256, SHA-384 or SHA-512 (TPM 2.0 part 2, table 9). */
static int
runner_check_ak_name(const char *name, struct err *e)
{
	size_t len = strlen(name);
	bool ok = hex_is(name, len > 0 ? len : 1) && ((len == 68 && strncmp(name, "000b", 4) == 0) ||
	    (len == 100 && strncmp(name, "000c", 4) == 0) ||
	    (len == 132 && strncmp(name, "000d", 4) == 0));

	return ok ? 0 : err_set(e, ERR_USAGE, "--ak-name: \"%s\" is not the Name of a key (000b and 64"
	    " hexadecimal digits; aicertd prints it, aicert runner check shows it)", name);
}

/* What only a machine that is there can have. */
static int
runner_check_started(const struct runner_command *c, struct err *e)
{
	if (c->ak_name != NULL || c->token_file != NULL || c->client_cert != NULL ||
	    c->client_key != NULL)
		return err_set(e, ERR_USAGE, "a machine that is started for every run has a new AK and a new"
		    " token each time; none can be given");
	if (c->accelerator != NULL && strcmp(c->accelerator, "kvm") != 0 &&
	    strcmp(c->accelerator, "tcg") != 0)
		return err_set(e, ERR_USAGE, "--accelerator is kvm or tcg");
	if (c->processors > QEMU_PROCESSORS_MAX)
		return err_set(e, ERR_USAGE, "--processors: at most %d", QEMU_PROCESSORS_MAX);
	if (c->memory != 0 && (c->memory < QEMU_MEMORY_MIB_MIN || c->memory > QEMU_MEMORY_MIB_MAX))
		return err_set(e, ERR_USAGE, "--memory: %d to %d MiB", QEMU_MEMORY_MIB_MIN,
		    QEMU_MEMORY_MIB_MAX);
	return 0;
}

/* Its TPM is a program of ours: it cannot reach more. */
static int
runner_fill_started(const struct runner_command *c, const char *url, struct registry_entry *r,
    struct err *e)
{
	const char *what;
	const struct provider *p = provider_find(url, &what);

	r->started = true;
	r->level = LEVEL_SIMULATED;
	if (runner_check_started(c, e) != 0 ||
	    (c->level != NULL && verdict_level_parse(c->level, &r->level, e) != 0) ||
	    provider_check(p, what, &r->url, e) != 0 ||
	    runner_absolute(c->firmware, &r->firmware_variables, e) != 0)
		return -1;
	if (r->level > LEVEL_SIMULATED)
		return err_set(e, ERR_USAGE, "--min-level: a machine of %s reaches simulated at most", url);
	r->processors = c->processors;
	r->memory_mib = c->memory;
	if (c->accelerator == NULL)
		return 0;
	r->accelerator = buf_strdup(c->accelerator, e);
	return r->accelerator != NULL ? 0 : -1;
}

static int
runner_fill(const struct runner_command *c, const char *name, const char *url,
    struct registry_entry *r, struct err *e)
{
	const char *what;

	r->level = LEVEL_VTPM;
	r->name = buf_strdup(name, e);
	if (r->name == NULL || registry_name_check(name, e) != 0)
		return -1;
	if (provider_find(url, &what) != NULL)
		return runner_fill_started(c, url, r, e);
	if (c->processors != 0 || c->memory != 0 || c->accelerator != NULL || c->firmware != NULL)
		return err_set(e, ERR_USAGE, "--processors, --memory, --accelerator and --secure-boot are of"
		    " machines that are started (qemu:IMAGE)");
	if (http_url_base(url, &r->url, e) != 0 ||
	    (c->level != NULL && verdict_level_parse(c->level, &r->level, e) != 0) ||
	    (c->ak_name != NULL && runner_check_ak_name(c->ak_name, e) != 0) ||
	    runner_absolute(c->token_file, &r->token_file, e) != 0 ||
	    runner_absolute(c->client_cert, &r->client_cert, e) != 0 ||
	    runner_absolute(c->client_key, &r->client_key, e) != 0)
		return -1;
	if (r->level > LEVEL_VTPM)
		return err_set(e, ERR_USAGE, "--min-level %s: no runner reaches it over a network yet: its"
		    " identity carries no hardware report that could be judged; vtpm is the highest",
		    verdict_level_name(r->level));
	if ((r->client_cert == NULL) != (r->client_key == NULL))
		return err_set(e, ERR_USAGE, "--client-cert and --client-key need each other");
	if (c->ak_name == NULL)
		return 0;
	r->ak_given = true;
	r->ak_name = buf_strdup(c->ak_name, e);
	return r->ak_name != NULL ? 0 : -1;
}

static int
runner_check_new(struct config *c, const char *name, struct err *e)
{
	CLEANUP(registry_entry_free) struct registry_entry there = {0};

	if (registry_name_check(name, e) != 0)
		return -1;
	if (registry_get(c, name, &there, e) == 0)
		return err_set(e, ERR_EXISTS, "runner %s is there already, at %s (aicert runner remove %s"
		    " forgets it)", name, there.url, name);
	return e->code == ERR_USAGE ? 0 : -1;
}

static int
runner_record(struct config *c, struct open_runner *r, struct err *e)
{
	const struct verdict *v = runner_verdict(r->runner);

	if (r->entry.ak_name == NULL) {
		r->entry.ak_name = buf_strdup(runner_ak_name(r->runner), e);
		if (r->entry.ak_name == NULL)
			return -1;
	}
	if (registry_add(c, &r->entry, e) != 0)
		return -1;
	printf("%s: %s, level %s\nAK %s\n", r->entry.name, r->entry.url, verdict_level_name(v->level),
	    r->entry.ak_name);
	puts(r->entry.ak_given ? "The AK is the one that was given." :
	    "The AK is recorded on first use: compare it with what aicertd printed on that machine.");
	return 0;
}

/* Nothing to identify yet. */
static int
runner_record_started(struct config *c, const struct registry_entry *r, struct err *e)
{
	if (registry_add(c, r, e) != 0)
		return -1;
	printf("%s: %s, level %s\nIt is started for every run, with an AK of its own.\n", r->name, r->url,
	    verdict_level_name(r->level));
	return 0;
}

static int
runner_add(const struct runner_command *o, char **argv, struct err *e)
{
	CLEANUP(registry_entry_free) struct registry_entry entry = {0};
	CLEANUP(open_runner_close) struct open_runner r = {0};
	CLEANUP(config_closep) struct config *c = NULL;
	struct open_runner_options options = {.name = argv[0]};

	if (runner_fill(o, argv[0], argv[1], &entry, e) != 0 || config_open(NULL, &c, e) != 0 ||
	    runner_check_new(c, argv[0], e) != 0)
		return -1;
	if (entry.started)
		return runner_record_started(c, &entry, e);
	if (open_runner_entry(&options, &entry, &r, e) != 0)
		return -1;
	if (open_runner_identify(&r, e) != 0)
		return err_prefix(e, "nothing was recorded");
	return runner_record(c, &r, e);
}

static struct jcs *
runner_to_jcs(const struct registry_entry *r)
{
	struct jcs *v = jcs_new_object();

	jcs_set_string(v, "akFrom", r->ak_name == NULL ? NULL : r->ak_given ? "given" : "first-use");
	jcs_set_string(v, "akName", r->ak_name);
	jcs_set_string(v, "minLevel", verdict_level_name(r->level));
	jcs_set_string(v, "name", r->name);
	jcs_set_string(v, "url", r->url);
	return v;
}

static void
runner_list_line(const struct registry_entry *r)
{
	printf("%-16s  %-12s  %s", r->name, verdict_level_name(r->level), r->url);
	if (r->started)
		puts("  started for every run");
	else
		printf("  AK %.16s... (%s)\n", r->ak_name, r->ak_given ? "given" : "first use");
}

static int
runner_list_print(const struct registry_entry *list, size_t n, bool json, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	char name[] = REGISTRY_LOCAL;
	const struct registry_entry local = {.name = name, .level = LEVEL_SIMULATED};
	struct jcs *array;

	if (!json) {
		printf("%-16s  %-12s  this machine\n", local.name, verdict_level_name(local.level));
		for (size_t i = 0; i < n; i++)
			runner_list_line(&list[i]);
		return 0;
	}
	v = jcs_new_object();
	array = jcs_new_array();
	jcs_append(array, runner_to_jcs(&local));
	for (size_t i = 0; i < n; i++)
		jcs_append(array, runner_to_jcs(&list[i]));
	jcs_set(v, "runners", array);
	return cmd_print_json(v, e);
}

static int
runner_list_command(const struct runner_command *o, struct err *e)
{
	CLEANUP(config_closep) struct config *c = NULL;
	struct registry_entry *list;
	size_t n;
	int rc;

	if (config_open(NULL, &c, e) != 0 || registry_list(c, &list, &n, e) != 0)
		return -1;
	rc = runner_list_print(list, n, o->json, e);
	for (size_t i = 0; i < n; i++)
		registry_entry_free(&list[i]);
	free(list);
	return rc;
}

static int
runner_remove(const char *name, struct err *e)
{
	CLEANUP(config_closep) struct config *c = NULL;

	return config_open(NULL, &c, e) != 0 ? -1 : registry_remove(c, name, e);
}

/* Those that are judged on an identity at all. */
static void
runner_print_checks(const struct verdict *v)
{
	static const char *const words[] = {[VERDICT_SKIP] = "skip", [VERDICT_PASS] = "pass",
		[VERDICT_FAIL] = "FAIL"};

	for (int c = 0; c < CHECK_COUNT; c++) {
		const struct verdict_item *item = &v->checks[c];
		const char *found = item->found != NULL ? item->found : "";
		bool differs = item->result == VERDICT_FAIL && item->expected != NULL;

		if (item->result == VERDICT_SKIP && strcmp(found, "not part of an identity") == 0)
			continue;
		printf("  %-16s  %s", verdict_check_name((enum verdict_check)c), words[item->result]);
		if (differs) {
			printf("  expected ");
			cmd_print_text(stdout, item->expected);
			printf(", found");
		}
		if (*found != '\0') {
			fputs(differs ? " " : "  ", stdout);
			cmd_print_text(stdout, found);
		}
		putchar('\n');
	}
	for (size_t i = 0; i < v->note_count; i++) {
		cmd_print_text(stdout, v->notes[i]);
		putchar('\n');
	}
}

static int
runner_print_json(const struct verdict *v, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (verdict_to_json(v, &text, e) != 0)
		return -1;
	puts(buf_str(&text));
	return 0;
}

static int
runner_print_verdict(const struct open_runner *r, bool json, struct err *e)
{
	const struct verdict *v = runner_verdict(r->runner);

	if (v == NULL)
		return 0;
	if (json)
		return runner_print_json(v, e);
	printf("%s%s%s: level %s; %s is required\n", r->entry.name, r->entry.url != NULL ? " at " : "",
	    r->entry.url != NULL ? r->entry.url : "", verdict_level_name(v->level),
	    verdict_level_name(v->required));
	runner_print_checks(v);
	if (*runner_ak_name(r->runner) != '\0') {
		printf("AK %s%s\n", runner_ak_name(r->runner), r->entry.ak_name == NULL ? "" :
		    r->entry.ak_given ? ", as it was given" : ", as recorded on first use");
		printf("aicertd ");
		cmd_print_text(stdout, runner_version(r->runner));
		puts(" (as it says itself)");
	}
	return 0;
}

/* What was found is printed also when it is refused. */
static int
runner_check(const struct runner_command *o, const char *name, struct err *e)
{
	CLEANUP(open_runner_close) struct open_runner r = {0};
	CLEANUP(store_closep) struct store *s = NULL;
	struct open_runner_options options = {.name = name};
	struct err why;
	int rc;

	if (strcmp(name, REGISTRY_LOCAL) == 0 && cmd_store(0, &s, e) != 0)
		return -1;
	options.store = s;
	if (open_runner_connect(&options, &r, e) != 0)
		return -1;
	rc = open_runner_identify(&r, &why);
	if (runner_print_verdict(&r, o->json, e) != 0)
		return -1;
	if (rc != 0)
		*e = why;
	return rc;
}

static int
runner_reaped(void *arg, const char *tag, const char *holder, bool in_use, struct err *e)
{
	(void)arg;
	(void)e;
	printf("%s  %s %s\n", tag, in_use ? "in use by" : "destroyed, left by", holder);
	return 0;
}

static int
runner_dispatch(const struct runner_command *o, int argc, char **argv, struct err *e)
{
	static const char name[] = "runner";
	const char *what = argc > 0 ? argv[0] : "list";
	bool add = strcmp(what, "add") == 0;

	if (!add && (o->level != NULL || o->ak_name != NULL || o->token_file != NULL ||
	    o->client_cert != NULL || o->client_key != NULL || o->processors != 0 || o->memory != 0 ||
	    o->accelerator != NULL || o->firmware != NULL))
		return err_set(e, ERR_USAGE, "runner %s: these options are of runner add", what);
	if (add)
		return cmd_count(name, argc, 3, 3, e) != 0 ? -1 : runner_add(o, argv + 1, e);
	if (strcmp(what, "list") == 0)
		return cmd_count(name, argc, 0, 1, e) != 0 ? -1 : runner_list_command(o, e);
	if (strcmp(what, "remove") == 0)
		return cmd_count(name, argc, 2, 2, e) != 0 ? -1 : runner_remove(argv[1], e);
	if (strcmp(what, "check") == 0)
		return cmd_count(name, argc, 2, 2, e) != 0 ? -1 : runner_check(o, argv[1], e);
	if (strcmp(what, "reap") == 0)
		return cmd_count(name, argc, 1, 1, e) != 0 ? -1 : provider_reap(runner_reaped, NULL, e);
	return cmd_no_verb(name, what, "add, list, remove, check, reap", e);
}

int
runner_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	struct runner_command o = {0};
	const struct option table[] = {
		{OPTION_STRING, 0, "min-level", &o.level, "LEVEL", "what it must reach (vtpm)"},
		{OPTION_STRING, 0, "ak-name", &o.ak_name, "HEX", "the Name its AK must have"},
		{OPTION_STRING, 0, "token-file", &o.token_file, "FILE", "holds the bearer token, mode 0600"},
		{OPTION_STRING, 0, "client-cert", &o.client_cert, "FILE", "certificate to show it, PEM"},
		{OPTION_STRING, 0, "client-key", &o.client_key, "FILE", "the certificate's key, mode 0600"},
		{OPTION_INT, 0, "processors", &o.processors, "N", "of a machine that is started (2)"},
		{OPTION_INT, 0, "memory", &o.memory, "MIB", "of such a machine (2048)"},
		{OPTION_STRING, 0, "accelerator", &o.accelerator, "kvm|tcg", "of such a machine (what works)"},
		{OPTION_STRING, 0, "secure-boot", &o.firmware, "FILE", "firmware variables with keys to boot by"},
		{OPTION_FLAG, 0, "json", &o.json, NULL, "one JSON document (list, check)"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("runner", "add [--min-level LEVEL] [--ak-name HEX] [--token-file FILE]"
	    " [--client-cert FILE --client-key FILE] NAME URL | add [--processors N] [--memory MIB]"
	    " [--accelerator kvm|tcg] [--secure-boot FILE] NAME qemu:IMAGE | [list] [--json] | remove NAME |"
	    " check [--json] NAME | reap", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return runner_dispatch(&o, argc, argv, e);
}
