#include "serve/settings.h"

#include <stddef.h>
#include <string.h>
#include "base/buf.h"
#include "base/hex.h"
#include "git/config-file.h"
#include "serve/upload.h"
#include "store/refs.h"

static const struct {
	const char *key;
	size_t offset;
} settings_texts[] = {
	{"daemon.listen", offsetof(struct settings, listen)},
	{"daemon.socket", offsetof(struct settings, socket)},
	{"daemon.store", offsetof(struct settings, store)},
	{"daemon.tpm", offsetof(struct settings, tpm)},
	{"daemon.tokenfile", offsetof(struct settings, token_file)},
	{"daemon.tlscert", offsetof(struct settings, tls_cert)},
	{"daemon.tlskey", offsetof(struct settings, tls_key)},
	{"daemon.clientca", offsetof(struct settings, client_ca)},
	{"daemon.runtimeconfig", offsetof(struct settings, runtime_config)},
	{"image.name", offsetof(struct settings, image_name)},
	{"image.verity", offsetof(struct settings, image_verity)},
	{"image.version", offsetof(struct settings, image_version)},
	{"tpm.akchain", offsetof(struct settings, ak_chain)},
	{"tpm.bootlog", offsetof(struct settings, boot_log)},
};

static const struct {
	const char *key;
	size_t offset;
	int64_t min, max;
} settings_numbers[] = {
	{"http.connections", offsetof(struct settings, connections), 1, 4096},
	{"http.connectionsperaddress", offsetof(struct settings, per_address), 1, 4096},
	{"http.idletimeout", offsetof(struct settings, idle_s), 1, 3600},
	{"http.headertimeout", offsetof(struct settings, header_s), 1, 3600},
	{"http.stalltimeout", offsetof(struct settings, stall_s), 1, 3600},
	{"http.requestsperprincipal", offsetof(struct settings, per_principal), 1, 4096},
	{"objects.parts", offsetof(struct settings, parts), 1, 100000},
	{"objects.partskept", offsetof(struct settings, parts_kept_s), 1, 366 * 86400},
	{"run.queue", offsetof(struct settings, queue), 0, 64},
	{"run.queueperprincipal", offsetof(struct settings, queue_each), 1, 64},
	{"run.maxseconds", offsetof(struct settings, max_seconds), 1, 366 * 86400},
	{"run.maxmemory", offsetof(struct settings, max_memory), 1, INT64_C(1) << 53},
};

int
settings_init(struct settings *ret, struct err *e)
{
	*ret = (struct settings){
		.queue = 8, .queue_each = 4, .per_principal = 256, .parts = 1000,
		.parts_kept_s = UPLOAD_KEPT_S,
	};
	ret->tpm = buf_strdup("embedded", e);
	return ret->tpm != NULL ? 0 : -1;
}

void
settings_free(struct settings *s)
{
	for (size_t i = 0; i < sizeof settings_texts / sizeof *settings_texts; i++)
		free(*(char **)(void *)((char *)s + settings_texts[i].offset));
	for (size_t i = 0; i < s->public_count; i++)
		free(s->public_refs[i]);
	*s = (struct settings){0};
}

/* As in git's files: 1024 times as much for k, again for m, and for g. */
static bool
settings_scale(const char *suffix, int64_t max, int64_t *n)
{
	static const char units[] = "kmg";
	const char *unit;

	if (*suffix == '\0')
		return true;
	unit = strchr(units, *suffix | 0x20);
	if (unit == NULL || suffix[1] != '\0')
		return false;
	for (const char *u = units; u <= unit; u++) {
		if (*n > max / 1024)
			return false;
		*n *= 1024;
	}
	return true;
}

static int
settings_number(const char *key, const char *value, int64_t min, int64_t max, int64_t *ret,
    struct err *e)
{
	const char *p = value;
	int64_t n = 0;

	for (; *p >= '0' && *p <= '9' && n <= max; p++)
		n = 10 * n + (*p - '0');
	if (p == value || !settings_scale(p, max, &n) || n < min || n > max)
		return err_set(e, ERR_USAGE, "%s: a number from %lld to %lld is needed", key,
		    (long long)min, (long long)max);
	*ret = n;
	return 0;
}

static int
settings_add_public(struct settings *s, const char *value, struct err *e)
{
	size_t len = strlen(value);
	bool prefix = len > 5 && value[len - 1] == '/';

	if (strncmp(value, "refs/", 5) != 0 || (!prefix && !refs_name_ok(value)))
		return err_set(e, ERR_USAGE, "hub.public: \"%s\" is not refs/..., or a beginning of it with"
		    " '/' at its end", value);
	if (s->public_count == SETTINGS_PUBLIC_MAX)
		return err_set(e, ERR_LIMIT, "hub.public: more than %d", SETTINGS_PUBLIC_MAX);
	s->public_refs[s->public_count] = buf_strdup(value, e);
	return s->public_refs[s->public_count] != NULL ? (s->public_count++, 0) : -1;
}

int
settings_set(struct settings *s, const char *key, const char *value, struct err *e)
{
	for (size_t i = 0; i < sizeof settings_texts / sizeof *settings_texts; i++) {
		char **text = (char **)(void *)((char *)s + settings_texts[i].offset);
		char *copy;

		if (strcmp(settings_texts[i].key, key) != 0)
			continue;
		if (*value == '\0')
			return err_set(e, ERR_USAGE, "%s: has no value", key);
		copy = buf_strdup(value, e);
		if (copy == NULL)
			return -1;
		free(*text);
		*text = copy;
		return 0;
	}
	for (size_t i = 0; i < sizeof settings_numbers / sizeof *settings_numbers; i++)
		if (strcmp(settings_numbers[i].key, key) == 0)
			return settings_number(key, value, settings_numbers[i].min, settings_numbers[i].max,
			    (int64_t *)(void *)((char *)s + settings_numbers[i].offset), e);
	if (strcmp(key, "hub.public") == 0)
		return settings_add_public(s, value, e);
	return err_set(e, ERR_USAGE, "%s: not a key of this daemon's configuration", key);
}

struct settings_each {
	struct settings *s;
	struct err *e;
	int rc;
};

static int
settings_each(void *arg, const char *key, const char *value)
{
	struct settings_each *x = arg;

	x->rc = settings_set(x->s, key, value, x->e);
	return x->rc;
}

int
settings_load(struct settings *s, const char *path, struct err *e)
{
	struct settings_each x = {.s = s, .e = e};
	struct config_file *f;
	int rc;

	if (access(path, R_OK) != 0)
		return err_sys(e, "%s: cannot open", path);
	if (config_file_open(path, &f, e) != 0)
		return -1;
	rc = config_file_each(f, settings_each, &x, e);
	config_file_free(f);
	if (rc != 0)
		return -1;
	return x.rc != 0 ? err_prefix(e, "%s", path) : 0;
}

bool
settings_is_hub(const struct settings *s)
{
	return strcmp(s->tpm, "none") == 0;
}

/* What belongs to a measured image, whose init writes it. */
static int
settings_check_image(const struct settings *s, struct err *e)
{
	bool any = s->image_name != NULL || s->image_version != NULL || s->image_verity != NULL;

	if (s->runtime_config != NULL && (s->token_file != NULL || s->client_ca != NULL))
		return err_set(e, ERR_USAGE, "--runtime-config takes the place of --token-file and --client-ca");
	if ((any || s->runtime_config != NULL) && (s->listen == NULL || settings_is_hub(s)))
		return err_set(e, ERR_USAGE, "--runtime-config and image.* are for a runner on an address");
	if (any && (s->image_name == NULL || s->image_version == NULL || s->image_verity == NULL))
		return err_set(e, ERR_USAGE, "image.name, image.version and image.verity belong together");
	if (any && (strlen(s->image_verity) != 64 || !hex_is(s->image_verity, 64)))
		return err_set(e, ERR_USAGE, "image.verity is not 64 lower-case hex digits");
	return 0;
}

int
settings_check(const struct settings *s, struct err *e)
{
	bool hub = settings_is_hub(s);

	if (s->store == NULL || (s->socket == NULL) == (s->listen == NULL))
		return err_set(e, ERR_USAGE, "--store and one of --listen and --socket are needed; see"
		    " aicertd --help");
	if ((s->tls_cert == NULL) != (s->tls_key == NULL))
		return err_set(e, ERR_USAGE, "--tls-cert and --tls-key belong together");
	if (settings_check_image(s, e) != 0)
		return -1;
	if (s->socket != NULL)
		return !hub && s->tls_cert == NULL && s->client_ca == NULL && s->token_file == NULL ? 0 :
		    err_set(e, ERR_USAGE, "a Unix socket has neither TLS nor tokens, and is no hub's");
	if (s->token_file == NULL && s->runtime_config == NULL)
		return err_set(e, ERR_USAGE, "--listen needs --token-file or --runtime-config: who may do what");
	if (hub && s->tls_cert == NULL)
		return err_set(e, ERR_USAGE, "--tpm none needs --tls-cert and --tls-key: without a TPM"
		    " nothing else says whose hub this is");
	if (!hub && s->public_count > 0)
		return err_set(e, ERR_USAGE, "hub.public is for --tpm none");
	return 0;
}

bool
settings_public(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->public_count; i++) {
		const char *p = s->public_refs[i];
		size_t len = strlen(p);

		if (strcmp(p, name) == 0 || (p[len - 1] == '/' && strncmp(p, name, len) == 0))
			return true;
	}
	return false;
}
