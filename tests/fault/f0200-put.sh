#!/bin/sh
# aicert hash-object -w: large and small objects, some of them there already.
. "${top_srcdir:-.}/tests/fault/lib.sh"
new_repo template
mkdir d
for i in 1 2 3 4 5 6 7 8 9; do echo "file $i" >d/$i; done
head -c 200000 /dev/urandom >old
head -c 300000 /dev/urandom >new
known=$(aicert hash-object -w old d | cut -d' ' -f1)
echo new >d/new

put() { aicert hash-object -w old new d; }
acknowledged() {
	for id in $known; do aicert cat-file -p "$id" >/dev/null || return 1; done
}
complete() {
	[ "$(wc -l <"$scratch/out")" = 3 ] || return 1
	for id in $(cut -d' ' -f1 "$scratch/out"); do
		aicert cat-file -p "$id" >/dev/null || return 1
	done
}
every_fault put "open create write fsync rename unlink mkdir clone thread malloc mmap"
done_testing
