#!/bin/sh
# aicert import: a bundle's history into a store; what is not whole brings nothing.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r
echo a >in.txt
spec one.yaml "sed s/a/b/ in.txt > mid.txt; mkdir d; echo 1 > d/x" \
	"{path: in.txt, kind: dataset}" "mid.txt, {path: d/, kind: dataset}"
spec two.yaml "cat mid.txt d/x > end.txt" \
	"{path: mid.txt, kind: dataset}, {path: d, kind: dataset}" "{path: end.txt, kind: model}"
spec three.yaml "wc -c <end.txt >size.txt" "{path: end.txt, kind: model}" "size.txt"
ok aicert commit -q -f one.yaml -m one
ok aicert commit -q -f two.yaml -m two
two=$(aicert rev-parse HEAD)
ok aicert bundle -o ../model.aicert end.txt
ok aicert commit -q -f three.yaml -m three
three=$(aicert rev-parse HEAD)
ok aicert bundle -o ../more.aicert size.txt
ok aicert bundle --no-history -o ../short.aicert end.txt

# into an empty store: refs of its own, no branch
new_repo s
cp ../r/end.txt .
objects() { find .aicert/objects -type f ! -name '*journal' | wc -l; }
state() {
	find .aicert -type f ! -name '*.db*' | LC_ALL=C sort | xargs sha256sum
	for id in $ids; do aicert cat-file -s "$id" 2>/dev/null; done
}
ids=$(tar tf ../model.aicert | sed -n 's,^[a-z]*/\([0-9a-f]\{64\}\)$,\1,p')
before=$(state)
ok aicert import -n ../model.aicert
out_has "would be here"
same "$(state)" "$before"
ok aicert import ../model.aicert
out_has "imports/model/$(printf %.12s "$two")"
out_has "No branch was moved"
fails 3 aicert rev-parse HEAD
same "$(aicert rev-parse "imports/model/$(printf %.12s "$two")")" "$two"
ok aicert verify --min-level simulated end.txt
ok aicert verify --min-level simulated "imports/model/$(printf %.12s "$two")"
ok aicert trace end.txt
out_has mid.txt
ok aicert log "imports/model/$(printf %.12s "$two")"
ok aicert fsck
ok aicert import --json ../model.aicert
out_has '"new":0'
out_has '"merged":null'

# with a run of our own on top: madeBy wants it in HEAD's history
spec use.yaml "wc -l <end.txt > use.txt" "{path: end.txt, kind: model}" "use.txt"
ok aicert commit -q -f use.yaml -m "not joined"
ok aicert trace use.txt
out_has "origin not proven"
ok aicert import --merge ../model.aicert
out_has "the branch is at"
ok aicert cat-file -p HEAD
out_has '"kind":"merge"'
out_has "$two"
# which is of no run; its parents are
parents=$(aicert rev-parse HEAD^1 HEAD^2 | cut -c 1-12 | tr '\n' ' ')
for command in "verify" "checkout" "bundle -o b" "trace" "reference from-certificate"; do
	# shellcheck disable=SC2086 # a command and its options
	fails 2 aicert $command HEAD
	err_has "not a run's commit or certificate but a merge; HEAD^1 and HEAD^2 may be"
done
ok aicert show HEAD
out_has "merge        ${parents% }"
ok aicert log -n 2
same "$(grep '^merge ' ../out)" "merge        ${parents% }"
ok aicert commit -q -f use.yaml -m "joined"
ok aicert trace use.txt
out_has mid.txt
ok aicert verify --min-level simulated use.txt
at=$(aicert rev-parse HEAD)
ok aicert import --merge ../model.aicert
same "$(aicert rev-parse HEAD)" "$at"

# what goes further takes the place of what it contains, under its name
ok aicert import --name model ../more.aicert
same "$(ls .aicert/refs/imports/model)" "$(printf %.12s "$three")"
ok aicert import ../model.aicert
same "$(find .aicert/refs/imports/model -type f | wc -l)" 2
ok aicert gc -q
same "$(aicert rev-parse "imports/model/$(printf %.12s "$three")")" "$three"

# an empty branch and one that is behind are moved on request, without a merge
new_repo t
ok aicert import --merge ../model.aicert
same "$(aicert rev-parse HEAD)" "$two"
ok aicert import --merge ../more.aicert
same "$(aicert rev-parse HEAD)" "$three"
ok aicert log --oneline
same "$(wc -l <../out)" 3

# nothing is stored of what is not whole
new_repo u
ids=$(tar tf ../model.aicert | sed -n 's,^[a-z]*/\([0-9a-f]\{64\}\)$,\1,p')
before=$(state)
ok python3 "$source_dir/tests/cli/bundle-flip.py" ../model.aicert 40 aicert import '{}'
same "$(state)" "$before"
ok python3 "$source_dir/tests/cli/bundle-spoil.py" ../model.aicert ../spoilt.aicert same
ok cmp ../model.aicert ../spoilt.aicert
for what in junk drop-commit bad-commit path wrong-type fake-digest; do
	ok python3 "$source_dir/tests/cli/bundle-spoil.py" ../model.aicert ../spoilt.aicert $what
	fails 1 aicert import ../spoilt.aicert
	err_has "aicert-bundle(5) section"
	same "$(state)" "$before"
done
fails 3 aicert import ../short.aicert
err_has "no history"
fails 3 aicert import ../nosuchfile
fails 2 aicert import --name 'a b' ../model.aicert
fails 2 aicert import
fails 2 aicert import .
same "$(state)" "$before"
# a forgery that is whole comes in, as anything may: verify tells what it is
ok python3 "$source_dir/tests/cli/bundle-spoil.py" ../model.aicert ../spoilt.aicert edit-certificate
ok aicert import ../spoilt.aicert
cp ../r/end.txt .
fails 1 aicert verify --min-level simulated end.txt
done_testing
