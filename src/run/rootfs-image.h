/* Unpacking `rootfs:` archives and `oci:` layouts (OCI image-spec 1.0). */
#ifndef RUN_ROOTFS_IMAGE_H
#define RUN_ROOTFS_IMAGE_H

#include "object/run-spec.h"
#include "store/store.h"

/* run_dirfd holds what is needed meanwhile; rootfd is the empty root. */
int rootfs_image_unpack(struct store *s, const struct run_spec *spec, int run_dirfd, int rootfd,
    struct err *e) MUST_CHECK;

/* The layers of an OCI layout beneath layoutfd, each checked against its digest. */
int rootfs_image_layers(int layoutfd, int rootfd, struct err *e) MUST_CHECK;

#endif
