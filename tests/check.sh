#!/bin/sh
# Every test of a built tree: make check, then the same with AddressSanitizer
# and UndefinedBehaviorSanitizer.  Ends with one line of totals.
set -u
build=${1:?usage: check.sh BUILD-DIR}
jobs=$(nproc)
status=0

make -s -C "$build" -j"$jobs" check || status=1
make -s -C "$build" -j"$jobs" check-asan || status=1
# the fuzz targets once more, for longer than as a part of check
make -s -C "$build" fuzz-smoke FUZZ_FACTOR=2 || status=1

count() {
	cat "$build"/*.trs "$build"/asan/*.trs "$build"/tests/*/*.trs \
		"$build"/asan/tests/*/*.trs 2>/dev/null | grep -c "^:test-result: $1" || :
}
# what failed, said last: where a reader of a long record looks first
for trs in $(grep -lE '^:test-result: (FAIL|ERROR|XPASS)' "$build"/*.trs "$build"/asan/*.trs \
	"$build"/tests/*/*.trs "$build"/asan/tests/*/*.trs 2>/dev/null); do
	echo "--- ${trs%.trs}.log"
	tail -n 25 "${trs%.trs}.log"
done
failed=$(($(count FAIL) + $(count ERROR) + $(count XPASS)))
[ "$failed" = 0 ] || status=1
echo "$(count PASS) passed, $failed failed, $(count SKIP) skipped"
exit $status
