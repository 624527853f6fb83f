#!/bin/sh
# aicert fsck: "clean" is never said of what could not be looked at.
. "${top_srcdir:-.}/tests/fault/lib.sh"
new_repo template
spec aicert.yaml "cat in.txt > out.txt; head -c 100000 /dev/zero > big.bin" \
	"{path: in.txt, kind: data}" "out.txt, big.bin"
echo 1 >in.txt
aicert commit -q -m one || exit 99

fsck() { aicert fsck; }
acknowledged() { aicert verify --min-level simulated HEAD >/dev/null; }
complete() { true; }
# an object that the disk does not give is damage
definite() { [ "$got" = 1 ] && grep -q '^damage: .*Input/output error' "$scratch/out"; }
every_fault fsck "open write thread malloc mmap"
# a large object that is damaged is never passed over because reading fails
object=$(find "$scratch/template/.aicert/objects" -name '??????????????????????????????????????????????????????????????')
spoil "$object" 5
for kind in open malloc; do
	n=1
	while [ $n -lt 400 ]; do
		fresh
		faulty "$kind:$n:ENOMEM" aicert fsck
		checks=$((checks + 1))
		[ "$got" = 1 ] || [ "$got" = 3 ] || die "fsck of a damaged store: $kind:$n: exit $got"
		n=$((n + (points == 0 ? 1 : 60)))
	done
done
done_testing
