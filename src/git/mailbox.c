#include "git/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/interrupt.h"
#include "base/printable.h"
#include "git/git-program.h"
#include "git/repo-error.h"

#define MAILBOX_TREE_MAX (64u * 1024 * 1024)

struct mailbox_piece {
	char *dir;              /* "" at the top */
	char *name;
	git_oid id;
};

struct mailbox {
	char *dir, *url;
	FILE *progress;
	int lock;
	git_repository *git;
	git_odb *odb;
	git_tree *tree;         /* of what was fetched last; NULL: nothing there */
	git_oid tip;
	struct mailbox_piece *pieces;
	size_t count;
};

static void
mailbox_forget(struct mailbox *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->pieces[i].dir);
		free(m->pieces[i].name);
	}
	free(m->pieces);
	m->pieces = NULL;
	m->count = 0;
}

void
mailbox_close(struct mailbox *m)
{
	if (m == NULL)
		return;
	mailbox_forget(m);
	git_tree_free(m->tree);
	git_odb_free(m->odb);
	git_repository_free(m->git);
	if (m->lock >= 0)
		close(m->lock);
	free(m->dir);
	free(m->url);
	free(m);
	repo_error_stop();
}

/* --- the quarantine --- */

static int
mailbox_lock(struct mailbox *m, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s.lock", m->dir);

	if (path == NULL)
		return -1;
	/* git programs keep it: who is killed leaves the quarantine to others when they end, too */
	m->lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (m->lock < 0)
		return err_sys(e, "%s: cannot open", path);
	while (flock(m->lock, LOCK_EX | LOCK_NB) != 0) {
		const struct timespec pause = {0, 20000000};

		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(e, "%s: cannot lock", path);
		nanosleep(&pause, NULL);
		if (interrupt_check(e) != 0)
			return -1;
	}
	return 0;
}

/* Locks of git's that outlived their owners: nobody else is here. */
static void
mailbox_sweep(const struct mailbox *m)
{
	static const char *const locks[] = {MAILBOX_REF ".lock", "packed-refs.lock", "config.lock",
	    "shallow.lock", "HEAD.lock"};

	for (size_t i = 0; i < sizeof locks / sizeof *locks; i++) {
		CLEANUP(cleanup_free) char *path = buf_strfmt(NULL, "%s/%s", m->dir, locks[i]);

		if (path != NULL)
			unlink(path);
	}
}

static int
mailbox_init(struct mailbox *m, struct err *e)
{
	git_repository_init_options o = GIT_REPOSITORY_INIT_OPTIONS_INIT;
	int rc;

	mailbox_sweep(m);
	o.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_REINIT | GIT_REPOSITORY_INIT_MKDIR;
	o.mode = 0700;
	rc = git_repository_open_bare(&m->git, m->dir);
	if (rc == GIT_ENOTFOUND)
		rc = git_repository_init_ext(&m->git, m->dir, &o);
	if (rc == 0)
		rc = git_repository_odb(&m->odb, m->git);
	return rc == 0 ? 0 : repo_error_set(e, rc, "%s", m->dir);
}

int
mailbox_open(const char *dir, const char *url, FILE *progress, struct mailbox **ret, struct err *e)
{
	struct mailbox *m;

	if (repo_error_start(e) != 0)
		return -1;
	m = calloc(1, sizeof *m);
	if (m == NULL) {
		repo_error_stop();
		return err_nomem(e);
	}
	m->lock = -1;
	m->progress = progress != NULL && isatty(fileno(progress)) ? progress : NULL;
	m->dir = buf_strdup(dir, e);
	m->url = m->dir != NULL ? buf_strdup(url, e) : NULL;
	if (m->url == NULL || mailbox_lock(m, e) != 0 || mailbox_init(m, e) != 0) {
		mailbox_close(m);
		return -1;
	}
	*ret = m;
	return 0;
}

/* --- the git program --- */

static bool
mailbox_complains(const char *line)
{
	return strncmp(line, "fatal: ", 7) == 0 || strncmp(line, "error: ", 7) == 0 ||
	    strncmp(line, "ERROR: ", 7) == 0;
}

/* The last line that says "fatal" or "error".  Where that is only that the other end is gone, why
 * is in the one before it of that kind, or in what ssh wrote. */
static int
mailbox_complain(const struct mailbox *m, const struct buf *said, enum err_code code, struct err *e)
{
	static const char gone[] = "fatal: Could not read from remote repository.";
	CLEANUP(cleanup_free) char *copy = buf_strdup(buf_str(said), e), *safe = NULL;
	const char *found = NULL, *before = NULL;
	char *rest = copy, *line;

	if (copy == NULL)
		return -1;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strcmp(line, gone) == 0 && before != NULL)
			found = found != NULL ? found : before;
		else if (mailbox_complains(line))
			found = line;
		if (line[0] != '\0')
			before = line;
	}
	safe = printable(found != NULL ? found : "git says nothing", NULL);
	return err_set(e, code, "%s: git cannot reach it: %.600s", m->url, safe != NULL ? safe : "");
}

static int
mailbox_git(const struct mailbox *m, const char *const *args, int *ret_status, struct buf *out,
    struct buf *said, struct err *e)
{
	const struct git_program p = {.dir = m->dir, .args = args, .progress = m->progress};

	return git_program_run(&p, ret_status, out, said, e);
}

/* --- reading --- */

static int
mailbox_look(struct mailbox *m, struct err *e)
{
	git_commit *commit;
	size_t size;
	git_object_t type;
	int rc;

	git_tree_free(m->tree);
	m->tree = NULL;
	rc = git_reference_name_to_id(&m->tip, m->git, MAILBOX_REF);
	if (rc == GIT_ENOTFOUND)
		return err_set(e, ERR_NOTFOUND, "%s: no certificates there", m->url);
	/* new packs came since the object database was opened */
	if (rc == 0)
		rc = git_odb_refresh(m->odb);
	if (rc == 0)
		rc = git_odb_read_header(&size, &type, m->odb, &m->tip);
	if (rc == 0 && (type != GIT_OBJECT_COMMIT || size > MAILBOX_TREE_MAX))
		return err_set(e, ERR_REFUSED, "%s: its " MAILBOX_REF " is no commit", m->url);
	if (rc == 0)
		rc = git_commit_lookup(&commit, m->git, &m->tip);
	if (rc != 0)
		return repo_error_set(e, rc, "%s", m->url);
	rc = git_odb_read_header(&size, &type, m->odb, git_commit_tree_id(commit));
	if (rc == 0 && size > MAILBOX_TREE_MAX)
		rc = err_set(e, ERR_LIMIT, "%s: its tree is too large", m->url);
	else if (rc != 0 || (rc = git_commit_tree(&m->tree, commit)) != 0)
		rc = repo_error_set(e, rc, "%s", m->url);
	git_commit_free(commit);
	return rc;
}

int
mailbox_fetch(struct mailbox *m, struct err *e)
{
	const char *args[] = {"fetch", m->progress != NULL ? "--progress" : "--quiet", "--no-tags",
	    "--no-write-fetch-head", "--no-recurse-submodules", "--force", "--", m->url,
	    "+" MAILBOX_REF ":" MAILBOX_REF, NULL};
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	CLEANUP(buf_free) struct buf said = BUF_INIT;
	int status;

	if (mailbox_git(m, args, &status, &out, &said, e) != 0)
		return -1;
	if (status == 0)
		return mailbox_look(m, e);
	git_tree_free(m->tree);
	m->tree = NULL;
	if (strstr(buf_str(&said), "fatal: couldn't find remote ref " MAILBOX_REF "\n") == NULL)
		return mailbox_complain(m, &said, ERR_NETWORK, e);
	git_reference_remove(m->git, MAILBOX_REF); /* it is gone there, too */
	return err_set(e, ERR_NOTFOUND, "%s: no certificates there", m->url);
}

/* The entry of a path of one or two parts. */
static int
mailbox_entry(struct mailbox *m, const char *path, git_oid *ret, struct err *e)
{
	git_tree_entry *entry;
	int rc;

	if (m->tree == NULL)
		return err_set(e, ERR_NOTFOUND, "%s: not there", path);
	rc = git_tree_entry_bypath(&entry, m->tree, path);
	if (rc == GIT_ENOTFOUND)
		return err_set(e, ERR_NOTFOUND, "%s: not there", path);
	if (rc != 0)
		return repo_error_set(e, rc, "%s", path);
	git_oid_cpy(ret, git_tree_entry_id(entry));
	rc = git_tree_entry_type(entry) == GIT_OBJECT_BLOB ? 0 :
	    err_set(e, ERR_REFUSED, "%s: it is no file", path);
	git_tree_entry_free(entry);
	return rc;
}

int
mailbox_read(struct mailbox *m, const char *path, size_t max, struct buf *ret, struct err *e)
{
	git_odb_object *object;
	git_object_t type;
	git_oid id;
	size_t size;
	int rc;

	if (mailbox_entry(m, path, &id, e) != 0)
		return -1;
	rc = git_odb_read_header(&size, &type, m->odb, &id);
	if (rc == 0 && size > max)
		return err_set(e, ERR_LIMIT, "%s: it has %zu bytes, %zu are taken", path, size, max);
	if (rc == 0)
		rc = git_odb_read(&object, m->odb, &id);
	if (rc != 0)
		return repo_error_set(e, rc, "%s", path);
	buf_add(ret, git_odb_object_data(object), git_odb_object_size(object));
	git_odb_object_free(object);
	return buf_check(ret, e);
}

/* --- writing --- */

int
mailbox_add(struct mailbox *m, const char *path, const void *data, size_t len, struct err *e)
{
	const char *slash = strchr(path, '/');
	struct mailbox_piece *grown, piece = {0};
	int rc = git_odb_write(&piece.id, m->odb, data, len, GIT_OBJECT_BLOB);

	if (rc != 0)
		return repo_error_set(e, rc, "%s", path);
	piece.dir = strndup(path, slash != NULL ? (size_t)(slash - path) : 0);
	piece.name = buf_strdup(slash != NULL ? slash + 1 : path, e);
	for (size_t i = 0; piece.dir != NULL && piece.name != NULL && i < m->count; i++)
		if (strcmp(m->pieces[i].dir, piece.dir) == 0 && strcmp(m->pieces[i].name, piece.name) == 0) {
			m->pieces[i].id = piece.id;
			free(piece.dir);
			free(piece.name);
			return 0;
		}
	grown = reallocarray(m->pieces, m->count + 1, sizeof *grown);
	if (grown != NULL)
		m->pieces = grown;
	if (grown == NULL || piece.dir == NULL || piece.name == NULL) {
		free(piece.dir);
		free(piece.name);
		return err_nomem(e);
	}
	m->pieces[m->count++] = piece;
	return 0;
}

/* The directory (top: "") as it will be: what is there and what was added. */
static int
mailbox_tree(struct mailbox *m, const char *dir, const git_tree *base, git_treebuilder **ret,
    struct err *e)
{
	int rc = git_treebuilder_new(ret, m->git, base);

	if (rc != 0)
		return repo_error_set(e, rc, "%s", m->dir);
	for (size_t i = 0; i < m->count && rc == 0; i++)
		if (strcmp(m->pieces[i].dir, dir) == 0)
			rc = git_treebuilder_insert(NULL, *ret, m->pieces[i].name, &m->pieces[i].id,
			    GIT_FILEMODE_BLOB);
	if (rc == 0)
		return 0;
	git_treebuilder_free(*ret);
	return repo_error_set(e, rc, "%s", m->dir);
}

static int
mailbox_subtree(struct mailbox *m, const char *dir, git_treebuilder *top, struct err *e)
{
	const git_tree_entry *entry = m->tree != NULL ? git_tree_entry_byname(m->tree, dir) : NULL;
	git_treebuilder *builder = NULL;
	git_tree *base = NULL;
	git_oid id;
	int rc = 0;

	if (entry != NULL && git_tree_entry_type(entry) == GIT_OBJECT_TREE)
		rc = git_tree_lookup(&base, m->git, git_tree_entry_id(entry));
	if (rc != 0)
		return repo_error_set(e, rc, "%s", m->dir);
	rc = mailbox_tree(m, dir, base, &builder, e);
	git_tree_free(base);
	if (rc != 0)
		return -1;
	rc = git_treebuilder_write(&id, builder);
	if (rc == 0)
		rc = git_treebuilder_insert(NULL, top, dir, &id, GIT_FILEMODE_TREE);
	git_treebuilder_free(builder);
	return rc == 0 ? 0 : repo_error_set(e, rc, "%s", m->dir);
}

static int
mailbox_write_tree(struct mailbox *m, git_oid *ret, struct err *e)
{
	git_treebuilder *top;
	int rc;

	if (mailbox_tree(m, "", m->tree, &top, e) != 0)
		return -1;
	rc = 0;
	for (size_t i = 0; i < m->count && rc == 0; i++) {
		bool first = m->pieces[i].dir[0] != '\0';

		for (size_t k = 0; k < i && first; k++)
			first = strcmp(m->pieces[k].dir, m->pieces[i].dir) != 0;
		rc = first ? mailbox_subtree(m, m->pieces[i].dir, top, e) : 0;
	}
	if (rc == 0 && (rc = git_treebuilder_write(ret, top)) != 0)
		repo_error_set(e, rc, "%s", m->dir);
	git_treebuilder_free(top);
	return rc == 0 ? 0 : -1;
}

/* On top of what is there, so that history only grows also for those who look with git. */
static int
mailbox_commit(struct mailbox *m, git_oid *ret, struct err *e)
{
	git_commit *parent = NULL;
	git_signature *who = NULL;
	git_tree *tree = NULL;
	const git_commit *parents[1];
	git_oid id;
	int rc;

	if (mailbox_write_tree(m, &id, e) != 0)
		return -1;
	rc = git_tree_lookup(&tree, m->git, &id);
	if (rc == 0 && m->tree != NULL)
		rc = git_commit_lookup(&parent, m->git, &m->tip);
	if (rc == 0)
		rc = git_signature_now(&who, "aicert", "aicert@localhost");
	parents[0] = parent;
	if (rc == 0)
		rc = git_commit_create(ret, m->git, NULL, who, who, NULL, "AICert: certificates\n", tree,
		    parent != NULL ? 1 : 0, parents);
	git_signature_free(who);
	git_commit_free(parent);
	git_tree_free(tree);
	return rc == 0 ? 0 : repo_error_set(e, rc, "%s", m->dir);
}

/* What --porcelain says of the one ref: "<flag>\t<from>:<to>\t<summary>". */
static int
mailbox_answer(const struct mailbox *m, int status, const struct buf *out, const struct buf *said,
    struct err *e)
{
	static const char *const moved[] = {"stale info", "fetch first", "non-fast-forward",
	    "needs force", "failed to update ref", "already exists", "cannot lock ref",
	    "incorrect old value", "failed to lock", "atomic"};
	const char *line = strstr(buf_str(out), ":" MAILBOX_REF "\t");
	CLEANUP(cleanup_free) char *safe = NULL;

	if (status == 0 && line != NULL)
		return 0;
	if (line == NULL)
		return mailbox_complain(m, said, ERR_NETWORK, e);
	for (size_t i = 0; i < sizeof moved / sizeof *moved; i++)
		if (strstr(line, moved[i]) != NULL)
			return err_set(e, ERR_CONFLICT, "%s: changed meanwhile", m->url);
	safe = printable(strchr(line, '\t') + 1, NULL);
	return err_set(e, ERR_DENIED, "%s: git's server does not take it: %.*s", m->url,
	    (int)strcspn(safe != NULL ? safe : "", "\n\\"), safe != NULL ? safe : "");
}

/* A path, as git decides it: not a scheme but file, and not HOST:PATH. */
static bool
mailbox_is_here(const char *url)
{
	size_t colon = strcspn(url, ":/");

	return strncmp(url, "file://", 7) == 0 || url[colon] != ':';
}

/* The other git of a repository on this machine is the user's own: what that repository's hooks
 * and configuration name is not to be run. On another machine it is the owner's affair. */
static const char *
mailbox_receive(const struct mailbox *m)
{
	return !mailbox_is_here(m->url) ? "--receive-pack=git-receive-pack" :
	    "--receive-pack=git -c core.hooksPath=/dev/null -c core.alternateRefsCommand=true"
	    " -c receive.autogc=false -c core.fsmonitor=false receive-pack";
}

int
mailbox_push(struct mailbox *m, struct err *e)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	CLEANUP(buf_free) struct buf said = BUF_INIT;
	char hex[GIT_OID_HEXSZ + 1], old[GIT_OID_HEXSZ + 1] = "", lease[128], spec[128];
	const char *args[] = {"push", "--porcelain", "--no-verify", "--no-follow-tags",
	    "--recurse-submodules=no", m->progress != NULL ? "--progress" : "--no-progress",
	    mailbox_receive(m), lease, "--", m->url, spec, NULL};
	git_oid id;
	int status;

	if (mailbox_commit(m, &id, e) != 0)
		return -1;
	git_oid_tostr(hex, sizeof hex, &id);
	if (m->tree != NULL)
		git_oid_tostr(old, sizeof old, &m->tip);
	snprintf(lease, sizeof lease, "--force-with-lease=" MAILBOX_REF ":%s", old);
	snprintf(spec, sizeof spec, "%s:" MAILBOX_REF, hex);
	if (mailbox_git(m, args, &status, &out, &said, e) != 0 ||
	    mailbox_answer(m, status, &out, &said, e) != 0)
		return -1;
	mailbox_forget(m);
	return 0;
}
