/* aicert image: what booting an image measures, as reference records. */
#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <fcntl.h>
#include <string.h>
#include "base/atomic-file.h"
#include "base/fd.h"
#include "cmd/image-measure.h"
#include "git/repo.h"
#include "verify/reference.h"

#define IMAGE_LOCK_MAX (16u * 1024 * 1024)
#define IMAGE_UNKNOWN "unknown"

/* The option, else a value of the image's .osrel. */
static int
image_text(const struct image *m, const char *given, const char *const names[2],
    const char *option, char **ret, struct err *e)
{
	char text[UKI_TEXT_MAX];

	if (given == NULL && !uki_osrel(&m->uki, names[0], text) && !uki_osrel(&m->uki, names[1], text))
		return err_set(e, ERR_USAGE, "%s: its .osrel has neither %s nor %s; say it with %s", m->path,
		    names[0], names[1], option);
	*ret = buf_strdup(given != NULL ? given : text, e);
	return *ret != NULL ? 0 : -1;
}

/* HEAD of the repository that holds the package lock. */
static int
image_source(const char *lock, char **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *dir = buf_strdup(lock, e);
	CLEANUP(repo_freep) struct repo *r = NULL;
	char commit[OID_HEX_SIZE];
	char *slash;

	if (dir == NULL)
		return -1;
	slash = strrchr(dir, '/');
	if (slash != NULL)
		slash[slash == dir] = '\0';
	if (repo_discover(slash != NULL ? dir : ".", &r, e) != 0 || repo_head(r, commit, e) != 0) {
		if (e->code != ERR_NOTFOUND)
			return -1;
		snprintf(commit, sizeof commit, "%s", IMAGE_UNKNOWN);
	}
	*ret = buf_strdup(commit, e);
	return *ret != NULL ? 0 : -1;
}

static int
image_fill_source(const struct image_options *o, struct reference_image *r, struct err *e)
{
	CLEANUP(buf_free) struct buf lock = BUF_INIT;

	if (o->lock != NULL) {
		if (fd_read_named(o->lock, IMAGE_LOCK_MAX, &lock, e) != 0 ||
		    oid_from_data(&r->packages, lock.data, lock.len, e) != 0)
			return -1;
		r->has_packages = true;
	}
	if (o->commit == NULL && o->lock != NULL)
		return image_source(o->lock, &r->commit, e);
	r->commit = buf_strdup(o->commit != NULL ? o->commit : IMAGE_UNKNOWN, e);
	return r->commit != NULL ? 0 : -1;
}

static int
image_fill_record(const struct image_boot *b, size_t bank, struct reference *r, struct err *e)
{
	r->part = REFERENCE_IMAGE;
	r->bank = uki_banks[bank];
	r->platform = buf_strdup(b->platform, e);
	for (unsigned pcr = 0; pcr < REFERENCE_PCRS; pcr++) {
		if ((REFERENCE_PCRS_IMAGE >> pcr & 1) == 0)
			continue;
		r->pcrs[pcr].present = true;
		memcpy(r->pcrs[pcr].value, b->prediction.pcrs[bank][pcr], hash_size(r->bank));
	}
	return r->platform != NULL ? 0 : -1;
}

static int
image_document(const struct image *m, const struct image_options *o, struct buf *ret,
    struct err *e)
{
	static const char *const name[] = {"IMAGE_ID", "ID"};
	static const char *const version[] = {"IMAGE_VERSION", "VERSION_ID"};
	CLEANUP(reference_free) struct reference_document d = {.has_image = true}, again = {0};

	if (image_text(m, o->name, name, "--name", &d.image.name, e) != 0 ||
	    image_text(m, o->version, version, "--version", &d.image.version, e) != 0 ||
	    image_fill_source(o, &d.image, e) != 0)
		return -1;
	d.records = calloc(m->count * UKI_BANKS, sizeof *d.records);
	if (d.records == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < m->count; i++) {
		for (size_t bank = 0; bank < UKI_BANKS; bank++)
			if (image_fill_record(&m->boots[i], bank, &d.records[d.count++], e) != 0)
				return -1;
	}
	if (reference_encode(&d, ret, e) != 0)
		return -1;
	/* texts from the command line are held to the format's rules */
	if (reference_decode(ret->data, ret->len, &again, e) != 0)
		return err_prefix(e, "image");
	buf_addc(ret, '\n');
	return buf_check(ret, e);
}

static int
image_measure(const char *path, const struct image_options *o, struct err *e)
{
	CLEANUP(image_free) struct image m = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (image_read(path, o, &m, e) != 0)
		return -1;
	if (o->check != NULL)
		return image_check(&m, o->check, e);
	if (image_document(&m, o, &text, e) != 0)
		return -1;
	if (o->out != NULL)
		return atomic_file_write(AT_FDCWD, o->out, text.data, text.len, 0644, e);
	fputs(buf_str(&text), stdout);
	return 0;
}

static int
image_dispatch(const struct image_options *o, int argc, char **argv, struct err *e)
{
	if (argc > 0 && strcmp(argv[0], "measure") != 0)
		return cmd_no_verb("image", argv[0], "measure", e);
	if (cmd_count("image", argc, 2, 2, e) != 0)
		return -1;
	return image_measure(argv[1], o, e);
}

int
image_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	struct image_options o = {0};
	const struct option table[] = {
		{OPTION_STRINGS, 0, "platform", &o.platforms, "PLATFORM", "where it boots (all that are known)"},
		{OPTION_STRING, 0, "secure-boot", &o.secure_boot, "on|off", "one state only (both)"},
		{OPTION_STRING, 0, "name", &o.name, "NAME", "of the image (IMAGE_ID of its .osrel)"},
		{OPTION_STRING, 0, "version", &o.version, "VERSION", "of the image (IMAGE_VERSION)"},
		{OPTION_STRING, 0, "lock", &o.lock, "FILE", "the package lock it was built from"},
		{OPTION_STRING, 0, "commit", &o.commit, "ID", "of its source (the lock's repository)"},
		{OPTION_STRING, 0, "check", &o.check, "LOG", "compare with the log of a boot instead"},
		{OPTION_STRING, 'o', "output", &o.out, "FILE", "write the document there"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("image", "measure [--platform PLATFORM] [--secure-boot on|off] [--name NAME]"
	    " [--version VERSION] [--lock FILE] [--commit ID] [-o FILE] IMAGE | measure --check LOG"
	    " [--platform PLATFORM] [--secure-boot on|off] IMAGE", table, &argc, argv, e);

	if (rc == 0)
		rc = image_dispatch(&o, argc, argv, e);
	else if (rc > 0)
		rc = 0;
	options_list_free(&o.platforms);
	return rc;
}
