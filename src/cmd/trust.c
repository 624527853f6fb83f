#include "cmd/cmd.h"
#include "cmd/commands.h"

#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "base/timestamp.h"
#include "cmd/trust-files.h"
#include "evidence/ak-chain.h"

#define TRUST_CERTIFICATE_MAX (256u * 1024)

struct trust_options {
	const char *purpose, *grants, *not_before, *not_after, *ak_not_before, *source;
	struct option_list launch, required, forbidden;
	bool json;
};

/* Both kinds of entry, disabled ones too. */
struct trust_lists {
	struct trust built_in, own;
	char *user_dir;
};

static void
trust_options_free(struct trust_options *o)
{
	options_list_free(&o->launch);
	options_list_free(&o->required);
	options_list_free(&o->forbidden);
}

static void
trust_lists_free(struct trust_lists *l)
{
	trust_free(&l->built_in);
	trust_free(&l->own);
	free(l->user_dir);
}

static int
trust_lists_load(struct trust_lists *l, struct err *e)
{
	return trust_files_user(&l->user_dir, e) != 0 ||
	    trust_files_load(&l->built_in, TRUST_FILES_BUILT_IN, NULL, e) != 0 ||
	    trust_files_load(&l->own, l->user_dir, NULL, e) != 0 ? -1 : 0;
}

static const struct trust_entry *
trust_find(const struct trust *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->entries[i].name, name) == 0)
			return &t->entries[i];
	}
	return NULL;
}

static const char *
trust_level(const struct trust_entry *t)
{
	return t->purpose == TRUST_INTERMEDIATE ? "nothing" : verdict_level_name(t->grants);
}

/* --- list and show --- */

static struct jcs *
trust_jcs(const struct trust_entry *t, const char *origin, bool disabled, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct jcs *o = NULL;

	if (trust_encode(t, &text, e) != 0 || jcs_decode(text.data, text.len, text.len, &o, e) != 0)
		return NULL;
	jcs_set_string(o, "origin", origin);
	jcs_set_bool(o, "disabled", disabled);
	return o;
}

static int
trust_append_list(struct jcs *list, const struct trust_lists *l, const struct trust *t,
    struct err *e)
{
	bool built_in = t == &l->built_in;

	for (size_t i = 0; i < t->count; i++) {
		struct jcs *o = trust_jcs(&t->entries[i], built_in ? "installation" : "user",
		    built_in && trust_files_disabled(l->user_dir, t->entries[i].name), e);

		if (o == NULL)
			return -1;
		jcs_append(list, o);
	}
	return 0;
}

static int
trust_list_json(const struct trust_lists *l, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *o = jcs_new_object();
	struct jcs *list = jcs_new_array();

	if (trust_append_list(list, l, &l->built_in, e) != 0 ||
	    trust_append_list(list, l, &l->own, e) != 0) {
		jcs_free(list);
		return -1;
	}
	jcs_set(o, "entries", list);
	return cmd_print_json(o, e);
}

static int
trust_list_line(const struct trust_entry *t, const char *where, struct err *e)
{
	char until[TIMESTAMP_SIZE];

	if (timestamp_format(until, t->not_after, e) != 0)
		return -1;
	printf("%-28s %-12s %-12s until %.10s  %s\n", t->name, trust_purpose_name(t->purpose),
	    trust_level(t), until, where);
	return 0;
}

static int
trust_list(const struct trust_lists *l, bool json, struct err *e)
{
	if (json)
		return trust_list_json(l, e);
	for (size_t i = 0; i < l->built_in.count; i++) {
		const struct trust_entry *t = &l->built_in.entries[i];

		if (trust_list_line(t, trust_files_disabled(l->user_dir, t->name) ?
		    "installation, disabled" : "installation", e) != 0)
			return -1;
	}
	for (size_t i = 0; i < l->own.count; i++) {
		if (trust_list_line(&l->own.entries[i], "user", e) != 0)
			return -1;
	}
	if (l->built_in.count + l->own.count == 0)
		fprintf(stderr, "aicert: note: no trust entries in %s and none in %s: no chain can pass\n",
		    TRUST_FILES_BUILT_IN, l->user_dir);
	return 0;
}

static int
trust_show_time(const char *label, int64_t time, struct err *e)
{
	char text[TIMESTAMP_SIZE];

	if (timestamp_format(text, time, e) != 0)
		return -1;
	printf("%-14s %s\n", label, text);
	return 0;
}

static void
trust_show_purposes(const char *label, const struct trust_purposes *l)
{
	for (size_t i = 0; i < l->count; i++)
		printf("%-14s purpose %s, the AK's certificate\n", label, l->oids[i]);
}

static int
trust_show_text(const struct trust_entry *t, const char *where, struct err *e)
{
	CLEANUP(buf_free) struct buf subject = BUF_INIT;
	char hex[OID_HEX_SIZE];

	if (x509_subject(t->cert, &subject, e) != 0)
		return -1;
	oid_hex(&t->fingerprint, hex);
	printf("%-14s %s (%s)\n", "name", t->name, where);
	printf("%-14s %s\n", "subject", buf_str(&subject));
	printf("%-14s %s\n", "fingerprint", hex);
	printf("%-14s %s\n", "purpose", trust_purpose_name(t->purpose));
	printf("%-14s %s\n", "grants", trust_level(t));
	if (trust_show_time("from", t->not_before, e) != 0 ||
	    trust_show_time("until", t->not_after, e) != 0 ||
	    (t->ak_not_before != 0 && trust_show_time("AKs from", t->ak_not_before, e) != 0))
		return -1;
	if (t->purpose == TRUST_SNP)
		printf("%-14s %zu pinned%s\n", "launches", t->launch_count,
		    t->launch_count == 0 ? ": no report passes by this entry alone" : "");
	trust_show_purposes("must have", &t->required);
	trust_show_purposes("must lack", &t->forbidden);
	if (t->source != NULL)
		printf("%-14s %s\n", "source", t->source);
	return 0;
}

static int
trust_show(const struct trust_lists *l, const char *name, bool json, struct err *e)
{
	const struct trust_entry *t = trust_find(&l->built_in, name);
	bool built_in = t != NULL, disabled = built_in && trust_files_disabled(l->user_dir, name);
	CLEANUP(jcs_freep) struct jcs *o = NULL;

	if (t == NULL)
		t = trust_find(&l->own, name);
	if (t == NULL)
		return err_set(e, ERR_NOTFOUND, "no such trust entry: %s (aicert trust list)", name);
	if (!json)
		return trust_show_text(t, disabled ? "installation, disabled" :
		    built_in ? "installation" : "user", e);
	o = trust_jcs(t, built_in ? "installation" : "user", disabled, e);
	return o != NULL ? cmd_print_json(o, e) : -1;
}

/* --- add --- */

static int
trust_read_certificate(const char *path, struct x509_cert **ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	size_t n;
	int rc;

	if (fd_read_named(path, TRUST_CERTIFICATE_MAX, &text, e) != 0)
		return -1;
	rc = text.len > 0 && text.data[0] == 0x30 ? x509_decode(text.data, text.len, ret, e) :
	    x509_decode_pem(text.data, text.len, 1, ret, &n, e);
	return rc == 0 ? 0 : err_prefix(e, "%s", path);
}

static int
trust_time(const char *option, const char *text, int64_t fallback, int64_t *ret, struct err *e)
{
	*ret = fallback;
	if (text == NULL || timestamp_parse_loose(text, ret, e) == 0)
		return 0;
	e->code = ERR_USAGE;
	return err_prefix(e, "%s", option);
}

static int
trust_launches(const struct trust_options *o, struct trust_entry *t, struct err *e)
{
	if (o->launch.count == 0)
		return 0;
	if (t->purpose != TRUST_SNP || o->launch.count > HARDWARE_LAUNCH_MAX)
		return err_set(e, ERR_USAGE, "--launch is for purpose snp, at most %d times",
		    HARDWARE_LAUNCH_MAX);
	t->launch = calloc(o->launch.count, sizeof *t->launch);
	if (t->launch == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < o->launch.count; i++) {
		if (hardware_launch_parse(o->launch.items[i], &t->launch[i], e) != 0) {
			e->code = ERR_USAGE;
			return err_prefix(e, "--launch");
		}
	}
	t->launch_count = o->launch.count;
	return 0;
}

static int
trust_leaf_list(const char *option, const struct option_list *l, struct trust_purposes *ret,
    struct err *e)
{
	for (size_t i = 0; i < l->count; i++) {
		if (trust_leaf_add(ret, l->items[i], e) != 0) {
			e->code = ERR_USAGE;
			return err_prefix(e, "%s", option);
		}
	}
	return 0;
}

static int
trust_leaf_options(const struct trust_options *o, struct trust_entry *t, struct err *e)
{
	if (o->required.count + o->forbidden.count > 0 && t->purpose != TRUST_AK)
		return err_set(e, ERR_USAGE, "--require-eku and --forbid-eku are for purpose ak");
	return trust_leaf_list("--require-eku", &o->required, &t->required, e) != 0 ||
	    trust_leaf_list("--forbid-eku", &o->forbidden, &t->forbidden, e) != 0 ? -1 : 0;
}

static int
trust_purpose_options(const struct trust_options *o, struct trust_entry *t, struct err *e)
{
	if (o->purpose == NULL)
		return err_set(e, ERR_USAGE, "trust add: --purpose is needed (aicert trust --help)");
	if (trust_purpose_parse(o->purpose, &t->purpose, e) != 0) {
		e->code = ERR_USAGE;
		return -1;
	}
	if ((t->purpose == TRUST_INTERMEDIATE) != (o->grants == NULL))
		return err_set(e, ERR_USAGE, "trust add: --grants is needed, except for an intermediate");
	return o->grants == NULL ? 0 : verdict_level_parse(o->grants, &t->grants, e);
}

/* Checked by the same function that reads it later. */
static int
trust_add_check(const struct trust_lists *l, const struct buf *document, struct err *e)
{
	struct trust all = {0};
	int rc;

	rc = trust_files_load(&all, TRUST_FILES_BUILT_IN, l->user_dir, e) != 0 ||
	    trust_files_load(&all, l->user_dir, NULL, e) != 0 ||
	    trust_add(&all, document->data, document->len, e) != 0 ? -1 : 0;
	trust_free(&all);
	return rc;
}

/* May the certificate stand where the entry wants to put it? */
static int
trust_add_fits(const struct trust_entry *t, const struct x509_profile *p, const char *path,
    struct err *e)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT, reason = BUF_INIT;
	bool ok = false;

	if (p->ca && p->has_key_usage && !p->key_cert_sign)
		return err_set(e, ERR_USAGE, "%s: a CA whose keyUsage does not let it sign certificates",
		    path);
	if (p->ca || !trust_purpose_used(t->purpose) || t->purpose == TRUST_TSA)
		return 0; /* an authority's own certificate may be pinned as well as who made it */
	if (t->purpose != TRUST_AK)
		return err_set(e, ERR_USAGE, "%s: not a CA's certificate, so it can end or complete no"
		    " chain", path);
	if (x509_der(t->cert, &der, e) != 0 || ak_chain_leaf_ok(&der, NULL, &ok, &reason, e) != 0)
		return -1;
	return ok ? 0 : err_set(e, ERR_USAGE, "%s: neither a CA's certificate nor an attestation key's:"
	    " %s", path, buf_str(&reason));
}

/* What who adds it may not expect. */
static void
trust_add_notes(const struct trust_entry *t, const struct x509_profile *p)
{
	if (!trust_purpose_used(t->purpose))
		fprintf(stderr, "aicert: note: this version decides nothing by entries of purpose %s\n",
		    trust_purpose_name(t->purpose));
	else if (!p->ca)
		fprintf(stderr, "aicert: note: not a CA's certificate: it vouches for its own key alone\n");
	else if (!p->has_key_usage)
		fprintf(stderr, "aicert: note: the certificate has no keyUsage: nothing in it says that it"
		    " signs certificates\n");
}

static int
trust_add_encoded(const struct trust_options *o, struct trust_entry *t, const char *path,
    struct buf *ret, struct err *e)
{
	struct x509_profile p;

	if (trust_purpose_options(o, t, e) != 0 || trust_read_certificate(path, &t->cert, e) != 0 ||
	    x509_profile(t->cert, &p, e) != 0 || trust_launches(o, t, e) != 0 ||
	    trust_leaf_options(o, t, e) != 0 ||
	    trust_time("--not-before", o->not_before, p.not_before, &t->not_before, e) != 0 ||
	    trust_time("--not-after", o->not_after, p.not_after, &t->not_after, e) != 0 ||
	    trust_time("--ak-not-before", o->ak_not_before, 0, &t->ak_not_before, e) != 0)
		return -1;
	if (trust_add_fits(t, &p, path, e) != 0)
		return -1;
	if (o->source != NULL && (t->source = buf_strdup(o->source, e)) == NULL)
		return -1;
	if (trust_encode(t, ret, e) != 0)
		return -1;
	trust_add_notes(t, &p);
	return 0;
}

static int
trust_add_entry(const struct trust_lists *l, const struct trust_options *o, char **argv,
    struct err *e)
{
	CLEANUP(buf_free) struct buf document = BUF_INIT;
	struct trust_entry t = {.name = argv[0]};
	char hex[OID_HEX_SIZE];
	struct oid fingerprint;
	int rc;

	if (!trust_files_name_ok(argv[0]))
		return err_set(e, ERR_USAGE, "%s: a name is 1 to 64 of a-z, 0-9, '.', '_' and '-'",
		    argv[0]);
	rc = trust_add_encoded(o, &t, argv[1], &document, e);
	if (rc == 0)
		rc = x509_digest(t.cert, fingerprint.b, e);
	if (rc == 0)
		rc = trust_add_check(l, &document, e);
	if (rc == 0)
		rc = trust_files_write(l->user_dir, argv[0], ".json", &document, e);
	if (rc == 0) {
		oid_hex(&fingerprint, hex);
		printf("trusting %s for %s, granting %s: certificate %s\n", t.name,
		    trust_purpose_name(t.purpose), trust_level(&t), hex);
	}
	x509_free(t.cert);
	free(t.source);
	free(t.launch);
	return rc;
}

/* --- remove, disable, enable --- */

static int
trust_remove(const struct trust_lists *l, const char *name, struct err *e)
{
	if (trust_find(&l->own, name) == NULL && trust_find(&l->built_in, name) != NULL)
		return err_set(e, ERR_DENIED, "%s is an entry of the installation: it can be disabled"
		    " (aicert trust disable %s)", name, name);
	if (!trust_files_name_ok(name))
		return err_set(e, ERR_NOTFOUND, "no such trust entry: %s", name);
	return trust_files_remove(l->user_dir, name, ".json", e);
}

static int
trust_disable(const struct trust_lists *l, const char *name, struct err *e)
{
	static const struct buf nothing = BUF_INIT;

	if (trust_find(&l->built_in, name) == NULL || !trust_files_name_ok(name))
		return err_set(e, ERR_NOTFOUND, "%s is no entry of the installation", name);
	if (trust_files_disabled(l->user_dir, name))
		return 0;
	return trust_files_write(l->user_dir, name, ".disabled", &nothing, e);
}

static int
trust_enable(const struct trust_lists *l, const char *name, struct err *e)
{
	if (!trust_files_name_ok(name) || trust_find(&l->built_in, name) == NULL)
		return err_set(e, ERR_NOTFOUND, "%s is no entry of the installation", name);
	if (!trust_files_disabled(l->user_dir, name))
		return 0;
	return trust_files_remove(l->user_dir, name, ".disabled", e);
}

static const struct trust_verb {
	const char *name;
	int args;
} trust_verbs[] = {
	{"list", 0}, {"show", 1}, {"add", 2}, {"remove", 1}, {"disable", 1}, {"enable", 1},
};

static int
trust_run(const struct trust_options *o, int argc, char **argv, struct err *e)
{
	CLEANUP(trust_lists_free) struct trust_lists l = {0};
	const char *verb = argc > 0 ? argv[0] : "list";

	for (size_t i = 0; i < sizeof trust_verbs / sizeof *trust_verbs; i++) {
		if (strcmp(verb, trust_verbs[i].name) != 0)
			continue;
		if (argc > 0 && cmd_count("trust", argc - 1, trust_verbs[i].args, trust_verbs[i].args,
		    e) != 0)
			return -1;
		if (trust_lists_load(&l, e) != 0)
			return -1;
		switch (i) {
		case 0:
			return trust_list(&l, o->json, e);
		case 1:
			return trust_show(&l, argv[1], o->json, e);
		case 2:
			return trust_add_entry(&l, o, argv + 1, e);
		case 3:
			return trust_remove(&l, argv[1], e);
		case 4:
			return trust_disable(&l, argv[1], e);
		default:
			return trust_enable(&l, argv[1], e);
		}
	}
	return cmd_no_verb("trust", verb, "list, show, add, remove, disable, enable", e);
}

int
trust_command(int argc, char **argv, struct err *e)
{
	CLEANUP(trust_options_free) struct trust_options o = {0};
	bool help = false;
	const struct option table[] = {
		{OPTION_STRING, 0, "purpose", &o.purpose, "PURPOSE",
		    "ak, ek, tsa, snp, tdx, log, author or intermediate"},
		{OPTION_STRING, 0, "grants", &o.grants, "LEVEL", "the level it can grant"},
		{OPTION_STRING, 0, "not-before", &o.not_before, "TIME", "believed from then on"},
		{OPTION_STRING, 0, "not-after", &o.not_after, "TIME", "and until then"},
		{OPTION_STRING, 0, "ak-not-before", &o.ak_not_before, "TIME",
		    "grants nothing to AKs certified before"},
		{OPTION_STRINGS, 0, "launch", &o.launch, "ID", "snp: idkey:HEX or measurement:HEX"},
		{OPTION_STRINGS, 0, "require-eku", &o.required, "OID", "ak: a purpose AKs must be certified for"},
		{OPTION_STRINGS, 0, "forbid-eku", &o.forbidden, "OID", "ak: and one they must not"},
		{OPTION_STRING, 0, "source", &o.source, "TEXT", "where the certificate is from"},
		{OPTION_FLAG, 0, "json", &o.json, NULL, "one JSON document"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	int rc = cmd_parse("trust", "[list] [--json] | show [--json] NAME |"
	    " add --purpose PURPOSE [--grants LEVEL] [--not-before TIME] [--not-after TIME]"
	    " [--ak-not-before TIME] [--launch ID ...] [--require-eku OID ...] [--forbid-eku OID ...]"
	    " [--source TEXT] NAME CERTIFICATE |"
	    " remove NAME | disable NAME | enable NAME", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return trust_run(&o, argc, argv, e);
}
