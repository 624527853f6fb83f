#!/bin/sh
# What long work shows on a terminal, and that it does not wait for it.
. "${top_srcdir:-.}/tests/cli/lib.sh"
if ! command -v strace >/dev/null || ! strace -o /dev/null true 2>/dev/null; then
	echo "no strace, or no permission to trace"
	exit 77
fi
# terminal COMMAND...: runs it with a terminal as stdout and stderr; what it wrote is in ../out
terminal() {
	checks=$((checks + 1))
	python3 -c '
import os, pty, sys
out = open(sys.argv[1], "wb")
def read(fd):
    data = os.read(fd, 65536)
    out.write(data)
    return data
sys.stdout = open(os.devnull, "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
status = pty.spawn(sys.argv[2:], read)
sys.exit(os.waitstatus_to_exitcode(status))' "$scratch/out" "$@" </dev/null 2>"$scratch/err" || die "$*"
}
new_repo r
mkdir -p data/a data/b
i=0
while [ $i -lt 40 ]; do echo $i >data/a/$i; i=$((i + 1)); done
head -c 3000000 /dev/urandom >data/b/big
spec aicert.yaml "cat data/b/big data/b/big > out.bin" "{path: data, kind: dataset}" "{path: out.bin, kind: model}"
ok aicert commit -q -m one

# leaks cannot be looked for under strace
ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
export ASAN_OPTIONS

# who waits for the first file does not wait until all are counted: the thread that is
# started last does that. Reading is made slow, for who has read all stops the counting
slow="-e inject=read,pread64:delay_exit=30000"
listed='getdents64.*= [1-9]'
terminal strace -f -o "$scratch/trace" -e trace=getdents64,clone,clone3,read,pread64 $slow \
	aicert hash-object --no-cache -j 2 data
out_has "  data"
counter=$(awk '/clone/ && / = [0-9]+/ { id = $NF } END { print id }' ../trace)
checks=$((checks + 3))
[ "$(grep "^$counter " ../trace | grep -c "$listed")" = 3 ] || die "thread $counter did not count three directories"
[ "$(grep -c "$listed" ../trace)" = 6 ] || die "not listed twice"
# in a pipe nobody counts
strace -f -o ../trace -e trace=getdents64 aicert hash-object --no-cache -j 2 data >/dev/null 2>&1
[ "$(grep -c "$listed" ../trace)" = 3 ] || die "counted in a pipe"

# status shows that it hashes inputs and outputs
terminal strace -f -o /dev/null -e trace=read,pread64 $slow aicert status --rehash
out_has "hashing inputs"
out_has "hashing outputs"
out_has "nothing differs"
# and in a pipe it does not
ok aicert status --rehash
checks=$((checks + 1))
! grep -q hashing ../out ../err || die "progress in a pipe"
done_testing
