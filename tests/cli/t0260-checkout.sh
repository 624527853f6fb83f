#!/bin/sh
# A run's inputs and outputs back into the work tree, and what is never lost there.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r
mkdir -p data/part1/deep data/empty
echo one >data/part1/x.txt
echo two >data/part1/deep/y.txt
printf '#!/bin/sh\n' >data/run.sh && chmod 755 data/run.sh
ln -s part1/x.txt data/link
echo code >train.py
head -c 100000 /dev/urandom >data/big.bin
spec aicert.yaml "mkdir -p ckpt/a; cat data/part1/x.txt data/big.bin > model.bin; cp data/part1/x.txt ckpt/a/w; echo s > ckpt/b" \
	"{path: data, kind: dataset}, train.py" "model.bin, {path: ckpt/, kind: checkpoint}"
ok aicert commit -q -m one
tree=$(aicert hash-object data | cut -c1-64)
model=$(sha256sum <model.bin | cut -c1-64)
head=$(aicert rev-parse HEAD)

# outputs are what is asked for, inputs only when named
rm -rf model.bin ckpt data train.py
ok aicert checkout HEAD
out_has "3 written, 0 as they are to be"
same "$(sha256sum <model.bin | cut -c1-64)" "$model"
[ ! -e data ] || die "inputs were written"
ok aicert checkout --inputs HEAD
same "$(aicert hash-object data | cut -c1-64)" "$tree"
same "$(readlink data/link)" part1/x.txt
[ -d data/empty ] || die "the empty directory is missing"
[ -x data/run.sh ] || die "not executable"
same "$(cat train.py)" code
ok aicert checkout --inputs --outputs HEAD
out_has "0 written"
same "$(aicert rev-parse HEAD)" "$head"
ok aicert verify --min-level simulated --inputs model.bin

# parts of it, from anywhere, by certificate too
rm -rf data ckpt
ok aicert checkout --inputs HEAD data/part1/deep
same "$(cat data/part1/deep/y.txt)" two
[ ! -e data/part1/x.txt ] || die "more than was asked for"
(cd data/part1 && ok aicert checkout --inputs HEAD x.txt) || failures=$((failures + 1))
same "$(cat data/part1/x.txt)" one
cert=$(aicert cat-file -p HEAD | sed 's/.*"subject":{"id":"sha256:\([0-9a-f]*\)".*/\1/')
ok aicert checkout "$cert" ckpt/a/w
same "$(cat ckpt/a/w)" one
[ ! -e ckpt/b ] || die "more than was asked for"
fails 3 aicert checkout HEAD nosuch
err_has "nosuch: not among the outputs"
fails 3 aicert checkout HEAD data/part1/x.txt
err_has "--inputs"
fails 3 aicert checkout HEAD ckpt/nosuch
fails 3 aicert checkout HEAD /etc/passwd
err_has "outside the work tree"
fails 3 aicert checkout HEAD ../../../../../../etc
fails 2 aicert checkout
fails 2 aicert checkout "$tree"
fails 3 aicert checkout nosuchrev
ok aicert checkout --inputs --outputs HEAD .

# a dry run tells and does nothing
rm data/part1/x.txt && chmod 644 data/run.sh && echo mine >train.py
fails 3 aicert checkout -n --inputs HEAD
out_has "write    data/part1/x.txt"
out_has "mode     data/run.sh"
out_has "refuse   train.py"
[ ! -e data/part1/x.txt ] || die "a dry run wrote"

# what nobody recorded is not replaced, and then nothing is written at all
fails 3 aicert checkout --inputs HEAD
err_has "train.py: changed since it was recorded; -f replaces it; nothing was written"
[ ! -e data/part1/x.txt ] || die "written before it was refused"
same "$(cat train.py)" mine
ok aicert checkout -f --inputs HEAD
same "$(cat train.py)" code
[ -x data/run.sh ] || die "the mode was left"
same "$(aicert hash-object data | cut -c1-64)" "$tree"

# what a recorded run made or used is
echo code2 >train.py
echo three >data/part1/x.txt
ok aicert commit -q -m two
ok aicert checkout --inputs --outputs HEAD~1
same "$(cat train.py)" code
same "$(sha256sum <model.bin | cut -c1-64)" "$model"
ok aicert checkout --inputs HEAD
same "$(cat data/part1/x.txt)" three
# ... but only while the store can give it back
id=$(printf 'three\n' | sha256sum | cut -c1-64)
cp -r .aicert ../saved
small_row "$id" "UPDATE objects SET data=x'00' WHERE id=?"
fails 3 aicert checkout --inputs HEAD~1 data/part1/x.txt
rm -rf .aicert && mv ../saved .aicert

# things in the way
ok aicert checkout --inputs --outputs HEAD~1
rm model.bin && mkdir model.bin && echo x >model.bin/mine
fails 3 aicert checkout HEAD
err_has "model.bin: a directory is where a file is to be"
fails 3 aicert checkout -f HEAD
same "$(cat model.bin/mine)" x
rm -rf model.bin ckpt && echo file >ckpt
fails 3 aicert checkout -f HEAD
err_has ckpt
same "$(cat ckpt)" file
rm ckpt
ln -s /nosuch model.bin
fails 3 aicert checkout HEAD
ok aicert checkout -f HEAD
[ -f model.bin ] && [ ! -L model.bin ] || die "the link was not replaced"

# links on the way lead nowhere
rm -rf ckpt && mkdir ../outside && ln -s ../outside ckpt
fails 3 aicert checkout HEAD
err_has ckpt
fails 3 aicert checkout -f HEAD
same "$(ls ../outside)" ""
rm ckpt
mkdir ckpt && ln -s ../../outside ckpt/a
fails 3 aicert checkout -f HEAD
same "$(ls ../outside)" ""
rm -rf ckpt
ok aicert checkout HEAD

# extra files stay; a kill in the middle is made good by going on
echo note >ckpt/note
ok aicert checkout HEAD
same "$(cat ckpt/note)" note
rm -rf data
ok aicert checkout --inputs HEAD data/part1
ok aicert checkout --inputs HEAD
out_has "as they are to be"
same "$(find . -name '*.aicert-*' -not -path './.aicert/*' | wc -l)" 0

# an object that is gone, and one that is damaged
big=$(sha256sum <data/big.bin | cut -c1-64)
file=.aicert/objects/$(echo "$big" | cut -c1-2)/$(echo "$big" | cut -c3-)
rm data/big.bin
chmod u+w "$file" && printf DAMAGED. | dd of="$file" bs=1 seek=500 conv=notrunc 2>/dev/null
fails 1 aicert checkout --inputs HEAD
err_has data/big.bin
[ ! -e data/big.bin ] || die "damaged bytes were written"
rm -f "$file"
fails 3 aicert checkout --inputs HEAD
err_has data/big.bin
ok aicert checkout --inputs HEAD data/part1 data/link
# as deep as a tree can be
deep=d
for i in $(seq 62); do deep=$deep/d; done
mkdir -p "$deep" && echo bottom >"$deep/x"
spec deep.yaml "cp -r d e" "d" "e/"
ok aicert commit -q -f deep.yaml -m deep
rm -rf e
ok aicert checkout HEAD "e${deep#d}/x"
same "$(cat "e${deep#d}/x")" bottom
if [ "$(id -u)" != 0 ]; then
	rm -rf ckpt && mkdir ckpt && chmod 555 ckpt
	fails 3 aicert checkout HEAD
	err_has ckpt
	chmod 755 ckpt
fi
# a file that cannot be read for want of descriptors is not one that was changed
new_repo few
spec aicert.yaml "echo made >out" "" "out"
ok aicert commit -q -m few
checks=$((checks + 1))
for limit in 8 9 10 11 12 13 14 15 16; do
	(ulimit -n $limit && aicert checkout HEAD) >"$scratch/out" 2>"$scratch/err" && continue
	! grep -q changed "$scratch/err" || die "$limit descriptors make a changed file"
done
done_testing
