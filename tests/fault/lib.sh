# Shared by the fault tests: a command is run again and again on copies of one
# prepared repository, and each time another system call fails, or the process
# is killed there (tests/fault/shim.c).  Whatever happened, the store must be
# sound, what was acknowledged must be there, and the command must work again.
#
# AICERT_FAULT_POINTS bounds how many calls of each kind are tried: 0 is all.
. "${top_srcdir:-.}/tests/cli/lib.sh"
points=${AICERT_FAULT_POINTS:-3}
shim=$build/tests/fault/shim.so
count=$scratch/count
export AICERT_FAULT_COUNT="$count"
[ -f "$shim" ] || { echo "no $shim"; exit 99; }
# An instrumented program has an allocator of its own, which must come first.
preload=$shim kinds="open write fsync rename link unlink mkdir mmap malloc"
if ldd "$build/aicert" | grep -q libasan; then
	echo "a sanitizer is in the place of the shim"
	exit 77
fi

# faulty KIND:N:ACTION COMMAND...: runs it; $got, $calls and $fired tell.
faulty() {
	head -c 16 /dev/zero >"$count"
	plan=$1
	shift
	AICERT_FAULT=$plan LD_PRELOAD=$preload "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	got=$?
	set -- $(od -An -tu8 "$count")
	calls=$1 fired=$2
}
fresh() {
	cd "$scratch" && rm -rf work && cp -a template work && cd work || exit 99
}
# What must hold after any fault, named for the message.
sound() {
	[ ! -d .aicert ] || fails 0 aicert fsck
	acknowledged || die "what was acknowledged is lost: $1"
	"$scenario" >"$scratch/out" 2>"$scratch/err" || die "does not work again: $1"
	fails 0 aicert fsck
	fails 0 aicert gc
	left=$(find . -name '*.lock' -o -name '.aicert.tmp-*' -o -path './.aicert/tmp/*')
	[ -z "$left" ] || die "litter that gc does not clean: $1: $left"
}
# At call N of KIND, ACTION.
inject() {
	at="$scenario $1:$2:$3"
	checks=$((checks + 1))
	fresh
	faulty "$1:$2:$3" "$scenario"
	[ "$fired" != 0 ] || { [ "$got" = 0 ] || die "$at: exit $got without a fault"; return 1; }
	case $3 in
	kill | die) ;;
	EINTR | short) [ "$got" = 0 ] || die "$at: exit $got" ;;
	*)
		[ "$got" = 3 ] || [ "$got" = 0 ] || definite || die "$at: exit $got"
		[ "$got" = 0 ] || grep -q '^aicert: .' "$scratch/err" || die "$at: no message"
		! grep -v '^aicert: ' "$scratch/err" >/dev/null || die "$at: foreign words on stderr"
		[ "$got" != 0 ] || complete || die "$at: exit 0, but it was not done"
		;;
	esac
	sound "$at"
}
# KIND ACTION: at every call, or at so many of them, evenly, the last included.
sweep() {
	fresh
	faulty "$1:0:EIO" "$scenario"
	[ "$got" = 0 ] || die "$scenario: exit $got without a fault"
	total=$calls
	step=1
	[ "$points" = 0 ] || step=$(((total + points - 1) / points))
	[ "$step" -gt 0 ] || step=1
	n=$total
	while [ "$n" -ge 1 ]; do
		inject "$1" "$n" "$2"
		n=$((n - step))
	done
}
# Every kind of fault for one command: a function that runs it in a copy of the
# repository "template".  acknowledged: what was there before is there still.
# complete: the command has done its work.  definite: an exit status of 1 is right.
definite() { false; }
every_fault() {
	scenario=$1
	for errno in ENOSPC EIO EDQUOT; do sweep write $errno; done
	for errno in ENOSPC EMFILE ENOMEM; do sweep open $errno; done
	for errno in ENOSPC EIO; do sweep fsync $errno; done
	sweep rename EIO
	sweep link EIO
	sweep unlink EIO
	sweep mkdir ENOSPC
	sweep mmap ENOMEM
	sweep malloc ENOMEM
	sweep write EINTR
	sweep write short
	for kind in write fsync rename open unlink mkdir; do
		sweep $kind kill
		sweep $kind die
	done
}
