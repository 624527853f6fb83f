#!/bin/sh
# What verify compares: files of trees and of inputs, extra files, ignored ones; and that
# it reads them, whatever a cache says.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r
mkdir -p data/sub
echo u >data/u
echo v >data/sub/v
head -c 70000 /dev/urandom >data/big
echo single >one.txt
spec aicert.yaml "cat one.txt data/u data/sub/v > model.bin; mkdir -p ckpt/deep; echo 1 > ckpt/a; echo 2 > ckpt/deep/b" \
	"{path: data, kind: dataset}, {path: one.txt, kind: dataset}" "model.bin, {path: ckpt/, kind: checkpoint}"
ok aicert commit -q -m one
v="aicert verify --min-level simulated"
# shellcheck disable=SC2086
{
# a file under another name, also of a tree: which it is is said; a commit compares none
cp ckpt/deep/b ../x
ok $v ../x
out_has "has the content of ckpt/deep/b, in the run's output ckpt"
out_has "Other outputs of the run, not looked at: model.bin"
cp model.bin ../x
ok $v ../x
out_has "has the content of the run's output model.bin"
out_has "the file asked about is one"
ok $v HEAD
out_has "no file was compared"
rm ckpt/a
fails 3 $v ckpt/a
err_has "is not here"
echo 1 >ckpt/a
# an input, or a part of one, by its path; without --inputs it is nobody's output
fails 3 $v data/u
for f in data/u data/sub data/sub/v data/big data one.txt; do
	ok $v --inputs $f
	out_has "Only what was asked for"
done
(cd data/sub && ok $v --inputs v) || failures=$((failures + 1))
ok $v --inputs --json data/u
out_has '"name":"files.inputs","result":"pass"'
# it reads that file alone
if strace -o /dev/null true 2>/dev/null; then
	strace -f -o ../trace -e trace=openat,openat2,open aicert verify --min-level simulated --inputs data/u >/dev/null 2>&1
	same "$(grep -cE '"(data/)?(big|v|one.txt)"' ../trace)" 0
	checks=$((checks + 1))
	grep -qE '"(data/)?u"' ../trace || die "data/u was not opened"
fi
# changed, not there in the tree, a directory where a file is to be
echo changed >data/u
fails 1 $v --inputs data/u
out_has files.inputs
fails 1 $v --inputs data
out_has "changed: data/u"
# the newest run that has the content there, else the newest that names the path
ok aicert commit -q -m two
ok $v --inputs data/u
echo u >data/u
ok $v --inputs data/u
one=$(aicert cat-file -p HEAD~1 | grep -o '"subject":{[^}]*}' | grep -o '[0-9a-f]\{64\}')
ok $v --inputs --json data/u
out_has "$one"
echo new >data/new
fails 1 $v --inputs data/new
out_has "not in it"
rm data/new
mkdir other && echo x >other/x
fails 3 $v --inputs other/x
cp data/u ../outside
fails 3 $v --inputs ../outside
rm -rf other
# a tree that the store does not have cannot be looked into
ok aicert checkout -f --inputs HEAD
# outputs go first: a file that a run made is judged as such
ok $v --inputs model.bin
out_lacks "Only what was asked for"

# extra files: named, and let be when that is asked for
echo extra >ckpt/deep/extra && mkdir ckpt/dir && echo x >ckpt/dir/x
fails 1 $v ckpt
out_has "not in the tree (--allow-extra lets them be): ckpt/deep/extra, ckpt/dir"
ok $v --allow-extra ckpt
out_has "Not judged (--allow-extra): not in the tree: ckpt/deep/extra, ckpt/dir."
fails 1 $v ckpt/deep
out_has "ckpt/deep/extra"
ok $v --allow-extra ckpt/deep
# ... but what the tree has must be there, and be right
echo 3 >ckpt/a
fails 1 $v --allow-extra ckpt
out_has "changed: ckpt/a"
rm ckpt/a
fails 1 $v --allow-extra ckpt
out_has "missing: ckpt/a"
ln -s deep/b ckpt/a
fails 1 $v --allow-extra ckpt
echo 1 >ckpt/.a && rm ckpt/a && mv ckpt/.a ckpt/a
ok $v --allow-extra ckpt
chmod 755 ckpt/a
fails 1 $v --allow-extra ckpt
out_has "changed: ckpt/a"
chmod 644 ckpt/a
rm -rf ckpt/deep/extra ckpt/dir
ok $v ckpt
i=0
while [ $i -lt 30 ]; do : >ckpt/extra$i; i=$((i + 1)); done
fails 1 $v ckpt
out_has "... (30 in all)"
rm ckpt/extra*
fails 2 aicert verify --all --allow-extra

# .aicertignore acts when measuring, never when verifying
printf '*.log\ncache/\n' >.aicertignore
mkdir data/cache && echo c >data/cache/c && echo l >data/run.log
ok aicert commit -q -m "with rules"
cert=$(aicert cat-file -p HEAD | grep -o '"subject":{[^}]*}' | grep -o '[0-9a-f]\{64\}')
ok aicert cat-file -p "$cert"
out_has '\"ignored\":{\"count\":2,\"rules\":'
rules=$(printf '%s  .aicertignore\n' "$(sha256sum <.aicertignore | cut -c1-64)" | sha256sum | cut -c1-64)
out_has "$rules"
tree=$(grep -o '"path\\":\\"data\\",[^}]*' ../out | head -1)
ok aicert ls-tree "$(grep -o 'sha256\\":\\"[0-9a-f]\{64\}\\"},\\"ignored\\":{' ../out | head -1 | grep -o '[0-9a-f]\{64\}' | head -1)"
out_has big
out_lacks run.log
out_lacks cache
fails 1 $v --inputs model.bin
out_has "not in the tree (--allow-extra lets them be): data/cache, data/run.log"
out_has ".aicertignore left 2 entries out"
ok $v --inputs --allow-extra model.bin
out_has "Not judged (--allow-extra): not in the tree: data/cache, data/run.log."
rm -r data/cache data/run.log
ok $v --inputs model.bin
# the rules can go: what is verified is the tree
rm .aicertignore
ok $v --inputs model.bin

# verify reads the file, whatever the stat cache says: it never opens it
if strace -o /dev/null true 2>/dev/null; then
	ok aicert status
	read_bytes() {
		strace -f -y -o ../trace -e trace=read,pread64,openat,openat2,open "$@" >/dev/null 2>&1
		grep -E '(read|pread64)\([0-9]+<[^>]*/data/big>' ../trace | sed 's/.* = //' |
			awk '{ n += $1 } END { print n + 0 }'
	}
	# the cache is there, and is used by others
	same "$(read_bytes aicert status)" 0
	checks=$((checks + 1))
	grep -q 'stat\.db' ../trace || die "status does not use the cache"
	same "$(read_bytes aicert verify --min-level simulated --inputs model.bin)" 70000
	same "$(grep -c 'stat\.db' ../trace)" 0
	same "$(read_bytes aicert verify --min-level simulated --inputs data/big)" 70000
	same "$(grep -c 'stat\.db' ../trace)" 0
	same "$(read_bytes aicert verify --min-level simulated --all)" 0
	same "$(grep -c 'stat\.db' ../trace)" 0
fi
}
done_testing
