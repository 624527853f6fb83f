#!/bin/sh
# aicert bundle, then aicert import of another bundle into the same store.
. "${top_srcdir:-.}/tests/fault/lib.sh"
new_repo other
echo a >in.txt
spec one.yaml "sort in.txt >mid.txt; mkdir d; echo 1 >d/x" "in.txt" "mid.txt, {path: d/, kind: dataset}"
spec two.yaml "wc -c <mid.txt >end.txt" "mid.txt" "end.txt"
aicert commit -q -f one.yaml -m one && aicert commit -q -f two.yaml -m two || exit 99
theirs=$(aicert rev-parse HEAD)
cp end.txt ../theirs.txt && aicert bundle -o ../theirs.aicert end.txt >/dev/null || exit 99
new_repo template
echo b >in.txt
spec one.yaml "sort in.txt >ours.txt" "in.txt" "ours.txt"
aicert commit -q -f one.yaml -m ours || exit 99
ours=$(aicert rev-parse HEAD)
cp "$scratch/theirs.aicert" "$scratch/theirs.txt" .

both() { aicert bundle -f -o ours.aicert ours.txt && aicert import --merge theirs.aicert; }
acknowledged() {
	[ "$(aicert rev-parse HEAD)" = "$ours" ] || aicert log --oneline | grep -q "^$(printf %.7s "$ours")" || return 1
	# a bundle is there whole, or not at all
	[ ! -e ours.aicert ] || aicert verify --bundle ours.aicert --min-level simulated ours.txt >/dev/null
}
complete() {
	aicert verify --bundle ours.aicert --min-level simulated ours.txt >/dev/null &&
		aicert log --oneline | grep -q "^$(printf %.7s "$theirs")" &&
		aicert verify --min-level simulated theirs.txt >/dev/null
}
every_fault both "open create write fsync rename unlink malloc"
done_testing
