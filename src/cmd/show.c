#include "cmd/cmd.h"
#include "cmd/commands.h"

#include "cmd/print.h"
#include "cmd/subject.h"
#include "object/tree.h"
#include "store/history.h"
#include "store/odb.h"

static int
show_certificate(struct store *s, const struct oid *id, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};

	if (history_certificate(s, id, &c, e) != 0)
		return -1;
	print_certificate(id, &c);
	return 0;
}

static int
show_commit(struct store *s, const struct oid *id, struct err *e)
{
	CLEANUP(commit_free) struct commit c = {0};

	if (history_commit(s, id, &c, e) != 0 || print_commit(s, id, &c, e) != 0)
		return -1;
	if (!c.has_subject || c.subject.type != OBJECT_CERTIFICATE)
		return 0;
	return show_certificate(s, &c.subject.id, e);
}

static int
show_tree(struct store *s, const struct oid *id, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	char hex[OID_HEX_SIZE];

	if (odb_read(s, id, TREE_BYTES_MAX, &text, e) != 0 ||
	    tree_decode(text.data, text.len, &t, e) != 0)
		return -1;
	oid_hex(id, hex);
	printf("tree %s\n\n", hex);
	for (size_t i = 0; i < t.count; i++) {
		cmd_print_text(stdout, t.entries[i].name);
		puts(t.entries[i].mode == TREE_DIR ? "/" : "");
	}
	return 0;
}

static int
show_sink(void *arg, const void *data, size_t len, struct err *e)
{
	if (fwrite(data, 1, len, arg) != len)
		return err_sys(e, "cannot write to standard output");
	return 0;
}

static int
show_object(struct store *s, const struct object_ref *ref, struct err *e)
{
	switch (ref->type) {
	case OBJECT_COMMIT:
		return show_commit(s, &ref->id, e);
	case OBJECT_CERTIFICATE:
		return show_certificate(s, &ref->id, e);
	case OBJECT_TREE:
		return show_tree(s, &ref->id, e);
	case OBJECT_BLOB:
	case OBJECT_EVIDENCE:
		return odb_stream(s, &ref->id, show_sink, stdout, e);
	}
	return err_set(e, ERR_INTERNAL, "an object of an unknown type");
}

int
show_command(int argc, char **argv, struct err *e)
{
	bool help = false;
	const struct option table[] = {
		{OPTION_HELP, 'h', "help", &help, NULL, "this text"},
		{0},
	};
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(subject_free) struct subject sub = {0};
	int rc = cmd_parse("show", "[FILE|REV]", table, &argc, argv, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (cmd_count("show", argc, 0, 1, e) != 0 || cmd_store(STORE_READ_ONLY, &s, e) != 0 ||
	    subject_find(s, argc == 1 ? argv[0] : "HEAD", &sub, e) != 0)
		return -1;
	if (!sub.is_path)
		return show_object(s, &sub.object, e);
	if (!sub.content_known)
		puts("The file has other content than the certificate below made.");
	return show_certificate(s, &sub.certificate, e);
}
