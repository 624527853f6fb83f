#!/bin/sh
# The daemon under load and abuse, bounded, on the loopback: many clients at once, clients
# that are slow, bodies that are wrong.  AICERT_LOAD_SECONDS says for how long (30).
. "${top_srcdir:-.}/tests/cli/lib.sh"
command -v curl >/dev/null && command -v openssl >/dev/null && command -v python3 >/dev/null || exit 77
trap 'kill $daemons 2>/dev/null; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
clients=200
# what fails is shown without what came back: that may be a megabyte of anything
die() {
	failures=$((failures + 1))
	echo "FAIL: $*"
}

( umask 077; printf 'ada sha256:%s run\nbob sha256:%s run\n' \
	"$(printf ada-secret | sha256sum | cut -d' ' -f1)" \
	"$(printf bob-secret | sha256sum | cut -d' ' -f1)" >tokens )
mkfifo ready
# start NAME KEY...: a daemon with these keys of [http]; $daemon, $url, $address are its
start() {
	name=$1
	shift
	{
		printf '[daemon]\n\tlisten = 127.0.0.1:0\n\tstore = %s\n\ttpm = embedded:%s\n\ttokenFile = %s\n[http]\n' \
			"$scratch/$name" "$scratch/tpm" "$scratch/tokens"
		printf '\t%s\n' "$@"
	} >conf
	aicertd --config conf --ready-fd 3 3>ready 2>daemon.log &
	daemon=$!
	daemons="$daemons $daemon"
	read -r line <ready
	url=${line#aicertd: listening on }
	address=${url#https://}
}
# Its end: nothing was said but what is always said; where the build looks for leaks and the
# like, there were none.
stop() {
	kill -TERM $daemon
	wait $daemon
	same $? 0
	grep -v '^time=\|^aicertd: listening\|^aicertd: AK ' daemon.log >odd
	same "$(head -c 2000 odd)" ""
}
daemons=
start st "connections = 420" "connectionsPerAddress = 400" "requestsPerPrincipal = 400"

auth='Authorization: Bearer ada-secret'
status() { curl -sk -o out -w '%{http_code}' --max-time 120 -H "$auth" "$@"; }
memory() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$daemon/status; }
# raw SECONDS-OPEN: standard input to the daemon as it is; what comes back
raw() { timeout "$1" openssl s_client -quiet -connect "$address" 2>/dev/null; }
# together NAME...: as many requests at once as these curl configurations have, all with 2xx
together() {
	pids=
	for name in "$@"; do
		curl -sk -Z --parallel-immediate --parallel-max $clients --max-time 120 -K "$name" \
			>"codes.$name" 2>"err.$name" &
		pids="$pids $!"
	done
	for pid in $pids; do
		checks=$((checks + 1))
		wait "$pid" || die "$*: curl ends with $?"
	done
	same "$(cat codes.* | grep -cv '^2..$')" 0
	same "$(cat codes.* | wc -l)" $(($# * clients))
}

# --- many at once ---
head -c 1000000 /dev/urandom >big
big=$(sha256sum big | cut -d' ' -f1)
same "$(status -T big "$url/v1/objects/$big")" 201
for i in $(seq $clients); do
	head -c 40000 /dev/urandom >"up$i"
	sha256sum "up$i" | cut -d' ' -f1 >>names
done
i=0
while read -r name; do
	i=$((i + 1))
	for config in uploads downloads; do
		{
			[ $i = 1 ] || echo next
			printf 'insecure\nsilent\nheader = "%s"\nwrite-out = "%%{http_code}\\n"\n' "$auth"
		} >>$config
	done
	printf 'upload-file = "up%s"\nurl = "%s/v1/objects/%s"\noutput = "/dev/null"\n' $i "$url" "$name" >>uploads
	printf 'url = "%s/v1/objects/%s"\noutput = "got%s"\n' "$url" "$big" $i >>downloads
done <names
together uploads downloads
same "$(cat got* | wc -c)" $((clients * 1000000))
same "$(sha256sum got* | cut -d' ' -f1 | sort -u)" "$big"
rm -f got*

# --- what is wrong ---
same "$(status -X POST -H 'Content-Length: 9000000' --data-binary x "$url/v1/runs")" 413
printf '{"mediaType":"application/vnd.aicert.object-list.v1+json","objects":[' >ids
seq -f '%064.0f' 100000 | sed 's/.*/"sha256:&"/' | tr '\n' ',' | sed 's/,$//' >>ids
printf ']}' >>ids
same "$(status --data-binary @ids "$url/v1/objects/missing")" 200
same "$(cmp ids out && echo same)" same
sed 's/\]}$/,"sha256:'"$big"'"]}/' ids >more
same "$(status --data-binary @more "$url/v1/objects/missing")" 413
# a body that ends early: what came is kept, and continued
half=$(head -c 30000 up1 | sha256sum | cut -d' ' -f1)
{ printf 'PUT /v1/objects/%s HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: 30000\r\n\r\n' "$half" "$auth"
	head -c 20000 up1; } | raw 2 >/dev/null
for _ in $(seq 50); do
	curl -skI -H "$auth" "$url/v1/objects/$half" | grep -qi '^Upload-Offset: 20000' && break
	sleep 0.1
done
tail -c +20001 up1 | head -c 10000 >tail
same "$(status -T tail -H 'Content-Range: bytes 20000-29999/30000' "$url/v1/objects/$half")" 201

stop

# --- slow ones are cut off, and hold up nobody ---
start slow "headerTimeout = 2" "idleTimeout = 3" "stallTimeout = 3"
slow=
for i in $(seq 20); do
	( printf 'GET /healthz HTTP/1.1\r\nHost: x\r\n'; for _ in 1 2 3 4 5 6 7 8; do sleep 1; printf 'X-%s: y\r\n' "$i"; done ) |
		raw 20 >/dev/null &
	slow="$slow $!"
	( printf 'PUT /v1/objects/%s HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: 100000\r\n\r\n' "$(printf '%064d' "$i")" "$auth"
		for _ in 1 2 3 4 5 6 7 8; do sleep 1; printf slow; done ) | raw 20 >/dev/null &
	slow="$slow $!"
	( sleep 8 ) | raw 20 >/dev/null &
	slow="$slow $!"
done
sleep 1
same "$(status "$url/healthz")" 200
sleep 6
connections=$(curl -sk -H "$auth" "$url/metrics" | sed -n 's/^aicertd_connections //p')
checks=$((checks + 1))
[ "$connections" -le 3 ] || die "$connections connections are still open"
for pid in $slow; do wait "$pid"; done
stop

# --- a mix of everything, for a while ---
start st "connections = 420"
ok python3 "$source_dir/tests/cli/load.py" "$url" "${AICERT_LOAD_SECONDS:-30}" 24 ada-secret bob-secret
cat out
checks=$((checks + 1))
grep -q __asan_init "$build/aicertd" || [ "$(memory)" -lt 200000 ] ||
	die "it has grown to $(memory) kB"
stop
cd "$scratch/st" && ok aicert fsck
done_testing
