#include "cmd/cmd.h"
#include "cmd/commands.h"

#include "store/history.h"
#include "store/odb.h"
#include "store/refs.h"

#define CAT_FILE_WHOLE_MAX (16 * 1024 * 1024)

static int
cat_file_sink(void *arg, const void *data, size_t len, struct err *e)
{
	if (fwrite(data, 1, len, arg) != len)
		return err_sys(e, "cannot write to standard output");
	return 0;
}

/* What fits is read and hashed before any of it is printed. */
static int
cat_file_bytes(struct store *s, const struct oid *id, struct err *e)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	uint64_t size;

	if (odb_size(s, id, &size, e) != 0)
		return -1;
	if (size > CAT_FILE_WHOLE_MAX)
		return odb_stream(s, id, cat_file_sink, stdout, e);
	if (odb_read(s, id, CAT_FILE_WHOLE_MAX, &bytes, e) != 0)
		return -1;
	return bytes.len > 0 ? cat_file_sink(stdout, bytes.data, bytes.len, e) : 0;
}

static int
cat_file_print(struct store *s, const struct oid *id, char what, struct err *e)
{
	enum object_type type;
	uint64_t size;

	if (what == 'p')
		return cat_file_bytes(s, id, e);
	if (what == 's') {
		if (odb_size(s, id, &size, e) != 0)
			return -1;
		printf("%llu\n", (unsigned long long)size);
		return 0;
	}
	if (history_type(s, id, &type, e) != 0)
		return -1;
	puts(oid_type_name(type));
	return 0;
}

int
cat_file_command(int argc, char **argv, struct err *e)
{
	bool help = false, print = false, type = false, size = false;
	const struct option table[] = {
		{OPTION_FLAG, 'p', NULL, &print, NULL, "the bytes, checked"},
		{OPTION_FLAG, 't', NULL, &type, NULL, "the type"},
		{OPTION_FLAG, 's', NULL, &size, NULL, "the size in bytes"},
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	struct object_ref ref;
	int rc = cmd_parse("cat-file", "-p|-t|-s ID", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("cat-file", argc, 1, 1, e) != 0)
		return -1;
	if (print + type + size != 1)
		return err_set(e, ERR_USAGE, "cat-file: give one of -p, -t and -s");
	if (cmd_store(STORE_READ_ONLY, &s, e) != 0 || refs_resolve(s, argv[0], &ref, e) != 0)
		return -1;
	return cat_file_print(s, &ref.id, print ? 'p' : type ? 't' : 's', e);
}
