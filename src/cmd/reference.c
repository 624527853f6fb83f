/* aicert reference: the user's records, and records learnt from a certificate. */
#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/atomic-file.h"
#include "base/fd.h"
#include "base/hex.h"
#include "base/printable.h"
#include "cmd/learn.h"
#include "cmd/references.h"

#define REFERENCE_NAME_MAX 64

struct reference_options {
	bool json;
	struct learn_options learn;
};

static void
reference_print_name(const struct reference_document *d)
{
	if (d->has_image)
		printf("%s %s", d->image.name, d->image.version);
	else
		printf("(firmware)");
}

static int
reference_list_one(void *arg, const char *name, const char *path, bool user, struct err *e)
{
	CLEANUP(reference_free) struct reference_document d = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	(void)arg;
	if (references_read(path, &d, &text, e) != 0)
		return -1;
	for (size_t i = 0; i < d.count; i++) {
		cmd_print_text(stdout, name);
		printf("  %s  ", user ? "user" : "installed");
		reference_print_name(&d);
		printf("  %s  %s  %s\n", reference_part_name(d.records[i].part), hash_name(d.records[i].bank),
		    d.records[i].platform);
	}
	return 0;
}

static void
reference_show_record(const struct reference *r)
{
	char hex[2 * 48 + 1], type[EVENT_LOG_NAME_SIZE];

	printf("\n%s record, bank %s, platform: %s\n", reference_part_name(r->part), hash_name(r->bank),
	    r->platform);
	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		if (!r->pcrs[pcr].present)
			continue;
		hex_encode(hex, r->pcrs[pcr].value, hash_size(r->bank));
		printf("%4u  %s%s\n", pcr, r->pcrs[pcr].any != NULL ? "any: " : "",
		    r->pcrs[pcr].any != NULL ? r->pcrs[pcr].any : hex);
	}
	for (size_t i = 0; i < r->event_count; i++) {
		const struct reference_event *ev = &r->events[i];

		event_log_type_name(ev->type, type);
		hex_encode(hex, ev->digest, hash_size(r->bank));
		printf("      must %soccur in PCR %u: %s %s\n", ev->forbidden ? "not " : "", ev->pcr, type,
		    ev->text != NULL ? ev->text : hex);
	}
}

static void
reference_show_document(const struct reference_document *d)
{
	char id[OID_TEXT_SIZE];

	oid_text(&d->digest, id);
	printf("document  %s\n", id);
	if (d->has_image) {
		printf("image     %s %s\ncommit    %s\n", d->image.name, d->image.version, d->image.commit);
		oid_text(&d->image.packages, id);
		printf("packages  %s\n", d->image.has_packages ? id : "unknown");
	}
	for (size_t i = 0; i < d->count; i++)
		reference_show_record(&d->records[i]);
}

struct reference_search {
	const char *name;
	char *path;                 /* the last of that name: the user's before the installation's */
	bool user;
};

static int
reference_search_one(void *arg, const char *name, const char *path, bool user, struct err *e)
{
	struct reference_search *s = arg;

	if (strcmp(name, s->name) != 0)
		return 0;
	free(s->path);
	s->user = user;
	s->path = buf_strdup(path, e);
	return s->path != NULL ? 0 : -1;
}

static int
reference_find(const char *name, struct reference_search *ret, struct err *e)
{
	*ret = (struct reference_search){.name = name};
	if (references_each(reference_search_one, ret, e) != 0)
		return -1;
	if (ret->path == NULL)
		return err_set(e, ERR_NOTFOUND, "%s: no reference document of this name"
		    " (aicert reference list)", name);
	return 0;
}

static int
reference_show(const char *arg, bool json, struct err *e)
{
	CLEANUP(reference_free) struct reference_document d = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct reference_search found = {0};
	int rc = 0;

	if (!cmd_is_path(arg) && reference_find(arg, &found, e) != 0) {
		free(found.path);
		return -1;
	}
	rc = references_read(found.path != NULL ? found.path : arg, &d, &text, e);
	free(found.path);
	if (rc != 0)
		return -1;
	if (json)
		printf("%.*s\n", (int)text.len, buf_str(&text));
	else
		reference_show_document(&d);
	return 0;
}

/* Letters, digits, dots, dashes and underscores, no dot first: a file's name anywhere. */
static int
reference_name_ok(const char *name, struct err *e)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	if (*name == '\0' || *name == '.' || strlen(name) > REFERENCE_NAME_MAX ||
	    name[strspn(name, letters)] != '\0')
		return err_set(e, ERR_USAGE, "reference: \"%s\" is no name: up to %d letters, digits,"
		    " dots, dashes and underscores", name, REFERENCE_NAME_MAX);
	return 0;
}

/* NAME, or the file's own without its directory and suffix. */
static int
reference_name(const char *file, const char *name, char **ret, struct err *e)
{
	const char *base = strrchr(file, '/');
	size_t len;

	base = name != NULL ? name : base != NULL ? base + 1 : file;
	len = strlen(base);
	if (name == NULL && len > 5 && strcmp(base + len - 5, ".json") == 0)
		len -= 5;
	*ret = buf_strfmt(e, "%.*s", (int)len, base);
	return *ret == NULL ? -1 : reference_name_ok(*ret, e);
}

static int
reference_open_user(bool make, int *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *dir = NULL;

	if (references_user(make, &dir, e) != 0)
		return -1;
	*ret = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? err_sys(e, "%s", dir) : 0;
}

static int
reference_add(const char *file, const char *as, struct err *e)
{
	CLEANUP(reference_free) struct reference_document d = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(cleanup_free) char *name = NULL;
	CLEANUP(cleanup_free) char *target = NULL;
	CLEANUP(cleanup_close) int dir = -1;

	if (references_read(file, &d, &text, e) != 0) {
		return -1;
	}
	if (reference_name(file, as, &name, e) != 0 || reference_open_user(true, &dir, e) != 0)
		return -1;
	target = buf_strfmt(e, "%s.json", name);
	if (target == NULL)
		return -1;
	if (faccessat(dir, target, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_EXISTS, "reference: there is a document %s already; remove it, or"
		    " give another name", name);
	if (atomic_file_write(dir, target, text.data, text.len, 0600, e) != 0)
		return -1;
	printf("%s: %zu record%s\n", name, d.count, printable_s(d.count));
	return 0;
}

static int
reference_remove(const char *name, struct err *e)
{
	CLEANUP(cleanup_free) char *target = NULL;
	CLEANUP(cleanup_close) int dir = -1;
	struct reference_search found = {0};
	bool user;

	if (reference_name_ok(name, e) != 0 || reference_find(name, &found, e) != 0) {
		free(found.path);
		return -1;
	}
	user = found.user;
	free(found.path);
	if (!user)
		return err_set(e, ERR_DENIED, "reference: %s is the installation's, not yours", name);
	target = buf_strfmt(e, "%s.json", name);
	if (target == NULL || reference_open_user(false, &dir, e) != 0)
		return -1;
	if (unlinkat(dir, target, 0) != 0)
		return err_sys(e, "reference: %s", name);
	return fd_sync(dir, "the directory of the reference records", e);
}

/* Documents of one image as one, so that it can be given away as one file. */
static int
reference_join_files(size_t n, char **files, struct err *e)
{
	CLEANUP(cleanup_free) struct reference_document *all = calloc(n, sizeof *all);
	CLEANUP(reference_free) struct reference_document joined = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	size_t read = 0;
	int rc = 0;

	if (all == NULL)
		return err_nomem(e);
	for (; rc == 0 && read < n; read++) {
		CLEANUP(buf_free) struct buf ignored = BUF_INIT;

		rc = references_read(files[read], &all[read], &ignored, e);
	}
	if (rc == 0)
		rc = reference_join(all, n, &joined, e);
	for (size_t i = 0; i < n; i++)
		reference_free(&all[i]);
	if (rc != 0 || reference_encode(&joined, &text, e) != 0)
		return -1;
	printf("%s\n", buf_str(&text));
	return 0;
}

static int
reference_run(const struct reference_options *o, int argc, char **argv, struct err *e)
{
	const char *what = argc > 0 ? argv[0] : "list";

	if (strcmp(what, "list") == 0)
		return cmd_count("reference list", argc, 0, 1, e) != 0 ? -1 :
		    references_each(reference_list_one, NULL, e);
	if (strcmp(what, "show") == 0)
		return cmd_count("reference show", argc, 2, 2, e) != 0 ? -1 :
		    reference_show(argv[1], o->json, e);
	if (strcmp(what, "add") == 0)
		return cmd_count("reference add", argc, 2, 3, e) != 0 ? -1 :
		    reference_add(argv[1], argc == 3 ? argv[2] : NULL, e);
	if (strcmp(what, "remove") == 0)
		return cmd_count("reference remove", argc, 2, 2, e) != 0 ? -1 :
		    reference_remove(argv[1], e);
	if (strcmp(what, "from-certificate") == 0)
		return cmd_count("reference from-certificate", argc, 2, 2, e) != 0 ? -1 :
		    learn_from_certificate(&o->learn, argv[1], e);
	if (strcmp(what, "join") == 0)
		return cmd_count("reference join", argc, 2, REFERENCE_RECORDS_MAX, e) != 0 ? -1 :
		    reference_join_files((size_t)argc - 1, argv + 1, e);
	return cmd_no_verb("reference", what, "list, show, add, remove, from-certificate, join", e);
}

int
reference_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	struct reference_options o = {0};
	const struct option table[] = {
		{OPTION_FLAG, 0, "json", &o.json, NULL, "show: the document as it is"},
		{OPTION_STRING, 0, "image", &o.learn.image, "FILE",
		    "from-certificate: image parts, to be made whole"},
		{OPTION_STRING, 0, "platform", &o.learn.platform, "TEXT",
		    "from-certificate: what to call the platform"},
		{OPTION_STRING, 0, "min-level", &o.learn.min_level, "LEVEL",
		    "from-certificate: demanded of the certificate (vtpm)"},
		{OPTION_STRING, 0, "at", &o.learn.at, "TIME", "from-certificate: judge at this time"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("reference", "[list] | show [--json] NAME|FILE | add FILE [NAME] | remove NAME |"
	    " from-certificate [--image FILE] [--platform TEXT] [--min-level LEVEL] [--at TIME] FILE|REV |"
	    " join FILE...",
	    table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return reference_run(&o, argc, argv, e);
}
