#!/bin/sh
# aicert pull over git: the command, its threads and the git program, counted as one.
. "${top_srcdir:-.}/tests/fault/lib.sh"
new_repo theirs
git init -q --bare -b main "$scratch/remote.git"
spec aicert.yaml "cat in.txt > out.txt" in.txt out.txt
commit() {
	echo "$1" >in.txt
	aicert commit -q -m "$1" && aicert push -q "$scratch/remote.git" main || exit 99
}
commit 1
aicert clone -q "$scratch/remote.git" "$scratch/template" || exit 99
commit 2
commit 3
tip=$(aicert rev-parse HEAD)
cd "$scratch/template" || exit 99
head=$(aicert rev-parse HEAD)

pull() { aicert pull -q; }
acknowledged() { aicert log --oneline | tail -n 1 | grep -q "^$(printf %.7s "$head")"; }
complete() { [ "$(aicert rev-parse HEAD)" = "$tip" ] && aicert fsck >/dev/null; }
every_fault pull "open create write fsync rename unlink mkdir thread malloc mmap"
done_testing
