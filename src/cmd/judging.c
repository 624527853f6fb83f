#include "cmd/judging.h"

#include "base/timestamp.h"
#include "store/config.h"

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
