#include "provider/qemu.h"

#include <fcntl.h>
#include <string.h>
#include "provider/provider.h"
#include "unit.h"

static const struct qemu_shape shape = {
	.tag = "qemu-0123456789abcdef", .dir = "/d", .root = "/images/a,b.root",
	.firmware = "/firmware,if=none.fd", .processors = 3, .memory_mib = 1024, .port = 4711,
};

static bool
has(const struct qemu_args *a, const char *word)
{
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->argv[i], word) == 0)
			return true;
	return false;
}

START_TEST(machine)
{
	CLEANUP(qemu_args_free) struct qemu_args a = {.count = 0};
	struct err e;

	UNIT_OK(qemu_args_machine(&shape, &a, &e), &e);
	ck_assert_ptr_null(a.argv[a.count]);
	ck_assert(has(&a, "-nodefaults"));
	ck_assert(has(&a, "-no-user-config"));
	ck_assert(has(&a, "aicert-qemu-0123456789abcdef"));
	ck_assert(has(&a, "tcg,thread=multi"));
	ck_assert(has(&a, "q35"));
	ck_assert(has(&a, "3"));
	ck_assert(has(&a, "1024"));
	ck_assert(has(&a, "user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:4711-:8443"));
	/* a file's name sets no option */
	ck_assert(has(&a, "if=none,id=root,format=raw,readonly=on,file=/images/a,,b.root"));
	ck_assert(has(&a, "if=pflash,format=raw,unit=0,readonly=on,file=/firmware,,if=none.fd"));
	ck_assert(!has(&a, "-fw_cfg"));
	ck_assert(!has(&a, "-smbios"));
	ck_assert(!has(&a, "-global"));
}
END_TEST

START_TEST(machine_otherwise)
{
	CLEANUP(qemu_args_free) struct qemu_args a = {.count = 0};
	struct qemu_shape s = shape;
	struct err e;

	s.kvm = s.secure_boot = true;
	UNIT_OK(qemu_args_machine(&s, &a, &e), &e);
	ck_assert(has(&a, "kvm"));
	ck_assert(has(&a, "host"));
	ck_assert(has(&a, "q35,smm=on"));
	ck_assert(has(&a, "driver=cfi.pflash01,property=secure,value=on"));
}
END_TEST

START_TEST(too_long)
{
	CLEANUP(qemu_args_free) struct qemu_args a = {.count = 0};
	struct qemu_shape s = shape;
	static char root[10000];
	struct err e;

	memset(root, 'x', sizeof root - 1);
	s.root = root;
	UNIT_FAILS(qemu_args_machine(&s, &a, &e), &e, ERR_LIMIT);
}
END_TEST

START_TEST(tpm)
{
	CLEANUP(qemu_args_free) struct qemu_args a = {.count = 0};
	struct err e;

	UNIT_OK(qemu_args_tpm(&shape, &a, &e), &e);
	ck_assert(has(&a, "type=unixio,clientfd=3"));
	ck_assert(has(&a, "dir=tpm,mode=0600"));
	ck_assert(has(&a, "--terminate"));
}
END_TEST

/* sha256 of "abc" is in every book. */
START_TEST(document)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;

	UNIT_OK(qemu_disks_document("abc", &text, &e), &e);
	ck_assert_str_eq(buf_str(&text), "{\"clientCa\":null,\"idleSeconds\":900,\"mediaType\":"
	    "\"application/vnd.aicert.runtime-config.v1+json\",\"tokens\":[\"client sha256:"
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad run\"]}");
}
END_TEST

START_TEST(table)
{
	const char *what = NULL;
	CLEANUP(cleanup_free) char *url = NULL;
	char dir[256], path[300];
	struct err e;

	ck_assert_ptr_eq(provider_find("qemu:/x.efi", &what), &qemu_provider);
	ck_assert_str_eq(what, "/x.efi");
	ck_assert_ptr_eq(provider_find("local:", &what), &provider_local);
	ck_assert_ptr_null(provider_find("https://h", &what));
	ck_assert_ptr_null(provider_find("qemu", &what));
	ck_assert_ptr_null(provider_find("QEMU:/x", &what));
	UNIT_FAILS(provider_check(&provider_local, "", &url, &e), &e, ERR_USAGE);
	UNIT_FAILS(provider_check(&qemu_provider, "/nowhere.efi", &url, &e), &e, ERR_USAGE);
	snprintf(dir, sizeof dir, "%s", unit_dir());
	snprintf(path, sizeof path, "%s/x.efi", dir);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	ck_assert_int_eq(chdir(dir), 0);
	UNIT_OK(provider_check(&qemu_provider, "./x.efi", &url, &e), &e);
	ck_assert_int_eq(strncmp(url, "qemu:/", 6), 0);
	ck_assert_str_eq(url + strlen(url) - 6, "/x.efi");
}
END_TEST

UNIT_SUITE(qemu)
{
	tcase_add_test(tc, machine);
	tcase_add_test(tc, machine_otherwise);
	tcase_add_test(tc, too_long);
	tcase_add_test(tc, tpm);
	tcase_add_test(tc, document);
	tcase_add_test(tc, table);
}
