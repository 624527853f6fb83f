#!/bin/sh
# The demo: three training runs, their proof, and the refusals.
. "${top_srcdir:-.}/tests/cli/lib.sh"
for need in /usr/share/dict/american-english /usr/share/dict/propernames.gz; do
	[ -e $need ] || { echo "skipped: $need is missing (./quickstart installs it)"; exit 77; }
done
python3 -c 'import numpy' 2>/dev/null || { echo "skipped: python3-numpy is missing"; exit 77; }
ok "$source_dir/examples/demo.sh" "$scratch/demo"
out_has "files.outputs"
out_has "object.id"
out_has "files.inputs"
out_has "words.txt"
done_testing
