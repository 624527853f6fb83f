#!/bin/sh
# aicert checkout of more files than are synced one by one, and of links.
. "${top_srcdir:-.}/tests/fault/lib.sh"
alike=2 kinds="open create write fsync link mkdir symlink" # of others f0400 has as many
new_repo template
spec aicert.yaml "mkdir out; for i in \$(seq 70); do echo \$i > out/\$i; done; ln -s 1 out/link; ln -s nowhere out/lost" \
	"" "out/"
aicert commit -q -m one || exit 99
mv out ../saved
mkdir out && echo 5 >out/5

many() { aicert checkout HEAD; }
acknowledged() { [ "$(cat out/5)" = 5 ]; }
complete() { diff -r --no-dereference out "$scratch/saved" >/dev/null; }
every_fault many "open create fsync link mkdir symlink"
done_testing
