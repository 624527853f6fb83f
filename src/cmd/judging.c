#include "cmd/judging.h"

#include <fcntl.h>
#include "base/fd.h"
#include "base/timestamp.h"
#include "store/config.h"

#define JUDGING_TIME_STAMP_MAX (1024u * 1024)
#define JUDGING_CRL_MAX (32u * 1024 * 1024)

int
judging_level(const char *option, struct store *s, enum verdict_level *ret, struct err *e)
{
	CLEANUP(config_closep) struct config *c = NULL;
	CLEANUP(cleanup_free) char *configured = NULL;
	CLEANUP(cleanup_free) char *dir = NULL;

	if (option != NULL)
		return verdict_level_parse(option, ret, e);
	if (config_open(s, &c, e) != 0 || config_dir_user(&dir, e) != 0)
		return -1;
	if (config_get(c, "verify.minlevel", &configured, e) != 0 && e->code != ERR_NOTFOUND)
		return -1;
	if (verdict_level_parse(configured != NULL ? configured : "vtpm", ret, e) != 0)
		return err_prefix(e, "%s/config: verify.minLevel", dir);
	return 0;
}

int
judging_time(const char *at, struct verify_request *rq, struct err *e)
{
	rq->time = timestamp_now();
	rq->time_source = "now";
	if (at == NULL)
		return 0;
	rq->time_source = "--at";
	if (timestamp_parse_loose(at, &rq->time, e) == 0)
		return 0;
	e->code = ERR_USAGE;
	return err_prefix(e, "--at");
}

int
judging_policy(const char *option, struct policy *ret, bool *ret_there, struct err *e)
{
	CLEANUP(cleanup_free) char *dir = NULL;
	CLEANUP(cleanup_free) char *path = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	*ret_there = false;
	if (config_dir_user(&dir, e) != 0)
		return -1;
	path = option != NULL ? buf_strdup(option, e) : buf_strfmt(e, "%s/policy.json", dir);
	if (path == NULL)
		return -1;
	if (fd_read_named(path, POLICY_BYTES_MAX, &text, e) != 0)
		return option == NULL && e->code == ERR_NOTFOUND ? 0 : -1;
	if (policy_decode(text.data, text.len, ret, e) != 0) {
		if (e->code == ERR_FORMAT || e->code == ERR_UNSUPPORTED || e->code == ERR_LIMIT)
			e->code = ERR_SPEC; /* the user's own document */
		return err_prefix(e, "%s", path);
	}
	*ret_there = true;
	return 0;
}

int
judging_time_stamp(const char *path, struct buf *text, struct verify_request *rq, struct err *e)
{
	if (fd_read_named(path, JUDGING_TIME_STAMP_MAX, text, e) != 0)
		return -1;
	rq->time_stamp = text;
	return 0;
}

int
judging_crls(const struct option_list *files, struct judging_crls *ret, struct err *e)
{
	struct judging_crls c = {0};

	if (files->count > AK_REVOKED_LISTS_MAX)
		return err_set(e, ERR_USAGE, "--crl: at most %d lists", AK_REVOKED_LISTS_MAX);
	for (size_t i = 0; i < files->count; i++) {
		if (fd_read_named(files->items[i], JUDGING_CRL_MAX, &c.lists[i], e) != 0) {
			c.count = i + 1;
			judging_crls_free(&c);
			return -1;
		}
	}
	c.count = files->count;
	*ret = c;
	return 0;
}

int
judging_crls_check(const struct option_list *files, const struct judging_crls *c, struct err *e)
{
	for (size_t i = 0; i < c->count; i++) {
		struct x509_crl *list = NULL;

		if (x509_crl_decode(c->lists[i].data, c->lists[i].len, &list, e) != 0) {
			e->code = ERR_SPEC;
			return err_prefix(e, "--crl %s", files->items[i]);
		}
		x509_crl_free(list);
	}
	return 0;
}

void
judging_crls_free(struct judging_crls *c)
{
	while (c->count > 0)
		buf_free(&c->lists[--c->count]);
}
