#include "cmd/bundle-find.h"

#include <string.h>
#include "cmd/cmd.h"
#include "object/certificate-scan.h"
#include "object/tree.h"
#include "store/oid-map.h"

#define BUNDLE_FIND_PARTS_MAX 256
#define BUNDLE_FIND_ENTRIES_MAX 1000000
#define BUNDLE_FIND_OTHERS_MAX 20

/* The file's name, as typed, in its components. */
struct bundle_find_name {
	char *text;             /* storage */
	const char *parts[BUNDLE_FIND_PARTS_MAX];
	size_t count;
};

struct bundle_find {
	const struct bundle_file *f;
	const struct ingest_result *content;
	struct bundle_find_name name;
	struct oid_map told;            /* certificates looked at */
	struct oid_map seen, with;      /* trees looked into; those that have the content */
	size_t entries;
	struct subject found;           /* what bundle_find() is after */
	size_t agreed;                  /* components in which found.path agrees */
	const struct subject *known;    /* what bundle_find_note() goes on from */
	struct verdict *v;
	size_t others;
	bool past;                      /* the one that was judged is newer */
	int rc;
	struct err *e;
};

static void
bundle_find_free(struct bundle_find *b)
{
	free(b->name.text);
	oid_map_free(&b->told);
	oid_map_free(&b->seen);
	oid_map_free(&b->with);
	subject_free(&b->found);
}

/* --- names --- */

/* What comes before ".." says nothing. */
static int
bundle_find_split(const char *arg, struct bundle_find_name *ret, struct err *e)
{
	char *p;

	ret->text = buf_strdup(arg, e);
	if (ret->text == NULL)
		return -1;
	for (p = ret->text; *p != '\0';) {
		size_t len = strcspn(p, "/");
		char *part = p;

		p += len + (p[len] == '/');
		part[len] = '\0';
		if (len == 0 || strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0 || ret->count == BUNDLE_FIND_PARTS_MAX)
			ret->count = 0;
		else
			ret->parts[ret->count++] = part;
	}
	return 0;
}

/* In how many components the first n of the name and the path agree, from the end. */
static size_t
bundle_find_agree(const struct bundle_find_name *name, size_t n, const char *path)
{
	size_t end = strlen(path), agreed = 0;

	while (agreed < n) {
		const char *part = name->parts[n - 1 - agreed];
		size_t len = strlen(part);

		if (end < len || memcmp(path + end - len, part, len) != 0 ||
		    (end > len && path[end - len - 1] != '/'))
			break;
		agreed++;
		if (end == len)
			break;
		end -= len + 1;
	}
	return agreed;
}

/* The path that the name stands for: the output itself, or a file inside of it. *ret
 * is malloc'd, NULL for none; says in how many components it agrees. */
static size_t
bundle_find_named(const struct bundle_find_name *name, const struct resource *r, char **ret,
    struct err *e)
{
	size_t best = bundle_find_agree(name, name->count, r->path), split = name->count;
	CLEANUP(buf_free) struct buf path = BUF_INIT;

	for (size_t n = name->count; r->type == OBJECT_TREE && n-- > 1;) {
		size_t agreed = bundle_find_agree(name, n, r->path);

		if (agreed > 0 && agreed + name->count - n > best) {
			best = agreed + name->count - n;
			split = n;
		}
	}
	*ret = NULL;
	if (best == 0)
		return 0;
	buf_adds(&path, r->path);
	for (size_t i = split; i < name->count; i++)
		buf_addf(&path, "/%s", name->parts[i]);
	*ret = buf_steal(&path, e);
	return best;
}

/* --- content --- */

static bool
bundle_find_is(const struct bundle_find *b, enum object_type type, const struct oid *id, uint64_t size)
{
	return type == b->content->type && size == b->content->size && oid_equal(id, &b->content->id);
}

static int bundle_find_tree(struct bundle_find *b, const struct oid *id, int depth);

static int
bundle_find_entries(struct bundle_find *b, const struct tree *t, int depth)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct tree_entry *entry = &t->entries[i];
		enum object_type type = entry->mode == TREE_DIR ? OBJECT_TREE : OBJECT_BLOB;
		int rc;

		if (++b->entries > BUNDLE_FIND_ENTRIES_MAX)
			return 0;
		if (entry->mode != TREE_LINK && bundle_find_is(b, type, &entry->id, entry->size))
			return 1;
		rc = type == OBJECT_TREE ? bundle_find_tree(b, &entry->id, depth + 1) : 0;
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
bundle_find_tree_read(struct bundle_find *b, const struct oid *id, int depth)
{
	const struct bundle_object *o = bundle_reader_find(&b->f->b, &(struct object_ref){OBJECT_TREE, *id});
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;

	if (o == NULL)
		return 0;
	if (bundle_file_read(b->f, o, TREE_BYTES_MAX, &text, b->e) != 0)
		return -1;
	if (tree_decode(text.data, text.len, &t, NULL) != 0)
		return 0;
	buf_free(&text);
	return bundle_find_entries(b, &t, depth);
}

/* 1: the content is somewhere in the tree, 0: not, -1.  Each tree is read once. */
static int
bundle_find_tree(struct bundle_find *b, const struct oid *id, int depth)
{
	bool fresh;
	size_t at;
	int rc;

	if (oid_map_get(&b->with, id, &at))
		return 1;
	if (depth > TREE_DEPTH_MAX)
		return 0;
	if (oid_map_add(&b->seen, id, 0, &fresh, b->e) != 0)
		return -1;
	rc = fresh ? bundle_find_tree_read(b, id, depth) : 0;
	if (rc == 1 && oid_map_add(&b->with, id, 0, &fresh, b->e) != 0)
		return -1;
	return rc;
}

/* The output that has the content, or holds it. */
static int
bundle_find_made(struct bundle_find *b, const struct certificate *c, const struct resource **ret)
{
	*ret = NULL;
	for (size_t i = 0; i < c->event_count; i++) {
		const struct resource *r = &c->events[i].u.output.output;
		int rc;

		if (c->events[i].kind != EVENT_OUTPUT_RESOURCE)
			continue;
		rc = bundle_find_is(b, r->type, &r->digests.sha256, r->size) ? 1 :
		    r->type == OBJECT_TREE ? bundle_find_tree(b, &r->digests.sha256, 1) : 0;
		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		*ret = r;
		return 0;
	}
	return 0;
}

/* --- certificates, newest first --- */

/* Which of the outputs the name stands for; one with the content is as good as another. */
static int
bundle_find_path(struct bundle_find *b, const struct certificate *c, char **ret, size_t *ret_agreed)
{
	CLEANUP(cleanup_free) char *best = NULL;
	size_t agreed = 0;

	for (size_t i = 0; i < c->event_count; i++) {
		const struct resource *r = &c->events[i].u.output.output;
		CLEANUP(cleanup_free) char *path = NULL;
		size_t n;

		if (c->events[i].kind != EVENT_OUTPUT_RESOURCE)
			continue;
		n = bundle_find_named(&b->name, r, &path, b->e);
		if (n > 0 && path == NULL)
			return -1;
		if (n > agreed || (n > 0 && n == agreed &&
		    bundle_find_is(b, r->type, &r->digests.sha256, r->size))) {
			free(best);
			best = path;
			path = NULL;
			agreed = n;
		}
	}
	*ret = best;
	best = NULL;
	*ret_agreed = agreed;
	return 0;
}

static int
bundle_find_take(struct bundle_find *b, const struct oid *id, const struct certificate *c,
    const struct resource *made)
{
	struct subject *sub = &b->found;
	CLEANUP(cleanup_free) char *path = NULL;
	size_t agreed;

	if (bundle_find_path(b, c, &path, &agreed) != 0)
		return -1;
	if (made == NULL && agreed <= b->agreed)
		return 0;
	free(sub->path);
	sub->path = path;
	path = NULL;
	b->agreed = agreed;
	sub->certificate = *id;
	sub->has_certificate = true;
	sub->content_known = made != NULL;
	if (made == NULL)
		return 0;
	sub->output = buf_strdup(made->path, b->e);
	return sub->output == NULL ? -1 : 1;
}

static int
bundle_find_other(struct bundle_find *b, const struct oid *id, const struct certificate *c,
    const struct resource *made)
{
	CLEANUP(cleanup_free) char *path = NULL;
	char name[CMD_SHORT_SIZE];
	size_t agreed;

	cmd_short(id, name);
	if (oid_equal(id, &b->known->certificate)) {
		b->past = true;
		return 0;
	}
	if (made != NULL && b->others++ < BUNDLE_FIND_OTHERS_MAX)
		return verdict_note(b->v, b->e, bundle_find_is(b, made->type, &made->digests.sha256,
		    made->size) ? "certificate %s has the same content as its output %s" :
		    "certificate %s has the same content inside its output %s", name, made->path);
	if (made != NULL || b->past)
		return 0;
	if (bundle_find_path(b, c, &path, &agreed) != 0)
		return -1;
	return agreed == 0 ? 0 : verdict_note(b->v, b->e,
	    "Superseded: a newer run, certificate %s, made another %s", name, path);
}

struct bundle_find_scan {
	const struct bundle_find *b;
	bool may;
};

/* An output that is the file, could hold it, or ends as its name does. */
static int
bundle_find_item(void *arg, const struct certificate_scan_item *item)
{
	struct bundle_find_scan *s = arg;
	const struct bundle_find *b = s->b;
	const char *last = b->name.count > 0 ? b->name.parts[b->name.count - 1] : "";
	size_t len = strlen(last);

	s->may = s->may || (item->output && (item->type == OBJECT_TREE ||
	    oid_equal(&item->id, &b->content->id) || (item->path_len >= len &&
	    memcmp(item->path + item->path_len - len, last, len) == 0)));
	return 0;
}

/* False when the text, not decoded, rules a match out. */
static bool
bundle_find_may(const struct bundle_find *b, const struct buf *text)
{
	struct bundle_find_scan s = {.b = b};

	return certificate_scan(text->data, text->len, bundle_find_item, &s) != 0 || s.may;
}

static int
bundle_find_certificate(struct bundle_find *b, const struct oid *id)
{
	const struct bundle_object *o = bundle_reader_find(&b->f->b,
	    &(struct object_ref){OBJECT_CERTIFICATE, *id});
	CLEANUP(certificate_free) struct certificate c = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	const struct resource *made;

	if (o == NULL)
		return 0; /* without a history others are left out */
	if (bundle_file_read(b->f, o, CERTIFICATE_BYTES_MAX, &text, b->e) != 0)
		return -1;
	if (!bundle_find_may(b, &text))
		return 0;
	if (certificate_decode(text.data, text.len, &c, b->e) != 0)
		return err_prefix(b->e, "%s", b->f->path);
	if (!certificate_run_ok(&c))
		return 0;
	if (bundle_find_made(b, &c, &made) != 0)
		return -1;
	return b->known != NULL ? bundle_find_other(b, id, &c, made) : bundle_find_take(b, id, &c, made);
}

static int
bundle_find_commit(void *arg, const struct oid *id UNUSED, const struct commit *c)
{
	struct bundle_find *b = arg;
	bool fresh;

	if (c->kind != COMMIT_RUN || !c->has_subject)
		return 0;
	b->rc = oid_map_add(&b->told, &c->subject.id, 0, &fresh, b->e);
	if (b->rc == 0 && fresh)
		b->rc = bundle_find_certificate(b, &c->subject.id);
	return b->rc;
}

/* Those that a commit names, then what the index alone names. */
static int
bundle_find_walk(struct bundle_find *b, const char *arg, const struct ingest_result *content,
    struct err *e)
{
	b->e = e;
	b->content = content;
	if (bundle_find_split(arg, &b->name, e) != 0 ||
	    bundle_file_walk(b->f, bundle_find_commit, b, e) != 0)
		return -1;
	for (size_t i = 0; i < b->f->b.index.subject_count && b->rc == 0; i++) {
		const struct commit c = {.kind = COMMIT_RUN, .has_subject = true,
		    .subject = {OBJECT_CERTIFICATE, b->f->b.index.subjects[i].certificate}};

		(void)bundle_find_commit(b, NULL, &c);
	}
	return b->rc < 0 ? -1 : 0;
}

int
bundle_find(const struct bundle_file *f, const char *arg, struct subject *ret, struct err *e)
{
	CLEANUP(bundle_find_free) struct bundle_find b = {.f = f};

	if (!cmd_is_path(arg))
		return err_set(e, ERR_NOTFOUND, "%s: no such file", arg);
	if (cmd_hash(NULL, arg, &b.found.content, e) != 0 ||
	    bundle_find_walk(&b, arg, &b.found.content, e) != 0)
		return -1;
	if (!b.found.has_certificate)
		return err_set(e, ERR_NOTFOUND, "%s: no certificate in %s has this content or names such an"
		    " output", arg, f->path);
	b.found.is_path = true;
	*ret = b.found;
	b.found = (struct subject){0};
	return 0;
}

int
bundle_find_note(const struct bundle_file *f, const struct subject *sub, struct verdict *v, struct err *e)
{
	CLEANUP(bundle_find_free) struct bundle_find b = {.f = f, .known = sub, .v = v};

	if (!sub->content_known)
		return 0;
	return bundle_find_walk(&b, sub->path != NULL ? sub->path : sub->output, &sub->content, e);
}
