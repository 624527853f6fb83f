#include "provider/provider.h"

#include <string.h>
#include "base/buf.h"

static const struct provider *const provider_all[] = {&provider_local, &qemu_provider};
#define PROVIDER_COUNT (sizeof provider_all / sizeof *provider_all)

const struct provider *
provider_find(const char *url, const char **ret_what)
{
	for (size_t i = 0; i < PROVIDER_COUNT; i++) {
		size_t len = strlen(provider_all[i]->scheme);

		if (strncmp(url, provider_all[i]->scheme, len) == 0 && url[len] == ':') {
			*ret_what = url + len + 1;
			return provider_all[i];
		}
	}
	return NULL;
}

int
provider_check(const struct provider *p, const char *what, char **ret_url, struct err *e)
{
	CLEANUP(cleanup_free) char *kept = NULL;

	if (p->check(what, &kept, e) != 0)
		return -1;
	*ret_url = buf_strfmt(e, "%s:%s", p->scheme, kept);
	return *ret_url != NULL ? 0 : -1;
}

struct provider_reaping {
	const struct provider *provider;
	provider_list_fn *fn;
	void *arg;
};

static int
provider_reap_one(void *arg, const char *tag, const char *holder, bool in_use, struct err *e)
{
	const struct provider_reaping *r = arg;

	if (!in_use && r->provider->reap(tag, e) != 0) {
		if (e->code != ERR_BUSY)
			return err_prefix(e, "machine %s", tag);
		in_use = true; /* somebody else is at it */
	}
	return r->fn != NULL ? r->fn(r->arg, tag, holder, in_use, e) : 0;
}

int
provider_reap(provider_list_fn *fn, void *arg, struct err *e)
{
	struct provider_reaping r = {.fn = fn, .arg = arg};

	for (size_t i = 0; i < PROVIDER_COUNT; i++) {
		r.provider = provider_all[i];
		if (r.provider->list != NULL && r.provider->list(provider_reap_one, &r, e) != 0)
			return -1;
	}
	return 0;
}
