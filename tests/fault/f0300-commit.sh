#!/bin/sh
# aicert commit: the command line and the daemon, counted as one.
. "${top_srcdir:-.}/tests/fault/lib.sh"
new_repo template
spec aicert.yaml "cat in.txt > out.txt; head -c 100000 /dev/zero > big.bin" \
	"{path: in.txt, kind: data}" "out.txt, big.bin"
echo 1 >in.txt
aicert commit -q -m one || exit 99
head=$(aicert rev-parse HEAD)
echo 2 >in.txt

commit() { aicert commit -q -m two; }
acknowledged() { [ "$(aicert log --oneline | tail -n 1 | cut -c1-12)" = "$(echo "$head" | cut -c1-12)" ]; }
complete() { [ "$(aicert rev-parse HEAD)" != "$head" ] && [ "$(cat out.txt)" = 2 ]; }
# a run that was sealed, and proves that its sandbox could not be set up
definite() { [ "$got" = 1 ] && grep -q 'is kept: aicert log --failed' "$scratch/err"; }
every_fault commit "open create write fsync rename link unlink mkdir symlink thread malloc mmap"
done_testing
