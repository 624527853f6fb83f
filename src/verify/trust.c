#include "verify/trust.h"

#include <string.h>
#include "base/timestamp.h"
#include "codec/base64.h"
#include "codec/jcs.h"
#include "codec/shape.h"

#define TRUST_MEDIA_TYPE "application/vnd.aicert.trust.v1+json"
#define TRUST_BYTES_MAX (64u * 1024)
#define TRUST_NAME_MAX 128

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
};

static const struct shape trust_shape[] = {
	{"certificate", SHAPE_BASE64, 0},
	{"grants", SHAPE_STRING, 0},
	{"mediaType", SHAPE_STRING, 0},
	{"name", SHAPE_STRING, 0},
	{"notAfter", SHAPE_TIME, 0},
	{"notBefore", SHAPE_TIME, 0},
	{"purpose", SHAPE_STRING, 0},
	{0},
};

static void
trust_entry_free(struct trust_entry *t)
{
	free(t->name);
	x509_free(t->cert);
	*t = (struct trust_entry){0};
}

static int
trust_purpose_parse(const char *name, enum trust_purpose *ret, struct err *e)
{
	for (size_t i = 0; i < sizeof trust_purposes / sizeof *trust_purposes; i++) {
		if (strcmp(name, trust_purposes[i].name) == 0) {
			*ret = trust_purposes[i].purpose;
			return 0;
		}
	}
	return err_set(e, ERR_UNSUPPORTED, "trust entry: purpose %s is not one of ak, ek, tsa, snp,"
	    " tdx, log, author", name);
}

static int
trust_name(const char *name, char **ret, struct err *e)
{
	size_t len = strlen(name);

	if (len == 0 || len > TRUST_NAME_MAX)
		return err_set(e, ERR_FORMAT, "trust entry: name: 1 to %d bytes", TRUST_NAME_MAX);
	for (size_t i = 0; i < len; i++) {
		if (name[i] < 0x20 || name[i] > 0x7e)
			return err_set(e, ERR_FORMAT, "trust entry: name: printable ASCII only");
	}
	*ret = buf_strdup(name, e);
	return *ret != NULL ? 0 : -1;
}

static int
trust_certificate(const char *text, struct x509_cert **ret, struct err *e)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;

	if (base64_decode(&der, text, strlen(text), e) != 0 ||
	    x509_decode(der.data, der.len, ret, e) != 0)
		return err_prefix(e, "trust entry: certificate");
	return 0;
}

static int
trust_entry_decode(const struct jcs *v, struct trust_entry *t, struct err *e)
{
	const char *media = jcs_get_string(v, "mediaType");

	if (media == NULL || strcmp(media, TRUST_MEDIA_TYPE) != 0)
		return err_set(e, ERR_UNSUPPORTED, "trust entry: mediaType is not %s", TRUST_MEDIA_TYPE);
	if (shape_check(v, trust_shape, "trust entry", e) != 0 ||
	    trust_name(jcs_get_string(v, "name"), &t->name, e) != 0 ||
	    trust_purpose_parse(jcs_get_string(v, "purpose"), &t->purpose, e) != 0 ||
	    timestamp_parse(jcs_get_string(v, "notBefore"), &t->not_before, e) != 0 ||
	    timestamp_parse(jcs_get_string(v, "notAfter"), &t->not_after, e) != 0)
		return -1;
	if (t->not_after < t->not_before)
		return err_set(e, ERR_FORMAT, "trust entry %s: notAfter is before notBefore", t->name);
	if (verdict_level_parse(jcs_get_string(v, "grants"), &t->grants, e) != 0) {
		e->code = ERR_FORMAT;
		return err_prefix(e, "trust entry %s: grants", t->name);
	}
	return trust_certificate(jcs_get_string(v, "certificate"), &t->cert, e);
}

/* Two entries for one root and purpose could disagree: refused. */
static int
trust_unique(const struct trust *t, const struct trust_entry *new, struct err *e)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct trust_entry *old = &t->entries[i];

		if (strcmp(old->name, new->name) == 0 ||
		    (old->purpose == new->purpose && x509_equal(old->cert, new->cert)))
			return err_set(e, ERR_EXISTS, "trust entry %s: the same %s as trust entry %s;"
			    " remove one", new->name, strcmp(old->name, new->name) == 0 ? "name" :
			    "certificate and purpose", old->name);
	}
	return 0;
}

static int
trust_compare(const void *a, const void *b)
{
	const struct oid *const *x = a, *const *y = b;

	return oid_compare(*x, *y);
}

/* SHA-256 over the documents' SHA-256 digests in ascending order. */
static int
trust_digest(const struct trust_entry *entries, size_t n, struct oid *ret, struct err *e)
{
	CLEANUP(hash_freep) struct hash *h = NULL;
	CLEANUP(cleanup_free) const struct oid **sorted = calloc(n, sizeof *sorted);

	if (sorted == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		sorted[i] = &entries[i].document;
	qsort(sorted, n, sizeof *sorted, trust_compare);
	if (hash_new(HASH_SHA256, &h, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (hash_update(h, sorted[i]->b, OID_SIZE, e) != 0)
			return -1;
	}
	return hash_final(h, ret->b, e);
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
