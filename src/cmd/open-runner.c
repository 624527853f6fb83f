#include "cmd/open-runner.h"

#include <string.h>
#include "base/printable.h"
#include "cmd/cmd.h"
#include "cmd/references.h"
#include "runner/credential.h"
#include "store/config.h"

static void
open_runner_notice(void *arg, const char *message)
{
	CLEANUP(cleanup_free) char *safe = printable(message, NULL);

	(void)arg;
	fprintf(stderr, "aicert: %s\n", safe != NULL ? safe : "out of memory");
}

static int
open_runner_local(struct store *s, struct local **ret, struct err *e)
{
	struct local_options o = {.store = s, .on_wait = open_runner_notice};
	CLEANUP(cleanup_free) char *data = NULL;
	CLEANUP(cleanup_free) char *tpm = NULL;

	if (s == NULL)
		return err_set(e, ERR_USAGE, "the runner \"local\" works on a store; there is none here");
	if (config_dir_data(&data, e) != 0)
		return -1;
	tpm = buf_strfmt(e, "embedded:%s/tpm", data);
	if (tpm == NULL)
		return -1;
	o.tpm = tpm;
	return local_start_with(&o, ret, e);
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
		.notice = open_runner_notice, .progress = stderr,
	};

	if (cmd_trust(&r->trust, e) != 0 || references_load(NULL, &r->references, e) != 0)
		return -1;
	if (r->entry.url == NULL) {
		options.detach = false; /* it ends with this process */
		if (open_runner_local(o->store, &r->local, e) != 0)
			return -1;
		options.unix_socket = local_socket(r->local);
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
	local_stop(r->local);
	buf_wipe(&r->token);
	trust_free(&r->trust);
	reference_set_free(&r->references);
	registry_entry_free(&r->entry);
	*r = (struct open_runner){0};
}
