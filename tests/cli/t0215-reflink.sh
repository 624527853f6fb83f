#!/bin/sh
# Where the file system shares blocks: no second copy on disk, whichever way bytes
# go, and the file is read, not its clone.
. "${top_srcdir:-.}/tests/cli/reflink-lib.sh"
on_reflink "$0" 512
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r
used() { sync -f . && df -k --output=used . | tail -n 1; }
# grown LIMIT WHAT: KiB since $was
grown() {
	checks=$((checks + 1))
	now=$(used)
	[ $((now - was)) -le "$1" ] || die "$2 took $((now - was)) KiB of disk"
	was=$now
}
object() { id=$(sha256sum <"$1" | cut -c1-64); echo ".aicert/objects/$(echo "$id" | cut -c1-2)/$(echo "$id" | cut -c3-)"; }
traced() { ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" strace -f -y -qq -o "$scratch/trace" "$@"; }

mkdir d
head -c 33554432 /dev/urandom >d/large
head -c 33554432 /dev/urandom >other
sync -f . && sleep 0.1

# into the store: shared, in both modes that share; the copy is what sharing is not
was=$(used)
ok aicert hash-object --no-cache -w d
grown 3000 "a put of 32 MiB"
cmp "$(object d/large)" d/large || die "the object differs"
same "$(stat -c '%a %h' "$(object d/large)")" "444 1"
ok aicert config store.ingest reflink
ok aicert hash-object --no-cache -w other
grown 3000 "a put of 32 MiB with store.ingest=reflink"
ok aicert fsck
rm -f "$(object other)"
ok aicert config store.ingest copy
was=$(used)
ok aicert hash-object --no-cache -w other
checks=$((checks + 1))
now=$(used)
[ $((now - was)) -gt 30000 ] || die "a copy took $((now - was)) KiB: sharing cannot be seen so"
was=$now
ok aicert config --unset store.ingest

# the file is read, whose bytes are in memory, once, and the clone is not
if can_trace; then
	head -c 33554432 /dev/urandom >third && sync -f . && sleep 0.1
	traced -e trace=ioctl,read,pread64,write,pwrite64,copy_file_range aicert hash-object --no-cache -w third \
		>"$scratch/out" 2>"$scratch/err" || die "traced"
	grep 'FICLONE' "$scratch/trace" | grep -q '= 0$' || die "no block was shared"
	read_of() { grep -E '^[0-9]+ +p?read(64)?\(' "$scratch/trace" | grep "$1" | sed 's/.*= //' | awk '{ n += $1 } END { print n + 0 }'; }
	same "$(read_of '/r/third>')" 33554432
	same "$(read_of '/.aicert/tmp/\|/.aicert/objects/../')" 0
	same "$(grep -E 'write(64)?\(|copy_file_range' "$scratch/trace" | grep -c '/.aicert/tmp/object')" 0
	# where another machine sets the times of files, the clone itself
	if can_pretend; then
		head -c 33554432 /dev/urandom >fourth && sync -f . && sleep 0.1
		traced -e trace=read,pread64 env AICERT_PRETEND_FS=$nfs LD_PRELOAD="$shim" \
			aicert hash-object --no-cache -w fourth >"$scratch/out" 2>"$scratch/err" || die "traced"
		same "$(read_of '/r/fourth>')" 0
		same "$(read_of '/.aicert/tmp/\|/.aicert/objects/../')" 33554432
		same "$(cut -d' ' -f1 "$scratch/out")" "$(sha256sum <fourth | cut -c1-64)"
	fi
fi

# what is written to the file afterwards is not in the store
kept=$(sha256sum <other | cut -c1-64)
spoil other 1000
same "$(aicert cat-file -p "$kept" | sha256sum | cut -c1-64)" "$kept"
ok aicert fsck

# a run: inputs, outputs and what is kept for the next run share their blocks too
spec aicert.yaml "cp --reflink=never d/large model.bin" "{path: d/, kind: dataset}" "model.bin"
was=$(used)
ok aicert commit -q -m one
grown 6000 "a run whose input is in the store and whose output has the same bytes"
spec aicert.yaml "tac d/large > model.bin" "{path: d/, kind: dataset}" "model.bin"
ok aicert commit -q -m two
grown 38000 "a run with one output of 32 MiB"
ok aicert commit -q -m again
grown 3000 "the same run again"

# out of it again
model=$(sha256sum <model.bin | cut -c1-64)
rm -r model.bin d
was=$(used)
ok aicert checkout --inputs --outputs HEAD
grown 3000 "a checkout of 64 MiB"
same "$(sha256sum <model.bin | cut -c1-64)" "$model"
# ... whose bytes are compared: a damaged object is not written
chmod u+w "$(object model.bin)" && damaged=$(object model.bin)
printf DAMAGED. | dd of="$damaged" bs=1 seek=500 conv=notrunc 2>/dev/null
rm model.bin
fails 1 aicert checkout HEAD
[ ! -e model.bin ] || die "damaged bytes were written"
done_testing
