#include "git/repo.h"

#include <fcntl.h>
#include <git2.h>
#include <string.h>
#include <sys/stat.h>
#include "unit.h"
#include "base/fd.h"
#include "git/repo-fetch.h"

/* libgit2 1.5 forgets PCRE2's match data when it looks for url.*.insteadOf. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libpcre2\n";
}

/* A repository made by libgit2 itself: no git program is needed. */
struct made {
	char path[128];
	git_repository *git;
	char commit[65];
	int dirfd;
};

static void
ok(int rc)
{
	ck_assert_msg(rc == 0, "libgit2: %s", git_error_last() != NULL ? git_error_last()->message : "?");
}

static git_oid
blob(struct made *m, const char *text)
{
	git_oid id;

	ok(git_blob_create_from_buffer(&id, m->git, text, strlen(text)));
	return id;
}

static void
make(struct made *m)
{
	static int n;

	unsetenv("GIT_AUTHOR_NAME");
	unsetenv("GIT_AUTHOR_EMAIL");
	setenv("HOME", unit_dir(), 1);
	setenv("XDG_CONFIG_HOME", unit_dir(), 1);
	git_libgit2_init();
	ok(git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_SYSTEM, unit_dir()));
	ok(git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_GLOBAL, unit_dir()));
	ok(git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_XDG, unit_dir()));
	snprintf(m->path, sizeof m->path, "%s/r%d-%ld", unit_dir(), n++, (long)getpid());
	ok(git_repository_init(&m->git, m->path, 0));
	m->dirfd = open(m->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
unmake(struct made *m)
{
	git_repository_free(m->git);
	close(m->dirfd);
	git_libgit2_shutdown();
}

static git_oid
tree(struct made *m, const char *name, const git_oid *id, git_filemode_t mode, const git_oid *base)
{
	git_treebuilder *b;
	git_tree *from = NULL;
	git_oid ret;

	if (base != NULL)
		ok(git_tree_lookup(&from, m->git, base));
	ok(git_treebuilder_new(&b, m->git, from));
	ok(git_treebuilder_insert(NULL, b, name, id, mode));
	ok(git_treebuilder_write(&ret, b));
	git_treebuilder_free(b);
	git_tree_free(from);
	return ret;
}

/* For trees libgit2 itself would not write. */
static git_oid
raw_tree(struct made *m, const char *mode, const char *name, const git_oid *id)
{
	char text[256];
	git_odb *odb;
	git_oid ret;
	int n = snprintf(text, sizeof text - 20, "%s %s", mode, name);

	memcpy(text + n + 1, id->id, 20);
	ok(git_repository_odb(&odb, m->git));
	ok(git_odb_write(&ret, odb, text, (size_t)n + 21, GIT_OBJECT_TREE));
	git_odb_free(odb);
	return ret;
}

static void
commit(struct made *m, const git_oid *root)
{
	git_signature *who;
	git_tree *t;
	git_oid id;

	ok(git_signature_new(&who, "Tester", "tester@example.org", 1000, 0));
	ok(git_tree_lookup(&t, m->git, root));
	ok(git_commit_create(&id, m->git, "refs/heads/main", who, who, NULL, "x", t, 0, NULL));
	ok(git_repository_set_head(m->git, "refs/heads/main"));
	git_oid_tostr(m->commit, sizeof m->commit, &id);
	git_tree_free(t);
	git_signature_free(who);
}

START_TEST(repo_discover_and_head)
{
	struct made m;
	struct repo *r;
	char head[65];
	git_oid b, root;
	struct err e;

	UNIT_FAILS(repo_discover("/", &r, &e), &e, ERR_NOTFOUND);
	make(&m);
	UNIT_OK(repo_discover(m.path, &r, &e), &e);
	ck_assert_ptr_nonnull(strstr(repo_workdir(r), m.path));
	UNIT_FAILS(repo_head(r, head, &e), &e, ERR_NOTFOUND);
	b = blob(&m, "x");
	root = tree(&m, "a", &b, GIT_FILEMODE_BLOB, NULL);
	commit(&m, &root);
	UNIT_OK(repo_head(r, head, &e), &e);
	ck_assert_str_eq(head, m.commit);
	repo_free(r);
	if (geteuid() == 0) {
		char dot[160];

		snprintf(dot, sizeof dot, "%s/.git", m.path);
		ck_assert_int_eq(chown(dot, 12345, 12345), 0);
		ck_assert_int_eq(chown(m.path, 12345, 12345), 0);
		unsetenv("SUDO_UID");
		UNIT_FAILS(repo_discover(m.path, &r, &e), &e, ERR_DENIED);
	}
	unmake(&m);
}
END_TEST

START_TEST(repo_identity_sources)
{
	CLEANUP(cleanup_free) char *name = NULL, *email = NULL;
	git_config *config;
	struct made m;
	struct repo *r;
	struct err e;

	make(&m);
	UNIT_OK(repo_discover(m.path, &r, &e), &e);
	UNIT_FAILS(repo_identity(r, &name, &email, &e), &e, ERR_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(e.msg, "user.name"));
	ok(git_repository_config(&config, m.git));
	ok(git_config_set_string(config, "user.name", "  Ann Example "));
	UNIT_FAILS(repo_identity(r, &name, &email, &e), &e, ERR_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(e.msg, "user.email"));
	ok(git_config_set_string(config, "user.email", "ann@example.org"));
	UNIT_OK(repo_identity(r, &name, &email, &e), &e);
	ck_assert_str_eq(name, "Ann Example");
	ck_assert_str_eq(email, "ann@example.org");
	free(name);
	free(email);
	name = email = NULL;
	setenv("GIT_AUTHOR_NAME", "Bob", 1);
	UNIT_OK(repo_identity(r, &name, &email, &e), &e);
	ck_assert_str_eq(name, "Bob");
	ck_assert_str_eq(email, "ann@example.org");
	free(name);
	free(email);
	name = email = NULL;
	setenv("GIT_AUTHOR_EMAIL", "a<b>@c", 1);
	UNIT_FAILS(repo_identity(r, &name, &email, &e), &e, ERR_FORMAT);
	setenv("GIT_AUTHOR_EMAIL", "a\nb", 1);
	UNIT_FAILS(repo_identity(r, &name, &email, &e), &e, ERR_FORMAT);
	setenv("GIT_AUTHOR_EMAIL", "  ", 1);
	UNIT_FAILS(repo_identity(r, &name, &email, &e), &e, ERR_NOTFOUND);
	setenv("GIT_AUTHOR_EMAIL", "b@example.org", 1);
	UNIT_OK(repo_identity(NULL, &name, &email, &e), &e);
	ck_assert_str_eq(email, "b@example.org");
	ck_assert_ptr_null(strchr(name, '\n'));
	git_config_free(config);
	repo_free(r);
	unmake(&m);
}
END_TEST

static int
export(struct made *m, const char *rev, const char *path, struct err *e)
{
	return repo_export(m->path, rev, path, unit_dir(), m->dirfd, "out", e);
}

static void
text_is(int dirfd, const char *name, const char *expected)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	struct err e;

	UNIT_OK(fd_read_file(dirfd, name, 1000, &b, &e), &e);
	ck_assert_str_eq(buf_str(&b), expected);
}

START_TEST(repo_export_raw)
{
	git_oid plain, attributes, target, exec, sub, root;
	struct made m;
	struct stat st;
	char link[16];
	struct err e;

	make(&m);
	plain = blob(&m, "line\r\n$Id$\n");
	attributes = blob(&m, "* text=auto eol=crlf ident filter=lfs\n");
	exec = blob(&m, "#!/bin/sh\n");
	target = blob(&m, "../a");
	sub = tree(&m, "run", &exec, GIT_FILEMODE_BLOB_EXECUTABLE, NULL);
	sub = tree(&m, "link", &target, GIT_FILEMODE_LINK, &sub);
	root = tree(&m, "a", &plain, GIT_FILEMODE_BLOB, NULL);
	root = tree(&m, ".gitattributes", &attributes, GIT_FILEMODE_BLOB, &root);
	root = tree(&m, "sub", &sub, GIT_FILEMODE_TREE, &root);
	commit(&m, &root);
	UNIT_OK(export(&m, m.commit, "", &e), &e);
	text_is(m.dirfd, "out/a", "line\r\n$Id$\n");
	ck_assert_int_eq(fstatat(m.dirfd, "out/sub/run", &st, 0), 0);
	ck_assert(st.st_mode & 0100);
	ck_assert_int_eq(fstatat(m.dirfd, "out/a", &st, 0), 0);
	ck_assert(!(st.st_mode & 0100));
	ck_assert_int_eq(readlinkat(m.dirfd, "out/sub/link", link, sizeof link), 4);
	UNIT_FAILS(export(&m, m.commit, "", &e), &e, ERR_EXISTS);
	UNIT_OK(fd_remove_tree(m.dirfd, "out", &e), &e);
	UNIT_OK(export(&m, m.commit, "sub", &e), &e);
	ck_assert_int_eq(faccessat(m.dirfd, "out/run", F_OK, 0), 0);
	UNIT_OK(fd_remove_tree(m.dirfd, "out", &e), &e);
	UNIT_OK(export(&m, m.commit, "sub/run", &e), &e);
	text_is(m.dirfd, "out", "#!/bin/sh\n");
	UNIT_OK(fd_remove_tree(m.dirfd, "out", &e), &e);
	UNIT_FAILS(export(&m, m.commit, "none", &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(export(&m, m.commit, "../a", &e), &e, ERR_FORMAT);
	UNIT_FAILS(export(&m, m.commit, "sub/link", &e), &e, ERR_DENIED);
	ck_assert_int_ne(faccessat(m.dirfd, "out", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	unmake(&m);
}
END_TEST

START_TEST(repo_export_revisions)
{
	git_oid b, root;
	struct made m;
	char rev[65];
	struct err e;

	make(&m);
	b = blob(&m, "x");
	root = tree(&m, "a", &b, GIT_FILEMODE_BLOB, NULL);
	commit(&m, &root);
	snprintf(rev, sizeof rev, "%.39s", m.commit);
	UNIT_FAILS(export(&m, rev, "", &e), &e, ERR_USAGE);
	UNIT_FAILS(export(&m, "main", "", &e), &e, ERR_USAGE);
	UNIT_FAILS(export(&m, "HEAD", "", &e), &e, ERR_USAGE);
	memset(rev, 'a', 64);
	rev[64] = '\0';
	UNIT_FAILS(export(&m, rev, "", &e), &e, ERR_UNSUPPORTED);
	rev[40] = '\0';
	UNIT_FAILS(export(&m, rev, "", &e), &e, ERR_NOTFOUND);
	git_oid_tostr(rev, sizeof rev, &root); /* a tree is no commit */
	UNIT_FAILS(export(&m, rev, "", &e), &e, ERR_NOTFOUND);
	unmake(&m);
}
END_TEST

START_TEST(repo_export_refuses_names)
{
	static const char *const names[] = {".git", ".GIT", "..", ".", "a/b", ".aicert"};
	git_oid b, root, sub;
	struct made m;
	struct err e;

	make(&m);
	b = blob(&m, "x");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		sub = raw_tree(&m, "100644", names[i], &b);
		root = raw_tree(&m, "40000", "d", &sub);
		git_reference *ref;

		if (git_reference_lookup(&ref, m.git, "refs/heads/main") == 0) {
			ok(git_reference_delete(ref));
			git_reference_free(ref);
		}
		commit(&m, &root);
		ck_assert_msg(export(&m, m.commit, "", &e) != 0, "%s", names[i]);
		ck_assert_int_ne(faccessat(m.dirfd, "out", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	}
	unmake(&m);
	make(&m);
	b = blob(&m, "x");
	sub = raw_tree(&m, "160000", "module", &b);
	commit(&m, &sub);
	UNIT_FAILS(export(&m, m.commit, "", &e), &e, ERR_DENIED);
	ck_assert_ptr_nonnull(strstr(e.msg, "module"));
	ck_assert_ptr_nonnull(strstr(e.msg, "submodule"));
	unmake(&m);
}
END_TEST

START_TEST(repo_fetch_urls)
{
	static const struct {
		const char *url;
		enum err_code code; /* ERR_NONE: good */
		enum repo_fetch_kind kind;
		const char *path;
	} cases[] = {
		{"/srv/git/x", ERR_NONE, REPO_FETCH_LOCAL, "/srv/git/x"},
		{"../x", ERR_NONE, REPO_FETCH_LOCAL, "../x"},
		{"./a:b", ERR_NONE, REPO_FETCH_LOCAL, "./a:b"},
		{"file:///srv/x", ERR_NONE, REPO_FETCH_LOCAL, "/srv/x"},
		{"file://localhost/srv/x", ERR_NONE, REPO_FETCH_LOCAL, "/srv/x"},
		{"https://example.org/x.git", ERR_NONE, REPO_FETCH_HTTPS, "https://example.org/x.git"},
		{"https://example.org/a@b", ERR_NONE, REPO_FETCH_HTTPS, "https://example.org/a@b"},
		{"file://other/srv/x", ERR_USAGE, 0, NULL},
		{"file:///srv/%2e%2e", ERR_USAGE, 0, NULL},
		{"https://user:secret@example.org/x", ERR_USAGE, 0, NULL},
		{"http://example.org/x", ERR_UNSUPPORTED, 0, NULL},
		{"ssh://git@example.org/x", ERR_UNSUPPORTED, 0, NULL},
		{"git://example.org/x", ERR_UNSUPPORTED, 0, NULL},
		{"ext::sh -c evil", ERR_UNSUPPORTED, 0, NULL},
		{"git@example.org:x", ERR_UNSUPPORTED, 0, NULL},
		{"", ERR_UNSUPPORTED, 0, NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum repo_fetch_kind kind;
		const char *path;
		struct err e;
		int rc = repo_fetch_classify(cases[i].url, &kind, &path, &e);

		if (cases[i].code != ERR_NONE) {
			ck_assert_msg(rc != 0 && e.code == cases[i].code, "%s", cases[i].url);
			ck_assert_ptr_null(strstr(e.msg, "secret"));
		} else {
			ck_assert_msg(rc == 0 && kind == cases[i].kind && strcmp(path, cases[i].path) == 0,
			    "%s", cases[i].url);
		}
	}
}
END_TEST

/* The fetch that https uses, over libgit2's own local transport. */
START_TEST(repo_fetch_brings_branches)
{
	char path[200], url[200];
	git_repository *cache;
	git_commit *found;
	git_oid b, root, id;
	struct made m;
	struct err e;

	make(&m);
	b = blob(&m, "x");
	root = tree(&m, "a", &b, GIT_FILEMODE_BLOB, NULL);
	commit(&m, &root);
	snprintf(path, sizeof path, "%s-cache.git", m.path);
	snprintf(url, sizeof url, "file://%s", m.path);
	ok(git_repository_init(&cache, path, 1));
	for (int i = 0; i < 2; i++)
		UNIT_OK(repo_fetch_into(cache, url, &e), &e);
	ok(git_oid_fromstr(&id, m.commit));
	ok(git_commit_lookup(&found, cache, &id));
	git_commit_free(found);
	UNIT_FAILS(repo_fetch_into(cache, "file:///nonexistent/x", &e), &e, ERR_NETWORK);
	git_repository_free(cache);
	unmake(&m);
}
END_TEST

UNIT_SUITE(repo)
{
	tcase_add_test(tc, repo_discover_and_head);
	tcase_add_test(tc, repo_identity_sources);
	tcase_add_test(tc, repo_export_raw);
	tcase_add_test(tc, repo_export_revisions);
	tcase_add_test(tc, repo_export_refuses_names);
	tcase_add_test(tc, repo_fetch_urls);
	tcase_add_test(tc, repo_fetch_brings_branches);
}
