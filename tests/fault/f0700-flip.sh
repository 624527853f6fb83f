#!/bin/sh
# Every stored form cut and flipped: found, or without effect; no crash.
# AICERT_FAULT_JOBS: so many at a time, each in a copy of the store.
. "${top_srcdir:-.}/tests/cli/lib.sh"
jobs=${AICERT_FAULT_JOBS:-1}
new_repo r
# as small as a large object can be
spec aicert.yaml "cat in.txt > out.txt; head -c 33000 /dev/zero > big.bin" \
	"{path: in.txt, kind: data}" "out.txt, big.bin"
echo 1 >in.txt
ok aicert commit -q -m one
echo 2 >in.txt
ok aicert commit -q -m two
ok aicert tag first HEAD~1
ok aicert log
started=
job=0
while [ $job -lt "$jobs" ]; do
	cp -a . "$scratch/copy$job"
	"$build/fault-flip" "$scratch/copy$job" "${AICERT_FAULT_POINTS:-20}" $job "$jobs" >"$scratch/flip$job" 2>&1 &
	started="$started $!"
	job=$((job + 1))
done
for pid in $started; do
	checks=$((checks + 1))
	wait "$pid" || die "see below"
done
tail -n 20 "$scratch"/flip*
done_testing
