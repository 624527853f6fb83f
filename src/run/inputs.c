#include "run/inputs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "crypto/hash.h"
#include "object/tree.h"
#include "store/history.h"
#include "store/ingest.h"
#include "store/kept.h"
#include "store/odb.h"

/* --- judged --- */

static int
inputs_size(struct store *s, const struct resource *r, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct tree tree = TREE_INIT;
	uint64_t size;

	if (r->type == OBJECT_TREE) {
		if (odb_read(s, &r->digests.sha256, TREE_BYTES_MAX, &text, e) != 0 ||
		    tree_decode(text.data, text.len, &tree, e) != 0)
			return -1;
		size = tree.size;
		tree_free(&tree);
	} else if (odb_size(s, &r->digests.sha256, &size, e) != 0) {
		return -1;
	}
	if (size != r->size)
		return err_set(e, ERR_REFUSED, "it has %llu bytes, the spec says %llu",
		    (unsigned long long)size, (unsigned long long)r->size);
	return 0;
}

static int
inputs_hash_sink(void *arg, const void *data, size_t len, struct err *e)
{
	return hash_update(arg, data, len, e);
}

static int
inputs_digest(struct store *s, const struct resource *r, enum hash_alg alg,
    const unsigned char *want, struct err *e)
{
	CLEANUP(hash_freep) struct hash *h = NULL;
	unsigned char got[HASH_SIZE_MAX];

	if (hash_new(alg, &h, e) != 0 ||
	    odb_stream(s, &r->digests.sha256, inputs_hash_sink, h, e) != 0 ||
	    hash_final(h, got, e) != 0)
		return -1;
	if (!hash_equal(got, want, hash_size(alg)))
		return err_set(e, ERR_REFUSED, "it does not have the %s that the spec says", hash_name(alg));
	return 0;
}

/* SHA-256 is the id and is checked wherever the bytes are read. */
static int
inputs_digests(struct store *s, const struct resource *r, struct err *e)
{
	if (r->digests.has_blake3)
		return err_set(e, ERR_UNSUPPORTED, "a blake3 digest cannot be checked by this version");
	if (r->digests.has_sha384 && inputs_digest(s, r, HASH_SHA384, r->digests.sha384, e) != 0)
		return -1;
	if (r->digests.has_sha512 && inputs_digest(s, r, HASH_SHA512, r->digests.sha512, e) != 0)
		return -1;
	return 0;
}

static int
inputs_made_by(struct store *s, const struct resource_input *in, struct err *e)
{
	const struct resource_made_by *by = in->made_by;
	CLEANUP(certificate_free) struct certificate c = {0};
	const struct resource *output;

	if (by == NULL)
		return 0;
	if (history_certificate(s, &by->certificate, &c, e) != 0)
		return err_prefix(e, "madeBy");
	if (!certificate_run_ok(&c))
		return err_set(e, ERR_REFUSED, "madeBy names a run that did not succeed");
	output = certificate_output(&c, by->path);
	if (output == NULL)
		return err_set(e, ERR_REFUSED, "madeBy: that run has no output %s", by->path);
	if (!resource_same_content(output, &in->thing))
		return err_set(e, ERR_REFUSED, "madeBy: output %s of that run has another content", by->path);
	return 0;
}

int
inputs_check(struct store *s, const struct run_spec *spec, struct err *e)
{
	for (size_t i = 0; i < spec->input_count; i++) {
		const struct resource_input *in = &spec->inputs[i];

		if (inputs_size(s, &in->thing, e) != 0 || inputs_digests(s, &in->thing, e) != 0 ||
		    inputs_made_by(s, in, e) != 0)
			return err_prefix(e, "input %s", in->thing.path);
	}
	if (spec->image != RUN_SPEC_HOST && (inputs_size(s, &spec->image_file, e) != 0 ||
	    inputs_digests(s, &spec->image_file, e) != 0))
		return err_prefix(e, "image %s", spec->image_file.path);
	return 0;
}

/* --- laid out --- */

int
inputs_place(struct store *s, const struct run_spec *spec, int run_dirfd, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	size_t swept;
	bool taken;

	if (fd_mkdirs_beneath(run_dirfd, "inputs", 0700, e) != 0)
		return -1;
	if (kept_full(s) && kept_sweep(s, 0, &swept, e) != 0)
		err_clear(e); /* then there is less room */
	fd = fd_open_beneath(run_dirfd, "inputs", O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0)
		return -1;
	for (size_t i = 0; i < spec->input_count; i++) {
		const struct resource *r = &spec->inputs[i].thing;
		char name[32];

		snprintf(name, sizeof name, "%zu", i);
		if (kept_take(s, r, fd, name, &taken, e) != 0 ||
		    (!taken && ingest_materialise(s, r->type, &r->digests.sha256, fd, name, e) != 0))
			return err_prefix(e, "input %s", r->path);
	}
	return 0;
}

void
inputs_keep(struct store *s, const struct run_spec *spec, int run_dirfd)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(run_dirfd, "inputs", O_RDONLY | O_DIRECTORY, 0,
	    NULL);

	for (size_t i = 0; fd >= 0 && i < spec->input_count; i++) {
		char name[32];

		snprintf(name, sizeof name, "%zu", i);
		kept_give(s, &spec->inputs[i].thing, fd, name);
	}
}

static int
inputs_parents(int fd, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(cleanup_free) char *parent = NULL;

	if (slash == NULL)
		return 0;
	parent = strndup(path, (size_t)(slash - path));
	if (parent == NULL)
		return err_nomem(e);
	return fd_mkdirs_beneath(fd, parent, 0755, e);
}

static int
inputs_mount_point(int fd, const struct resource *r, struct err *e)
{
	CLEANUP(cleanup_close) int file = -1;

	if (inputs_parents(fd, r->path, e) != 0)
		return -1;
	if (r->type == OBJECT_TREE)
		return fd_mkdirs_beneath(fd, r->path, 0755, e);
	file = fd_open_beneath(fd, r->path, O_WRONLY | O_CREAT | O_EXCL, 0644, e);
	return file < 0 ? -1 : 0;
}

int
inputs_scratch(const struct run_spec *spec, int run_dirfd, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;

	if (fd_mkdirs_beneath(run_dirfd, "scratch", 0755, e) != 0)
		return -1;
	fd = fd_open_beneath(run_dirfd, "scratch", O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0)
		return -1;
	for (size_t i = 0; i < spec->input_count; i++)
		if (inputs_mount_point(fd, &spec->inputs[i].thing, e) != 0)
			return err_prefix(e, "the workspace");
	for (size_t i = 0; i < spec->output_count; i++)
		if (inputs_parents(fd, spec->outputs[i].path, e) != 0)
			return err_prefix(e, "the workspace");
	return 0;
}
