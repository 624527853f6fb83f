#!/bin/sh
# aicert gc: what is needed stays, whatever fails.
. "${top_srcdir:-.}/tests/fault/lib.sh"
new_repo template
spec aicert.yaml "cat in.txt > out.txt; head -c 100000 /dev/zero > big.bin" \
	"{path: in.txt, kind: data}" "out.txt, big.bin"
echo 1 >in.txt
aicert commit -q -m one || exit 99
for i in 1 2 3 4 5; do
	head -c "${i}0000" /dev/urandom >junk
	aicert hash-object -w junk >/dev/null || exit 99
done
needed=$(aicert hash-object out.txt big.bin in.txt | cut -d' ' -f1)

gc() { aicert gc -q; }
acknowledged() {
	for id in $needed; do aicert cat-file -p "$id" >/dev/null || return 1; done
	aicert verify --min-level simulated HEAD >/dev/null
}
# a name that could not be removed is left to the next
complete() { [ "$(aicert gc -n | grep -vc '\.lock')" -le 1 ]; }
every_fault gc "open create write fsync link unlink mkdir malloc"
done_testing
