/* The daemon of local.h as a machine: nothing is left of it, it ends with our pipe. */
#include "provider/provider.h"

#include "base/buf.h"
#include "provider/local.h"
#include "store/config.h"

struct provider_local_machine {
	struct machine machine;
	struct local *local;
};

static int
provider_local_check(const char *what, char **ret, struct err *e)
{
	(void)what;
	(void)ret;
	return err_set(e, ERR_USAGE, "\"local\" is this machine and always there");
}

static int
provider_local_create(const struct provider_request *rq, struct machine **ret, struct err *e)
{
	struct local_options o = {.store = rq->store, .notice = rq->notice};
	CLEANUP(cleanup_free) struct provider_local_machine *m = calloc(1, sizeof *m);
	CLEANUP(cleanup_free) char *data = NULL;
	CLEANUP(cleanup_free) char *tpm = NULL;

	if (m == NULL)
		return err_nomem(e);
	if (rq->store == NULL)
		return err_set(e, ERR_USAGE, "the runner \"local\" works on a store; there is none here");
	if (config_dir_data(&data, e) != 0)
		return -1;
	o.tpm = tpm = buf_strfmt(e, "embedded:%s/tpm", data);
	if (tpm == NULL || local_start_with(&o, &m->local, e) != 0)
		return -1;
	m->machine.provider = &provider_local;
	*ret = &m->machine;
	m = NULL;
	return 0;
}

static struct provider_address
provider_local_address(const struct machine *m)
{
	const struct provider_local_machine *l = (const struct provider_local_machine *)m;

	return (struct provider_address){.unix_socket = local_socket(l->local)};
}

/* local_start_with() has waited. */
static int
provider_local_wait(struct machine *m, struct err *e)
{
	(void)m;
	(void)e;
	return 0;
}

static void
provider_local_destroy(struct machine *m)
{
	struct provider_local_machine *l = (struct provider_local_machine *)m;

	local_stop(l->local);
	free(l);
}

const struct provider provider_local = {
	.scheme = "local",
	.check = provider_local_check,
	.create = provider_local_create,
	.address = provider_local_address,
	.wait = provider_local_wait,
	.destroy = provider_local_destroy,
};
