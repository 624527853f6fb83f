#!/bin/sh
# aicert fsck --repair: what is damaged is kept, what is good takes its place.
. "${top_srcdir:-.}/tests/fault/lib.sh"
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
new_repo template
unset HF_HOME HF_HUB_CACHE
head -c 100000 /dev/urandom >large
echo small >small
echo good >good
mkdir sub && (cd sub && aicert init -q && aicert hash-object -w ../small >/dev/null) || exit 99
aicert config store.alternates false
ids=$(aicert hash-object -w large small | cut -d' ' -f1)
good=$(aicert hash-object -w good | cut -d' ' -f1)
aicert config --unset store.alternates
aicert config store.alternate sub/.aicert || exit 99
set -- $ids
large=$1 small=$2
lfs=.git/lfs/objects/$(echo "$large" | sed 's/^\(..\)\(..\).*/\1\/\2/')
mkdir -p "$lfs" && cp large "$lfs/$large"
object=.aicert/objects/$(echo "$large" | sed 's/^../&\//')
chmod u+w "$object" && printf damaged | dd of="$object" bs=1 seek=5 conv=notrunc 2>/dev/null
cp "$object" ../damaged
small_row "$small" "UPDATE objects SET data=x'534d414c4c0a' WHERE id=?"
fails 1 aicert fsck
rm large small

repair() { aicert fsck --repair; }
# Nothing else is damaged than was, and what was replaced is in quarantine.
store_sound() {
	aicert fsck >"$scratch/out" 2>"$scratch/err"
	case $? in
	0) kept || die "repaired, but the damaged bytes are not kept: $1" ;;
	1) ! grep -E '[0-9a-f]{64}' "$scratch/out" | grep -vE "$large|$small" >/dev/null ||
		die "more is damaged than was: $1" ;;
	*) die "fsck cannot look: $1" ;;
	esac
}
kept() {
	cat .aicert/quarantine/"$large"* 2>/dev/null | cmp -s -n 100000 - "$scratch/damaged" &&
		[ "$(cat .aicert/quarantine/"$small")" = SMALL ]
}
acknowledged() { [ "$(aicert cat-file -p "$good")" = good ]; }
complete() {
	aicert fsck >/dev/null 2>&1 && kept && [ "$(aicert cat-file -p "$small")" = small ] &&
		aicert cat-file -p "$large" | cmp -s - "$scratch/template/$lfs/$large"
}
# who cannot be read has no good bytes, and damage stays damage
definite() { [ "$got" = 1 ] && grep -q '^damage: ' "$scratch/out" && case $at in *:EIO) true ;; *) false ;; esac; }
every_fault repair "open create write fsync rename link unlink mkdir thread malloc mmap"
done_testing
