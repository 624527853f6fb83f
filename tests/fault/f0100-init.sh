#!/bin/sh
# aicert init: there is a whole store afterwards, or none.
. "${top_srcdir:-.}/tests/fault/lib.sh"
mkdir template && cd template && git init -q -b main . || exit 99

init() { aicert init; }
acknowledged() { git status >/dev/null; }
complete() { aicert fsck >/dev/null; }
every_fault init "open create write fsync rename mkdir malloc"
done_testing
