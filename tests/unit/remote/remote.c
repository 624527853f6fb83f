#include "remote/remote.h"

#include <string.h>
#include "unit.h"

START_TEST(remote_urls)
{
	static const char *const good[] = {"/srv/x", "file:///srv/x", "../x", "git+/srv/x", "ssh://host/x",
	    "git@host:x.git", "host:x", "https://host", "https://host/x.git", "git+https://host/x", "static:/x",
	    "https://host/a@b:c"};
	static const char *const refused[] = {"", "-x", "--upload-pack=x", "http://host", "ftp://host",
	    "ext::sh -c x", "helper::x", "https://user:secret@host/x", "git+http://host", "a\nb", "a\x7f", "nothing:"};
	struct err e;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_msg(remote_url_check(good[i], &e) == 0, "%s: %s", good[i], e.msg);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		ck_assert_msg(remote_url_check(refused[i], &e) != 0, "taken: %s", refused[i]);
}
END_TEST

START_TEST(remote_names)
{
	static const char *const bad[] = {"HEAD", "refs/failed/x", "refs/remotes/o/x", "refs/heads/../../x",
	    "refs/heads/a..b", "refs/heads/.x", "refs/heads/x.lock", "refs/heads/a b", "refs/heads/", "/refs/heads/x",
	    "refs/heads/a\x1b[2Jb"};
	const struct object_ref commit = {OBJECT_COMMIT, {{1}}}, blob = {OBJECT_BLOB, {{2}}};
	struct remote_refs l = {0};
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		UNIT_FAILS(remote_refs_add(&l, bad[i], &commit, &e), &e, ERR_REFUSED);
	UNIT_FAILS(remote_refs_add(&l, "refs/heads/x", &blob, &e), &e, ERR_REFUSED);
	UNIT_OK(remote_refs_add(&l, "refs/tags/x", &blob, &e), &e);
	UNIT_OK(remote_refs_add(&l, "refs/heads/x", &commit, &e), &e);
	UNIT_OK(remote_refs_finish(&l, &e), &e);
	ck_assert_str_eq(l.items[0].name, "refs/heads/x");
	ck_assert_ptr_nonnull(remote_refs_find(&l, "refs/tags/x"));
	ck_assert_ptr_null(remote_refs_find(&l, "refs/tags/y"));
	UNIT_OK(remote_refs_add(&l, "refs/tags/x", &commit, &e), &e);
	UNIT_FAILS(remote_refs_finish(&l, &e), &e, ERR_REFUSED);
	remote_refs_free(&l);
}
END_TEST

UNIT_SUITE(remote)
{
	tcase_add_test(tc, remote_urls);
	tcase_add_test(tc, remote_names);
}
