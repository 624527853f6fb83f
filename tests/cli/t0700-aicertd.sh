#!/bin/sh
# The daemon by hand: options, the socket, stopping, being killed.
. "${top_srcdir:-.}/tests/cli/lib.sh"

# complains STATUS COMMAND...: as fails, and every line begins with "aicertd: "
complains() {
	fails "$@"
	checks=$((checks + 1))
	! grep -qv '^aicertd: ' "$scratch/err" || die "a line without 'aicertd: ': $*"
}

# start SOCKET: a daemon in the background, once it has said that it listens
start() {
	mkfifo "$scratch/ready" 2>/dev/null
	aicertd --store "$scratch/repo/.aicert" --socket "$1" --tpm embedded --ready-fd 3 \
		3>"$scratch/ready" 2>"$scratch/daemon.err" &
	daemon=$!
	read -r line <"$scratch/ready"
	same "$line" "aicertd: listening on $1"
}

ok aicertd --help
out_has "usage: aicertd"
out_has "--socket PATH"
ok aicertd -h
ok aicertd --version
out_has "aicertd "
if [ -e /dev/full ]; then
	checks=$((checks + 1))
	aicertd --help >/dev/full 2>err
	[ $? = 3 ] || die "aicertd --help >/dev/full"
fi
complains 2 aicertd
err_has "--store and one of --listen and --socket"
complains 2 aicertd --nonsense
complains 2 aicertd --store
complains 2 aicertd --store x --socket y z
complains 2 aicertd --store x --socket y --control-fd x
complains 2 aicertd --store x --socket y --control-fd 99999999999

new_repo repo
mkdir -m 0700 "$scratch/s"
mkdir -m 0755 "$scratch/open"
socket="$scratch/s/socket"
complains 3 aicertd --store "$scratch/none" --socket "$socket"
err_has "none: no such file"
complains 3 aicertd --store "$scratch/repo/.aicert" --socket "$scratch/open/socket"
err_has "0700"
complains 3 aicertd --store "$scratch/repo/.aicert" --socket "$scratch/absent/socket"
complains 2 aicertd --store "$scratch/repo/.aicert" --socket "/$(printf '%0200d' 0)"
err_has "at most"
complains 2 aicertd --store "$scratch/repo/.aicert" --socket "$socket" --tpm nonsense
complains 3 aicertd --store "$scratch/repo/.aicert" --socket "$socket" --tpm device:/nonexistent
[ ! -e "$socket" ] || die "a socket was left behind"
echo precious >"$scratch/s/file"
complains 3 aicertd --store "$scratch/repo/.aicert" --socket "$scratch/s/file"
same "$(cat "$scratch/s/file")" precious

# a second daemon does not take a socket that is answered
start "$socket"
complains 3 aicertd --store "$scratch/repo/.aicert" --socket "$socket"
err_has "another daemon"
kill -TERM $daemon
wait $daemon
same $? 0
[ ! -e "$socket" ] || die "SIGTERM left the socket behind"

# killed: its socket is stale, the next one takes the place, the store is sound
start "$socket"
kill -KILL $daemon
wait $daemon 2>/dev/null
[ -S "$socket" ] || die "the socket of a killed daemon is gone"
start "$socket"
kill -INT $daemon
wait $daemon
same $? 0
ok aicert fsck

# the end of the control pipe
mkfifo "$scratch/control"
aicertd --store "$scratch/repo/.aicert" --socket "$socket" --control-fd 4 --ready-fd 3 \
	4<"$scratch/control" 3>"$scratch/ready" &
daemon=$!
exec 5>"$scratch/control"
read -r line <"$scratch/ready"
same "$line" "aicertd: listening on $socket"
kill -0 $daemon || die "it ended early"
exec 5>&-
wait $daemon
same $? 0

# errors before the start go to the ready pipe, for whoever waits there
aicertd --store "$scratch/none" --socket "$socket" --ready-fd 3 3>"$scratch/ready" 2>"$scratch/err" &
daemon=$!
read -r line <"$scratch/ready"
wait $daemon
same $? 3
case $line in
"aicertd: "*"none: no such file"*) ;;
*) die "the ready pipe says: $line" ;;
esac
same "$(cat "$scratch/err")" ""

done_testing
