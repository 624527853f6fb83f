/*
 * A bucket in a git repository: the surrounding one's own remote, or any other.  Large blobs
 * stay out of it.  What git says of the pieces (names, SHA-1) is not relied on.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hex.h"
#include "crypto/hash.h"
#include "git/mailbox.h"
#include "remote/bucket.h"

/* Enough of them that git's server keeps the pack that came, and sends it on as it is: what is
 * pushed in few objects it takes apart, and compresses anew for every reader. */
#define GIT_PIECE (2u * 1024 * 1024)

struct git {
	struct bucket bucket;   /* first */
	struct mailbox *mailbox;
};

static void
git_close(struct remote *r)
{
	struct git *g = r->state;

	bucket_end(&g->bucket);
	mailbox_close(g->mailbox);
	free(g);
	r->state = NULL;
}

/* One quarantine a url, in the user's cache: what was fetched once is there. */
static int
git_dir(const char *url, char **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *cache = NULL;
	CLEANUP(cleanup_free) char *dir = NULL;
	unsigned char digest[HASH_SHA256_SIZE];
	char hex[2 * sizeof digest + 1];

	if (hash_once(HASH_SHA256, url, strlen(url), digest, e) != 0 ||
	    config_dir_cache(&cache, e) != 0)
		return -1;
	hex_encode(hex, digest, sizeof digest);
	dir = buf_strfmt(e, "%s/mailbox", cache);
	if (dir == NULL || config_dir_make(dir, e) != 0)
		return -1;
	*ret = buf_strfmt(e, "%s/%s.git", dir, hex);
	return *ret != NULL ? 0 : -1;
}

/* The manifest is asked for first, and again after a push that was too late. */
static int
git_read(void *self, const char *key, size_t max, struct buf *ret, char ret_tag[BUCKET_TAG_SIZE],
    struct err *e)
{
	struct git *g = self;

	if (strcmp(key, BUCKET_MANIFEST) == 0 && mailbox_fetch(g->mailbox, e) != 0)
		return -1;
	if (ret_tag != NULL)
		ret_tag[0] = '\0'; /* the mailbox knows on what it builds */
	return mailbox_read(g->mailbox, key, max, ret, e);
}

static int
git_write(void *self, const char *key, const void *data, size_t len, const char *tag, struct err *e)
{
	struct git *g = self;

	(void)tag;
	if (mailbox_add(g->mailbox, key, data, len, e) != 0)
		return -1;
	return strcmp(key, BUCKET_MANIFEST) == 0 ? mailbox_push(g->mailbox, e) : 0;
}

static const struct bucket_ops git_bucket = {.read = git_read, .write = git_write, .piece = GIT_PIECE};

static int
git_open(struct remote *r, struct err *e)
{
	const char *url = strncmp(r->url, "git+", 4) == 0 ? r->url + 4 : r->url;
	CLEANUP(cleanup_free) char *dir = NULL;
	CLEANUP(cleanup_free) char *full = NULL;
	struct git *g = calloc(1, sizeof *g);

	if (g == NULL)
		return err_nomem(e);
	g->bucket = (struct bucket){.ops = &git_bucket, .self = g, .remote = r};
	r->state = g;
	/* git works in the quarantine: there a relative path would lead elsewhere */
	if (url[0] != '/' && strchr(url, ':') == NULL) {
		full = realpath(url, NULL);
		if (full == NULL)
			return err_sys(e, "%s", url);
		url = full;
	}
	return git_dir(url, &dir, e) != 0 ? -1 : mailbox_open(dir, url, r->progress, &g->mailbox, e);
}

const struct remote_ops git_ops = {
	.name = "git", .open = git_open, .close = git_close, .refs = bucket_refs,
	.missing = bucket_missing, .read = bucket_read, .get = bucket_get, .put = bucket_put,
	.offer = bucket_offer, .update = bucket_update,
};
