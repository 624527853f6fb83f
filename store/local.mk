# store
libaicert_core_a_SOURCES += \
	store/alternates.c store/alternates.h \
	store/alternates-hub.c store/alternates-hub.h \
	store/alternates-worktree.c store/alternates-worktree.h \
	store/config.c store/config.h \
	store/elsewhere.c store/elsewhere.h \
	store/filesystem.c store/filesystem.h \
	store/fsck.c store/fsck.h \
	store/fsck-hash.c \
	store/fsck-litter.c \
	store/fsck-objects.c \
	store/fsck-outside.c \
	store/fsck-reach.c \
	store/fsck-reflog.c \
	store/fsck-repair.c \
	store/fsck-runs.c \
	store/fsck-state.c store/fsck-state.h \
	store/fsck-touch.c \
	store/gc.c store/gc.h store/gc-state.h \
	store/gc-litter.c \
	store/gc-mark.c \
	store/gc-order.c \
	store/gc-sweep.c \
	store/history.c store/history.h \
	store/history-inside.c store/history-inside.h \
	store/history-producer.c \
	store/history-tips.c store/history-tips.h \
	store/history-user.c \
	store/history-uses.c \
	store/history-walk.c \
	store/in-place.c store/in-place.h \
	store/index.c store/index.h store/index-db.h \
	store/index-build.c \
	store/index-find.c \
	store/ingest.c store/ingest.h store/ingest-state.h \
	store/ingest-file.c \
	store/ingest-ignore.c store/ingest-ignore.h \
	store/ingest-list.c \
	store/ingest-look.c \
	store/ingest-loose.c \
	store/ingest-node.c \
	store/ingest-pass.c \
	store/ingest-total.c \
	store/ingest-write.c store/ingest-write.h \
	store/lease.c store/lease.h \
	store/lease-set.c store/lease-set.h \
	store/links.c store/links.h \
	store/kept.c store/kept.h \
	store/odb.c store/odb.h \
	store/odb-adopt.c \
	store/odb-compact.c store/odb-compact.h \
	store/odb-export.c \
	store/odb-file.c store/odb-file.h \
	store/odb-glance.c store/odb-glance.h \
	store/odb-hash.c \
	store/odb-present.c store/odb-present.h \
	store/odb-put.c store/odb-put.h \
	store/odb-small.c store/odb-small.h \
	store/odb-state.h \
	store/oid-map.c store/oid-map.h \
	store/oid-set.c store/oid-set.h \
	store/sealed.c store/sealed.h \
	store/source.c store/source.h \
	store/part.c store/part.h \
	store/part-copy.c \
	store/reflog.c store/reflog.h \
	store/refs.c store/refs.h \
	store/refs-list.c \
	store/refs-resolve.c \
	store/stat-cache.c store/stat-cache.h \
	store/stat-cache-row.c store/stat-cache-row.h \
	store/steady.c store/steady.h \
	store/store.c store/store.h \
	store/store-init.c
EXTRA_DIST += store/FORMAT.md
