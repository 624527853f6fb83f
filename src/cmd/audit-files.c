/* What git has under the names of outputs, and what looks like weights; runs that failed. */
#include <string.h>
#include <strings.h>
#include "cmd/audit-state.h"
#include "cmd/cmd.h"
#include "git/lfs-pointer.h"
#include "store/history.h"
#include "store/refs.h"

struct audit_git {
	struct audit *a;
	char *prefix;           /* of the store's directory in the repository: "" or "sub/" */
	struct err *e;
};

static bool
audit_weights(const char *path)
{
	static const char *const ends[] = {".safetensors", ".gguf", ".ggml", ".pt", ".pth", ".ckpt", ".onnx",
	    ".tflite", ".h5", ".keras", ".npz", ".mlmodel", ".pkl", ".joblib"};
	size_t len = strlen(path);

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		size_t n = strlen(ends[i]);

		if (len > n && strcasecmp(path + len - n, ends[i]) == 0)
			return true;
	}
	return false;
}

static bool
audit_want(void *arg, const char *path, enum repo_file_kind kind)
{
	struct audit_git *g = arg;

	return strncmp(path, g->prefix, strlen(g->prefix)) == 0 && (audit_weights(path) ||
	    audit_names_has(&g->a->names, path + strlen(g->prefix), kind));
}

static int
audit_uncovered(struct audit_git *g, const char *path, const struct oid *id)
{
	struct jcs *v = g->a->json ? jcs_new_object() : NULL;
	char text[OID_TEXT_SIZE];

	g->a->uncovered++;
	oid_text(id, text);
	jcs_set_string(v, "path", path);
	jcs_set_string(v, "id", text);
	return audit_state_tell(g->a, "uncovered", v, g->e, "%s: no certificate has this content (%s)", path,
	    text);
}

/* A link or a submodule leads to content that is not looked at. */
static int
audit_elsewhere(struct audit_git *g, const char *path, const char *what)
{
	struct jcs *v = g->a->json ? jcs_new_object() : NULL;

	g->a->uncovered++;
	jcs_set_string(v, "path", path);
	jcs_set_string(v, "id", NULL);
	return audit_state_tell(g->a, "uncovered", v, g->e, "%s: %s, which no certificate has there", path, what);
}

static int
audit_unread(struct audit *a, const char *path, const char *why, struct err *e)
{
	struct jcs *v = a->json ? jcs_new_object() : NULL;

	a->missing++;
	jcs_set_string(v, "path", path);
	return audit_state_tell(a, "missing", v, e, "%s: whether a certificate has this content cannot be"
	    " told: %s", path, why);
}

/* A certificate that would have to be read is damaged or missing. */
static int
audit_unknown(struct audit_git *g, const char *path)
{
	struct err why = *g->e;

	if (why.code != ERR_CORRUPT && why.code != ERR_FORMAT && why.code != ERR_IO)
		return -1;
	return audit_unread(g->a, path, why.msg, g->e);
}

static int
audit_link(struct audit_git *g, const struct repo_file *f)
{
	bool there;

	if (audit_names_link(&g->a->names, g->a->s, f->path + strlen(g->prefix), f->data, f->len, &there,
	    g->e) != 0)
		return -1;
	return there ? 0 : audit_elsewhere(g, f->path, "a symbolic link");
}

static int
audit_regular(struct audit_git *g, const struct repo_file *f)
{
	CLEANUP(history_producer_free) struct history_producer p = {0};
	struct resource content = {.type = OBJECT_BLOB, .size = f->len};
	const struct audit *a = g->a;
	char hex[OID_HEX_SIZE];
	int rc;

	if (lfs_pointer_decode(f->data, f->len, hex, &content.size))
		rc = oid_from_hex(&content.digests.sha256, hex, g->e);
	else
		rc = oid_from_data(&content.digests.sha256, f->data, f->len, g->e);
	if (rc != 0)
		return -1;
	/* by a certificate that was judged here, not by one of other refs */
	if (history_producer_among(a->s, &content, HISTORY_INSIDE, &a->tips, &a->known, &p, g->e) == 0)
		return 0;
	return g->e->code == ERR_NOTFOUND ? audit_uncovered(g, f->path, &content.digests.sha256) :
	    audit_unknown(g, f->path);
}

static int
audit_take(void *arg, const struct repo_file *f, struct err *e)
{
	struct audit_git *g = arg;

	g->e = e;
	if (f->why != NULL)
		return audit_unread(g->a, f->path, f->why->msg, e);
	switch (f->kind) {
	case REPO_FILE_LINK:
		return audit_link(g, f);
	case REPO_FILE_SUBMODULE:
		return audit_elsewhere(g, f->path, "a submodule");
	case REPO_FILE_REGULAR:
		break;
	}
	return audit_regular(g, f);
}

static int
audit_prefix(struct audit_git *g, struct repo *r, struct err *e)
{
	const char *top = repo_workdir(r), *here = store_worktree(g->a->s);
	size_t len = top != NULL ? strlen(top) : 0;

	/* libgit2's ends with a slash */
	if (len > 0 && strncmp(here, top, len - 1) == 0 && here[len - 1] == '/' && here[len] != '\0')
		g->prefix = buf_strfmt(e, "%s/", here + len);
	else
		g->prefix = buf_strdup("", e);
	return g->prefix != NULL ? 0 : -1;
}

static int
audit_git(struct audit *a, struct err *e)
{
	CLEANUP(repo_freep) struct repo *r = NULL;
	struct audit_git g = {.a = a};
	const struct repo_files f = {.want = audit_want, .take = audit_take, .arg = &g};
	int rc;

	if (repo_discover(store_worktree(a->s), &r, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	if (audit_prefix(&g, r, e) != 0)
		return -1;
	rc = repo_files_each(r, &f, e);
	free(g.prefix);
	if (rc != 0 && (e->code == ERR_NOTFOUND || e->code == ERR_IO)) {
		const struct err why = *e;

		return audit_unread(a, "HEAD", why.msg, e);
	}
	return rc;
}

static int
audit_failed(void *arg, const char *name UNUSED, const struct object_ref *ref)
{
	struct audit *a = arg;
	CLEANUP(certificate_free) struct certificate c = {0};
	CLEANUP(buf_free) struct buf command = BUF_INIT;
	struct jcs *v = a->json ? jcs_new_object() : NULL;
	char id[OID_TEXT_SIZE];

	a->failed_runs++;
	oid_text(&ref->id, id);
	if (history_certificate(a->s, &ref->id, &c, a->e) == 0)
		run_spec_command(&certificate_event(&c, EVENT_RUN_REQUEST)->u.request.spec, &command);
	jcs_set_string(v, "certificate", id);
	jcs_set_string(v, "command", command.len > 0 ? buf_str(&command) : NULL);
	a->rc = audit_state_tell(a, "failedRun", v, a->e, "%.12s  %s", id + strlen("sha256:"), buf_str(&command));
	return a->rc;
}

int
audit_files(struct audit *a, struct err *e)
{
	a->e = e;
	a->rc = 0;
	if (audit_git(a, e) != 0 || refs_each(a->s, "refs/failed/", audit_failed, a, e) != 0)
		return -1;
	return a->rc;
}
