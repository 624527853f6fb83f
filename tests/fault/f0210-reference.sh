#!/bin/sh
# store.ingest=reference: a large file that stays where it lies is known, or is not.
. "${top_srcdir:-.}/tests/fault/lib.sh"
new_repo template
aicert config store.ingest reference
head -c 300000 /dev/urandom >old
head -c 400000 /dev/urandom >new
known=$(aicert hash-object -w old | cut -d' ' -f1)
[ -n "$known" ] && [ ! -e .aicert/objects/"$(echo "$known" | cut -c1-2)" ] || exit 99

reference() { aicert hash-object -w new old; }
acknowledged() { aicert cat-file -p "$known" | cmp -s - old; }
complete() {
	[ "$(wc -l <"$scratch/out")" = 2 ] || return 1
	aicert cat-file -p "$(head -n 1 "$scratch/out" | cut -d' ' -f1)" | cmp -s - new
}
every_fault reference "open create write fsync unlink mkdir thread malloc"

# and the promises are looked at
full() { aicert fsck --full; }
complete() { true; }
# an object that the disk does not give is damage
definite() { [ "$got" = 1 ] && grep -q '^damage: .*Input/output error' "$scratch/out"; }
every_fault full "open thread malloc"
done_testing
