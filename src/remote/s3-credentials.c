#include "remote/s3-credentials.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include "base/fd.h"
#include "codec/jcs.h"
#include "net/http.h"
#include "remote/s3-profile.h"

#define S3_CREDENTIALS_FILE_MAX (1024u * 1024)
#define S3_METADATA "http://169.254.169.254"
#define S3_METADATA_ROLES "/latest/meta-data/iam/security-credentials/"
#define S3_METADATA_MAX 65536u
#define S3_METADATA_S 2

static void
s3_credentials_wipe(char **secret)
{
	if (*secret != NULL)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

void
s3_credentials_free(struct s3_credentials *c)
{
	s3_credentials_wipe(&c->key_id);
	s3_credentials_wipe(&c->secret);
	s3_credentials_wipe(&c->session);
}

static int
s3_credentials_set(struct s3_credentials *c, const char *key_id, const char *secret,
    const char *session, struct err *e)
{
	c->key_id = buf_strdup(key_id, e);
	c->secret = c->key_id != NULL ? buf_strdup(secret, e) : NULL;
	if (c->secret == NULL)
		return -1;
	if (session == NULL || *session == '\0')
		return 0;
	c->session = buf_strdup(session, e);
	return c->session != NULL ? 0 : -1;
}

static const char *
s3_credentials_variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

static int
s3_credentials_environment(struct s3_credentials *c, struct err *e)
{
	const char *key_id = s3_credentials_variable("AWS_ACCESS_KEY_ID");
	const char *secret = s3_credentials_variable("AWS_SECRET_ACCESS_KEY");

	if (key_id == NULL && secret == NULL)
		return 0;
	if (key_id == NULL || secret == NULL)
		return err_set(e, ERR_USAGE, "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY one alone is set");
	return s3_credentials_set(c, key_id, secret, s3_credentials_variable("AWS_SESSION_TOKEN"), e);
}

/* --- the profile --- */

struct s3_credentials_values {
	char key_id[256], secret[1024], session[S3_PROFILE_VALUE_MAX];
};

static int
s3_credentials_profile_set(struct s3_credentials *c, const struct buf *text, const char *profile,
    struct err *e)
{
	struct s3_credentials_values *v = calloc(1, sizeof *v);
	const char *name = profile != NULL ? profile : "default";
	int rc = 0;

	if (v == NULL)
		return err_nomem(e);
	if (s3_profile_value(text->data, text->len, name, "aws_access_key_id", v->key_id, sizeof v->key_id) &&
	    s3_profile_value(text->data, text->len, name, "aws_secret_access_key", v->secret,
	    sizeof v->secret)) {
		(void)s3_profile_value(text->data, text->len, name, "aws_session_token", v->session,
		    sizeof v->session);
		rc = s3_credentials_set(c, v->key_id, v->secret, v->session, e);
	}
	explicit_bzero(v, sizeof *v);
	free(v);
	return rc;
}

static int
s3_credentials_profile(struct s3_credentials *c, const char *profile, struct err *e)
{
	const char *file = s3_credentials_variable("AWS_SHARED_CREDENTIALS_FILE"), *home = getenv("HOME");
	CLEANUP(cleanup_free) char *path = file != NULL ? buf_strdup(file, e) :
	    buf_strfmt(e, "%s/.aws/credentials", home != NULL ? home : "");
	CLEANUP(buf_wipe) struct buf text = BUF_INIT;

	if (path == NULL)
		return -1;
	if (fd_read_file(AT_FDCWD, path, S3_CREDENTIALS_FILE_MAX, &text, e) == 0) {
		if (s3_credentials_profile_set(c, &text, profile, e) != 0)
			return -1;
	} else if (e->code != ERR_NOTFOUND) {
		return -1;
	}
	if (c->key_id == NULL && profile != NULL)
		return err_set(e, ERR_USAGE, "%s: has no key for the profile %s", path, profile);
	return 0;
}

/* --- the metadata service --- */

static int
s3_metadata_do(struct http *h, const char *method, const char *path, const char *header,
    struct buf *ret, struct err *e)
{
	struct http_request rq = {
		.method = method, .path = path, .header = header, .body_fd = -1, .max = S3_METADATA_MAX,
		.timeout_s = S3_METADATA_S,
	};
	CLEANUP(http_response_free) struct http_response rs = {0};

	if (http_do(h, &rq, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return err_set(e, ERR_NOTFOUND, "the metadata service answers %d", rs.status);
	buf_add(ret, rs.body.data, rs.body.len);
	explicit_bzero(rs.body.data, rs.body.len);
	return buf_check(ret, e);
}

static bool
s3_metadata_plain(const char *text)
{
	return *text != '\0' && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789+=,.@_-/")] == '\0';
}

static int
s3_metadata_decode(struct s3_credentials *c, const struct buf *text, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const char *key_id, *secret;

	if (jcs_decode_any(text->data, text->len, S3_METADATA_MAX, &v, e) != 0)
		return err_prefix(e, "the metadata service");
	key_id = jcs_get_string(v, "AccessKeyId");
	secret = jcs_get_string(v, "SecretAccessKey");
	if (key_id == NULL || secret == NULL)
		return err_set(e, ERR_FORMAT, "the metadata service: no key in its answer");
	return s3_credentials_set(c, key_id, secret, jcs_get_string(v, "Token"), e);
}

/* A session first (IMDSv2): what only forwards requests cannot have one. */
static int
s3_metadata_ask(struct s3_credentials *c, struct http *h, struct err *e)
{
	CLEANUP(buf_wipe) struct buf token = BUF_INIT;
	CLEANUP(buf_free) struct buf role = BUF_INIT;
	CLEANUP(buf_wipe) struct buf key = BUF_INIT;
	CLEANUP(cleanup_free) char *header = NULL;
	CLEANUP(cleanup_free) char *path = NULL;

	if (s3_metadata_do(h, "PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 300",
	    &token, e) != 0)
		return -1;
	if (!s3_metadata_plain(buf_str(&token)))
		return err_set(e, ERR_FORMAT, "the metadata service: not a token");
	header = buf_strfmt(e, "X-aws-ec2-metadata-token: %s", buf_str(&token));
	if (header == NULL || s3_metadata_do(h, "GET", S3_METADATA_ROLES, header, &role, e) != 0)
		return -1;
	if (role.len > 0) /* the first of a list */
		role.data[strcspn(buf_str(&role), "\r\n")] = '\0';
	if (!s3_metadata_plain(buf_str(&role)) || strchr(buf_str(&role), '/') != NULL)
		return err_set(e, ERR_FORMAT, "the metadata service: not the name of a role");
	path = buf_strfmt(e, S3_METADATA_ROLES "%s", buf_str(&role));
	if (path == NULL || s3_metadata_do(h, "GET", path, header, &key, e) != 0)
		return -1;
	return s3_metadata_decode(c, &key, e);
}

/* Most machines have none, so that none answers is no error. */
static int
s3_credentials_metadata(struct s3_credentials *c, struct err *e)
{
	const char *disabled = s3_credentials_variable("AWS_EC2_METADATA_DISABLED");
	const char *endpoint = s3_credentials_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	struct http_options o = {.peer = HTTP_PEER_LOCAL, .base = endpoint != NULL ? endpoint : S3_METADATA};
	CLEANUP(http_freep) struct http *h = NULL;

	if (disabled != NULL && strcasecmp(disabled, "true") == 0)
		return 0;
	if (!http_url_local(o.base))
		return err_set(e, ERR_USAGE, "AWS_EC2_METADATA_SERVICE_ENDPOINT: %s: neither this machine nor a"
		    " metadata service", o.base);
	if (http_new_with(&o, &h, e) != 0)
		return -1;
	if (s3_metadata_ask(c, h, e) == 0)
		return 0;
	return e->code == ERR_NETWORK || e->code == ERR_NOTFOUND ? 0 : -1;
}

int
s3_credentials_find(const char *profile, struct s3_credentials *ret, struct err *e)
{
	struct s3_credentials c = {0};
	int rc = s3_credentials_environment(&c, e);

	if (rc == 0 && c.key_id == NULL)
		rc = s3_credentials_profile(&c, profile, e);
	if (rc == 0 && c.key_id == NULL)
		rc = s3_credentials_metadata(&c, e);
	if (rc != 0) {
		s3_credentials_free(&c);
		return -1;
	}
	*ret = c;
	return 0;
}
