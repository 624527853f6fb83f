#!/bin/sh
# Transfers that are cut: links, clients and daemons go, and only the rest is sent.
# AICERT_SIZE_MIB is the size of the object, 48 unless told otherwise.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/runner-lib.sh"
mib=${AICERT_SIZE_MIB:-48}
size=$((mib * 1024 * 1024))

# moved METHOD ID FIELD: bytes of all those requests, as the daemon's log has them
moved() {
	sed -n "s,.*method=$1 path=/v1/objects/$2 .* $3=\([0-9]*\).*,\1,p" "$scratch/gpu.log" |
		awk '{ n += $1 } END { printf "%.0f\n", n }'
}
# about N: between the size and an eighth more: what was on its way is sent again
about() {
	checks=$((checks + 1))
	[ "$1" -ge "$size" ] && [ "$1" -le $((size + size / 8)) ] || die "$2: $1 bytes moved for $size"
	small "$2"
}
# what the daemon needs does not depend on the size of what it takes and gives
small() {
	checks=$((checks + 1))
	peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$daemon/status")
	grep -q __asan_init "$build/aicertd" || [ "$peak" -lt 48000 ] ||
		die "$1: the daemon took $peak kB for an object of $mib MiB"
}
put() { moved PUT "$1" in; }
# what came down since the last time it was asked; the daemon's log has what it meant to send
down() {
	total=$(cat "$scratch/passage/passed-down")
	echo $((total - ${before:-0}))
	echo "$total" >"$scratch/before"
}
# the daemon has received N bytes of the object, or more
part() { [ "$(wc -c <"$(echo "$scratch"/gpu.store/.aicert/tmp/upload*/*"$1"* | cut -d' ' -f1)")" -ge "$2" ]; }
fresh() {
	head -c "$size" /dev/urandom >"$1"
	sha256sum "$1" | cut -d' ' -f1
}

# room for the next one, where they are large: both stores begin anew, the TPM stays
room() {
	[ "$mib" -gt 200 ] || return 0
	ok aicert fsck
	stop_daemon
	chmod -R u+w "$scratch/gpu.store" .aicert
	rm -rf "$scratch/gpu.store" .aicert in.bin out.bin out2.bin out3.bin
	aicert init -q
	start_daemon gpu "$port"
}

start_daemon gpu
port=${url##*:}
start_peer passage tcp "$port"
passage=$peer
aicert runner add --min-level simulated --token-file "$scratch/alice.token" gpu \
	"https://127.0.0.1:$peer_port" >/dev/null || exit 99
new_repo repo
echo small >small.txt
spec up.yaml "sha256sum in.bin >out.txt" "in.bin, small.txt" "out.txt"

# a link that is cut twice on the way up
id=$(fresh in.bin)
echo $((size / 3)) >"$scratch/passage/cut-up"
ok aicert commit -q -f up.yaml -r gpu -m "cut once"
[ ! -e "$scratch/passage/cut-up" ] || die "nothing was cut"
grep -q "^$id" out.txt || die "the runner saw another file"
about "$(put "$id")" "an upload that was cut"

room

# the client is killed on the way up, and another goes on
id=$(fresh in.bin)
echo $((size / 2)) >"$scratch/passage/rate"
aicert commit -q -f up.yaml -r gpu -m "killed" 2>"$scratch/err" &
client=$!
until_true 30 part "$id" $((size / 4))
kill -KILL $client
wait $client 2>/dev/null
rm "$scratch/passage/rate"
ok aicert commit -q -f up.yaml -r gpu -m "after a kill"
grep -q "^$id" out.txt || die "the runner saw another file"
about "$(put "$id")" "an upload whose client was killed"

room

# Ctrl-C on the way up: nothing was started, what was sent stays
id=$(fresh in.bin)
echo $((size / 2)) >"$scratch/passage/rate"
aicert commit -q -f up.yaml -r gpu -m "interrupted" 2>"$scratch/err" &
client=$!
until_true 30 part "$id" $((size / 4))
kill -INT $client
wait $client
same $? 3
rm "$scratch/passage/rate"
[ -z "$(ls .aicert/runs 2>/dev/null)" ] || die "a run that was never started"
ok aicert commit -q -f up.yaml -r gpu -m "after Control-C"
about "$(put "$id")" "an upload that was interrupted"

room

# the daemon is killed on the way up: another key, the same machine, the rest
id=$(fresh in.bin)
echo $((size / 2)) >"$scratch/passage/rate"
aicert commit -q -f up.yaml -r gpu -m "killed daemon" >"$scratch/out" 2>"$scratch/err" &
client=$!
until_true 30 part "$id" $((size / 4))
stop_daemon KILL
rm "$scratch/passage/rate"
sleep 1
start_daemon gpu "$port"
wait $client
same $? 0
grep -q "identified again" "$scratch/err" || die "the new key was not told of"
grep -q "^$id" out.txt || die "the runner saw another file"
# the killed daemon logged nothing of its part
checks=$((checks + 1))
[ "$(put "$id")" -le $((size - size / 5)) ] || die "all was sent again to the new daemon"

room

down >"$scratch/out"
before=$(cat "$scratch/before")

# down: cut once, then the client is killed and attach goes on
spec down.yaml "head -c $size /dev/urandom >out.bin" "small.txt" "out.bin"
echo $((size / 2)) >"$scratch/passage/cut-down"
ok aicert commit -q -f down.yaml -r gpu -m "cut on the way down"
[ ! -e "$scratch/passage/cut-down" ] || die "nothing was cut"
id=$(sha256sum out.bin | cut -d' ' -f1)
ok aicert verify --min-level simulated out.bin
about "$(down)" "a download that was cut"
before=$(cat "$scratch/before")

room
rm -f out.bin
half() { [ "$(wc -c <"$(echo .aicert/tmp/fetch/*)")" -ge $((size / 4)) ]; }
spec down2.yaml "head -c $size /dev/urandom >out2.bin; sleep 1" "small.txt" "out2.bin"
echo $((size / 2)) >"$scratch/passage/rate"
aicert commit -q -f down2.yaml -r gpu -m "killed on the way down" 2>"$scratch/err" &
client=$!
until_true 30 half
kill -KILL $client
wait $client 2>/dev/null
rm "$scratch/passage/rate"
part=$(ls .aicert/tmp/fetch)
ok aicert run attach -q "$(ls .aicert/runs)"
same "$(sha256sum out2.bin | cut -d' ' -f1)" "$part"
about "$(down)" "a download whose client was killed"
ok aicert verify --min-level simulated out2.bin
ok aicert fsck
[ -z "$(ls .aicert/tmp/fetch 2>/dev/null)" ] || die "parts were left behind"

room
# the daemon is killed on the way down: another key, the same machine, the rest
before=$(cat "$scratch/passage/passed-down")
spec down3.yaml "head -c $size /dev/urandom >out3.bin; sleep 1" "small.txt" "out3.bin"
echo $((size / 2)) >"$scratch/passage/rate"
aicert commit -q -f down3.yaml -r gpu -m "daemon killed on the way down" 2>"$scratch/err" &
client=$!
until_true 30 half
stop_daemon KILL
rm "$scratch/passage/rate"
start_daemon gpu "$port"
wait $client
same $? 0
grep -q "identified again" "$scratch/err" || die "the new key was not told of"
about "$(down)" "a download whose daemon was killed"
ok aicert verify --min-level simulated out3.bin

# the log goes on where it was when the link is lost
spec log.yaml "for i in 1 2 3 4 5 6; do echo line \$i; sleep 0.4; done; cp small.txt log.txt" \
	"small.txt" "log.txt"
aicert commit -f log.yaml -r gpu -m "a long log" >"$scratch/out" 2>"$scratch/err" &
client=$!
until_true 20 grep -q "line 2" "$scratch/out"
kill -USR1 $passage
wait $client
same $? 0
same "$(grep -c '^line' "$scratch/out")" 6

done_testing
