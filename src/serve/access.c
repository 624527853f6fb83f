#include "serve/access.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "crypto/hash.h"
#include "serve/limiter.h"

#define ACCESS_DELAY_MS 500     /* after a wrong credential; its connection waits alone */

struct access {
	char *path;             /* NULL: the list is fixed */
	struct limiter *limiter;
	pthread_mutex_t lock;
	struct principal_list list;
	struct timespec mtime;  /* of the file that list is from */
	ino_t inode;
	uint64_t failures;
};

int
access_new(const char *token_file, struct access **ret, struct err *e)
{
	struct access *a = calloc(1, sizeof *a);
	struct stat st;

	if (a == NULL)
		return err_nomem(e);
	pthread_mutex_init(&a->lock, NULL);
	a->path = buf_strdup(token_file, e);
	if (a->path == NULL || limiter_new(&a->limiter, e) != 0 ||
	    principal_load(token_file, &a->list, e) != 0) {
		access_free(a);
		return -1;
	}
	if (stat(token_file, &st) == 0) {
		a->mtime = st.st_mtim;
		a->inode = st.st_ino;
	}
	*ret = a;
	return 0;
}

int
access_new_fixed(struct principal_list *list, struct access **ret, struct err *e)
{
	struct access *a = calloc(1, sizeof *a);

	if (a == NULL)
		return err_nomem(e);
	pthread_mutex_init(&a->lock, NULL);
	if (limiter_new(&a->limiter, e) != 0) {
		access_free(a);
		return -1;
	}
	a->list = *list;
	*list = (struct principal_list){0};
	*ret = a;
	return 0;
}

void
access_free(struct access *a)
{
	if (a == NULL)
		return;
	limiter_free(a->limiter);
	principal_list_free(&a->list);
	pthread_mutex_destroy(&a->lock);
	free(a->path);
	free(a);
}

static int64_t
access_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Under the lock. */
static void
access_refresh(struct access *a)
{
	struct principal_list fresh;
	struct err ignored;
	struct stat st;
	bool there;

	if (a->path == NULL)
		return;
	there = stat(a->path, &st) == 0;
	if (there && st.st_ino == a->inode && st.st_mtim.tv_sec == a->mtime.tv_sec &&
	    st.st_mtim.tv_nsec == a->mtime.tv_nsec)
		return;
	principal_list_free(&a->list); /* who was taken out of the file is out at once */
	a->inode = 0;
	if (there && principal_load(a->path, &fresh, &ignored) == 0) {
		a->list = fresh;
		a->inode = st.st_ino;
		a->mtime = st.st_mtim;
	}
}

static bool
access_look_up(struct access *a, bool is_key, const unsigned char digest[32], struct principal *ret)
{
	const struct principal *p;

	pthread_mutex_lock(&a->lock);
	access_refresh(a);
	p = principal_find(&a->list, is_key, digest);
	if (p != NULL)
		*ret = *p;
	pthread_mutex_unlock(&a->lock);
	return p != NULL;
}

/* *ret_given: there was a credential, good or not. */
static int
access_credential(struct access *a, struct http_call *c, struct principal *ret, bool *ret_given,
    bool *ret_good, struct err *e)
{
	const char *header = http_header(c, "Authorization"), *token;
	unsigned char digest[HASH_SHA256_SIZE];
	size_t len;

	*ret_given = header != NULL || c->client_key != NULL;
	*ret_good = false;
	if (header == NULL) {
		*ret_good = c->client_key != NULL && access_look_up(a, true, c->client_key, ret);
		return 0;
	}
	if (!principal_bearer(header, &token, &len))
		return 0;
	if (hash_once(HASH_SHA256, token, len, digest, e) != 0)
		return -1;
	*ret_good = access_look_up(a, false, digest, ret);
	return 0;
}

int
access_demand(struct http_call *c, struct err *e)
{
	struct err problem;

	err_set(&problem, ERR_DENIED, "a token or a client certificate is needed");
	if (http_answer_header(c, "WWW-Authenticate", "Bearer", e) != 0)
		return -1;
	return http_reply_problem(c, 401, &problem, e);
}

static int
access_wrong(struct access *a, struct http_call *c, struct err *e)
{
	const struct timespec delay = {.tv_nsec = ACCESS_DELAY_MS * 1000000L};
	struct err problem;

	limiter_failed(a->limiter, c->address, access_now());
	pthread_mutex_lock(&a->lock);
	a->failures++;
	pthread_mutex_unlock(&a->lock);
	nanosleep(&delay, NULL);
	err_set(&problem, ERR_DENIED, "the credential is not known here");
	if (http_answer_header(c, "WWW-Authenticate", "Bearer error=\"invalid_token\"", e) != 0)
		return -1;
	return http_reply_problem(c, 401, &problem, e);
}

static int
access_wait(struct http_call *c, unsigned seconds, struct err *e)
{
	struct err problem;
	char text[16];

	snprintf(text, sizeof text, "%u", seconds);
	err_set(&problem, ERR_BUSY, "too many wrong credentials from this address");
	if (http_answer_header(c, "Retry-After", text, e) != 0)
		return -1;
	return http_reply_problem(c, 429, &problem, e);
}

int
access_lacks(struct http_call *c, const struct principal *p, unsigned wanted, struct err *e)
{
	struct err problem;

	err_set(&problem, ERR_DENIED, "%s has not the right to %s here", p->name,
	    principal_right_name(wanted));
	return http_reply_problem(c, 403, &problem, e);
}

int
access_judge(struct access *a, struct http_call *c, unsigned wanted, struct principal *ret,
    bool *ret_known, enum access_answer *ret_answer, struct err *e)
{
	bool given = false, good = false;
	unsigned wait;

	*ret = (struct principal){.rights = c->local ? PRINCIPAL_ALL : 0};
	*ret_known = c->local;
	*ret_answer = ACCESS_GRANTED;
	if (c->local || (wanted & ACCESS_OPEN) != 0)
		return 0;
	*ret_answer = ACCESS_REPLIED;
	wait = limiter_wait(a->limiter, c->address, access_now());
	if (wait > 0 && http_header(c, "Authorization") != NULL)
		return access_wait(c, wait, e);
	if (access_credential(a, c, ret, &given, &good, e) != 0)
		return -1;
	if (given && !good)
		return access_wrong(a, c, e);
	if (!given && (wanted & ACCESS_PUBLIC) == 0)
		return access_demand(c, e);
	/* who has no right to it sees what everybody sees */
	if (given && (wanted & (ACCESS_ANY | ACCESS_PUBLIC)) == 0 && (ret->rights & wanted) == 0)
		return access_lacks(c, ret, wanted, e);
	*ret_known = given;
	*ret_answer = ACCESS_GRANTED;
	return 0;
}

uint64_t
access_failures(struct access *a)
{
	uint64_t n;

	pthread_mutex_lock(&a->lock);
	n = a->failures;
	pthread_mutex_unlock(&a->lock);
	return n;
}
