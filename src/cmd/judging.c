#include "cmd/judging.h"

#include <fcntl.h>
#include "base/fd.h"
#include "base/timestamp.h"
#include "store/config.h"

#define JUDGING_CRL_MAX (32u * 1024 * 1024)

int
judging_level(const char *option, struct store *s, enum verdict_level *ret, struct err *e)
{
	CLEANUP(config_closep) struct config *c = NULL;
	CLEANUP(cleanup_free) char *configured = NULL;

	if (option == NULL) {
		if (config_open(s, &c, e) != 0)
			return -1;
		if (config_get(c, "verify.minlevel", &configured, e) != 0 && e->code != ERR_NOTFOUND)
			return -1;
		option = configured != NULL ? configured : "vtpm";
	}
	return verdict_level_parse(option, ret, e);
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
judging_crls(const struct option_list *files, struct judging_crls *ret, struct err *e)
{
	struct judging_crls c = {0};

	if (files->count > AK_REVOKED_LISTS_MAX)
		return err_set(e, ERR_USAGE, "--crl: at most %d lists", AK_REVOKED_LISTS_MAX);
	for (size_t i = 0; i < files->count; i++) {
		if (fd_read_file(AT_FDCWD, files->items[i], JUDGING_CRL_MAX, &c.lists[i], e) != 0) {
			c.count = i + 1;
			judging_crls_free(&c);
			return -1;
		}
	}
	c.count = files->count;
	*ret = c;
	return 0;
}

void
judging_crls_free(struct judging_crls *c)
{
	while (c->count > 0)
		buf_free(&c->lists[--c->count]);
}
