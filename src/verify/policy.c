#include "verify/policy.h"

#include <string.h>
#include "base/hex.h"
#include "base/timestamp.h"
#include "codec/shape.h"

#define POLICY_DAY 86400
#define POLICY_DAYS_MAX 36500
#define POLICY_NAME_MAX 256

static const struct shape policy_shape[] = {
	{"akNotBefore", SHAPE_TIME, SHAPE_OPTIONAL},
	{"denyRuns", SHAPE_ARRAY, SHAPE_OPTIONAL},
	{"images", SHAPE_ARRAY, SHAPE_OPTIONAL},
	{"maxAgeDays", SHAPE_INT, SHAPE_OPTIONAL},
	{"mediaType", SHAPE_STRING, 0},
	{"minLevel", SHAPE_STRING, SHAPE_OPTIONAL},
	{0},
};

void
policy_free(struct policy *p)
{
	for (size_t i = 0; i < p->image_count; i++)
		free(p->images[i]);
	free(p->images);
	free(p->denied);
	*p = (struct policy){0};
}

/* A list that is there is meant: an empty one of images would allow none, or all? */
static int
policy_count(const char *name, const struct jcs *v, size_t *ret, struct err *e)
{
	*ret = jcs_length(v);
	if (v != NULL && (*ret == 0 || *ret > POLICY_LIST_MAX))
		return err_set(e, ERR_FORMAT, "policy: %s: 1 to %d entries", name, POLICY_LIST_MAX);
	return 0;
}

static int
policy_runs(const struct jcs *v, struct policy *p, struct err *e)
{
	size_t n;

	if (policy_count("denyRuns", v, &n, e) != 0)
		return -1;
	p->denied = calloc(n + 1, sizeof *p->denied);
	if (p->denied == NULL)
		return err_nomem(e);
	for (; p->denied_count < n; p->denied_count++) {
		const char *hex = jcs_string(jcs_at(v, p->denied_count));

		if (hex == NULL || hex_decode(p->denied[p->denied_count].b, OID_SIZE, hex, NULL) != 0)
			return err_set(e, ERR_FORMAT, "policy: denyRuns: entry %zu is not the SHA-256 of a"
			    " payload, 64 lower-case hexadecimal digits", p->denied_count + 1);
	}
	return 0;
}

static int
policy_images(const struct jcs *v, struct policy *p, struct err *e)
{
	size_t n;

	if (policy_count("images", v, &n, e) != 0)
		return -1;
	p->images = calloc(n + 1, sizeof *p->images);
	if (p->images == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		const char *name = jcs_string(jcs_at(v, i));

		if (name == NULL || *name == '\0' || strlen(name) > POLICY_NAME_MAX)
			return err_set(e, ERR_FORMAT, "policy: images: entry %zu is no name", i + 1);
		p->images[i] = buf_strdup(name, e);
		if (p->images[i] == NULL)
			return -1;
		p->image_count++;
	}
	return 0;
}

static int
policy_level(const char *name, struct policy *p, struct err *e)
{
	if (name == NULL || verdict_level_parse(name, &p->min_level, e) == 0)
		return 0;
	e->code = ERR_FORMAT;
	return err_prefix(e, "policy: minLevel");
}

static int
policy_times(const struct jcs *v, struct policy *p, struct err *e)
{
	const char *from = jcs_get_string(v, "akNotBefore");
	int64_t days = 0;

	if (jcs_get(v, "maxAgeDays") != NULL &&
	    (jcs_int(jcs_get(v, "maxAgeDays"), &days) != 0 || days < 1 || days > POLICY_DAYS_MAX))
		return err_set(e, ERR_FORMAT, "policy: maxAgeDays: 1 to %d", POLICY_DAYS_MAX);
	p->max_age = days * POLICY_DAY;
	p->has_ak_not_before = from != NULL;
	return from != NULL ? timestamp_parse(from, &p->ak_not_before, e) : 0;
}

static int
policy_read(const struct jcs *v, struct policy *p, struct err *e)
{
	const char *media = jcs_get_string(v, "mediaType");

	if (media == NULL || strcmp(media, POLICY_MEDIA_TYPE) != 0)
		return err_set(e, ERR_UNSUPPORTED, "policy: mediaType is not %s", POLICY_MEDIA_TYPE);
	if (shape_check(v, policy_shape, "policy", e) != 0 ||
	    policy_level(jcs_get_string(v, "minLevel"), p, e) != 0 || policy_times(v, p, e) != 0 ||
	    policy_runs(jcs_get(v, "denyRuns"), p, e) != 0 ||
	    policy_images(jcs_get(v, "images"), p, e) != 0)
		return -1;
	if (jcs_length(v) == 1)
		return err_set(e, ERR_FORMAT, "policy: it demands nothing");
	return 0;
}

int
policy_decode(const void *json, size_t len, struct policy *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	CLEANUP(policy_free) struct policy p = {0};

	if (jcs_decode_any(json, len, POLICY_BYTES_MAX, &v, e) != 0)
		return err_prefix(e, "policy");
	if (policy_read(v, &p, e) != 0 || oid_from_data(&p.digest, json, len, e) != 0)
		return -1;
	*ret = p;
	p = (struct policy){0};
	return 0;
}

bool
policy_denies(const struct policy *p, const struct oid *run)
{
	for (size_t i = 0; i < p->denied_count; i++) {
		if (oid_equal(&p->denied[i], run))
			return true;
	}
	return false;
}

bool
policy_allows_image(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->image_count; i++) {
		if (strcmp(p->images[i], name) == 0)
			return true;
	}
	return p->image_count == 0;
}
