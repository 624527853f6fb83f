# store
libaicert_core_a_SOURCES += \
	store/odb-adopt.c \
	store/odb-export.c \
	store/odb-file.c store/odb-file.h \
	store/odb-link.c \
	store/odb-put.c \
	store/odb-small.c store/odb-small.h \
	store/odb-state.h \
	store/odb.c store/odb.h \
	store/store-init.c \
	store/store.c store/store.h
EXTRA_DIST += store/FORMAT.md
