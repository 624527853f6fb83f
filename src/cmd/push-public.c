#include "cmd/push-public.h"

#include <stdio.h>
#include <string.h>
#include "base/progress.h"
#include "cmd/cmd.h"
#include "crypto/x509.h"
#include "store/history.h"
#include "store/oid-map.h"
#include "store/refs.h"

#define PUSH_PUBLIC_SHOWN 20    /* lines of a kind */
#define PUSH_PUBLIC_RUNS 2000   /* that are looked into */

enum push_public_kind { PUBLIC_COMMAND, PUBLIC_ENV, PUBLIC_HOST, PUBLIC_AUTHOR, PUBLIC_KINDS };

struct push_public {
	struct store *s;
	struct oid_map seen[PUBLIC_KINDS]; /* texts, by their digest */
	char *shown[PUBLIC_KINDS][PUSH_PUBLIC_SHOWN];
	size_t runs, logs, files;
	uint64_t log_bytes, file_bytes;
	struct err *e;
	bool failed;
};

static void
push_public_free(struct push_public *p)
{
	for (int k = 0; k < PUBLIC_KINDS; k++) {
		oid_map_free(&p->seen[k]);
		for (size_t i = 0; i < PUSH_PUBLIC_SHOWN; i++)
			free(p->shown[k][i]);
	}
}

static int
push_public_text(struct push_public *p, enum push_public_kind kind, const char *text)
{
	size_t at = p->seen[kind].count;
	struct oid id;
	bool fresh;

	if (oid_from_data(&id, text, strlen(text), p->e) != 0 ||
	    oid_map_add(&p->seen[kind], &id, 0, &fresh, p->e) != 0)
		return -1;
	if (fresh && at < PUSH_PUBLIC_SHOWN)
		p->shown[kind][at] = strdup(text);
	return 0;
}

static int
push_public_spec(struct push_public *p, const struct run_spec *spec)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT;

	run_spec_command(spec, &line);
	if (buf_check(&line, p->e) != 0 || push_public_text(p, PUBLIC_COMMAND, buf_str(&line)) != 0)
		return -1;
	for (size_t i = 0; i < spec->env_count; i++) {
		buf_reset(&line);
		buf_addf(&line, "%s=%s", spec->env[i].name, spec->env[i].value);
		if (buf_check(&line, p->e) != 0 || push_public_text(p, PUBLIC_ENV, buf_str(&line)) != 0)
			return -1;
	}
	return 0;
}

/* Cloud AK certificates are made out to a machine. */
static int
push_public_hosts(struct push_public *p, const struct certificate *c)
{
	for (size_t i = 0; i < c->ak_chain_count && i < 1; i++) {
		CLEANUP(buf_free) struct buf subject = BUF_INIT;
		struct x509_cert *x;
		int rc;

		if (x509_decode(c->ak_chain[i].data, c->ak_chain[i].len, &x, NULL) != 0)
			continue;
		rc = x509_subject(x, &subject, NULL);
		x509_free(x);
		if (rc == 0 && push_public_text(p, PUBLIC_HOST, buf_str(&subject)) != 0)
			return -1;
	}
	return 0;
}

static int
push_public_certificate(struct push_public *p, const struct oid *id)
{
	CLEANUP(certificate_free) struct certificate c = {0};

	if (history_certificate(p->s, id, &c, NULL) != 0)
		return 0; /* the push itself says what is wrong with it */
	p->runs++;
	for (size_t i = 0; i < c.event_count; i++) {
		const struct event *ev = &c.events[i];

		if (ev->kind == EVENT_RUN_REQUEST && push_public_spec(p, &ev->u.request.spec) != 0)
			return -1;
		if (ev->kind == EVENT_RUN_FINISHED) {
			p->logs++;
			p->log_bytes += ev->u.finished.log_size;
		}
		if (ev->kind == EVENT_OUTPUT_RESOURCE) {
			p->files++;
			p->file_bytes += ev->u.output.output.size;
		}
	}
	return push_public_hosts(p, &c);
}

static int
push_public_commit(void *arg, const struct oid *id, const struct commit *c)
{
	struct push_public *p = arg;
	CLEANUP(cleanup_free) char *author = buf_strfmt(p->e, "%s <%s>", c->author_name, c->author_email);

	(void)id;
	p->failed = author == NULL || push_public_text(p, PUBLIC_AUTHOR, author) != 0 ||
	    (c->has_subject && c->subject.type == OBJECT_CERTIFICATE &&
	    push_public_certificate(p, &c->subject.id) != 0);
	return p->failed || p->runs >= PUSH_PUBLIC_RUNS;
}

static void
push_public_list(const struct push_public *p, enum push_public_kind kind, const char *label)
{
	for (size_t i = 0; i < PUSH_PUBLIC_SHOWN && p->shown[kind][i] != NULL; i++) {
		printf("  %-9s ", label);
		cmd_print_text(stdout, p->shown[kind][i]);
		putchar('\n');
	}
	if (p->seen[kind].count > PUSH_PUBLIC_SHOWN)
		printf("  %-9s and %zu more\n", label, p->seen[kind].count - PUSH_PUBLIC_SHOWN);
}

static int
push_public_ref(void *arg, const char *name, const struct object_ref *ref)
{
	(void)name;
	(void)ref;
	*(bool *)arg = true;
	return 1;
}

bool
push_public_first(struct store *s, const struct remotes_entry *entry,
    const struct remote_refs *there)
{
	CLEANUP(cleanup_free) char *prefix = buf_strfmt(NULL, "refs/remotes/%s/", entry->name);
	bool known = false;

	if (entry->name[0] == '\0' || prefix == NULL)
		return there->count == 0;
	return refs_each(s, prefix, push_public_ref, &known, NULL) == 0 && !known;
}

int
push_public_print(struct store *s, const struct push_plan *plan, enum sync_blobs blobs, struct err *e)
{
	CLEANUP(push_public_free) struct push_public p = {.s = s, .e = e};
	char size[32];

	for (size_t i = 0; i < plan->count; i++) {
		const struct remote_update *u = &plan->refs[i].update;

		if (u->has_new && u->new_.type == OBJECT_COMMIT &&
		    (history_walk(s, &u->new_.id, 1, push_public_commit, &p, e) != 0 || p.failed))
			return -1;
	}
	printf("Nothing was pushed there before. Whoever can read it will see, of %zu run%s:\n", p.runs,
	    p.runs == 1 ? "" : "s");
	push_public_list(&p, PUBLIC_COMMAND, "command");
	push_public_list(&p, PUBLIC_ENV, "env");
	push_public_list(&p, PUBLIC_HOST, "machine");
	push_public_list(&p, PUBLIC_AUTHOR, "author");
	progress_size(size, sizeof size, p.log_bytes);
	printf("  %-9s %zu, %s, whole\n", "logs", p.logs, size);
	progress_size(size, sizeof size, p.file_bytes);
	printf("  %-9s paths, sizes and digests of all inputs and outputs\n", "files");
	printf("  %-9s %s\n", "contents", blobs == SYNC_BLOBS_NONE ? "of no file" :
	    blobs == SYNC_BLOBS_OUTPUTS ? "of outputs that the remote can hold" : "of inputs and outputs");
	if (blobs != SYNC_BLOBS_NONE)
		printf("  %-9s %zu, %s\n", "outputs", p.files, size);
	return 0;
}
