#include <errno.h>
#include "base/array.h"
#include "base/buf.h"
#include "base/interrupt.h"
#include "store/fsck-state.h"
#include "store/odb-file.h"
#include "store/odb-small.h"

/* The large objects, in the order of the directories. */
struct fsck_objects {
	struct fsck *f;
	struct fsck_objects_file {
		struct oid id;
		uint64_t size;
	} *files;
	size_t count, cap, next;
	struct fsck_hash *hash;
};

static int
fsck_objects_list(void *arg, const struct oid *id, uint64_t size)
{
	struct fsck_objects *x = arg;

	if (ARRAY_ROOM(x->files, x->count, x->cap, x->f->e) != 0)
		return x->f->rc = -1;
	x->files[x->count++] = (struct fsck_objects_file){*id, size};
	x->f->r.objects++;
	x->f->r.bytes += size;
	return 0;
}

static void
fsck_objects_stray(void *arg, const char *name)
{
	const struct fsck_objects *x = arg;

	fsck_state_say(x->f, FSCK_LITTER, "%s: not the name of an object", name);
}

static bool
fsck_objects_is_finding(const struct err *e)
{
	return e->code == ERR_CORRUPT || e->code == ERR_FORMAT || e->code == ERR_LIMIT || e->sys == EIO;
}

static int
fsck_objects_file(struct fsck_objects *x, const struct oid *id)
{
	CLEANUP(source_close) struct source p = SOURCE_INIT;
	char name[ODB_FILE_NAME_SIZE];
	struct fsck *f = x->f;
	int rc;

	if (interrupt_check(f->e) != 0)
		return -1;
	rc = odb_file_open(f->s, id, &p.fd, &p.size, f->e);
	if (rc == 0) /* removed meanwhile, by a gc */
		return 0;
	if (rc < 0)
		return fsck_objects_is_finding(f->e) ? fsck_state_suspect(f, id, f->e->msg) : -1;
	odb_file_name(id, name);
	p.path = buf_strfmt(f->e, "%s/objects/%s", store_path(f->s), name);
	return p.path == NULL ? -1 : fsck_hash_add(x->hash, id, &p);
}

/* As many as the threads take at once, or all. */
static int
fsck_objects_feed(struct fsck_objects *x, bool all)
{
	while (x->next < x->count && (all || fsck_hash_room(x->hash)))
		if (fsck_objects_file(x, &x->files[x->next++].id) != 0)
			return -1;
	return 0;
}

/* Small ones are read here while the threads read large ones. */
static int
fsck_objects_small(void *arg, const struct oid *id, const void *data, size_t len)
{
	struct fsck_objects *x = arg;
	char why[OID_HEX_SIZE + 80], hex[OID_HEX_SIZE];
	struct fsck *f = x->f;
	struct oid found;

	f->r.objects++;
	f->r.bytes += len;
	f->rc = interrupt_check(f->e) != 0 || oid_from_data(&found, data, len, f->e) != 0 ? -1 : 0;
	if (f->rc == 0 && !oid_equal(&found, id)) {
		oid_hex(id, hex);
		snprintf(why, sizeof why, "object %s in objects/small.db does not have its digest", hex);
		f->rc = fsck_state_suspect(f, id, why);
	}
	progress_add(&f->progress, len);
	return f->rc;
}

static int
fsck_objects_rows(struct fsck_objects *x)
{
	struct fsck *f = x->f;

	if (odb_small_check(f->s, f->e) != 0)
		return fsck_state_finding(f, "small objects");
	if (odb_small_rows(f->s, fsck_objects_small, x, f->e) != 0)
		return fsck_state_finding(f, "small objects");
	return f->rc;
}

static int
fsck_objects_read(struct fsck_objects *x)
{
	int rc = fsck_objects_feed(x, false);

	if (rc == 0)
		rc = fsck_objects_rows(x);
	return rc == 0 ? fsck_objects_feed(x, true) : rc;
}

static void
fsck_objects_free(struct fsck_objects *x)
{
	free(x->files);
}

int
fsck_objects_run(struct fsck *f)
{
	CLEANUP(fsck_objects_free) struct fsck_objects x = {.f = f};
	uint64_t rows = 0;
	int rc;

	if (odb_file_each(f->s, "", fsck_objects_list, fsck_objects_stray, &x, f->e) != 0 || f->rc != 0)
		return -1;
	if (odb_small_bytes(f->s, &rows) != 0)
		rows = 0; /* told below */
	progress_start(&f->progress, f->o->progress, "checking", f->r.bytes + rows);
	if (fsck_hash_start(f, &x.hash) != 0)
		return -1;
	rc = fsck_objects_read(&x);
	if (fsck_hash_finish(x.hash) != 0)
		rc = -1;
	progress_end(&f->progress);
	return rc != 0 ? -1 : fsck_state_settle(f);
}
