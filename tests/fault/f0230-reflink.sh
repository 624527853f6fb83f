#!/bin/sh
# Put and checkout where blocks are shared.
. "${top_srcdir:-.}/tests/cli/reflink-lib.sh"
on_reflink "$0" 512
. "${top_srcdir:-.}/tests/fault/lib.sh"
kinds="create write fsync rename link unlink clone"
new_repo template
head -c 200000 /dev/urandom >in
spec aicert.yaml "cat in in > out" "{path: in, kind: data}" "out"
aicert commit -q -m one || exit 99
cp out ../out.1
head -c 300000 /dev/urandom >new
rm out

put() { aicert hash-object -w new; }
acknowledged() { aicert verify --min-level simulated HEAD >/dev/null; }
complete() { [ "$(aicert cat-file -p "$(cut -d' ' -f1 "$scratch/out")" | cksum)" = "$(cksum <new)" ]; }
every_fault put "create write fsync rename unlink clone"

checkout() { aicert checkout HEAD; }
acknowledged() { [ ! -e out ] || cmp -s out ../out.1; }
complete() { cmp -s out ../out.1; }
every_fault checkout "create fsync link clone"
done_testing
