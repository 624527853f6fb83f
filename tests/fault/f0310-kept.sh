#!/bin/sh
# aicert commit when inputs of the run before are kept, more of them than are
# synced one by one.
. "${top_srcdir:-.}/tests/fault/lib.sh"
alike=2 kinds="open create write fsync rename link unlink mkdir symlink" # of others f0300 has more
new_repo template
mkdir data
for i in $(seq 70); do echo "$i" >data/$i; done
head -c 200000 /dev/urandom >data/large
ln -s 1 data/link
spec aicert.yaml "cp -r data out" "{path: data/, kind: dataset}, {path: in.txt, kind: data}" "out/"
echo 1 >in.txt
aicert commit -q -m one || exit 99
[ -d .aicert/kept ] && head=$(aicert rev-parse HEAD) || exit 99
tree=$(aicert hash-object data | cut -d' ' -f1)
echo 2 >in.txt

kept() { aicert commit -q -m two; }
acknowledged() { [ "$(aicert log --oneline | tail -n 1 | cut -c1-12)" = "$(echo "$head" | cut -c1-12)" ]; }
complete() { [ "$(aicert rev-parse HEAD)" != "$head" ] && [ "$(aicert hash-object out | cut -d' ' -f1)" = "$tree" ]; }
# a run that was sealed, and proves that its sandbox could not be set up
definite() { [ "$got" = 1 ] && grep -q 'is kept: aicert log --failed' "$scratch/err"; }
every_fault kept "open create write fsync rename link unlink mkdir symlink"
done_testing
