/*
 * What starts a machine for one run and takes it down again: a table of functions a
 * kind of machine.  "local" is a daemon on this computer, "qemu:IMAGE" a virtual
 * machine of this computer; a cloud's would be a third.
 *
 * A machine belongs to the process that made it and ends with it, whatever ends that;
 * what is left all the same, files or a machine of a cloud, has a tag by which list()
 * finds and reap() destroys it.
 */
#ifndef PROVIDER_PROVIDER_H
#define PROVIDER_PROVIDER_H

#include <stdint.h>
#include <stdio.h>
#include "base/notice.h"
#include "store/store.h"

struct provider;

/* A machine; the first member of each provider's own. */
struct machine {
	const struct provider *provider;
};

/* How it is to be; strings are borrowed as long as the machine lives. */
struct provider_request {
	const char *what;               /* the url after its scheme: an absolute path for qemu */
	struct store *store;            /* local: works on it; NULL: none is at hand */
	const char *token;              /* the bearer token that it is to accept; NULL: none */
	int64_t processors, memory_mib; /* 0: the provider's own choice */
	const char *accelerator;        /* qemu: "kvm", "tcg"; NULL: whichever works */
	const char *secure_boot;        /* qemu: a file of firmware variables with keys enrolled; NULL: off */
	struct notice notice;
	FILE *progress;
};

/* One of them; borrowed from the machine. */
struct provider_address {
	const char *unix_socket, *url;
};

typedef int provider_list_fn(void *arg, const char *tag, const char *holder, bool in_use,
    struct err *e);

struct provider {
	const char *scheme;
	bool token;                     /* it takes one: its daemon is reached over a network */
	/* What follows the scheme, as it is to be kept: ERR_USAGE where it can be none. */
	int (*check)(const char *what, char **ret, struct err *e);
	int (*create)(const struct provider_request *rq, struct machine **ret, struct err *e);
	struct provider_address (*address)(const struct machine *m);
	/* Until it answers; ERR_CANCELLED.  Its address is known from then on. */
	int (*wait)(struct machine *m, struct err *e);
	void (*destroy)(struct machine *m);
	/* Those of this user that have not been destroyed; NULL: none can be left. */
	int (*list)(provider_list_fn *fn, void *arg, struct err *e);
	int (*reap)(const char *tag, struct err *e);
};

/* By the scheme of "SCHEME:WHAT"; NULL when no provider has it.  *ret_what: borrowed. */
const struct provider *provider_find(const char *url, const char **ret_what);
/* url in the spelling in which it is registered. */
int provider_check(const struct provider *p, const char *what, char **ret_url,
    struct err *e) MUST_CHECK;
/* Destroys those whose maker is gone; fn, where not NULL, is told of each. */
int provider_reap(provider_list_fn *fn, void *arg, struct err *e) MUST_CHECK;

extern const struct provider provider_local, qemu_provider;

#endif
