#!/bin/sh
# Somebody between client and runner, or in the runner's place: refused, and nothing but
# the request for the identity ever reaches him.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/runner-lib.sh"
token=$(cat "$scratch/alice.token")
add() { aicert runner add --min-level simulated --token-file "$scratch/alice.token" "$@"; }

# stranger DIR: what the peer was asked is the identity alone, without a credential
stranger() {
	checks=$((checks + 1))
	[ -s "$scratch/$1/requests" ] || die "$1 was not even asked"
	! grep -E '^[A-Z]+ /' "$scratch/$1/requests" | grep -qv '^GET /v1/identity?nonce=' ||
		die "$1 saw more than the identity"
	! grep -qi -e authorization -e "$token" "$scratch/$1/requests" || die "$1 saw a credential"
}

make_key middle
start_daemon gpu
real=${url##*:}
start_peer middle http "$real" "$scratch/middle.pem" "$scratch/middle.key"
between="https://127.0.0.1:$peer_port"
new_repo repo
echo secret-input >in.txt
spec aicert.yaml "cp in.txt out.txt" "in.txt" "out.txt"

# he passes everything on
fails 1 add gpu "$between"
err_has "stands between"
stranger middle
# he puts his own key into the document
echo own-key >"$scratch/middle/mode"
fails 1 add gpu "$between"
err_has "quote.binding"
# he answers with something else
for mode in garbage endless redirect; do
	echo $mode >"$scratch/middle/mode"
	echo "$real" >"$scratch/middle/elsewhere"
	seen=$(grep -c /v1/identity "$scratch/gpu.log")
	fails 3 add gpu "$between"
	same "$(grep -c /v1/identity "$scratch/gpu.log")" $((seen + 1)) # his, and no second one
done
stranger middle
ok aicert runner list
out_lacks "gpu "

# TLS 1.2 is not spoken
mkdir -p "$scratch/old" && echo yes >"$scratch/old/old"
start_peer old http "$real" "$scratch/middle.pem" "$scratch/middle.key"
fails 3 add gpu "https://127.0.0.1:$peer_port"
[ ! -e "$scratch/old/requests" ] || die "a request over TLS 1.2"

# he comes when the runner is known and used already: a passage that leads elsewhere later
start_peer passage tcp "$real"
passage=$peer
ok add gpu "https://127.0.0.1:$peer_port"
ok aicert commit -r gpu -m honest
: >"$scratch/middle/requests"
rm -f "$scratch/middle/mode"
basename "$between" | sed 's/.*://' >"$scratch/passage/backend"
fails 1 aicert commit -r gpu -m middle
err_has "stands between"
stranger middle

# in mid-session: the run is started, then the passage leads to him
echo "$real" >"$scratch/passage/backend"
spec slow.yaml "echo begun; sleep 3; cp in.txt slow.txt" "in.txt" "slow.txt"
aicert commit -f slow.yaml -r gpu -m switched >"$scratch/out" 2>"$scratch/err" &
client=$!
until_true 20 grep -q begun "$scratch/out"
: >"$scratch/middle/requests"
basename "$between" | sed 's/.*://' >"$scratch/passage/backend"
kill -USR1 $passage
wait $client
same $? 1
err_has "another key"
err_has "it was not accepted again"
stranger middle
[ ! -e slow.txt ] || die "outputs were written"
# the honest way again: the run is collected
echo "$real" >"$scratch/passage/backend"
ok aicert run attach -q "$(ls .aicert/runs)"
same "$(cat slow.txt)" secret-input

# in mid-session to another runner, which is as good as the first, but not the same machine
start_daemon other
other=${url##*:}
rm -f "$scratch/out"
aicert commit -f slow.yaml -r gpu -m "another machine" >"$scratch/out" 2>"$scratch/err" &
client=$!
until_true 20 grep -q begun "$scratch/out"
echo "$other" >"$scratch/passage/backend"
kill -USR1 $passage
wait $client
same $? 1
err_has "another machine"
checks=$((checks + 1))
! grep 'method=' "$scratch/other.log" | grep -qv 'path=/v1/identity' || die "the other runner was sent more"
fails 1 aicert runner check gpu
err_has "another machine"

# somebody who has the runner's own key file: the identity still answers a nonce of now, and
# what comes back is still judged
make_key shared
daemon_options="--tls-cert $scratch/shared.pem --tls-key $scratch/shared.key"
start_daemon keyed
keyed=${url##*:}
start_peer thief http "$keyed" "$scratch/shared.pem" "$scratch/shared.key"
echo record >"$scratch/thief/mode"
ok add keyed "https://127.0.0.1:$peer_port"
echo replay >"$scratch/thief/mode"
fails 1 aicert runner check keyed
err_has "quote.binding"
: >"$scratch/thief/requests"
fails 1 aicert commit -r keyed -m replayed
stranger thief
echo other-certificate >"$scratch/thief/mode"
ok aicert commit -r keyed -m recorded
head=$(aicert rev-parse HEAD)
rm -f out.txt
echo "other-certificate $scratch/thief/certificate" >"$scratch/thief/mode"
fails 1 aicert commit -r keyed -m "an old certificate"
err_has "nonce"
same "$(aicert rev-parse HEAD)" "$head"
[ ! -e out.txt ] || die "an output of a refused run was written"
rm -rf .aicert/runs
head -c 40000 /dev/urandom >large.bin
spec large.yaml "tac large.bin >large.out" "large.bin" "large.out"
echo flip >"$scratch/thief/mode"
fails 1 aicert commit -f large.yaml -r keyed -m flipped
err_has "nothing of them is kept"
[ ! -e large.out ] || die "a damaged output was written"
[ -z "$(ls .aicert/tmp/fetch 2>/dev/null)" ] || die "damaged bytes were kept"
echo honest >"$scratch/thief/mode"
ok aicert run attach -q "$(ls .aicert/runs)"
tac large.bin | cmp - large.out || die "the output is wrong"
id=$(aicert hash-object -w "$source_dir/README.md" | cut -d' ' -f1)
echo "curious $id" >"$scratch/thief/mode"
echo changed >in.txt
fails 1 aicert commit -r keyed -m curious
err_has "objects that it was not asked about"
checks=$((checks + 1))
! grep -q "PUT /v1/objects/$id" "$scratch/thief/requests" || die "a curious runner got an object"
ok aicert fsck

done_testing
