#!/bin/sh
# Questions to a long history: answered from the index, told while it is read, and
# only the files that are asked about are opened.
. "${top_srcdir:-.}/tests/cli/lib.sh"
# leaks cannot be looked for under strace
traced() { ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" strace -f -o ../trace "$@"; }
new_repo r
ok history-store . "$source_dir/tests/data/object/certificate-ok.json" 1200 3 2
same "$(aicert log --oneline | wc -l)" 1200
same "$(aicert log --oneline | head -1 | cut -d' ' -f2-)" "run 1199"
same "$(aicert log --oneline -n 5 HEAD~100 | tail -1 | cut -d' ' -f2-)" "run 1095"

printf 'output 1 of run 77\n' >f
ok aicert show f
first=$(sed -n 's/^certificate //p' ../out | head -1)
same "$(aicert cat-file -p HEAD~1122 | sed 's/.*"subject":{"id":"sha256:\([0-9a-f]*\)".*/\1/')" "$first"
ok aicert trace f
same "$(grep -c certificate ../out)" 8
printf 'output 0 of run 78\n' >g
ok aicert trace --uses g
same "$(grep -c 'used as' ../out)" 1
printf 'the data set\n' >data
ok aicert trace --uses data
same "$(grep -c '^[|`]- certificate' ../out)" 1200
grep -q '|  .*used as in/0' ../out || die "the runs that used an output are not beneath it"
id=$(sha256sum <data | cut -c1-64)
ok aicert trace --uses "$id"
same "$(grep -c '^[|`]- certificate' ../out)" 1200
ok aicert trace --uses HEAD~5
echo nobody >nobody
ok aicert trace --uses nobody
out_has "No run in this store's history used it."
fails 3 aicert show nobody
fails 3 aicert show data
err_has "used it (aicert trace --uses)"
fails 3 aicert trace --uses nosuch

# the answers are the same without an index, and with one that is garbage
for spoil in "rm -f" "truncate -s 5000" "cp HEAD" "touch"; do
	(cd .aicert && cp index.db ../kept.db && $spoil index.db)
	ok aicert show f
	same "$(sed -n 's/^certificate //p' ../out | head -1)" "$first"
done

# an old history that the index has is not read again; a new commit is
if can_trace; then
	traced -e trace=pread64 aicert show f >../out 2>&1
	reads=$(grep -c pread64 ../trace)
	[ "$reads" -lt 300 ] || die "$reads reads for one question"
fi
ok aicert branch old HEAD~800
ok aicert branch -s old
ok aicert show f
fails 3 aicert log nosuch
ok aicert branch -s main

# a certificate that is missing: said where it matters
cp -r .aicert ../saved
small_row "$first" "DELETE FROM objects WHERE id=?"
fails 3 aicert show f
rm .aicert/index.db*
fails 3 aicert trace --uses data
err_has "may be more"
printf 'output 1 of run 1190\n' >late
ok aicert show late
cd ..

# of many files only the one that is asked about is read
new_repo shards
spec aicert.yaml "mkdir m; for i in 1 2 3; do head -c 70000 /dev/urandom > m/shard-\$i; done; cp m/shard-1 one" \
	"" "m/, one"
ok aicert commit -q -m shards
ok aicert verify --min-level simulated m/shard-3
if can_trace; then
	traced -y -e trace=read,pread64,mmap aicert verify --min-level simulated m/shard-3 \
		>../out 2>&1 || die "verify of one shard"
	grep -q 'm/shard-3' ../trace || die "shard-3 was not read"
	! grep -q 'm/shard-[12]\|objects/[0-9a-f][0-9a-f]/' ../trace || die "other shards were read"
fi
printf x >>m/shard-2
ok aicert verify --min-level simulated m/shard-3
fails 1 aicert verify --min-level simulated m/shard-2

# a large output was renamed into the store, its work tree file is its own
big=$(sha256sum <one | cut -c1-64)
object=.aicert/objects/$(echo "$big" | cut -c1-2)/$(echo "$big" | cut -c3-)
[ -f "$object" ] || die "the output is no file of the store"
same "$(stat -c %h "$object")" 1
[ "$(stat -c %i one)" != "$(stat -c %i "$object")" ] || die "the work tree has the store's file"

# damaged bytes are not printed
chmod u+w "$object" && printf DAMAGED. | dd of="$object" bs=1 seek=9 conv=notrunc 2>/dev/null
fails 1 aicert cat-file -p "$big"
same "$(wc -c <../out)" 0
cd ..

# an input is kept for the next run, and is not believed
new_repo kept
mkdir data && echo a >data/a && head -c 100000 /dev/urandom >data/b
spec aicert.yaml "cat data/a data/b > out" "data" "out"
ok aicert commit -q -m one
tree=$(aicert hash-object data | cut -c1-64)
kept=.aicert/kept/$tree
[ -d "$kept" ] || die "the input was not kept"
inode=$(stat -c %i "$kept" 2>/dev/null)
ok aicert commit -q -m two
same "$(stat -c %i "$kept" 2>/dev/null)" "$inode"
chmod u+w "$kept" "$kept/a" && echo b >"$kept/a" && chmod 444 "$kept/a"
ok aicert commit -q -m three
same "$(head -1 out)" a
same "$(cat "$kept/a")" a
ok aicert fsck
done_testing
