#!/bin/sh
# Two machines, as far as their networks know: the demo's three runs are made in one
# namespace for a client in another; the link between them is cut and restored in the
# middle of an upload, and the daemon is restarted.  AICERT_CUT_S: how long it is cut.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/runner-lib.sh"
[ "$(id -u)" = 0 ] || { echo "skipped: needs root"; exit 77; }
for need in ip tc; do
	command -v $need >/dev/null || { echo "skipped: $need is missing"; exit 77; }
done
for need in /usr/share/dict/american-english /usr/share/dict/propernames.gz; do
	[ -e $need ] || { echo "skipped: $need is missing"; exit 77; }
done
python3 -c 'import numpy' 2>/dev/null || { echo "skipped: python3-numpy is missing"; exit 77; }

here=aicert-c-$$ there=aicert-s-$$
trap 'kill $daemons 2>/dev/null; ip netns del $here 2>/dev/null; ip netns del $there 2>/dev/null
	chmod -R u+w "$scratch" 2>/dev/null; rm -rf "$scratch"' EXIT
ip netns add $here && ip netns add $there &&
	ip -n $here link add near type veth peer name far netns $there || {
	echo "skipped: no network namespaces here"
	exit 77
}
ip -n $here addr add 192.0.2.1/30 dev near
ip -n $there addr add 192.0.2.2/30 dev far
ip -n $here link set near up
ip -n $there link set far up
ip -n $here link set lo up
in_client() { ip netns exec $here "$@"; }
slow() { tc -n $here qdisc replace dev near root tbf rate "$1" burst 64k latency 400ms; }
slow 3mbit || { echo "skipped: no traffic control here"; exit 77; }

listen=192.0.2.2 daemon_prefix="ip netns exec $there"
start_daemon gpu
port=${url##*:}
same "$url" "https://192.0.2.2:$port"
# from outside the two namespaces there is nothing at that address
fails 3 timeout 30 aicert runner add --min-level simulated --token-file "$scratch/alice.token" gpu \
	"https://127.0.0.1:$port"
ok in_client aicert runner add --min-level simulated --token-file "$scratch/alice.token" gpu "$url"

new_repo repo
mkdir data
cp -R "$source_dir/examples/names/code" "$source_dir/examples/names/stages" .
cp /usr/share/dict/american-english data/words.txt
gzip -dc /usr/share/dict/propernames.gz >data/names.txt
words=$(sha256sum data/words.txt | cut -d' ' -f1)
size=$(wc -c <data/words.txt)

# cut in the middle of the upload
part() { [ "$(wc -c <"$(echo "$scratch"/gpu.store/.aicert/tmp/upload*/*"$words"*)")" -ge $((size / 4)) ]; }
in_client aicert commit -f stages/prepare.yaml -r gpu -m prepare >"$scratch/out" 2>"$scratch/err" &
client=$!
until_true 30 part
ip -n $there link set far down
checks=$((checks + 1))
sleep "${AICERT_CUT_S:-3}"
kill -0 $client || die "the client gave up"
ip -n $there link set far up
wait $client
same $? 0
[ -d prepared ] || die "the outputs did not come"
sent=$(sed -n "s,.*method=PUT path=/v1/objects/$words .* in=\([0-9]*\).*,\1,p" "$scratch/gpu.log" |
	awk '{ n += $1 } END { printf "%.0f", n }')
[ "$sent" -ge "$size" ] && [ "$sent" -le $((size + size / 4)) ] ||
	die "$sent bytes were sent of an object of $size"

slow 400mbit
ok in_client aicert commit -f stages/pretrain.yaml -r gpu -m pretrain
stop_daemon TERM
fails 3 in_client aicert run list -r gpu
start_daemon gpu "$port"
ok in_client aicert commit -f stages/finetune.yaml -r gpu -m finetune

# the lineage, with neither network nor daemon
stop_daemon TERM
ok ip netns exec $here aicert verify --inputs --min-level simulated model.safetensors
ok aicert trace model.safetensors
out_has "data/words.txt"
out_has "data/names.txt"
ok aicert log --oneline
same "$(wc -l <"$scratch/out")" 3
ok aicert fsck

done_testing
