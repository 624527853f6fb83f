#!/bin/sh
# aicert checkout: a file is there whole, or as it was.
. "${top_srcdir:-.}/tests/fault/lib.sh"
new_repo template
spec aicert.yaml "cat in.txt > out.txt; mkdir -p d/e; echo a > d/e/a; head -c 100000 /dev/zero > d/big" \
	"{path: in.txt, kind: data}" "out.txt, d/"
echo 1 >in.txt
aicert commit -q -m one || exit 99
cp out.txt ../one.txt
echo 2 >in.txt
aicert commit -q -m two || exit 99
cp out.txt ../two.txt
rm -r d

checkout() { aicert checkout HEAD~1; }
acknowledged() { cmp -s out.txt ../one.txt || cmp -s out.txt ../two.txt; }
complete() { cmp -s out.txt ../one.txt && [ "$(cat d/e/a)" = a ] && [ "$(wc -c <d/big)" = 100000 ]; }
every_fault checkout "open create write fsync rename link unlink mkdir clone thread malloc mmap"
done_testing
