#include "object/statement.h"

#include <string.h>
#include "base/hex.h"

#define STATEMENT_TREE_TYPE "application/vnd.aicert.tree.v1"

/* A member of an event's own document, copied: what was measured goes into the
 * statement as it was measured. */
static struct jcs *
statement_copy(const struct jcs *v, const char *name)
{
	const struct jcs *member = jcs_get(v, name);

	return member != NULL ? jcs_copy(member) : NULL;
}

/* {"digest":{...},"name":path} of an event that describes a thing; a tree says
 * that its digest is that of the tree's text. */
static struct jcs *
statement_descriptor(const struct jcs *ev)
{
	struct jcs *v = jcs_new_object();
	const char *type = jcs_get_string(ev, "type");

	jcs_set(v, "name", statement_copy(ev, "path"));
	jcs_set(v, "digest", statement_copy(ev, "digests"));
	if (type != NULL && strcmp(type, "tree") == 0)
		jcs_set_string(v, "mediaType", STATEMENT_TREE_TYPE);
	return v;
}

static struct jcs *
statement_dependency(const struct jcs *ev)
{
	struct jcs *v = statement_descriptor(ev), *annotations = jcs_new_object();

	jcs_set(annotations, "kind", statement_copy(ev, "kind"));
	if (jcs_get(ev, "origin") != NULL) {
		jcs_set(annotations, "origin", statement_copy(ev, "origin"));
		jcs_set(annotations, "license", statement_copy(ev, "license"));
		jcs_set(annotations, "madeBy", statement_copy(ev, "madeBy"));
		jcs_set(annotations, "ignored", statement_copy(ev, "ignored"));
		if (jcs_get_string(ev, "source") != NULL)
			jcs_set(v, "uri", statement_copy(ev, "source"));
	}
	jcs_set(v, "annotations", annotations);
	return v;
}

static void
statement_request(const struct jcs *ev, struct jcs *definition)
{
	static const char *const internal[] = {
		"run", "nonce", "image", "daemon", "tpm", "sandbox", "config", "network",
	};
	struct jcs *external = statement_copy(ev, "spec"), *v = jcs_new_object();

	if (external != NULL)
		jcs_remove(external, "inputs");
	for (size_t i = 0; i < sizeof internal / sizeof internal[0]; i++)
		jcs_set(v, internal[i], statement_copy(ev, internal[i]));
	jcs_set_string(definition, "buildType", "urn:aicert:attested-run:v1");
	jcs_set(definition, "externalParameters", external);
	jcs_set(definition, "internalParameters", v);
}

static void
statement_builder(const struct jcs *request, struct jcs *details)
{
	struct jcs *builder = jcs_new_object(), *version = jcs_new_object();

	jcs_set(version, "aicertd", statement_copy(jcs_get(request, "daemon"), "version"));
	jcs_set_string(builder, "id", "urn:aicert:daemon:v1");
	jcs_set(builder, "version", version);
	jcs_set(details, "builder", builder);
}

static void
statement_finished(const struct jcs *ev, struct jcs *details)
{
	struct jcs *metadata = jcs_new_object(), *result = jcs_new_object();
	struct jcs *log = jcs_new_object(), *byproducts = jcs_new_array();
	const char *run = jcs_get_string(ev, "run");
	char id[96];

	snprintf(id, sizeof id, "urn:aicert:run:%.64s", run != NULL ? run : "");
	jcs_set_string(metadata, "invocationId", id);
	if (jcs_get_string(ev, "started") != NULL) {
		jcs_set(metadata, "startedOn", statement_copy(ev, "started"));
		jcs_set(metadata, "finishedOn", statement_copy(ev, "finished"));
	}
	jcs_set(result, "exitCode", statement_copy(ev, "exitCode"));
	jcs_set(result, "reason", statement_copy(ev, "reason"));
	jcs_set(result, "signal", statement_copy(ev, "signal"));
	jcs_set(metadata, "aicert_result", result);
	jcs_set_string(log, "name", "log");
	jcs_set(log, "digest", statement_copy(jcs_get(ev, "log"), "digests"));
	jcs_append(byproducts, log);
	jcs_set(details, "metadata", metadata);
	jcs_set(details, "byproducts", byproducts);
}

struct statement_parts {
	struct jcs *subject, *definition, *dependencies, *details;
};

static int
statement_event(const struct event *ev, struct statement_parts *p, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;

	if (jcs_decode(ev->text, ev->len, EVENT_BYTES_MAX, &v, e) != 0)
		return -1;
	switch (ev->kind) {
	case EVENT_RUN_REQUEST:
		statement_request(v, p->definition);
		statement_builder(v, p->details);
		break;
	case EVENT_INPUT_IMAGE:
		if (jcs_get(v, "digests") != NULL)
			jcs_append(p->dependencies, statement_dependency(v));
		break;
	case EVENT_INPUT_RESOURCE:
		jcs_append(p->dependencies, statement_dependency(v));
		break;
	case EVENT_OUTPUT_RESOURCE:
		jcs_append(p->subject, statement_descriptor(v));
		break;
	case EVENT_RUN_FINISHED:
		statement_finished(v, p->details);
		break;
	case EVENT_INPUTS_SEALED:
	case EVENT_RUN_STARTED:
	case EVENT_OUTPUT_MISSING:
	case EVENT_OUTPUTS_SEALED:
		break;
	}
	return 0;
}

/* One run_request, input_image, input_resource*, inputs_sealed, run_started,
 * (output_resource | output_missing)*, run_finished, outputs_sealed: of anything
 * else there is no statement. */
static int
statement_check(const struct event *events, size_t count, struct err *e)
{
	enum event_kind at = EVENT_RUN_REQUEST;

	for (size_t i = 0; i < count; i++) {
		enum event_kind kind = events[i].kind;

		if (at > EVENT_OUTPUTS_SEALED)
			return err_set(e, ERR_FORMAT, "aicert-certificate(5) section 6.1: event %zu comes"
			    " after outputs_sealed", i);
		if (kind == EVENT_OUTPUT_MISSING)
			kind = EVENT_OUTPUT_RESOURCE;
		if (at == EVENT_INPUT_RESOURCE && kind == EVENT_INPUTS_SEALED)
			at = EVENT_INPUTS_SEALED;
		if (at == EVENT_OUTPUT_RESOURCE && kind == EVENT_RUN_FINISHED)
			at = EVENT_RUN_FINISHED;
		if (kind != at)
			return err_set(e, ERR_FORMAT, "aicert-certificate(5) section 6.1: event %zu is %s,"
			    " not %s", i, event_kind_name(events[i].kind), event_kind_name(at));
		if (at != EVENT_INPUT_RESOURCE && at != EVENT_OUTPUT_RESOURCE)
			at++;
	}
	if (count == 0 || events[count - 1].kind != EVENT_OUTPUTS_SEALED)
		return err_set(e, ERR_FORMAT, "aicert-certificate(5) section 6.1: the events are not complete");
	return 0;
}

int
statement_derive(const struct event *events, size_t count, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct jcs *predicate;
	struct statement_parts p;
	int rc = 0;

	if (statement_check(events, count, e) != 0)
		return -1;
	v = jcs_new_object();
	predicate = jcs_new_object();
	p = (struct statement_parts){
		jcs_new_array(), jcs_new_object(), jcs_new_array(), jcs_new_object(),
	};

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = statement_event(&events[i], &p, e);
	jcs_set(p.definition, "resolvedDependencies", p.dependencies);
	jcs_set(predicate, "buildDefinition", p.definition);
	jcs_set(predicate, "runDetails", p.details);
	jcs_set_string(v, "_type", "https://in-toto.io/Statement/v1");
	jcs_set(v, "subject", p.subject);
	jcs_set_string(v, "predicateType", "https://slsa.dev/provenance/v1");
	jcs_set(v, "predicate", predicate);
	return rc == 0 ? jcs_encode(v, ret, e) : -1;
}

static void
statement_text(struct buf *ret, const char *first, const unsigned char nonce[32], const struct oid *id)
{
	char hex[OID_HEX_SIZE];

	hex_encode(hex, nonce, 32);
	buf_addf(ret, "%s\n%s\n", first, hex);
	if (id == NULL)
		return;
	oid_hex(id, hex);
	buf_addf(ret, "%s\n", hex);
}

void
statement_start_text(struct buf *ret, const unsigned char nonce[32])
{
	statement_text(ret, "aicert start v1", nonce, NULL);
}

void
statement_quote_text(struct buf *ret, const unsigned char nonce[32], const struct oid *payload)
{
	statement_text(ret, "aicert quote v1", nonce, payload);
}

void
statement_identity_text(struct buf *ret, const unsigned char nonce[32], const struct oid *spki)
{
	statement_text(ret, "aicert identity v1", nonce, spki);
}
