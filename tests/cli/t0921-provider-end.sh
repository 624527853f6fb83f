#!/bin/sh
# Started machines when something goes wrong in between: a signal, kill -9, a machine
# that dies.  Nothing is left, at the latest after the next command.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/provider-lib.sh"
make_image base
ok aicert runner add --accelerator tcg vm "qemu:$scratch/base.efi"
new_repo repo
echo one >in.txt
spec slow.yaml "echo begun; sleep 60" "in.txt" "out.txt"
spec quick.yaml "cp in.txt out.txt" "in.txt" "out.txt"

# start_commit: $client, its output in $scratch/client.out and .err
start_commit() {
	rm -f "$scratch"/client.*
	aicert commit -f slow.yaml -r vm -m slow >"$scratch/client.out" 2>"$scratch/client.err" &
	client=$!
}
end_client() {
	kill "-$1" "$client"
	wait "$client" 2>/dev/null
	status=$?
}

# The daemon of the machine is gone.
no_daemon() {
	for process in $(left_processes); do
		! grep -qs aicertd "/proc/$process/cmdline" || return 1
	done
}

# Ctrl-C while it starts
echo silent >"$scratch/bin/mode"
start_commit
until_true 20 grep -qs smp "$scratch/bin/qemu.args"
end_client INT
same $status 3
grep -q "^aicert: runner vm: interrupted" "$scratch/client.err" || die "$(cat "$scratch/client.err")"
all_gone

# Ctrl-C during the run: cancelled, its certificate kept
echo child >"$scratch/bin/mode"
start_commit
until_true 20 grep -q begun "$scratch/client.out"
ok aicert runner reap
out_has "in use by process $client"
end_client INT
same $status 1
grep -q "cancelled" "$scratch/client.err" || die "$(cat "$scratch/client.err")"
all_gone
ok aicert log --failed
out_has "cancelled"

# kill -9: what is bound to the client dies with it, the rest by the next command
start_commit
until_true 20 grep -q begun "$scratch/client.out"
tag=$(basename "$(left_directories)")
end_client KILL
[ -n "$(left_directories)" ] || die "nothing was left to be found"
until_true 10 no_daemon
[ -n "$(left_processes)" ] || die "nothing was left to be killed"
ok aicert runner reap
out_has "$tag  destroyed, left by process $client"
all_gone

# the same, and the next command is another commit
start_commit
until_true 20 grep -q begun "$scratch/client.out"
end_client KILL
echo good >"$scratch/bin/mode"
ok aicert commit -f quick.yaml -r vm -m next
err_has "destroyed"
all_gone
ok aicert runner reap
same "$(cat "$scratch/out")" ""

# the machine dies under the run
start_commit
until_true 20 grep -q begun "$scratch/client.out"
for process in $(left_processes); do
	grep -qs aicertd "/proc/$process/cmdline" && kill -9 "$process"
done
wait "$client"
same $? 3
all_gone

# a directory that nobody locks and nobody could have made is left alone
mkdir -p "$machines/notes" "$machines/qemu-xyz"
ok aicert runner reap
[ -d "$machines/notes" ] && [ -d "$machines/qemu-xyz" ] || die "reaped too much"
done_testing
