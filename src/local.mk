# One archive of everything but the mains; the linker takes from it what a
# program uses.  The order of the blocks is the order of the layers.
noinst_LIBRARIES += libaicert-core.a
libaicert_core_a_SOURCES =

# base
libaicert_core_a_SOURCES += \
	src/base/atomic-file.c src/base/atomic-file.h \
	src/base/buf.c src/base/buf.h \
	src/base/cleanup.h \
	src/base/dir-walk.c src/base/dir-walk.h \
	src/base/err.c src/base/err.h \
	src/base/fd.c src/base/fd.h \
	src/base/hex.c src/base/hex.h \
	src/base/interrupt.c src/base/interrupt.h \
	src/base/options.c src/base/options.h \
	src/base/path.c src/base/path.h \
	src/base/progress.c src/base/progress.h \
	src/base/timestamp.c src/base/timestamp.h

# git

# db

# codec

# crypto

# net

# object

# evidence

# tpm

# verify

# run

# runner

# serve

# provider

# cmd

# mains
