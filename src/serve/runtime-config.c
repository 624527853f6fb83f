#include "serve/runtime-config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "base/fd.h"
#include "codec/jcs.h"
#include "codec/shape.h"

static const struct shape runtime_config_shape[] = {
	{"mediaType", SHAPE_STRING, 0},
	{"clientCa", SHAPE_STRING, SHAPE_NULLABLE},
	{"idleSeconds", SHAPE_INT, 0},
	{"tokens", SHAPE_ARRAY, 0},
	{0},
};

/* The texts as a token file has them, with no line that says nothing. */
static int
runtime_config_principals(const struct jcs *list, struct principal_list *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf lines = BUF_INIT;

	for (size_t i = 0; i < jcs_length(list); i++) {
		const char *line = jcs_string(jcs_at(list, i));

		if (line == NULL || strchr(line, '\n') != NULL)
			return err_set(e, ERR_FORMAT, "\"tokens\": an element must be one line of text");
		buf_addf(&lines, "%s\n", line);
	}
	if (buf_check(&lines, e) != 0)
		return -1;
	if (principal_parse(lines.data, lines.len, ret, e) != 0)
		return err_prefix(e, "\"tokens\"");
	if (ret->count == jcs_length(list) && ret->count > 0)
		return 0;
	return err_set(e, ERR_FORMAT, "\"tokens\": every element, and at least one, must name a principal");
}

static int
runtime_config_read(const struct jcs *v, struct runtime_config *c, struct err *e)
{
	const char *type = jcs_get_string(v, "mediaType"), *ca = jcs_get_string(v, "clientCa");

	if (type == NULL || strcmp(type, RUNTIME_CONFIG_MEDIA_TYPE) != 0)
		return err_set(e, ERR_UNSUPPORTED, "the media type is not " RUNTIME_CONFIG_MEDIA_TYPE);
	if (shape_check(v, runtime_config_shape, "run-time configuration", e) != 0)
		return -1;
	if (jcs_int(jcs_get(v, "idleSeconds"), &c->idle_s) != 0 ||
	    c->idle_s < RUNTIME_CONFIG_IDLE_MIN_S || c->idle_s > RUNTIME_CONFIG_IDLE_MAX_S)
		return err_set(e, ERR_FORMAT, "\"idleSeconds\" must be from %d to %d",
		    RUNTIME_CONFIG_IDLE_MIN_S, RUNTIME_CONFIG_IDLE_MAX_S);
	if (ca != NULL && (c->client_ca = buf_strdup(ca, e)) == NULL)
		return -1;
	return runtime_config_principals(jcs_get(v, "tokens"), &c->principals, e);
}

int
runtime_config_decode(const void *data, size_t len, struct runtime_config *ret, struct err *e)
{
	CLEANUP(runtime_config_free) struct runtime_config c = {0};
	CLEANUP(jcs_freep) struct jcs *v = NULL;

	if (jcs_decode(data, len, RUNTIME_CONFIG_MAX, &v, e) != 0 || runtime_config_read(v, &c, e) != 0)
		return -1;
	c.text = strndup(data, len); /* JSON has no U+0000 here */
	if (c.text == NULL)
		return err_nomem(e);
	*ret = c;
	c = (struct runtime_config){0};
	return 0;
}

int
runtime_config_load(const char *path, struct runtime_config *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (fd_read_file(AT_FDCWD, path, RUNTIME_CONFIG_MAX, &text, e) != 0)
		return -1;
	return runtime_config_decode(text.data, text.len, ret, e) == 0 ? 0 : err_prefix(e, "%s", path);
}

void
runtime_config_free(struct runtime_config *c)
{
	principal_list_free(&c->principals);
	free(c->text);
	free(c->client_ca);
	*c = (struct runtime_config){0};
}
