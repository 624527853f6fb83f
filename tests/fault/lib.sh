# Shared by the fault tests: a command is run again and again on copies of one
# prepared repository, and each time another system call fails, or the process
# is killed there (tests/fault/shim.c).  Whatever happened, the store must be
# sound, what was acknowledged must be there, and the command must work again.
#
# AICERT_FAULT_POINTS bounds how many calls of each kind are tried for each
# error (1: and of the errors every other one, the rest with another command); 0 is
# all: every call fails once, the errors taken in turn, and the
# process dies before it; at the first call that comes along one way all errors
# are tried.  Of more than $alike along the same way (of allocations: of more
# than one) the first.
# AICERT_FAULT_JOBS: so many at a time.
. "${top_srcdir:-.}/tests/cli/lib.sh"
points=${AICERT_FAULT_POINTS:-1} jobs=${AICERT_FAULT_JOBS:-1}
[ -f "$shim" ] || { echo "no $shim"; exit 99; }
# An instrumented program has an allocator of its own, which must come first.
if ldd "$build/aicert" | grep -q libasan; then
	echo "a sanitizer is in the place of the shim"
	exit 77
fi
alike=12
kinds="open create write fsync rename link unlink mkdir symlink clone thread malloc mmap"
# What a call of a kind may answer.  A process that dies at an open that makes no
# file leaves what it leaves at the next call that changes something.
actions() {
	case $1 in
	open) echo EIO ENOMEM EMFILE ENFILE EINTR ;;
	create) echo ENOSPC EIO EDQUOT ENOMEM EMFILE EINTR kill ;;
	write) echo ENOSPC EIO EDQUOT EINTR short kill ;;
	fsync) echo EIO ENOSPC EDQUOT EINTR kill ;;
	rename | link | mkdir | symlink) echo ENOSPC EIO EDQUOT ENOMEM EINTR kill ;;
	clone) echo ENOSPC EIO EDQUOT EINTR kill ;;
	unlink) echo EIO ENOMEM EINTR kill ;;
	thread) echo EAGAIN kill ;;
	malloc | mmap) echo ENOMEM kill ;;
	esac
}

# mmap is called within the C library: strace makes it fail, from main on.
# mapping N ERRNO: the directory of an aicert whose Nth mmap fails; 0: of none.
tracing=false
! strace -f -qq -b execve -e trace=mmap true 2>/dev/null || tracing=true
mapping() {
	mkdir -p "$scratch/tracing"
	case $1:$2 in
	0:*) inject= ;;
	*:kill | *:die) inject="-e inject=mmap:signal=KILL:when=$(($1 + mapped))" ;;
	*) inject="-e inject=mmap:error=$2:when=$(($1 + mapped))" ;;
	esac
	{
		echo '#!/bin/sh'
		echo "exec strace -f -q -b execve -e trace=mmap $inject -o '$scratch/mmap' '$build/aicert' \"\$@\""
	} >"$scratch/tracing/aicert"
	chmod +x "$scratch/tracing/aicert"
}
# By the thread that maps most, which is how strace counts.
most_mapped() { awk '/mmap\(/ && ++n[$1] > most { most = n[$1] } END { print most + 0 }' "$scratch/mmap"; }
# What is mapped before main, which every command does.
if $tracing; then
	mapped=0
	mapping 0 ENOMEM
	"$scratch/tracing/aicert" --version >/dev/null
	mapped=$(most_mapped)
fi
faulty_mmap() { # N ERRNO COMMAND...
	mapping "$1" "$2"
	shift 2
	PATH="$scratch/tracing:$PATH" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	got=$?
	calls=$(($(most_mapped) - mapped))
	fired=$(grep -cE 'INJECTED|killed by SIGKILL' "$scratch/mmap")
}

# faulty KIND:N:ACTION COMMAND...: runs it; $got, $calls and $fired tell, and of
# N = 0 the file $scratch/count after them the way of each call.
faulty() {
	plan=$1
	shift
	case $plan in
	mmap:*)
		n=${plan#mmap:}
		faulty_mmap "${n%%:*}" "${n#*:}" "$@"
		return
		;;
	esac
	rm -f "$scratch/count"
	case $plan in
	*:0:*) truncate -s 800016 "$scratch/count" ;;
	*) truncate -s 16 "$scratch/count" ;;
	esac
	AICERT_FAULT_COUNT=$scratch/count AICERT_FAULT=$plan LD_PRELOAD=$shim \
		"$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	got=$?
	set -- $(od -An -N16 -tu8 "$scratch/count")
	calls=$1 fired=$2
}
fresh() {
	cd "$scratch" && { [ ! -d work ] || chmod -R u+w work; } && rm -rf work &&
		cp -a template work && cd work || exit 99
}
store_sound() { [ ! -d .aicert ] || fails 0 aicert fsck; }
# What must hold after any fault, named for the message.
sound() {
	store_sound "$1"
	acknowledged || die "what was acknowledged is lost: $1"
	"$scenario" >"$scratch/out" 2>"$scratch/err" || die "does not work again: $1"
	fails 0 aicert fsck
	fails 0 aicert gc
	left=$(find . -name '*.lock' -o -name '*.lock.tmp-*' -o -name '.aicert.tmp-*' -o \
		-path './.aicert/tmp/*' -o -path './.aicert/*.tmp-*' -o -name '*.aicert-*')
	[ -z "$left" ] || die "litter that gc does not clean: $1: $left"
}
# At call N of KIND, ACTION.
inject() {
	at="$scenario $1:$2:$3" before=$failures
	checks=$((checks + 1))
	fresh
	faulty "$1:$2:$3" "$scenario"
	[ "$fired" != 0 ] || { missed=$((missed + 1)); [ "$got" = 0 ] || die "$at: exit $got without a fault"; return; }
	case $3 in
	kill | die) ;;
	*)
		case $1:$3 in
		# a write that is short or interrupted is gone on with
		write:EINTR | write:short) [ "$got" = 0 ] || die "$at: exit $got" ;;
		*) [ "$got" = 3 ] || [ "$got" = 0 ] || definite || die "$at: exit $got" ;;
		esac
		[ "$got" != 3 ] || grep -q '^aicert: .' "$scratch/err" || die "$at: no message"
		! grep -v '^aicert: ' "$scratch/err" >/dev/null || die "$at: foreign words on stderr"
		[ "$got" != 0 ] || complete || die "$at: exit 0, but it was not done"
		;;
	esac
	sound "$at"
	[ "$failures" = "$before" ] || echo "... at $at"
}

# plan_kind KIND: what is to be tried, lines "KIND N ACTION".
plan_kind() {
	[ "$1" != mmap ] || $tracing || { untried "mmap: strace cannot be used"; return; }
	fresh
	faulty "$1:0:EIO" "$scenario"
	[ "$got" = 0 ] || die "$scenario: exit $got without a fault"
	total=$calls
	echo "$1 $total" >>"$scratch/totals"
	case " $expected " in
	*" $1 "*) [ "$total" -gt 0 ] || die "$scenario: no $1 is called, so none was tried" ;;
	esac
	[ "$total" -gt 0 ] || return
	if [ "$points" = 0 ]; then
		if [ "$1" = mmap ]; then seq "$total"; else
			od -An -v -w8 -tx8 -j16 -N$((8 * total)) "$scratch/count"
		fi | awk -v kind="$1" -v list="$(actions "$1")" -v alike="$alike" '
			BEGIN {
				n = split(list, action, " ")
				errors = n - (action[n] == "kill")
				most = kind == "malloc" ? 1 : alike
			}
			{
				last = NR
				first = ++seen[$1] == 1
				if (seen[$1] > most)
					next
				for (i = 1; i <= errors; i++)
					if (first || i - 1 == NR % errors)
						print kind, NR, action[i]
				if (errors < n && (kind != "malloc" || ++ways % 8 == 1))
					print kind, NR, "kill"
			}
			END { if (errors < n) print kind, last, "die" }'
		return
	fi
	# evenly, the last included; the errors at different ones
	awk -v kind="$1" -v list="$(actions "$1")" -v total="$total" -v points="$points" \
		-v salt="${#scenario}" 'BEGIN {
		sub(/kill/, "kill die", list)
		n = split(list, action, " ")
		step = int((total + points - 1) / points)
		for (i = 1; i <= n; i++)
			for (at = total - int((i - 1) * step / n); at >= 1; at -= step)
				if (points > 1 || (i + salt) % 2 == 0)
					print kind, at, action[i]
	}'
}
# try_planned PART: those lines of the plan whose turn it is.
try_planned() {
	missed=0
	while read -r kind n action; do
		inject "$kind" "$n" "$action" </dev/null
	done <<-END
		$(awk -v jobs="$jobs" -v part="$1" 'NR % jobs == part' "$scratch/plan")
	END
	# threads do not always call in the same order
	[ $((missed * 10)) -le "$checks" ] || die "$scenario: $missed faults did not happen"
}
# The same in a directory and with settings of its own.
try_beside() {
	mkdir "$scratch/beside$1" && cd "$scratch" || exit 99
	find . -mindepth 1 -maxdepth 1 ! -name 'beside*' ! -name work -exec cp -a {} "beside$1/" \;
	scratch=$scratch/beside$1 failures=0 checks=0
	HOME=$scratch/home XDG_DATA_HOME=$HOME/data XDG_CONFIG_HOME=$HOME/config XDG_CACHE_HOME=$HOME/cache
	try_planned "$1"
	echo "$checks $failures" >"$scratch/result"
}
# every_fault COMMAND KINDS: all faults for one command, a function that runs it
# in a copy of the repository "template"; of KINDS there must be calls.
# acknowledged: what was there before is there still.  complete: the command has
# done its work.  definite: an exit status of 1 is right.
definite() { false; }
every_fault() {
	scenario=$1 expected=$2
	rm -f "$scratch/totals"
	for kind in $kinds; do plan_kind "$kind" >"$scratch/plan.$kind"; cat "$scratch/plan.$kind"; done >"$scratch/plan"
	! grep -h -A 9 '^FAIL' "$scratch/plan" || exit 1
	echo "$scenario: calls: $(tr '\n' ' ' <"$scratch/totals")- $(wc -l <"$scratch/plan") faults"
	if [ "$jobs" = 1 ]; then
		try_planned 0
		return
	fi
	part=0
	while [ "$part" -lt "$jobs" ]; do
		(try_beside "$part") &
		part=$((part + 1))
	done
	wait
	while [ "$part" -gt 0 ]; do
		part=$((part - 1))
		read -r c f <"$scratch/beside$part/result" || { c=0 f=1; echo "FAIL: part $part ended early"; }
		checks=$((checks + c)) failures=$((failures + f))
		chmod -R u+w "$scratch/beside$part" && rm -rf "$scratch/beside$part"
	done
}
