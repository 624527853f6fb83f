#!/bin/sh
# What a process leaves in the work tree that dies while it writes there: the next
# checkout or commit removes it, but for what may be the only copy of something.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r
mkdir data && echo in >data/in.txt
spec aicert.yaml "cat data/in.txt data/in.txt > model.bin; mkdir -p ckpt; cp data/in.txt ckpt/w" \
	"{path: data, kind: dataset}" "model.bin, {path: ckpt/, kind: checkpoint}"
ok aicert commit -q -m one
hex=0123456789abcdef
# litter: one name a line, in the work tree
litter() { find . -path ./.aicert -prune -o -path ./.git -prune -o -name '.*aicert-*' -print | sort; }

# of new content, whole or not: gone; of old content that the store has: gone
printf i >data/.in.txt.aicert-new-$hex
mkdir -p .ckpt.aicert-new-$hex/part && echo x >.ckpt.aicert-new-$hex/part/.aicert-$hex
printf half >.aicert-$hex
cp model.bin .model.bin.aicert-old-$hex
cp -r ckpt .ckpt.aicert-old-$hex
# of old content that only lies there, a file and a directory
echo precious >.model.bin.aicert-old-1111111111111111
cp -r ckpt .ckpt.aicert-old-2222222222222222
echo precious >.ckpt.aicert-old-2222222222222222/w
# names that are not ours
touch .aicert-notes .x.aicert-new-0123 data/.aicert-$hex.txt
ok aicert checkout --inputs --outputs HEAD
same "$(litter | tr '\n' ' ')" "./.aicert-notes ./.x.aicert-new-0123 ./data/.aicert-$hex.txt "
same "$(cat model.bin.orig)" precious
same "$(cat ckpt.orig/w)" precious
err_has "kept as model.bin.orig"
same "$(cat ckpt/w)" in
rm -rf .aicert-notes .x.aicert-new-0123 data/.aicert-$hex.txt ./*.orig

# what a living process is at work with is left alone
mkfifo ../go
printf x >.model.bin.aicert-new-$hex
flock -s . sh -c 'cat ../go >/dev/null' &
sleep 0.3
ok aicert checkout HEAD
same "$(litter)" "./.model.bin.aicert-new-$hex"
echo >../go
wait
ok aicert checkout HEAD
same "$(litter)" ""

# a commit does the same
echo more >>data/in.txt
printf x >.model.bin.aicert-new-$hex
echo precious >.ckpt.aicert-old-$hex
ok aicert commit -q -m two
same "$(litter)" ""
same "$(cat ckpt.orig)" precious
rm ckpt.orig

# killed at each step of replacing a file that a recorded run made, and a directory
if ! command -v strace >/dev/null || ! strace -o /dev/null true 2>/dev/null; then
	echo "no strace, or no permission to trace: the rest is not looked at"
	exit 77
fi
two=$(sha256sum <model.bin | cut -c1-64)
one=$(printf 'in\nin\n' | sha256sum | cut -c1-64)
died=0
for call in renameat2 unlinkat linkat fsync; do
	n=1
	while [ $n -le 6 ]; do
		strace -f -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$n \
			aicert checkout HEAD~1 >../out 2>../err
		[ $? != 137 ] || died=$((died + 1))
		now=$(sha256sum <model.bin | cut -c1-64)
		checks=$((checks + 1))
		[ "$now" = "$one" ] || [ "$now" = "$two" ] || die "model.bin has $now after $call $n"
		ok aicert checkout HEAD
		same "$(litter)" ""
		same "$(sha256sum <model.bin | cut -c1-64)" "$two"
		same "$(ls -d ./*.orig ckpt/*.orig 2>/dev/null)" ""
		n=$((n + 1))
	done
done
checks=$((checks + 1))
[ $died -ge 4 ] || die "only $died were killed"
done_testing
