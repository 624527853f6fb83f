#include "remote/s3-place.h"

#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "net/http.h"
#include "remote/s3-profile.h"

#define S3_PLACE_FILE_MAX (1024u * 1024)
#define S3_PLACE_HOST "s3.%s.amazonaws.com"

void
s3_place_free(struct s3_place *p)
{
	free(p->bucket);
	free(p->prefix);
	free(p->base);
	free(p->region);
	free(p->profile);
	free(p->ca_file);
	*p = (struct s3_place){0};
}

/* --- the url --- */

/* A name of the host's domain, whatever it is: it cannot lead elsewhere. */
static bool
s3_place_bucket_ok(const char *name, size_t len)
{
	if (len < 3 || len > 63 || name[0] == '.' || name[0] == '-' || name[len - 1] == '.' ||
	    name[len - 1] == '-' || memmem(name, len, "..", 2) != NULL)
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") >= len;
}

/* Only what no encoding changes. */
static bool
s3_place_prefix_ok(const char *prefix)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
	const char *part = prefix;

	if (strlen(prefix) > 512 || prefix[strspn(prefix, plain)] != '\0')
		return false;
	for (;;) {
		size_t n = strcspn(part, "/");

		if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		part += n;
		if (*part++ == '\0')
			return true;
	}
}

static int
s3_place_url(const char *url, struct s3_place *p, struct err *e)
{
	const char *bucket = url + strlen("s3://"), *prefix;
	size_t len = strcspn(bucket, "/"), n;

	if (strncmp(url, "s3://", 5) != 0 || !s3_place_bucket_ok(bucket, len))
		return err_set(e, ERR_USAGE, "%s: not s3://BUCKET/PREFIX", url);
	p->bucket = buf_strfmt(e, "%.*s", (int)len, bucket);
	if (p->bucket == NULL)
		return -1;
	prefix = bucket + len + (bucket[len] == '/');
	n = strlen(prefix);
	while (n > 0 && prefix[n - 1] == '/')
		n--;
	p->prefix = n > 0 ? buf_strfmt(e, "%.*s/", (int)n, prefix) : buf_strdup("", e);
	if (p->prefix == NULL)
		return -1;
	p->prefix[n] = '\0';
	if (n > 0 && !s3_place_prefix_ok(p->prefix))
		return err_set(e, ERR_USAGE, "%s: a prefix has letters, digits and . _ - between single"
		    " slashes", url);
	if (n > 0)
		p->prefix[n] = '/';
	return 0;
}

/* --- settings --- */

/* s3.<bucket>.<name>, then s3.<name>; *ret stays NULL when neither is set. */
static int
s3_place_setting(struct config *c, const struct s3_place *p, const char *name, char **ret,
    struct err *e)
{
	CLEANUP(cleanup_free) char *own = buf_strfmt(e, "s3.%s.%s", p->bucket, name);
	CLEANUP(cleanup_free) char *all = buf_strfmt(e, "s3.%s", name);

	*ret = NULL;
	if (own == NULL || all == NULL)
		return -1;
	if (config_get(c, own, ret, e) == 0)
		return 0;
	if (e->code != ERR_NOTFOUND)
		return -1;
	return config_get(c, all, ret, e) == 0 || e->code == ERR_NOTFOUND ? 0 : -1;
}

/* The first of the variables that is set and not empty. */
static const char *
s3_place_variable(const char *first, const char *second)
{
	const char *value = getenv(first);

	if (value == NULL || *value == '\0')
		value = second != NULL ? getenv(second) : NULL;
	return value != NULL && *value != '\0' ? value : NULL;
}

/* region of the profile in ~/.aws/config. */
static int
s3_place_profile_region(struct s3_place *p, struct err *e)
{
	const char *file = s3_place_variable("AWS_CONFIG_FILE", NULL), *home = getenv("HOME");
	CLEANUP(cleanup_free) char *path = file != NULL ? buf_strdup(file, e) :
	    buf_strfmt(e, "%s/.aws/config", home != NULL ? home : "");
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char region[64];

	if (path == NULL)
		return -1;
	if (fd_read_file(AT_FDCWD, path, S3_PLACE_FILE_MAX, &text, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	if (!s3_profile_value(text.data, text.len, p->profile != NULL ? p->profile : "default", "region",
	    region, sizeof region))
		return 0;
	p->region = buf_strdup(region, e);
	return p->region != NULL ? 0 : -1;
}

static int
s3_place_region(struct config *c, struct s3_place *p, struct err *e)
{
	const char *set = s3_place_variable("AWS_REGION", "AWS_DEFAULT_REGION");

	if (s3_place_setting(c, p, "region", &p->region, e) != 0)
		return -1;
	if (p->region == NULL && set != NULL)
		p->region = buf_strdup(set, e);
	else if (p->region == NULL && s3_place_profile_region(p, e) != 0)
		return -1;
	if (p->region == NULL)
		p->region = buf_strdup("us-east-1", e);
	if (p->region == NULL)
		return -1;
	if (p->region[0] == '\0' ||
	    p->region[strspn(p->region, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
		return err_set(e, ERR_USAGE, "%s: not the name of a region", p->region);
	return 0;
}

static int
s3_place_profile(struct config *c, struct s3_place *p, struct err *e)
{
	const char *set = s3_place_variable("AWS_PROFILE", NULL);

	if (s3_place_setting(c, p, "profile", &p->profile, e) != 0)
		return -1;
	if (p->profile == NULL && set != NULL) {
		p->profile = buf_strdup(set, e);
		return p->profile != NULL ? 0 : -1;
	}
	return 0;
}

/* *ret_own: the endpoint was set, it is not that of AWS. */
static int
s3_place_endpoint(struct config *c, struct s3_place *p, char **ret, bool *ret_own, struct err *e)
{
	const char *set = s3_place_variable("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL");
	CLEANUP(cleanup_free) char *url = NULL;
	size_t len;

	if (s3_place_setting(c, p, "endpoint", &url, e) != 0)
		return -1;
	*ret_own = url != NULL || set != NULL;
	if (url == NULL)
		url = set != NULL ? buf_strdup(set, e) : buf_strfmt(e, "https://" S3_PLACE_HOST, p->region);
	if (url == NULL)
		return -1;
	len = strlen(url);
	while (len > 0 && url[len - 1] == '/')
		url[--len] = '\0';
	p->local = http_url_local(url);
	if (!p->local && strncmp(url, "http://", 7) == 0)
		return err_set(e, ERR_USAGE, "%s: plain http is spoken with this machine alone", url);
	if (p->local) {
		*ret = url;
		url = NULL;
		return 0;
	}
	return http_url_base(url, ret, e);
}

static int
s3_place_style(struct config *c, struct s3_place *p, bool own, struct err *e)
{
	bool fallback = own || p->local || strchr(p->bucket, '.') != NULL;
	CLEANUP(cleanup_free) char *key = buf_strfmt(e, "s3.%s.pathstyle", p->bucket);

	if (key == NULL || config_get_bool(c, "s3.pathstyle", fallback, &fallback, e) != 0)
		return -1;
	return config_get_bool(c, key, fallback, &p->path_style, e);
}

static int
s3_place_settings(struct config *c, struct s3_place *p, struct err *e)
{
	CLEANUP(cleanup_free) char *endpoint = NULL;
	bool own;

	if (s3_place_setting(c, p, "cafile", &p->ca_file, e) != 0 || s3_place_profile(c, p, e) != 0 ||
	    s3_place_region(c, p, e) != 0 ||
	    s3_place_endpoint(c, p, &endpoint, &own, e) != 0 || s3_place_style(c, p, own, e) != 0)
		return -1;
	if (!p->path_style && p->local)
		return err_set(e, ERR_USAGE, "s3.pathStyle: %s has no host for each bucket", endpoint);
	p->base = p->path_style ? buf_strdup(endpoint, e) :
	    buf_strfmt(e, "https://%s.%s", p->bucket, endpoint + strlen("https://"));
	return p->base != NULL ? 0 : -1;
}

int
s3_place_find(const char *url, struct config *config, struct s3_place *ret, struct err *e)
{
	struct s3_place p = {0};

	if (s3_place_url(url, &p, e) != 0 || s3_place_settings(config, &p, e) != 0) {
		s3_place_free(&p);
		return -1;
	}
	*ret = p;
	return 0;
}
