#include "object/resource.h"

#include <string.h>
#include "base/hex.h"
#include "base/path.h"
#include "codec/shape.h"

#define RESOURCE_TEXT_MAX 4096   /* source, licence */

void
resource_free(struct resource *r)
{
	free(r->path);
	free(r->kind);
	*r = (struct resource){0};
}

void
resource_input_free(struct resource_input *r)
{
	resource_free(&r->thing);
	free(r->source);
	free(r->license);
	if (r->made_by != NULL)
		free(r->made_by->path);
	free(r->made_by);
	*r = (struct resource_input){0};
}

int
resource_copy(struct resource *ret, const struct resource *r, struct err *e)
{
	struct resource copy = *r;

	copy.path = buf_strdup(r->path, e);
	copy.kind = buf_strdup(r->kind, e);
	if (copy.path == NULL || copy.kind == NULL) {
		resource_free(&copy);
		return -1;
	}
	*ret = copy;
	return 0;
}

static bool
resource_digests_equal(const struct resource_digests *a, const struct resource_digests *b)
{
	return oid_equal(&a->sha256, &b->sha256) && a->has_sha384 == b->has_sha384 &&
	    a->has_sha512 == b->has_sha512 && a->has_blake3 == b->has_blake3 &&
	    (!a->has_sha384 || memcmp(a->sha384, b->sha384, sizeof a->sha384) == 0) &&
	    (!a->has_sha512 || memcmp(a->sha512, b->sha512, sizeof a->sha512) == 0) &&
	    (!a->has_blake3 || memcmp(a->blake3, b->blake3, sizeof a->blake3) == 0);
}

bool
resource_equal(const struct resource *a, const struct resource *b)
{
	return a->type == b->type && a->size == b->size && strcmp(a->path, b->path) == 0 &&
	    strcmp(a->kind, b->kind) == 0 && resource_digests_equal(&a->digests, &b->digests);
}

/* Digests that only one of the two has cannot contradict. */
bool
resource_same_content(const struct resource *a, const struct resource *b)
{
	const struct resource_digests *x = &a->digests, *y = &b->digests;

	return a->type == b->type && a->size == b->size && oid_equal(&x->sha256, &y->sha256) &&
	    (!x->has_sha384 || !y->has_sha384 || memcmp(x->sha384, y->sha384, sizeof x->sha384) == 0) &&
	    (!x->has_sha512 || !y->has_sha512 || memcmp(x->sha512, y->sha512, sizeof x->sha512) == 0) &&
	    (!x->has_blake3 || !y->has_blake3 || memcmp(x->blake3, y->blake3, sizeof x->blake3) == 0);
}

bool
resource_kind_ok(const char *kind)
{
	size_t n = strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 0 && n <= 32 && kind[n] == '\0' && kind[0] >= 'a' && kind[0] <= 'z';
}

static struct jcs *
resource_digests_to_jcs(const struct resource_digests *d)
{
	struct jcs *v = jcs_new_object();
	char hex[129];

	oid_hex(&d->sha256, hex);
	jcs_set_string(v, "sha256", hex);
	if (d->has_sha384) {
		hex_encode(hex, d->sha384, sizeof d->sha384);
		jcs_set_string(v, "sha384", hex);
	}
	if (d->has_sha512) {
		hex_encode(hex, d->sha512, sizeof d->sha512);
		jcs_set_string(v, "sha512", hex);
	}
	if (d->has_blake3) {
		hex_encode(hex, d->blake3, sizeof d->blake3);
		jcs_set_string(v, "blake3", hex);
	}
	return v;
}

void
resource_to_jcs(const struct resource *r, struct jcs *object)
{
	jcs_set_string(object, "type", oid_type_name(r->type));
	jcs_set_string(object, "path", r->path);
	jcs_set_string(object, "kind", r->kind);
	jcs_set_int(object, "size", r->size <= (uint64_t)JCS_INT_MAX ? (int64_t)r->size : INT64_MAX);
	jcs_set(object, "digests", resource_digests_to_jcs(&r->digests));
}

static int
resource_digest(const struct jcs *v, const char *name, unsigned char *ret, size_t len, bool *ret_has,
    struct err *e)
{
	const char *hex = jcs_get_string(v, name);

	*ret_has = hex != NULL;
	if (hex == NULL)
		return 0;
	return hex_decode(ret, len, hex, e) == 0 ? 0 : err_prefix(e, "digests: \"%s\"", name);
}

static int
resource_digests_from_jcs(const struct jcs *v, struct resource_digests *ret, struct err *e)
{
	static const struct shape table[] = {
		{"sha256", SHAPE_HEX32, 0},
		{"sha384", SHAPE_STRING, SHAPE_OPTIONAL},
		{"sha512", SHAPE_STRING, SHAPE_OPTIONAL},
		{"blake3", SHAPE_HEX32, SHAPE_OPTIONAL},
		{0},
	};

	if (shape_check(v, table, "digests", e) != 0 ||
	    oid_from_hex(&ret->sha256, jcs_get_string(v, "sha256"), e) != 0 ||
	    resource_digest(v, "sha384", ret->sha384, sizeof ret->sha384, &ret->has_sha384, e) != 0 ||
	    resource_digest(v, "sha512", ret->sha512, sizeof ret->sha512, &ret->has_sha512, e) != 0)
		return -1;
	return resource_digest(v, "blake3", ret->blake3, sizeof ret->blake3, &ret->has_blake3, e);
}

/* The five members, whatever else the object has. */
static int
resource_members(const struct jcs *object, const char *where, struct resource *r, struct err *e)
{
	const char *type = jcs_get_string(object, "type");
	const char *path = jcs_get_string(object, "path");
	const char *kind = jcs_get_string(object, "kind");
	int64_t size;

	if (type == NULL || path == NULL || kind == NULL || jcs_int(jcs_get(object, "size"), &size) != 0 ||
	    size < 0)
		return err_set(e, ERR_FORMAT, "%s: type, path, kind, size and digests are needed", where);
	if (oid_type_parse(type, &r->type, e) != 0 || path_check(path, e) != 0 ||
	    resource_digests_from_jcs(jcs_get(object, "digests"), &r->digests, e) != 0)
		return err_prefix(e, "%s", where);
	if (r->type != OBJECT_BLOB && r->type != OBJECT_TREE)
		return err_set(e, ERR_FORMAT, "%s: the type must be blob or tree", where);
	if (!resource_kind_ok(kind))
		return err_set(e, ERR_FORMAT, "%s: not a valid kind", where);
	r->size = (uint64_t)size;
	r->path = buf_strdup(path, e);
	r->kind = buf_strdup(kind, e);
	return r->path == NULL || r->kind == NULL ? -1 : 0;
}

int
resource_from_jcs(const struct jcs *object, const char *where, struct resource *ret, struct err *e)
{
	struct resource r = {0};

	if (resource_members(object, where, &r, e) != 0) {
		resource_free(&r);
		return -1;
	}
	*ret = r;
	return 0;
}

static struct jcs *
resource_ignored_to_jcs(const struct resource_ignored *r)
{
	struct jcs *v;
	char id[OID_TEXT_SIZE];

	if (r->count == 0)
		return jcs_new_null();
	v = jcs_new_object();
	oid_text(&r->rules, id);
	jcs_set_int(v, "count", r->count <= (uint64_t)JCS_INT_MAX ? (int64_t)r->count : INT64_MAX);
	jcs_set_string(v, "rules", id);
	return v;
}

void
resource_input_to_jcs(const struct resource_input *r, struct jcs *object)
{
	struct jcs *made_by = NULL;
	char id[OID_TEXT_SIZE];

	resource_to_jcs(&r->thing, object);
	jcs_set_string(object, "origin", r->fetched ? "fetched" : "declared");
	jcs_set_string(object, "source", r->source);
	jcs_set_string(object, "license", r->license);
	jcs_set(object, "ignored", resource_ignored_to_jcs(&r->ignored));
	if (r->made_by == NULL) {
		jcs_set(object, "madeBy", jcs_new_null());
		return;
	}
	made_by = jcs_new_object();
	oid_text(&r->made_by->certificate, id);
	jcs_set_string(made_by, "certificate", id);
	jcs_set_string(made_by, "path", r->made_by->path);
	jcs_set(object, "madeBy", made_by);
}

static int
resource_made_by_from_jcs(const struct jcs *v, const char *where, struct resource_input *r,
    struct err *e)
{
	static const struct shape table[] = {
		{"certificate", SHAPE_ID, 0}, {"path", SHAPE_STRING, 0}, {0},
	};

	if (jcs_is_null(v))
		return 0;
	if (shape_check(v, table, "madeBy", e) != 0 || path_check(jcs_get_string(v, "path"), e) != 0)
		return err_prefix(e, "%s", where);
	r->made_by = calloc(1, sizeof *r->made_by);
	if (r->made_by == NULL)
		return err_nomem(e);
	r->made_by->path = buf_strdup(jcs_get_string(v, "path"), e);
	if (r->made_by->path == NULL)
		return -1;
	return oid_from_text(&r->made_by->certificate, jcs_get_string(v, "certificate"), e);
}

static int
resource_ignored_from_jcs(const struct jcs *v, const char *where, struct resource_input *r,
    struct err *e)
{
	static const struct shape table[] = {
		{"count", SHAPE_INT, 0}, {"rules", SHAPE_ID, 0}, {0},
	};
	int64_t count;

	if (jcs_is_null(v))
		return 0;
	if (shape_check(v, table, "ignored", e) != 0 || jcs_int(jcs_get(v, "count"), &count) != 0)
		return err_prefix(e, "%s", where);
	if (count <= 0 || r->thing.type != OBJECT_TREE)
		return err_set(e, ERR_FORMAT, "%s: ignored must be null, or of a tree and count something",
		    where);
	r->ignored.count = (uint64_t)count;
	return oid_from_text(&r->ignored.rules, jcs_get_string(v, "rules"), e);
}

/* A text or null. */
static int
resource_text(const struct jcs *v, const char *where, char **ret, struct err *e)
{
	const char *text = jcs_string(v);

	if (jcs_is_null(v))
		return 0;
	if (text == NULL || strlen(text) > RESOURCE_TEXT_MAX)
		return err_set(e, ERR_FORMAT, "%s: source and license must be short texts or null", where);
	*ret = buf_strdup(text, e);
	return *ret == NULL ? -1 : 0;
}

static int
resource_input_members(const struct jcs *object, const char *where, struct resource_input *r,
    struct err *e)
{
	const char *origin = jcs_get_string(object, "origin");

	if (resource_from_jcs(object, where, &r->thing, e) != 0)
		return -1;
	if (origin == NULL || (strcmp(origin, "declared") != 0 && strcmp(origin, "fetched") != 0))
		return err_set(e, ERR_FORMAT, "%s: origin must be \"declared\" or \"fetched\"", where);
	r->fetched = strcmp(origin, "fetched") == 0;
	if (resource_text(jcs_get(object, "source"), where, &r->source, e) != 0 ||
	    resource_text(jcs_get(object, "license"), where, &r->license, e) != 0)
		return -1;
	if (resource_made_by_from_jcs(jcs_get(object, "madeBy"), where, r, e) != 0)
		return -1;
	return resource_ignored_from_jcs(jcs_get(object, "ignored"), where, r, e);
}

int
resource_input_from_jcs(const struct jcs *object, const char *where, struct resource_input *ret,
    struct err *e)
{
	struct resource_input r = {0};

	if (resource_input_members(object, where, &r, e) != 0) {
		resource_input_free(&r);
		return -1;
	}
	*ret = r;
	return 0;
}
