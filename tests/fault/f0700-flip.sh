#!/bin/sh
# Every stored form cut and flipped: found, or without effect; no crash.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r
spec aicert.yaml "cat in.txt > out.txt; head -c 50000 /dev/zero > big.bin" \
	"{path: in.txt, kind: data}" "out.txt, big.bin"
echo 1 >in.txt
ok aicert commit -q -m one
echo 2 >in.txt
ok aicert commit -q -m two
ok aicert tag first HEAD~1
ok aicert log
ok "$build/fault-flip" "$PWD" "${AICERT_FAULT_POINTS:-20}"
tail -n 1 "$scratch/out"
done_testing
