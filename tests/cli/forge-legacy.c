/*
 * forge-legacy DIR: attestations of the original AICert's two generations by a
 * machine of our own making, with the trust entry of its root, as files.
 */
#include <string.h>
#include "verify/legacy-forge.h"
#include "unit.h"

static const char *dir;

static void
put(const char *name, const struct buf *b)
{
	char path[4096];
	FILE *out;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	out = fopen(path, "wb");
	if (out == NULL || fwrite(b->data, 1, b->len, out) != b->len || fclose(out) != 0) {
		perror(path);
		exit(1);
	}
}

static void
put_one(const char *name, const char *trust, struct legacy_forge *f)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	legacy_forge_make(f);
	put(name, &f->json);
	legacy_forge_trust(f, true, &text);
	put(trust, &text);
	legacy_forge_free(f);
}

/* A test, since Check's assertions want to be in one. */
START_TEST(forge_all)
{
	put_one("first.json", "first.trust", &(struct legacy_forge){.generation = 1});
	put_one("second.json", "second.trust", &(struct legacy_forge){.generation = 2, .nonce = true});
	put_one("wrong.json", "wrong.trust", &(struct legacy_forge){.generation = 1, .wrong_chain = true});
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("forge");
	TCase *tc = tcase_create("forge");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (argc != 2)
		return 2;
	dir = argv[1];
	tcase_add_test(tc, forge_all);
	suite_add_tcase(suite, tc);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
