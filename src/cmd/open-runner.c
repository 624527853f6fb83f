#include "cmd/open-runner.h"

#include <string.h>
#include "base/hex.h"
#include "cmd/cmd.h"
#include "cmd/references.h"
#include "crypto/random.h"
#include "runner/credential.h"
#include "store/config.h"

#define OPEN_RUNNER_PATIENCE_S 10 /* with a machine of this computer */

static int
open_runner_left(void *arg, const char *tag, const char *holder, bool in_use, struct err *e)
{
	(void)arg;
	(void)e;
	if (!in_use)
		fprintf(stderr, "aicert: machine %s was left by %s: destroyed\n", tag, holder);
	return 0;
}

/* Of commands that were killed; that some are left is no reason not to go on. */
static void
open_runner_reap(void)
{
	struct err e;

	if (provider_reap(open_runner_left, NULL, &e) != 0)
		cmd_tell(NULL, e.msg);
}

/* Drawn for this machine alone. */
static int
open_runner_draw_token(struct buf *ret, struct err *e)
{
	unsigned char random[32];
	char hex[2 * sizeof random + 1];

	if (random_bytes(random, sizeof random, e) != 0)
		return -1;
	hex_encode(hex, random, sizeof random);
	buf_adds(ret, hex);
	explicit_bzero(random, sizeof random);
	explicit_bzero(hex, sizeof hex);
	return buf_check(ret, e);
}

/* url: a provider's, "local:" for this computer. */
static int
open_runner_start(const struct open_runner_options *o, const char *url, struct open_runner *r,
    struct runner_options *ret, struct err *e)
{
	struct provider_request rq = {
		.store = o->store, .processors = r->entry.processors, .memory_mib = r->entry.memory_mib,
		.accelerator = r->entry.accelerator, .secure_boot = r->entry.firmware_variables,
		.notice = {.tell = cmd_tell}, .progress = stderr,
	};
	const struct provider *p = provider_find(url, &rq.what);
	struct provider_address a;

	if (p == NULL)
		return err_set(e, ERR_UNSUPPORTED, "runner %s: this version starts no machines of %s",
		    r->entry.name, url);
	if (o->in_use && r->entry.started)
		return err_set(e, ERR_USAGE, "runner %s is started for every run and ends with it: there is"
		    " nothing to ask it", r->entry.name);
	open_runner_reap();
	if (p->token) {
		if (open_runner_draw_token(&r->token, e) != 0)
			return -1;
		rq.token = ret->token = buf_str(&r->token);
	}
	if (p->create(&rq, &r->machine, e) != 0 || p->wait(r->machine, e) != 0)
		return r->entry.started ? err_prefix(e, "runner %s", r->entry.name) : -1;
	a = p->address(r->machine);
	ret->unix_socket = a.unix_socket;
	ret->url = a.url;
	ret->detach = false; /* it ends with this process */
	if (r->entry.started)
		ret->patience_s = OPEN_RUNNER_PATIENCE_S;
	return 0;
}

static int
open_runner_credentials(struct open_runner *r, struct runner_options *o, struct err *e)
{
	if (credential_token(r->entry.token_file, &r->token, e) != 0)
		return -1;
	if (r->token.len > 0)
		o->token = buf_str(&r->token);
	if (r->entry.client_key != NULL && credential_check_file(r->entry.client_key, e) != 0)
		return -1;
	o->client_cert = r->entry.client_cert;
	o->client_key = r->entry.client_key;
	return 0;
}

static int
open_runner_fill(const struct open_runner_options *o, struct open_runner *r, struct err *e)
{
	struct runner_options options = {
		.trust = &r->trust, .references = &r->references, .required = r->entry.level,
		.ak_name = r->entry.ak_name,
		.in_use = o->in_use, .detach = o->detach, .wait_s = o->wait_s,
		.notice = {.tell = cmd_tell}, .progress = stderr,
	};

	if (cmd_trust(&r->trust, e) != 0 || references_load(NULL, &r->references, e) != 0)
		return -1;
	if (r->entry.url == NULL || r->entry.started) {
		if (open_runner_start(o, r->entry.started ? r->entry.url : REGISTRY_LOCAL ":", r, &options,
		    e) != 0)
			return -1;
	} else {
		options.url = r->entry.url;
		if (open_runner_credentials(r, &options, e) != 0)
			return -1;
	}
	return runner_connect(&options, &r->runner, e);
}

int
open_runner_entry(const struct open_runner_options *o, struct registry_entry *entry,
    struct open_runner *ret, struct err *e)
{
	ret->entry = *entry;
	*entry = (struct registry_entry){0};
	return open_runner_fill(o, ret, e);
}

int
open_runner_check(const char *name, struct err *e)
{
	CLEANUP(registry_entry_free) struct registry_entry entry = {0};
	CLEANUP(config_closep) struct config *c = NULL;

	if (strcmp(name, REGISTRY_LOCAL) == 0)
		return 0;
	return config_open(NULL, &c, e) != 0 ? -1 : registry_get(c, name, &entry, e);
}

int
open_runner_connect(const struct open_runner_options *o, struct open_runner *ret, struct err *e)
{
	CLEANUP(config_closep) struct config *c = NULL;

	if (strcmp(o->name, REGISTRY_LOCAL) == 0) {
		ret->entry.level = LEVEL_SIMULATED;
		ret->entry.name = buf_strdup(o->name, e);
		return ret->entry.name == NULL ? -1 : open_runner_fill(o, ret, e);
	}
	if (config_open(NULL, &c, e) != 0 || registry_get(c, o->name, &ret->entry, e) != 0)
		return -1;
	return open_runner_fill(o, ret, e);
}

int
open_runner_identify(struct open_runner *r, struct err *e)
{
	const struct verdict *v;

	if (runner_identify(r->runner, e) == 0)
		return 0;
	v = runner_verdict(r->runner);
	err_prefix(e, "runner %s", r->entry.name);
	if (v != NULL && v->answer == ANSWER_FAIL && v->level == LEVEL_SIMULATED &&
	    v->required > LEVEL_SIMULATED) {
		struct err why = *e;

		return err_set(e, ERR_REFUSED, "%s (--min-level simulated takes a TPM that nobody vouches"
		    " for)", why.msg);
	}
	return -1;
}

void
open_runner_close(struct open_runner *r)
{
	runner_free(r->runner);
	if (r->machine != NULL)
		r->machine->provider->destroy(r->machine);
	buf_wipe(&r->token);
	trust_free(&r->trust);
	reference_set_free(&r->references);
	registry_entry_free(&r->entry);
	*r = (struct open_runner){0};
}
