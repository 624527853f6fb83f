#!/bin/sh
# A daemon's bounds as its clients meet them: connections, silence, a full queue, a log
# of which the middle is not kept.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/runner-lib.sh"
printf '[run]\n\tqueue = 0\n[http]\n\tconnections = 64\n\tconnectionsPerAddress = 6\n\tidleTimeout = 2\n' >"$scratch/conf"
daemon_options="--config $scratch/conf" start_daemon gpu
address=${url#https://}
auth="Authorization: Bearer $(cat "$scratch/alice.token")"

# one address has so many connections, and those that say nothing, not even a TLS
# greeting, are cut off: then there is room again
python3 - "$address" >"$scratch/out" <<'END' || die "the connections of one address"
import socket, ssl, sys, time
host, port = sys.argv[1].split(":")
def connect():
    s = socket.create_connection((host, int(port)), timeout=20)
    return s
def greets(s):
    context = ssl._create_unverified_context()
    try:
        context.wrap_socket(s).close()
        return True
    except OSError:
        return False
silent = [connect() for _ in range(6)]
time.sleep(0.3)
assert not greets(connect()), "a seventh connection is served"
began = time.monotonic()
for s in silent:
    assert s.recv(1) == b"", "the daemon spoke first"
assert time.monotonic() - began < 15
for _ in range(100):
    if greets(connect()):
        break
    time.sleep(0.1)
else:
    raise SystemExit("no room again")
END
checks=$((checks + 1))
same "$(curl -sk -o /dev/null -w '%{http_code}' "$url/healthz")" 200

# a full queue: the client says so, waits, and is served
aicert runner add --min-level simulated --token-file "$scratch/alice.token" gpu "$url" >"$scratch/out"
new_repo repo
echo one >in.txt
spec first.yaml "echo begun; sleep 3; cp in.txt first.txt" "in.txt" "first.txt"
spec second.yaml "cp in.txt second.txt" "in.txt" "second.txt"
aicert commit -f first.yaml -r gpu -m first >"$scratch/first" 2>&1 &
first=$!
until_true 20 grep -q begun "$scratch/first"
fails 3 aicert commit -q --wait 0 -f second.yaml -r gpu -m second
err_has "no place for the run"
ok aicert commit -f second.yaml -r gpu -m second
err_has "queue is full; asking again"
wait $first
same $? 0

# a long log: head and tail are kept, what is missing is said, and the certificate has the
# digest of what the log had
spec loud.yaml "echo head; yes | head -c 40000000; echo tail; cp in.txt loud.txt" "in.txt" "loud.txt"
ok aicert commit -q -f loud.yaml -r gpu -m loud
run=$(curl -sk -H "$auth" "$url/v1/runs" | tr '{' '\n' | grep -o '"run":"[0-9a-f]*"' | cut -d'"' -f4 |
	while read -r id; do
		curl -sk -H "$auth" "$url/v1/runs/$id" | grep -q '"logDropped":[1-9]' && echo "$id"
	done)
ok aicert run log -r gpu "$run"
err_has "bytes of the log were not kept"
same "$(head -1 "$scratch/out")" head
same "$(tail -1 "$scratch/out")" tail
dropped=$(curl -sk -H "$auth" "$url/v1/runs/$run" | sed 's/.*"logDropped":\([0-9]*\).*/\1/')
same "$(($(wc -c <"$scratch/out") + dropped))" 40000010
curl -sk -H "$auth" -D "$scratch/headers" -o "$scratch/out" "$url/v1/runs/$run/log?offset=17000000"
checks=$((checks + 1))
grep -qi "^Log-Offset: $((16777216 + dropped))" "$scratch/headers" || die "where the tail begins: $(cat "$scratch/headers")"
stop_daemon
same $? 0
done_testing
