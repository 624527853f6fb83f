#!/bin/sh
# aicert commit on a runner elsewhere: the client alone.  Whatever becomes of it, a run that
# began there can be collected.
. "${top_srcdir:-.}/tests/fault/lib.sh"
. "$source_dir/tests/cli/runner-lib.sh"
start_daemon gpu
aicert runner add --min-level simulated --token-file "$scratch/alice.token" gpu "$url" >/dev/null || exit 99
new_repo template
spec aicert.yaml "cat in.txt > out.txt; head -c 100000 /dev/zero > big.bin" \
	"{path: in.txt, kind: data}" "out.txt, big.bin"
echo 1 >in.txt
aicert commit -q -r gpu -m one || exit 99
head=$(aicert rev-parse HEAD)
echo 2 >in.txt

remote() { aicert commit -q -r gpu -m two; }
# each record is of a run that is collected, or that is not there
collected() {
	for record in $(find .aicert/runs -type f ! -name '*.*' 2>/dev/null); do
		aicert run attach "${record##*/}" >"$scratch/attach" 2>&1 || grep -q 'did not begin there' "$scratch/attach" ||
			{ cat "$scratch/attach"; return 1; }
	done
}
acknowledged() {
	collected && [ "$(aicert log --oneline | tail -n 1 | cut -c1-12)" = "$(echo "$head" | cut -c1-12)" ]
}
complete() { [ "$(aicert rev-parse HEAD)" != "$head" ] && [ "$(cat out.txt)" = 2 ]; }
every_fault remote "open create write fsync rename unlink mkdir thread malloc mmap"
done_testing
