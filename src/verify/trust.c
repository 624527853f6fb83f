#include "verify/trust-internal.h"

#include <string.h>
#include "base/hex.h"
#include "base/timestamp.h"
#include "codec/base64.h"
#include "object/oid-list.h"

#define TRUST_BYTES_MAX (64u * 1024)
#define TRUST_NAME_MAX 128
#define TRUST_SOURCE_MAX 512

static const struct {
	const char *name;
	enum trust_purpose purpose;
} trust_purposes[] = {
	{"ak", TRUST_AK},
	{"ek", TRUST_EK},
	{"tsa", TRUST_TSA},
	{"snp", TRUST_SNP},
	{"tdx", TRUST_TDX},
	{"log", TRUST_LOG},
	{"author", TRUST_AUTHOR},
	{"intermediate", TRUST_INTERMEDIATE},
};

static const struct shape trust_shape[] = {
	{"akNotBefore", SHAPE_TIME, SHAPE_OPTIONAL},
	{"certificate", SHAPE_BASE64, 0},
	{"fingerprint", SHAPE_HEX32, SHAPE_OPTIONAL},
	{"grants", SHAPE_STRING, SHAPE_NULLABLE},
	{"launch", SHAPE_ARRAY, SHAPE_OPTIONAL},
	{"leaf", SHAPE_OBJECT, SHAPE_OPTIONAL},
	{"mediaType", SHAPE_STRING, 0},
	{"minimumTcb", SHAPE_OBJECT, SHAPE_OPTIONAL},
	{"name", SHAPE_STRING, 0},
	{"notAfter", SHAPE_TIME, 0},
	{"notBefore", SHAPE_TIME, 0},
	{"purpose", SHAPE_STRING, 0},
	{"source", SHAPE_STRING, SHAPE_OPTIONAL},
	{0},
};

static void
trust_entry_free(struct trust_entry *t)
{
	free(t->name);
	free(t->source);
	x509_free(t->cert);
	free(t->launch);
	*t = (struct trust_entry){0};
}

int
trust_purpose_parse(const char *name, enum trust_purpose *ret, struct err *e)
{
	for (size_t i = 0; i < sizeof trust_purposes / sizeof *trust_purposes; i++) {
		if (strcmp(name, trust_purposes[i].name) == 0) {
			*ret = trust_purposes[i].purpose;
			return 0;
		}
	}
	return err_set(e, ERR_UNSUPPORTED, "trust entry: purpose %s is not one of ak, ek, tsa, snp,"
	    " tdx, log, author, intermediate", name);
}

const char *
trust_purpose_name(enum trust_purpose purpose)
{
	for (size_t i = 0; i < sizeof trust_purposes / sizeof *trust_purposes; i++) {
		if (trust_purposes[i].purpose == purpose)
			return trust_purposes[i].name;
	}
	return "unknown";
}

bool
trust_purpose_used(enum trust_purpose purpose)
{
	return purpose == TRUST_AK || purpose == TRUST_SNP || purpose == TRUST_TSA ||
	    purpose == TRUST_INTERMEDIATE;
}

static int
trust_text(const char *what, const char *text, size_t max, char **ret, struct err *e)
{
	size_t len = strlen(text);

	if (len == 0 || len > max)
		return err_set(e, ERR_FORMAT, "trust entry: %s: 1 to %zu bytes", what, max);
	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x20 || text[i] > 0x7e)
			return err_set(e, ERR_FORMAT, "trust entry: %s: printable ASCII only", what);
	}
	*ret = buf_strdup(text, e);
	return *ret != NULL ? 0 : -1;
}

/* The fingerprint is redundant, so that people and scripts can compare it: it must agree. */
static int
trust_certificate(const struct jcs *v, struct trust_entry *t, struct err *e)
{
	const char *text = jcs_get_string(v, "certificate");
	const char *fingerprint = jcs_get_string(v, "fingerprint");
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	struct oid said;

	if (base64_decode(&der, text, strlen(text), e) != 0 ||
	    x509_decode(der.data, der.len, &t->cert, e) != 0)
		return err_prefix(e, "trust entry: certificate");
	if (x509_digest(t->cert, t->fingerprint.b, e) != 0)
		return -1;
	if (fingerprint == NULL)
		return 0;
	if (hex_decode(said.b, OID_SIZE, fingerprint, e) != 0)
		return err_prefix(e, "trust entry: fingerprint");
	if (!oid_equal(&said, &t->fingerprint))
		return err_set(e, ERR_FORMAT, "trust entry %s: fingerprint is not the SHA-256 of the"
		    " certificate", t->name);
	return 0;
}

/* An intermediate grants nothing and says so; whatever else is believed grants a level. */
static int
trust_grants(const struct jcs *v, struct trust_entry *t, struct err *e)
{
	const char *text = jcs_get_string(v, "grants");

	if ((t->purpose == TRUST_INTERMEDIATE) != (text == NULL))
		return err_set(e, ERR_FORMAT, "trust entry %s: grants is null for an intermediate, and"
		    " for nothing else", t->name);
	if (text == NULL || verdict_level_parse(text, &t->grants, e) == 0)
		return 0;
	e->code = ERR_FORMAT;
	return err_prefix(e, "trust entry %s: grants", t->name);
}

static int
trust_times(const struct jcs *v, struct trust_entry *t, struct err *e)
{
	const char *ak = jcs_get_string(v, "akNotBefore");

	if (timestamp_parse(jcs_get_string(v, "notBefore"), &t->not_before, e) != 0 ||
	    timestamp_parse(jcs_get_string(v, "notAfter"), &t->not_after, e) != 0 ||
	    (ak != NULL && timestamp_parse(ak, &t->ak_not_before, e) != 0))
		return -1;
	if (t->not_after < t->not_before)
		return err_set(e, ERR_FORMAT, "trust entry %s: notAfter is before notBefore", t->name);
	if (ak != NULL && t->purpose != TRUST_AK)
		return err_set(e, ERR_FORMAT, "trust entry %s: akNotBefore is for purpose ak", t->name);
	return 0;
}

/* --- purpose snp: what must have been launched, and on which patch levels --- */

static int
trust_launch_identity(const struct jcs *v, struct hardware_launch *ret, struct err *e)
{
	static const struct shape table[] = {
		{"idKeyDigest", SHAPE_STRING, SHAPE_OPTIONAL},
		{"measurement", SHAPE_STRING, SHAPE_OPTIONAL}, {0},
	};
	const char *id_key = jcs_get_string(v, "idKeyDigest");
	const char *measurement = jcs_get_string(v, "measurement");
	char text[128];

	if (shape_check(v, table, "launch", e) != 0)
		return -1;
	if ((id_key == NULL) == (measurement == NULL))
		return err_set(e, ERR_FORMAT, "launch: one of idKeyDigest and measurement");
	snprintf(text, sizeof text, "%s:%s", id_key != NULL ? "idkey" : "measurement",
	    id_key != NULL ? id_key : measurement);
	return hardware_launch_parse(text, ret, e);
}

static int
trust_launch(const struct jcs *v, struct trust_entry *t, struct err *e)
{
	size_t n = jcs_length(v);

	if (v == NULL)
		return 0;
	if (n == 0 || n > HARDWARE_LAUNCH_MAX)
		return err_set(e, ERR_FORMAT, "launch: 1 to %d identities", HARDWARE_LAUNCH_MAX);
	t->launch = calloc(n, sizeof *t->launch);
	if (t->launch == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		if (trust_launch_identity(jcs_at(v, i), &t->launch[i], e) != 0)
			return -1;
	}
	t->launch_count = n;
	return 0;
}

static int
trust_tcb_level(const struct jcs *v, const char *name, uint8_t *ret, struct err *e)
{
	int64_t n;

	if (jcs_get(v, name) == NULL) /* fmc: what most products do not have */
		return 0;
	if (jcs_int(jcs_get(v, name), &n) != 0 || n > UINT8_MAX)
		return err_set(e, ERR_FORMAT, "minimumTcb: %s is more than 255", name);
	*ret = (uint8_t)n;
	return 0;
}

static int
trust_minimum_tcb(const struct jcs *v, struct trust_entry *t, struct err *e)
{
	static const struct shape table[] = {
		{"bootloader", SHAPE_INT, 0}, {"fmc", SHAPE_INT, SHAPE_OPTIONAL},
		{"microcode", SHAPE_INT, 0}, {"snp", SHAPE_INT, 0}, {"tee", SHAPE_INT, 0}, {0},
	};
	struct snp_tcb *m = &t->minimum_tcb;

	if (v == NULL)
		return 0;
	t->has_minimum_tcb = true;
	if (shape_check(v, table, "minimumTcb", e) != 0)
		return -1;
	return trust_tcb_level(v, "bootloader", &m->bootloader, e) != 0 ||
	    trust_tcb_level(v, "fmc", &m->fmc, e) != 0 ||
	    trust_tcb_level(v, "microcode", &m->microcode, e) != 0 ||
	    trust_tcb_level(v, "snp", &m->snp, e) != 0 ||
	    trust_tcb_level(v, "tee", &m->tee, e) != 0 ? -1 : 0;
}

static int
trust_hardware(const struct jcs *v, struct trust_entry *t, struct err *e)
{
	const struct jcs *launch = jcs_get(v, "launch"), *tcb = jcs_get(v, "minimumTcb");

	if (t->purpose != TRUST_SNP && (launch != NULL || tcb != NULL))
		return err_set(e, ERR_FORMAT, "trust entry %s: launch and minimumTcb are for purpose snp",
		    t->name);
	if (trust_launch(launch, t, e) != 0 || trust_minimum_tcb(tcb, t, e) != 0)
		return err_prefix(e, "trust entry %s", t->name);
	return 0;
}

static int
trust_entry_decode(const struct jcs *v, struct trust_entry *t, struct err *e)
{
	const char *media = jcs_get_string(v, "mediaType"), *source;

	if (media == NULL || strcmp(media, TRUST_MEDIA_TYPE) != 0)
		return err_set(e, ERR_UNSUPPORTED, "trust entry: mediaType is not %s", TRUST_MEDIA_TYPE);
	if (shape_check(v, trust_shape, "trust entry", e) != 0 ||
	    trust_text("name", jcs_get_string(v, "name"), TRUST_NAME_MAX, &t->name, e) != 0 ||
	    trust_purpose_parse(jcs_get_string(v, "purpose"), &t->purpose, e) != 0 ||
	    trust_times(v, t, e) != 0 || trust_grants(v, t, e) != 0)
		return -1;
	source = jcs_get_string(v, "source");
	if (source != NULL && trust_text("source", source, TRUST_SOURCE_MAX, &t->source, e) != 0)
		return -1;
	return trust_leaf_decode(jcs_get(v, "leaf"), t, e) != 0 || trust_hardware(v, t, e) != 0 ? -1 :
	    trust_certificate(v, t, e);
}

/* Two entries for one root and purpose could disagree: refused.  Those for hardware
 * reports stand each alone: what one demands takes nothing from another. */
static int
trust_unique(const struct trust *t, const struct trust_entry *new, struct err *e)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct trust_entry *old = &t->entries[i];

		if (strcmp(old->name, new->name) == 0 || (old->purpose == new->purpose &&
		    new->purpose != TRUST_SNP && x509_equal(old->cert, new->cert)))
			return err_set(e, ERR_EXISTS, "trust entry %s: the same %s as trust entry %s;"
			    " remove one", new->name, strcmp(old->name, new->name) == 0 ? "name" :
			    "certificate and purpose", old->name);
	}
	return 0;
}

/* Over the documents' SHA-256 digests, whatever their order. */
static int
trust_digest(const struct trust_entry *entries, size_t n, struct oid *ret, struct err *e)
{
	CLEANUP(oid_list_free) struct oid_list documents = {0};

	for (size_t i = 0; i < n; i++)
		if (oid_list_add(&documents, &entries[i].document, e) != 0)
			return -1;
	return oid_list_digest(&documents, ret, e);
}

static int
trust_append(struct trust *t, const struct trust_entry *new, struct err *e)
{
	struct trust_entry *entries;

	entries = realloc(t->entries, (t->count + 1) * sizeof *entries);
	if (entries == NULL)
		return err_nomem(e);
	t->entries = entries;
	entries[t->count] = *new;
	if (trust_digest(entries, t->count + 1, &t->digest, e) != 0)
		return -1;
	t->count++;
	return 0;
}

int
trust_add(struct trust *t, const void *json, size_t len, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct trust_entry new = {0};

	if (jcs_decode(json, len, TRUST_BYTES_MAX, &v, e) != 0)
		return err_prefix(e, "trust entry");
	if (oid_from_data(&new.document, json, len, e) != 0 ||
	    trust_entry_decode(v, &new, e) != 0 || trust_unique(t, &new, e) != 0 ||
	    trust_append(t, &new, e) != 0) {
		trust_entry_free(&new);
		return -1;
	}
	return 0;
}

void
trust_free(struct trust *t)
{
	for (size_t i = 0; i < t->count; i++)
		trust_entry_free(&t->entries[i]);
	free(t->entries);
	*t = (struct trust){0};
}
