#include "run/rootfs-image.h"

#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "base/hex.h"
#include "codec/archive.h"
#include "codec/jcs.h"
#include "crypto/hash.h"
#include "store/ingest.h"
#include "store/odb.h"

#define ROOTFS_IMAGE_BYTES_MAX (UINT64_C(256) << 30)
#define ROOTFS_IMAGE_ENTRIES_MAX 4000000u
#define ROOTFS_IMAGE_JSON_MAX (4u * 1024 * 1024)
#define ROOTFS_IMAGE_LAYERS_MAX 512u
#define ROOTFS_IMAGE_INDEX_DEPTH 4
#define ROOTFS_IMAGE_READ (256u * 1024)

static const struct archive_limits rootfs_image_limits = {
	.bytes = ROOTFS_IMAGE_BYTES_MAX,
	.entries = ROOTFS_IMAGE_ENTRIES_MAX,
};

static int
rootfs_image_extract(int dirfd, const char *name, int destfd, int whiteouts, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(dirfd, name, O_RDONLY, 0, e);

	return fd < 0 ? -1 : archive_extract(fd, destfd, &rootfs_image_limits, whiteouts, e);
}

/* Opens blobs/sha256/<hex> after reading it whole and comparing its digest. */
static int
rootfs_image_blob(int layoutfd, const struct jcs *descriptor, int *ret_fd, struct err *e)
{
	const char *digest = jcs_get_string(descriptor, "digest");
	CLEANUP(cleanup_free) char *path = NULL;
	CLEANUP(cleanup_free) unsigned char *data = NULL;
	CLEANUP(hash_freep) struct hash *h = NULL;
	CLEANUP(cleanup_close) int fd = -1;
	unsigned char want[32], got[32];
	size_t n;

	if (digest == NULL || strncmp(digest, "sha256:", 7) != 0)
		return err_set(e, ERR_UNSUPPORTED, "OCI layout: a descriptor without a sha256 digest");
	if (hex_decode(want, sizeof want, digest + 7, e) != 0)
		return err_prefix(e, "OCI layout: digest");
	path = buf_strfmt(e, "blobs/sha256/%s", digest + 7);
	data = malloc(ROOTFS_IMAGE_READ);
	if (path == NULL || data == NULL)
		return err_nomem(e);
	fd = fd_open_beneath(layoutfd, path, O_RDONLY, 0, e);
	if (fd < 0 || hash_new(HASH_SHA256, &h, e) != 0)
		return err_prefix(e, "OCI layout");
	do {
		if (fd_read_upto(fd, data, ROOTFS_IMAGE_READ, &n, path, e) != 0 ||
		    hash_update(h, data, n, e) != 0)
			return -1;
	} while (n > 0);
	if (hash_final(h, got, e) != 0)
		return -1;
	if (!hash_equal(want, got, sizeof want))
		return err_set(e, ERR_REFUSED, "OCI layout: %s does not have its digest", path);
	if (lseek(fd, 0, SEEK_SET) != 0)
		return err_sys(e, "OCI layout: %s: cannot seek", path);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static int
rootfs_image_json(int fd, const char *what, struct jcs **ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (fd_read_all(fd, ROOTFS_IMAGE_JSON_MAX, &text, what, e) != 0)
		return -1;
	if (jcs_decode_any(text.data, text.len, ROOTFS_IMAGE_JSON_MAX, ret, e) != 0)
		return err_prefix(e, "OCI layout: %s", what);
	return 0;
}

static const char *
rootfs_image_arch(void)
{
#if defined __x86_64__
	return "amd64";
#elif defined __aarch64__
	return "arm64";
#else
	return "";
#endif
}

/* The one manifest for this machine: the only one, or the only one of its architecture. */
static const struct jcs *
rootfs_image_choose(const struct jcs *index, struct err *e)
{
	const struct jcs *list = jcs_get(index, "manifests");
	const struct jcs *found = NULL;

	if (jcs_length(list) == 1)
		return jcs_at(list, 0);
	for (size_t i = 0; i < jcs_length(list); i++) {
		const struct jcs *platform = jcs_get(jcs_at(list, i), "platform");
		const char *arch = jcs_get_string(platform, "architecture");
		const char *os = jcs_get_string(platform, "os");

		if (arch == NULL || os == NULL || strcmp(os, "linux") != 0 ||
		    strcmp(arch, rootfs_image_arch()) != 0)
			continue;
		if (found != NULL) {
			err_set(e, ERR_UNSUPPORTED, "OCI layout: several images for linux/%s: keep one", arch);
			return NULL;
		}
		found = jcs_at(list, i);
	}
	if (found == NULL)
		err_set(e, ERR_UNSUPPORTED, "OCI layout: no image for linux/%s", rootfs_image_arch());
	return found;
}

/* From index.json through nested indexes down to a manifest. */
static int
rootfs_image_manifest(int layoutfd, struct jcs **ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(layoutfd, "index.json", O_RDONLY, 0, e);
	CLEANUP(jcs_freep) struct jcs *doc = NULL;

	if (fd < 0)
		return err_prefix(e, "OCI layout");
	if (rootfs_image_json(fd, "index.json", &doc, e) != 0)
		return -1;
	for (int depth = 0; depth < ROOTFS_IMAGE_INDEX_DEPTH; depth++) {
		CLEANUP(cleanup_close) int next = -1;
		const struct jcs *descriptor;
		struct jcs *inner;

		if (jcs_get(doc, "manifests") == NULL) {
			*ret = doc;
			doc = NULL;
			return 0;
		}
		descriptor = rootfs_image_choose(doc, e);
		if (descriptor == NULL || rootfs_image_blob(layoutfd, descriptor, &next, e) != 0 ||
		    rootfs_image_json(next, "manifest", &inner, e) != 0)
			return -1;
		jcs_free(doc);
		doc = inner;
	}
	return err_set(e, ERR_FORMAT, "OCI layout: indexes within indexes, too deep");
}

static bool
rootfs_image_is_layer(const char *type)
{
	static const char *const known[] = {
		"application/vnd.oci.image.layer.v1.tar",
		"application/vnd.oci.image.layer.v1.tar+gzip",
		"application/vnd.oci.image.layer.v1.tar+zstd",
		"application/vnd.docker.image.rootfs.diff.tar.gzip",
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (type != NULL && strcmp(type, known[i]) == 0)
			return true;
	return false;
}

int
rootfs_image_layers(int layoutfd, int rootfd, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *manifest = NULL;
	const struct jcs *layers;

	if (rootfs_image_manifest(layoutfd, &manifest, e) != 0)
		return -1;
	layers = jcs_get(manifest, "layers");
	if (jcs_length(layers) == 0 || jcs_length(layers) > ROOTFS_IMAGE_LAYERS_MAX)
		return err_set(e, ERR_FORMAT, "OCI layout: the manifest has no layers, or too many");
	for (size_t i = 0; i < jcs_length(layers); i++) {
		const struct jcs *layer = jcs_at(layers, i);
		const char *type = jcs_get_string(layer, "mediaType");
		CLEANUP(cleanup_close) int fd = -1;

		if (!rootfs_image_is_layer(type))
			return err_set(e, ERR_UNSUPPORTED, "OCI layout: layer %zu: type %s is not known", i,
			    type != NULL ? type : "(none)");
		if (rootfs_image_blob(layoutfd, layer, &fd, e) != 0)
			return -1;
		if (archive_extract(fd, rootfd, &rootfs_image_limits, 1, e) != 0)
			return err_prefix(e, "OCI layout: layer %zu", i);
	}
	return 0;
}

static int
rootfs_image_oci(const struct run_spec *spec, int run_dirfd, int rootfd, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	const char *name = "image";

	if (spec->image_file.type == OBJECT_BLOB) { /* the layout in an archive */
		name = "layout";
		if (fd_mkdirs_beneath(run_dirfd, name, 0700, e) != 0)
			return -1;
		fd = fd_open_beneath(run_dirfd, name, O_RDONLY | O_DIRECTORY, 0, e);
		if (fd < 0 || rootfs_image_extract(run_dirfd, "image", fd, 0, e) != 0)
			return -1;
	} else {
		fd = fd_open_beneath(run_dirfd, name, O_RDONLY | O_DIRECTORY, 0, e);
	}
	if (fd < 0 || rootfs_image_layers(fd, rootfd, e) != 0)
		return -1;
	return strcmp(name, "layout") == 0 ? fd_remove_tree(run_dirfd, name, e) : 0;
}

int
rootfs_image_unpack(struct store *s, const struct run_spec *spec, int run_dirfd, int rootfd,
    struct err *e)
{
	const struct resource *f = &spec->image_file;
	int rc;

	if (ingest_materialise(s, f->type, &f->digests.sha256, run_dirfd, "image", e) != 0)
		return err_prefix(e, "%s", f->path);
	if (spec->image == RUN_SPEC_OCI)
		rc = rootfs_image_oci(spec, run_dirfd, rootfd, e);
	else if (f->type == OBJECT_BLOB)
		rc = rootfs_image_extract(run_dirfd, "image", rootfd, 0, e);
	else
		rc = err_set(e, ERR_SPEC, "rootfs: takes an archive, not a directory");
	if (rc != 0)
		return err_prefix(e, "image %s", f->path);
	return fd_remove_tree(run_dirfd, "image", e);
}
