#!/bin/sh
# What an alternate has is not kept twice, and is looked at by fsck --full.
. "${top_srcdir:-.}/tests/fault/lib.sh"
new_repo template
unset HF_HOME HF_HUB_CACHE
head -c 300000 /dev/urandom >large
head -c 100000 /dev/urandom >theirs
echo small >small
known=$(sha256sum large theirs | cut -d' ' -f1)
lfs=.git/lfs/objects/$(echo "$known" | head -n 1 | sed 's/^\(..\)\(..\).*/\1\/\2/')
mkdir -p "$lfs" sub && cp large "$lfs/$(echo "$known" | head -n 1)"
(cd sub && aicert init -q && aicert hash-object -w ../theirs >/dev/null) || exit 99
aicert config store.alternate sub/.aicert || exit 99

alternate() { aicert hash-object -w large theirs small; }
acknowledged() {
	for id in $known; do aicert cat-file -s "$id" >/dev/null || return 1; done
}
complete() {
	[ "$(wc -l <"$scratch/out")" = 3 ] && echo small | cmp -s - small || return 1
	aicert cat-file -p "$(tail -n 1 "$scratch/out" | cut -d' ' -f1)" | cmp -s - small
}
every_fault alternate "open create write fsync unlink thread malloc"

full() { aicert fsck --full; }
complete() { true; }
# an object that the disk does not give is damage
definite() { [ "$got" = 1 ] && grep -q '^damage: .*Input/output error' "$scratch/out"; }
every_fault full "open thread malloc"
done_testing
