#!/bin/sh
# Two commits at once, kill -9 in the middle, a read-only and a full store.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r
spec aicert.yaml "echo x > out.txt" "" "out.txt"

# both end up in the history
aicert commit -q -m a >../a.log 2>&1 &
a=$!
aicert commit -q -m b >../b.log 2>&1 &
b=$!
wait $a; sa=$?
wait $b; sb=$?
same "$sa $sb" "0 0"
same "$(aicert log --oneline | wc -l)" 2
ok aicert fsck

# kill -9 of the command line and of the daemon, at many moments
spec slow.yaml "echo started; sleep 0.3; echo y > out.txt" "" "out.txt"
round=0
while [ $round -lt "${AICERT_ROUNDS:-1}" ]; do
for delay in 0.02 0.05 0.1 0.15 0.2 0.3 0.4 0.5; do
	for victim in cli daemon; do
		aicert commit -q -f slow.yaml -m "killed" >../k.log 2>&1 &
		pid=$!
		sleep "$delay"
		if [ $victim = cli ]; then
			kill -9 $pid 2>/dev/null
		else
			pkill -9 -P $pid aicertd 2>/dev/null
		fi
		wait $pid 2>/dev/null
		fails 0 aicert fsck
	done
done
round=$((round + 1))
done
ok aicert commit -m "after the kills"
# no run goes on without its daemon
checks=$((checks + 1))
n=0
while pgrep -f "$scratch" >/dev/null && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
! pgrep -af "$scratch" || die "processes are left"
# the next daemon sweeps what the killed ones left
ok aicert commit -m "sweeps"
checks=$((checks + 1))
! ls .aicert/tmp | grep '^run-' || die "directories of runs are left"
checks=$((checks + 1))
! grep -q "$scratch" /proc/mounts || die "mounts are left"

# Ctrl-C ends the run and says so; nothing is committed
head=$(aicert rev-parse HEAD)
spec long.yaml "echo started; sleep 60" "" "out.txt"
aicert commit -f long.yaml -m long >../c.log 2>&1 &
pid=$!
n=0
while ! grep -q started ../c.log && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
kill -INT $pid
wait $pid
status=$?
checks=$((checks + 1))
[ $status = 1 ] || [ $status = 3 ] || die "Ctrl-C: status $status"
same "$(aicert rev-parse HEAD)" "$head"
checks=$((checks + 1))
! pgrep -f "sleep 60" >/dev/null || die "the command survived Ctrl-C"

# a disk that fills up
if [ "$(id -u)" = 0 ] && mkdir "$scratch/small" && mount -t tmpfs -o size=3m tmpfs "$scratch/small" 2>/dev/null; then
	trap 'umount -l "$scratch/small" 2>/dev/null; chmod -R u+w "$scratch" 2>/dev/null; rm -rf "$scratch"' EXIT
	new_repo small/r
	spec aicert.yaml "head -c 8000000 /dev/zero > big; true" "" "big"
	aicert commit -m full >"$scratch/out" 2>"$scratch/err"
	status=$?
	checks=$((checks + 1))
	[ $status != 0 ] || die "a full disk went unnoticed"
	spec ok.yaml "echo fine > fine.txt" "" "fine.txt"
	rm -f big
	ok aicert fsck
	ok aicert commit -f ok.yaml -m "after the full disk"
	# not a byte is left: gc makes room
	head -c 500000 /dev/urandom >big
	ok aicert hash-object -w big
	rm big
	cat /dev/zero >rest 2>/dev/null
	ok aicert gc -q
	rm rest
	ok aicert fsck
	cd "$scratch/r" || exit 99
fi
done_testing
